#include "deletion.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "rings.hpp"

namespace milpcount {

namespace {

template <class Ring>
class Search final : public Deletion {
    using Cell = typename Ring::Cell;

    // The restriction to a flat of dimension d, and how much of it is counted.
    struct Level {
        Index d = 0, m = 0, next = 0;
        Count total;
        std::vector<Cell> rows;
        CountMemory::Key key;
        Word hash = 0;
        bool remember = false;
        Index lookups = 0, found = 0;
    };

  public:
    Search(Ring ring, const Index* residues, Index m, Index d, Index primes, std::size_t memory,
           bool generic)
        : ring_(std::move(ring)), memory_(memory), generic_(generic) {
        for (Index k = d; k >= 1; --k) {
            Level level;
            level.d = k;
            levels_.push_back(std::move(level));
        }
        Level& root = levels_[0];
        root.rows.resize(static_cast<std::size_t>(m * d * ring_.cells()));
        for (Index q = 0; q < primes; ++q)
            for (Index e = 0; e < m * d; ++e)
                ring_.load(residues + q * m * d + e, q, root.rows.data() + e * ring_.cells() + q);
        root.m = m;
        guarded([&] {
            ring_.normalise(root.rows.data(), m, d);
            const Index before = root.m;
            drop_zeros(root);
            distinct(root);
            coincident_ = root.m < before;
            begin(0);
        });
    }

    void advance(Index work) override {
        guarded([&] {
            while (work > 0 && !done_) work -= step();
        });
    }
    Count total() const override {
        Count sum;
        for (std::size_t k = 0; k <= top_; ++k) sum.add(levels_[k].total);
        return sum;
    }
    Statistics statistics() const override {
        Statistics s;
        s.restrictions = restrictions_;
        for (const Level& level : levels_) {
            s.lookups += level.lookups;
            s.found += level.found;
        }
        s.kept = static_cast<Index>(memory_.size());
        s.bytes = static_cast<Index>(memory_.bytes());
        s.full = memory_.full();
        return s;
    }

  private:
    Index width(const Level& level) const { return level.d * ring_.cells(); }

    template <class Work>
    void guarded(Work work) {
        try {
            work();
        } catch (const Unlucky&) {
            unlucky_ = done_ = true;
        }
        if (generic_ && coincident_) done_ = true;
    }

    // Enter a level whose rows are in place.
    void begin(std::size_t k) {
        Level& level = levels_[k];
        top_ = k;
        level.next = 1;
        level.total = Count{level.m > 0 ? Word{1} : Word{0}, 0};
        // On a line there is one vector, in a plane each of them is a line of its own.
        if (level.d <= 2) {
            level.total.low = static_cast<Word>(level.m);
            level.next = level.m;
        }
        if (level.next >= level.m) finish();
    }

    // Hand the count of the top level to the one above it, as long as that is complete too.
    void finish() {
        for (;;) {
            Level& level = levels_[top_];
            if (level.remember) memory_.keep(level.key, level.hash, level.total);
            level.remember = false;
            if (top_ == 0) {
                done_ = true;
                return;
            }
            const Count total = level.total;
            level.total = Count{};
            --top_;
            levels_[top_].total.add(total);
            if (levels_[top_].next < levels_[top_].m) return;
        }
    }

