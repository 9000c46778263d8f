#include "cone.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "generators.hpp"

namespace milpcount {

namespace {

using namespace cones;

class Sections final : public Cone {
    struct Level {
        Index dimension = 0, next = 0;
        Count total;
        Generators cone;
        CountMemory::Key key;
        Word hash = 0;
        bool remember = false;
    };

  public:
    Sections(const Index* forms, Index m, const Index* sides, Index k, Index d, std::size_t memory)
        : levels_(static_cast<std::size_t>(d) + 1), memory_(memory) {
        if (k > MOST_SIDES)
            throw OverLimit("a cone of " + std::to_string(k) + " sides, more than " +
                            std::to_string(MOST_SIDES) + "; use engine tree");
        for (Index j = 0; j <= d; ++j) levels_[static_cast<std::size_t>(j)].dimension = d - j;
        try {
            Generators all = half_spaces(sides, k, d);
            Generators& root = levels_[0].cone;
            root.rows = m;
            root.lines = all.lines;
            root.zeros = all.zeros;
            root.values.resize(static_cast<std::size_t>(m * all.count()));
            for (Index g = 0; g < all.count(); ++g)
                for (Index i = 0; i < m; ++i)
                    root.column(g)[i] = value(forms + i * d, all.column(g), d);
            begin(0);
        } catch (const Overflow&) {
            overflow_ = done_ = true;
        }
    }

    void advance(Index work) override {
        try {
            while (work > 0 && !done_) work -= step();
        } catch (const Overflow&) {
            overflow_ = done_ = true;
        }
    }
    Count total() const override {
        Count sum;
        for (std::size_t k = 0; k <= top_; ++k) sum.add(levels_[k].total);
        return sum;
    }
    Index bytes() const override { return static_cast<Index>(memory_.bytes()); }
    bool full() const override { return memory_.full(); }

  private:
    static Index value(const Index* form, const Index* point, Index d) {
        bool all = d <= 32;
        for (Index c = 0; all && c < d; ++c) all = narrow(form[c]) && narrow(point[c]);
        if (all) {
            Index sum = 0;
            for (Index c = 0; c < d; ++c) sum += form[c] * point[c];
            if (sum > -WIDE && sum < WIDE) return sum;
        }
#if defined(__SIZEOF_INT128__)
        __int128 sum = 0;
        for (Index c = 0; c < d; ++c) sum += static_cast<__int128>(form[c]) * point[c];
        if (sum > -__int128{WIDE} && sum < __int128{WIDE}) return static_cast<Index>(sum);
#endif
        throw Overflow{};
    }

    // Generators of {x : B x >= 0}, in coordinates.
    static Generators half_spaces(const Index* sides, Index k, Index d) {
        Generators now, next;
        now.rows = next.rows = d;
        now.lines = d;
        now.values.assign(static_cast<std::size_t>(d * d), 0);
        for (Index j = 0; j < d; ++j) now.column(j)[j] = 1;
        std::vector<Index> h;
        for (Index s = 0; s < k; ++s) {
            h.resize(static_cast<std::size_t>(now.count()));
            for (Index g = 0; g < now.count(); ++g)
                h[static_cast<std::size_t>(g)] = value(sides + s * d, now.column(g), d);
            if (!cut(now, h.data(), d, s, next)) throw BadArgument("the cone is empty");
            if (next.rays() > MOST_RAYS)
                throw OverLimit("a domain of more than " + std::to_string(MOST_RAYS) +
                                " vertices; use engine tree");
            std::swap(now, next);
        }
        return now;
    }

    // Enter a level whose values are in place: forms without a zero inside and repeated ones go.
    void begin(std::size_t k) {
        Level& level = levels_[k];
        top_ = k;
        level.next = 0;
        level.total = Count{1, 0};
        keep_distinct(level.cone);
        const auto rows = static_cast<Word>(level.cone.rows);
        if (rows == 0 || level.dimension <= 2) {
            // A line is cut in one point; an angle, a half-plane or a plane by each form once.
            if (rows > 0) level.total.low = level.cone.lines == 2 ? 2 * rows : 1 + rows;
            finish();
        } else {
            recall(level);
        }
    }

    // Complete a level whose count is known.
    void recall(Level& level) {
        level.remember = false;
        if (level.dimension < 4 || level.cone.rows < 4) return;
        make_key(level);
        level.hash = CountMemory::hash(level.key);
        const Count* known = memory_.find(level.key, level.hash);
        level.remember = known == nullptr;
        if (known == nullptr) return;
        ++found_;
        level.total = *known;
        finish();
    }

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
            if (levels_[top_].next < levels_[top_].cone.rows) return;
        }
    }

    Index step() {
        Level& level = levels_[top_];
        const Index i = level.next++;
        ++sections_;
        const Generators& cone = level.cone;
        // A section that nothing cuts is one region.
        if (i == 0) {
            level.total.add(Count{1, 0});
            if (level.next == cone.rows) finish();
            return 1;
        }
        form_.resize(static_cast<std::size_t>(cone.count()));
        for (Index g = 0; g < cone.count(); ++g) form_[static_cast<std::size_t>(g)] = cone.column(g)[i];
        Generators& below = levels_[top_ + 1].cone;
        below.rows = i;
        cut(cone, form_.data(), level.dimension, -1, below);
        const Index work = i * below.count() + 1;
        begin(top_ + 1);
        return work;
    }

