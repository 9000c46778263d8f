#include "complex.hpp"

namespace milpcount {

namespace {

// Beyond this part of the cube's side a vertex that is met again is placed again.
constexpr double WELL_PLACED = 1e-12;

}  // namespace

Complex::Complex(Subdivision& search, const std::int8_t* root)
    : net(search.net()),
      layout(search.layout()),
      search_(search),
      root_(root, root + search.net().units),
      seen_(static_cast<std::size_t>(2 * search.layout().stride)) {
    if (net.n == 0) throw OverLimit("a domain that is a point has no faces; give a box");
}

void Complex::take(Cell& cell) {
    const auto n = static_cast<std::size_t>(net.n);
    const std::size_t pairs = seen_.size();
    std::fill(seen_.begin(), seen_.end(), 0);
    for (Index v = 0; v < cell.corners; ++v) {
        const std::span<const Word> key{cell.signs.data() + static_cast<std::size_t>(v) * pairs,
                                        pairs};
        for (std::size_t w = 0; w < pairs; ++w) seen_[w] |= key[w];
        bool fresh = false;
        const Index id = numbers_.number(
            key, keys_, [&](Index k) { return k * static_cast<Index>(pairs); }, fresh);
        vertices_.push_back(id);
        rows_.push_back(cell.facets[v]);
        if (!fresh && error[static_cast<std::size_t>(id)] <= WELL_PLACED) continue;
        search_.refine_vertex(cell, v);
        const double* from = cell.at.data() + v * net.n;
        if (fresh) {
            at.insert(at.end(), from, from + n);
            error.push_back(cell.error[v]);
        } else if (cell.error[v] < error[static_cast<std::size_t>(id)]) {
            std::copy(from, from + n, at.begin() + id * net.n);
            error[static_cast<std::size_t>(id)] = cell.error[v];
        }
    }
    begin_.push_back(static_cast<Index>(vertices_.size()));
    used_.push_back(cell.used);
    simple_.push_back(cell.simple ? 1 : 0);
    for (Index l = 0; l < net.layers; ++l)
        for (Index i = 0; i < net.widths[l]; ++i) {
            const auto w = static_cast<std::size_t>(2 * (layout.first[l + 1] + (i >> 6)));
            const Word bit = bit_of(i);
            const std::int8_t preset = root_[static_cast<std::size_t>(net.starts[l] + i)];
            const int sign = (seen_[w] & bit) ? 1 : (seen_[w + 1] & bit) ? -1 : 0;
            cell_signs.push_back(static_cast<std::int8_t>(preset == 0 ? sign : preset > 0 ? 1 : -1));
        }
}

// Makes faces from sets of the vertices of their cells, in W words.
template <std::size_t W>
class Complex::Maker {
  public:
    explicit Maker(Complex& complex) : c_(complex) {
        std::array<Set, MAX_FACETS> sets;
        for (std::size_t cell = 0; cell < c_.simple_.size(); ++cell) {
            const auto a = static_cast<std::size_t>(c_.begin_[cell]);
            const auto b = static_cast<std::size_t>(c_.begin_[cell + 1]);
            const Word used = c_.used_[cell];
            for_each_bit(used, [&](int f) { sets[static_cast<std::size_t>(f)] = Set{}; });
            for (std::size_t v = a; v < b; ++v)
                for_each_bit(c_.rows_[v] & used, [&](int f) {
                    sets[static_cast<std::size_t>(f)][(v - a) >> 6] |=
                        bit_of(static_cast<Index>(v - a));
                });
            parts_.clear();
            for_each_bit(used, [&](int f) { parts_.push_back(sets[static_cast<std::size_t>(f)]); });
            // In a simple polytope all rows that are left are facets, each once.
            if (!c_.simple_[cell]) keep_maximal();
            facets_.insert(facets_.end(), parts_.begin(), parts_.end());
            begin_.push_back(facets_.size());
        }
    }