    // Restrict the next hyperplane of the top level; returns the work done.
    Index step() {
        Level& level = levels_[top_];
        const Index i = level.next++, n = ring_.cells();
        const Cell* h = level.rows.data() + i * width(level);
        Index k = 0;
        while (k < level.d && ring_.zero(h + k * n)) ++k;
        ++restrictions_;
        if (k == level.d) {  // only where the modulus is no prime
            if (level.next == level.m) finish();
            return 1;
        }
        if constexpr (std::is_same_v<Ring, SmallField>) {
            if (level.d == 3) {
                const Index points = ring_.points(level.rows.data(), i, k);
                coincident_ |= points < i;
                level.total.add(Count{static_cast<Word>(points), 0});
                if (level.next == level.m) finish();
                return i;
            }
        }
        Level& below = levels_[top_ + 1];
        below.m = i;
        below.rows.resize(static_cast<std::size_t>(i * width(below)));
        for (Index j = 0; j < i; ++j)
            ring_.restrict_row(level.rows.data() + j * width(level), h, level.d, k,
                               below.rows.data() + j * width(below));
        ring_.normalise(below.rows.data(), i, below.d);
        distinct(below);
        coincident_ |= below.m < i;
        if (generic_ && coincident_) {
            done_ = true;
        } else if (below.d <= 2 || below.m <= 2) {
            level.total.add(Count{static_cast<Word>(below.m), 0});
            if (level.next == level.m) finish();
        } else if (const Count* known = recall(below)) {
            level.total.add(*known);
            if (level.next == level.m) finish();
        } else {
            begin(top_ + 1);
        }
        return i * level.d;
    }

    // The count of a level if it is known; else its key is made, if it is worth one.
    const Count* recall(Level& level) {
        level.remember = false;
        if (generic_ || (level.d < 4 && level.m < Ring::REMEMBERED) || level.m < 4) return nullptr;
        // Where next to nothing is found again the memory is left alone.
        if (level.lookups >= 2000 && level.found * 50 < level.lookups) return nullptr;
        ++level.lookups;
        make_key(level);
        level.hash = CountMemory::hash(level.key);
        const Count* known = memory_.find(level.key, level.hash);
        if (known != nullptr)
            ++level.found;
        else
            level.remember = true;
        return known;
    }

    void make_key(Level& level) {
        const Index m = level.m, d = level.d, n = ring_.cells();
        order_columns(level);
        scratch_.resize(static_cast<std::size_t>(m * d * n));
        for (Index i = 0; i < m; ++i)
            for (Index c = 0; c < d; ++c)
                std::copy_n(level.rows.data() + (i * d + columns_[static_cast<std::size_t>(c)]) * n,
                            n, scratch_.data() + (i * d + c) * n);
        ring_.normalise(scratch_.data(), m, d);
        const std::size_t bytes = static_cast<std::size_t>(d * n) * sizeof(Cell);
        order_.resize(static_cast<std::size_t>(m));
        for (Index i = 0; i < m; ++i)
            order_[static_cast<std::size_t>(i)] = {row_hash(scratch_.data() + i * d * n, d * n), i};
        std::sort(order_.begin(), order_.end(), [&](const auto& a, const auto& b) {
            if (a.first != b.first) return a.first < b.first;
            return std::memcmp(scratch_.data() + a.second * d * n,
                               scratch_.data() + b.second * d * n, bytes) < 0;
        });
        level.key.resize(8 + bytes * static_cast<std::size_t>(m));
        const Word shape = static_cast<Word>(d) << 32 | static_cast<Word>(m);
        std::memcpy(level.key.data(), &shape, 8);
        for (Index i = 0; i < m; ++i)
            std::memcpy(level.key.data() + 8 + bytes * static_cast<std::size_t>(i),
                        scratch_.data() + order_[static_cast<std::size_t>(i)].second * d * n, bytes);
    }

    // An order of the coordinates that depends on the pattern of zeros, not on their present order
    // unless colours tie.
    void order_columns(const Level& level) {
        const Index m = level.m, d = level.d, n = ring_.cells();
        columns_.resize(static_cast<std::size_t>(d));
        std::iota(columns_.begin(), columns_.end(), Index{0});
        column_colours_.assign(static_cast<std::size_t>(d), 1);
        sums_.resize(static_cast<std::size_t>(d));
        for (int round = 0; round < 3; ++round) {
            std::fill(sums_.begin(), sums_.end(), Word{0});
            for (Index i = 0; i < m; ++i) {
                const Cell* row = level.rows.data() + i * d * n;
                Word colour = 0;
                for (Index c = 0; c < d; ++c)
                    if (row[c * n] != 0) colour += column_colours_[static_cast<std::size_t>(c)];
                colour = mixed(colour);
                for (Index c = 0; c < d; ++c)
                    if (row[c * n] != 0) sums_[static_cast<std::size_t>(c)] += colour;
            }
            for (std::size_t c = 0; c < sums_.size(); ++c) column_colours_[c] = mixed(sums_[c]);
        }
        std::stable_sort(columns_.begin(), columns_.end(), [&](Index a, Index b) {
            return column_colours_[static_cast<std::size_t>(a)] <
                   column_colours_[static_cast<std::size_t>(b)];
        });
    }