    // Keep the forms that have a zero inside, of proportional ones the first, and divide the columns
    // by what their entries have in common.  (Rows are divided for the comparison only: a column
    // then stays below the minors that it is proportional to.)
    void keep_distinct(Generators& cone) {
        const Index m = cone.rows, count = cone.count(), lines = cone.lines;
        rows_.resize(static_cast<std::size_t>(m * count));
        hashes_.clear();
        kept_.clear();
        for (Index i = 0; i < m; ++i) {
            const auto kept = static_cast<Index>(kept_.size());
            Index* row = rows_.data() + kept * count;
            bool positive = false, negative = false;
            Index common = 0, sign = 0;
            for (Index g = 0; g < count; ++g) {
                const Index x = cone.column(g)[i];
                row[g] = x;
                positive |= x > 0 || (g < lines && x != 0);
                negative |= x < 0 || (g < lines && x != 0);
                if (sign == 0) sign = x > 0 ? 1 : x < 0 ? -1 : 0;
                if (common != 1) common = common_divisor(common, x);
            }
            if (!positive || !negative) continue;
            if (sign < 0) common = -common;
            if (common != 1)
                for (Index g = 0; g < count; ++g) row[g] /= common;
            Word hash = 0;
            for (Index g = 0; g < count; ++g)
                hash = (hash ^ static_cast<Word>(row[g])) * 0xD6E8FEB86659FD93u + (hash >> 27);
            bool again = false;
            for (Index j = 0; j < kept && !again; ++j)
                again = hashes_[static_cast<std::size_t>(j)] == hash &&
                        std::equal(row, row + count, rows_.data() + j * count);
            if (again) continue;
            hashes_.push_back(hash);
            kept_.push_back(i);
        }
        // Columns grow shorter, so that each is written where it or an earlier one was.
        const auto kept = static_cast<Index>(kept_.size());
        for (Index g = 0; g < count; ++g) {
            const Index* from = cone.values.data() + g * m;
            Index* to = cone.values.data() + g * kept;
            Index common = 0;
            for (Index i = 0; i < kept; ++i) {
                to[i] = from[kept_[static_cast<std::size_t>(i)]];
                if (common != 1) common = common_divisor(common, to[i]);
            }
            if (common > 1)
                for (Index i = 0; i < kept; ++i) to[i] /= common;
        }
        cone.rows = kept;
        cone.values.resize(static_cast<std::size_t>(kept * count));
    }

    // Values in an order of rows and columns that depends on their sizes; rows begin positive.
    void make_key(Level& level) {
        const Generators& cone = level.cone;
        const Index m = cone.rows, count = cone.count(), lines = cone.lines;
        std::vector<Word>&rows = row_colours_, &columns = column_colours_;
        rows.assign(static_cast<std::size_t>(m), 0);
        columns.assign(static_cast<std::size_t>(count), 1);
        for (Index g = 0; g < lines; ++g) columns[static_cast<std::size_t>(g)] = 2;
        for (int round = 0; round < 2; ++round) {
            std::fill(rows.begin(), rows.end(), Word{0});
            for (Index g = 0; g < count; ++g)
                for (Index i = 0; i < m; ++i)
                    rows[static_cast<std::size_t>(i)] += coloured(columns[static_cast<std::size_t>(g)],
                                                                  cone.column(g)[i]);
            for (Index g = 0; g < count; ++g) {
                Word sum = columns[static_cast<std::size_t>(g)];
                for (Index i = 0; i < m; ++i)
                    sum += coloured(rows[static_cast<std::size_t>(i)], cone.column(g)[i]);
                columns[static_cast<std::size_t>(g)] = sum;
            }
        }
        const auto order = [](std::vector<Index>& out, const std::vector<Word>& colours, Index from) {
            out.resize(colours.size());
            std::iota(out.begin(), out.end(), Index{0});
            std::stable_sort(out.begin() + from, out.end(), [&](Index a, Index b) {
                return colours[static_cast<std::size_t>(a)] < colours[static_cast<std::size_t>(b)];
            });
        };
        order(row_order_, rows, 0);
        order(column_order_, columns, lines);
        level.key.resize(static_cast<std::size_t>(8 * (2 + m * count)));
        std::uint8_t* at = level.key.data();
        const auto put = [&](Word x) {
            std::memcpy(at, &x, 8);
            at += 8;
        };
        put(static_cast<Word>(level.dimension) << 32 | static_cast<Word>(m));
        put(static_cast<Word>(lines));
        for (Index i : row_order_) {
            Index sign = 0;
            for (Index g : column_order_) {
                const Index x = cone.column(g)[i];
                if (sign == 0) sign = x > 0 ? 1 : x < 0 ? -1 : 0;
                put(static_cast<Word>(sign * x));
            }
        }
    }
    static Word coloured(Word colour, Index x) {
        return mixed(colour ^ (static_cast<Word>(x < 0 ? -x : x) * 0x9E3779B97F4A7C15u));
    }

    std::vector<Level> levels_;
    std::size_t top_ = 0;
    CountMemory memory_;
    // Scratch.
    std::vector<Index> form_, rows_, kept_, row_order_, column_order_;
    std::vector<Word> hashes_, row_colours_, column_colours_;
};

}  // namespace

std::unique_ptr<Cone> Cone::make(const Index* forms, Index m, const Index* sides, Index k, Index d,
                                 std::size_t memory) {
    return std::make_unique<Sections>(forms, m, sides, k, d, memory);
}

}  // namespace milpcount