    void make(bool all) {
        const Index n = c_.net.n;
        std::vector<Local> of, found;
        for (Index k = n; k >= 1; --k) {
            found.clear();
            if (k == n)
                for (Index cell = 0; cell < c_.cells(); ++cell) facets_of_cell(cell, found);
            else
                facets_of(k, of, found);
            of.swap(found);
            if (!all) break;
        }
    }

  private:
    using Set = std::array<Word, W>;
    // The vertices of a face, by their places in one of its cells.
    struct Local {
        Index cell;
        Set on;
    };

    static bool within(const Set& a, const Set& b) {
        Word rest = 0;
        for (std::size_t w = 0; w < W; ++w) rest |= a[w] & ~b[w];
        return rest == 0;
    }

    // Leaves the maximal ones among the parts, each once, in the order in which they came.
    void keep_maximal() {
        kept_.clear();
        for (std::size_t a = 0; a < parts_.size(); ++a) {
            bool maximal = true;
            for (std::size_t b = 0; b < parts_.size() && maximal; ++b)
                if (a != b && within(parts_[a], parts_[b]) &&
                    (b < a || !within(parts_[b], parts_[a])))
                    maximal = false;
            if (maximal) kept_.push_back(parts_[a]);
        }
        parts_.swap(kept_);
    }

    void facets_of_cell(Index cell, std::vector<Local>& found) {
        Faces& here = c_.faces[static_cast<std::size_t>(c_.net.n)];
        const auto k = static_cast<std::size_t>(cell);
        for (std::size_t f = begin_[k]; f < begin_[k + 1]; ++f)
            put(here, c_.net.n, {cell, facets_[f]}, found);
        here.facet_begin.push_back(static_cast<Index>(here.facets.size()));
    }

    void facets_of(Index dimension, const std::vector<Local>& of, std::vector<Local>& found) {
        Faces& here = c_.faces[static_cast<std::size_t>(dimension)];
        numbering_ = {};
        for (const Local& face : of) {
            const auto k = static_cast<std::size_t>(face.cell);
            parts_.clear();
            for (std::size_t f = begin_[k]; f < begin_[k + 1]; ++f) {
                Set common;
                Word any = 0, lost = 0;
                for (std::size_t w = 0; w < W; ++w) {
                    common[w] = face.on[w] & facets_[f][w];
                    any |= common[w];
                    lost |= common[w] ^ face.on[w];
                }
                if (any != 0 && lost != 0) parts_.push_back(common);
            }
            // Facets of a simple polytope that meet one of its faces meet it in facets of the face,
            // each in another one.
            if (!c_.simple_[k]) keep_maximal();
            for (const Set& part : parts_) put(here, dimension, {face.cell, part}, found);
            here.facet_begin.push_back(static_cast<Index>(here.facets.size()));
        }
    }

    // Puts a facet of the last face of `here` in.
    void put(Faces& here, Index dimension, const Local& local, std::vector<Local>& found) {
        const Index* vertices = c_.vertices_.data() + c_.begin_[static_cast<std::size_t>(local.cell)];
        ids_.clear();
        for (std::size_t w = 0; w < W; ++w)
            for_each_bit(local.on[w], [&](int b) {
                const Index id = vertices[64 * w + static_cast<std::size_t>(b)];
                // Few numbers, some of them in order.
                std::size_t p = ids_.size();
                ids_.push_back(id);
                for (; p > 0 && ids_[p - 1] > id; --p) ids_[p] = ids_[p - 1];
                ids_[p] = id;
            });
        if (dimension == 1) {
            here.facets.push_back(ids_[0]);  // vertices are numbered already
            return;
        }
        Faces& below = c_.faces[static_cast<std::size_t>(dimension - 1)];
        bool fresh = false;
        here.facets.push_back(numbering_.number(
            ids_, below.vertices,
            [&](Index k) { return below.begin[static_cast<std::size_t>(k)]; }, fresh));
        if (!fresh) return;
        below.begin.push_back(static_cast<Index>(below.vertices.size()));
        found.push_back(local);
    }