    static Word row_hash(const Cell* row, Index size) {
        Word h = 0;
        for (Index c = 0; c < size; ++c)
            h = (h ^ static_cast<Word>(row[c])) * 0x9E3779B97F4A7C15u + (h >> 29);
        return h ^ (h >> 31);
    }

    // Keep the first of rows that are equal.
    void distinct(Level& level) {
        const Index w = width(level);
        std::size_t room = 16;
        while (room < 2 * static_cast<std::size_t>(level.m)) room *= 2;
        if (slots_.size() < room) {
            slots_.assign(room, {0, 0});
            now_ = 0;
        }
        if (++now_ == 0) {
            std::fill(slots_.begin(), slots_.end(), std::pair<std::uint32_t, std::int32_t>{0, 0});
            now_ = 1;
        }
        const std::size_t mask = room - 1, bytes = static_cast<std::size_t>(w) * sizeof(Cell);
        Cell* rows = level.rows.data();
        Index kept = 0;
        for (Index i = 0; i < level.m; ++i) {
            const Cell* row = rows + i * w;
            std::size_t at = row_hash(row, w) & mask;
            while (slots_[at].first == now_ &&
                   std::memcmp(rows + slots_[at].second * w, row, bytes) != 0)
                at = (at + 1) & mask;
            if (slots_[at].first == now_) continue;
            slots_[at] = {now_, static_cast<std::int32_t>(kept)};
            if (kept != i) std::copy_n(row, w, rows + kept * w);
            ++kept;
        }
        level.m = kept;
    }

    void drop_zeros(Level& level) {
        const Index w = width(level), n = ring_.cells();
        Index kept = 0;
        for (Index i = 0; i < level.m; ++i) {
            Cell* row = level.rows.data() + i * w;
            bool any = false;
            for (Index c = 0; c < level.d; ++c) any |= !ring_.zero(row + c * n);
            if (!any) continue;
            if (kept != i) std::copy_n(row, w, level.rows.data() + kept * w);
            ++kept;
        }
        level.m = kept;
    }

    Ring ring_;
    CountMemory memory_;
    bool generic_;
    std::vector<Level> levels_;
    std::size_t top_ = 0;
    Index restrictions_ = 0;
    // Scratch.
    std::vector<Cell> scratch_;
    std::vector<Index> columns_;
    std::vector<Word> column_colours_, sums_;
    std::vector<std::pair<Word, Index>> order_;
    std::vector<std::pair<std::uint32_t, std::int32_t>> slots_;
    std::uint32_t now_ = 0;
};

}  // namespace

std::unique_ptr<Deletion> Deletion::make(const Index* residues, Index m, Index d,
                                         std::span<const Index> primes, std::size_t memory,
                                         bool generic) {
    const auto count = static_cast<Index>(primes.size());
    if (count == 1 && primes[0] < (Index{1} << 15))
        return std::make_unique<Search<SmallField>>(SmallField(primes[0]), residues, m, d, 1,
                                                    memory, generic);
    if (count == 1)
        return std::make_unique<Search<WideRing<1>>>(WideRing<1>(primes), residues, m, d, 1,
                                                     memory, generic);
    return std::make_unique<Search<WideRing<0>>>(WideRing<0>(primes), residues, m, d, count,
                                                 memory, generic);
}

}  // namespace milpcount
