#include "chains.hpp"

#include <algorithm>
#include <iterator>

#include "boundary.hpp"
#include "module.hpp"

namespace milpcount {

namespace {

class Chains {
  public:
    Chains(std::span<const Index> counts, std::span<const Index> begin,
           std::span<const Index> facets)
        : counts_(counts), begin_(begin), facets_(facets) {
        const std::size_t cells = begin.size() - 1;
        left_.resize(cells);
        sum_.resize(cells, 0);
        gone_.resize(cells, 0);
        above_begin_.assign(cells + 1, 0);
        for (const Index f : facets) ++above_begin_[at(f) + 1];
        for (std::size_t c = 0; c < cells; ++c) above_begin_[c + 1] += above_begin_[c];
        above_.resize(facets.size());
        std::vector<Index> next(above_begin_.begin(), above_begin_.end() - 1);
        for (std::size_t c = 0; c < cells; ++c) {
            left_[c] = begin[c + 1] - begin[c];
            for (Index k = begin[c]; k < begin[c + 1]; ++k) {
                const std::size_t f = at(facets[at(k)]);
                above_[at(next[f]++)] = static_cast<Index>(c);
                sum_[c] ^= static_cast<Index>(f);
            }
        }
    }

    std::vector<Index> betti() {
        std::vector<Index> out(counts_.size(), 0);
        for (Index v = 0; v < counts_[0]; ++v) {
            if (gone_[at(v)]) continue;
            ++out[0];
            remove(v);
            for (std::size_t next = 0; next < ready_.size(); ++next) {
                const Index cell = ready_[next];
                if (gone_[at(cell)] || left_[at(cell)] != 1) continue;
                const Index facet = sum_[at(cell)];
                remove(facet);
                remove(cell);
            }
            ready_.clear();
        }
        std::vector<Index> rank(counts_.size() + 1, 0), kept(counts_.size(), 0);
        std::vector<std::uint8_t> paired(gone_.size(), 0);
        Index end = static_cast<Index>(gone_.size());
        for (std::size_t k = counts_.size(); k-- > 0;) {
            const Index start = end - counts_[k];
            for (Index c = start; c < end; ++c)
                if (!gone_[at(c)]) ++kept[k];
            if (k > 0) rank[k] = reduce(start, end, paired);
            end = start;
        }
        for (std::size_t k = 0; k < counts_.size(); ++k) out[k] += kept[k] - rank[k] - rank[k + 1];
        return out;
    }

  private:
    static std::size_t at(Index k) { return static_cast<std::size_t>(k); }

    void remove(Index cell) {
        gone_[at(cell)] = 1;
        for (Index k = above_begin_[at(cell)]; k < above_begin_[at(cell) + 1]; ++k) {
            const Index c = above_[at(k)];
            sum_[at(c)] ^= cell;
            if (--left_[at(c)] == 1 && !gone_[at(c)]) ready_.push_back(c);
        }
    }

    // The rank of the boundaries of the cells start .. end - 1; marks the cells that end them.
    Index reduce(Index start, Index end, std::vector<std::uint8_t>& paired) {
        std::vector<std::vector<Index>> columns;
        std::vector<Index> column_of(at(start), -1);  // of the last cell of a reduced boundary
        std::vector<Index> column, merged;
        for (Index c = start; c < end; ++c) {
            if (gone_[at(c)] || paired[at(c)]) continue;
            column.clear();
            for (Index k = begin_[at(c)]; k < begin_[at(c) + 1]; ++k)
                if (!gone_[at(facets_[at(k)])]) column.push_back(facets_[at(k)]);
            std::sort(column.begin(), column.end());
            while (!column.empty() && column_of[at(column.back())] >= 0) {
                const auto& other = columns[at(column_of[at(column.back())])];
                merged.clear();
                std::set_symmetric_difference(column.begin(), column.end(), other.begin(),
                                              other.end(), std::back_inserter(merged));
                column.swap(merged);
            }
            if (column.empty()) continue;
            column_of[at(column.back())] = static_cast<Index>(columns.size());
            paired[at(column.back())] = 1;
            columns.push_back(column);
        }
        return static_cast<Index>(columns.size());
    }

    std::span<const Index> counts_, begin_, facets_;
    std::vector<Index> above_begin_, above_;  // the cells that each cell is a facet of
    std::vector<Index> left_;                 // number of facets that are left
    std::vector<Index> sum_;                  // their numbers, added without carry
    std::vector<std::uint8_t> gone_;
    std::vector<Index> ready_;
};

Vector<Index> betti(nb::object counts, nb::object begin, nb::object facets) {
    const auto number = vector_input<Index>(counts, "counts");
    if (number.shape(0) < 1 || number.shape(0) > 64) refuse("counts", "not 1 to 64 dimensions");
    Index cells = 0;
    for (const Index c : number.span()) {
        if (c < 0 || c > (Index{1} << 40)) refuse("counts", "a number of cells is negative or huge");
        cells += c;
    }
    const auto starts = vector_input<Index>(begin, "begin", cells + 1);
    const auto below = vector_input<Index>(facets, "facets");
    const auto first = starts.span();
    if (first[0] != 0 || first.back() != below.shape(0)) refuse("begin", "it does not fit facets");
    Index cell = 0, floor = 0;
    for (Index k = 0; k < number.shape(0); ++k) {
        const Index ceiling = cell;  // facets are cells of the dimension before
        for (Index last = cell + number.span()[static_cast<std::size_t>(k)]; cell < last; ++cell) {
            const Index a = first[static_cast<std::size_t>(cell)];
            const Index b = first[static_cast<std::size_t>(cell) + 1];
            if (b < a || b > below.shape(0)) refuse("begin", "it does not ascend");
            for (Index i = a; i < b; ++i) {
                const Index f = below.span()[static_cast<std::size_t>(i)];
                if (f < floor || f >= ceiling) refuse("facets", "one is not of a dimension less");
            }
        }
        floor = ceiling;
    }
    std::vector<Index> out;
    {
        nb::gil_scoped_release released;
        out = betti_numbers(number.span(), first, below.span());
    }
    return vector_output<Index>(std::span<const Index>(out));
}

}  // namespace

std::vector<Index> betti_numbers(std::span<const Index> counts, std::span<const Index> begin,
                                 std::span<const Index> facets) {
    return Chains(counts, begin, facets).betti();
}

void bind_chains(nb::module_& m) {
    m.def("betti", &betti, array_arg("counts"), array_arg("begin"), array_arg("facets"));
}

}  // namespace milpcount