    Complex& c_;
    std::vector<Set> facets_;              // of all cells
    std::vector<std::size_t> begin_{0};    // of each cell
    std::vector<Set> parts_, kept_;
    std::vector<Index> ids_;
    Numbering<Index> numbering_;
};

template <std::size_t W>
void Complex::make(Wanted wanted) {
    Maker<W>(*this).make(wanted == Wanted::ALL);
}

void Complex::make_cells_and_vertices() {
    Faces& top = faces[static_cast<std::size_t>(net.n)];
    top.vertices = vertices_;
    top.begin = begin_;
    for (std::size_t c = 0; c < simple_.size(); ++c)
        std::sort(top.vertices.begin() + begin_[c], top.vertices.begin() + begin_[c + 1]);
    for (Index v = 0; v < vertices(); ++v) {
        faces[0].vertices.push_back(v);
        faces[0].begin.push_back(v + 1);
        faces[0].facet_begin.push_back(0);
    }
}

// Two vertices of a cell are the ends of an edge if and only if no third one lies on all rows that
// both lie on; in a simple polytope, if and only if these are n - 1.
void Complex::make_edges() {
    Faces& edges = faces[1];
    Numbering<Index> numbering;
    const int common_rows = static_cast<int>(net.n) - 1;
    for (std::size_t c = 0; c < simple_.size(); ++c) {
        const auto a = static_cast<std::size_t>(begin_[c]), b = static_cast<std::size_t>(begin_[c + 1]);
        for (std::size_t i = a; i < b; ++i)
            for (std::size_t j = i + 1; j < b; ++j) {
                const Word common = rows_[i] & rows_[j];
                if (count_bits(common) < common_rows) continue;
                bool edge = true;
                if (!simple_[c])
                    for (std::size_t k = a; k < b && edge; ++k)
                        edge = k == i || k == j || (common & ~rows_[k]) != 0;
                if (!edge) continue;
                const std::array<Index, 2> ends{std::min(vertices_[i], vertices_[j]),
                                                std::max(vertices_[i], vertices_[j])};
                bool fresh = false;
                numbering.number(ends, edges.vertices, [](Index k) { return 2 * k; }, fresh);
                if (fresh) edges.begin.push_back(static_cast<Index>(edges.vertices.size()));
            }
    }
    edges.facets = edges.vertices;
    edges.facet_begin = edges.begin;
    faces[static_cast<std::size_t>(net.n)].facet_begin.assign(simple_.size() + 1, 0);
}

void Complex::join_cells() {
    const auto n = static_cast<std::size_t>(net.n);
    const Faces& top = faces[n];
    facet_cells.assign(static_cast<std::size_t>(2 * faces[n - 1].count()), -1);
    for (Index c = 0; c < top.count(); ++c)
        for (Index k = top.facet_begin[static_cast<std::size_t>(c)];
             k < top.facet_begin[static_cast<std::size_t>(c + 1)]; ++k) {
            Index* pair = facet_cells.data() + 2 * top.facets[static_cast<std::size_t>(k)];
            if (pair[0] < 0)
                pair[0] = c;
            else if (pair[1] < 0)
                pair[1] = c;
            else
                throw BadArgument("three cells share a facet; this is a defect of milpcount");
        }
}

void Complex::finish(Wanted wanted) {
    faces.assign(static_cast<std::size_t>(net.n) + 1, Faces{});
    facet_cells.clear();
    make_cells_and_vertices();
    if (wanted == Wanted::EDGES && net.n > 2) {
        make_edges();
        return;
    }
    Index most = 0;
    for (std::size_t c = 0; c < simple_.size(); ++c)
        most = std::max(most, begin_[c + 1] - begin_[c]);
    // Sets of one word serve nearly all cells.
    if (most <= 64)
        make<1>(wanted == Wanted::EDGES ? Wanted::ALL : wanted);
    else if (most <= 256)
        make<4>(wanted == Wanted::EDGES ? Wanted::ALL : wanted);
    else
        make<static_cast<std::size_t>(MAX_CORNERS / 64)>(wanted == Wanted::EDGES ? Wanted::ALL
                                                                                : wanted);
    join_cells();
}

}  // namespace milpcount
