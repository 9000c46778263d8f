#include "around.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "proofs.hpp"

namespace milpcount {

namespace {

constexpr double KEPT = 0.9;  // of the room in the cube

// Eight forms from u on: their values at the point, and how they change along k directions.
class Changes {
  public:
    Changes(const Around& around, const Forms& forms, Index u, int k) : k_(k) {
        values_at(forms, u, around.point.data(), at);
        const Index n = forms.n;
        const Lanes rate = fill(gamma(n + 1)), tiny = fill(TINY);
        for (int i = 0; i < k; ++i) {
            Lanes value[Sum::parts], size[Sum::parts];
            for (int p = 0; p < Sum::parts; ++p) value[p] = size[p] = fill(0.0);
            const double* direction = around.steps[static_cast<std::size_t>(i)];
            for (Index c = 0; c < n; ++c) {
                if (direction[c] == 0.0) continue;
                const Lanes step = fill(direction[c]);
                for (int p = 0; p < Sum::parts; ++p) {
                    const Lanes x = load(forms.row(c) + u + p * Lanes::width) * step;
                    value[p] = value[p] + x;
                    size[p] = size[p] + absolute(x);
                }
            }
            for (int p = 0; p < Sum::parts; ++p) {
                store(change[i] + p * Lanes::width, absolute(value[p]));
                store(doubt[i] + p * Lanes::width, rate * size[p] + tiny);
            }
        }
    }
    // How long a step the constraint at place b allows, `side` being its sign; negative where it is
    // not proved to hold at all.
    double allowed(int b, double side, double most) const {
        const double slack = side * at.value[b] - at.error[b];
        if (!(slack > 0.0)) return -1.0;
        double used = 0.0;
        for (int i = 0; i < k_; ++i) used += change[i][b] + doubt[i][b];
        return used > 0.0 ? std::min(most, 0.5 * slack / used) : most;
    }
    // Whether a step makes the form at place b, which is number i of the k, show both signs.
    bool shows(int b, int i, double step) const {
        double gain = 0.0;
        for (int j = 0; j < k_; ++j)
            gain += (j == i ? change[j][b] : -change[j][b]) - doubt[j][b];
        return 0.99 * step * gain > std::abs(at.value[b]) + at.error[b];
    }

  private:
    int k_;
    Values at;
    double change[MOST_FORMS][PAD], doubt[MOST_FORMS][PAD];
};

// How long a step the cube allows.
double room(const Around& around, int n, int k) {
    double limit = FAR;
    for (int j = 0; j < n; ++j) {
        double used = 0.0;
        for (int i = 0; i < k; ++i) used += std::abs(around.steps[static_cast<std::size_t>(i)][j]);
        const double z = around.point[static_cast<std::size_t>(j)];
        if (used > 0.0) limit = std::min(limit, KEPT * std::min(z, 1.0 - z) / used);
    }
    return limit;
}

}  // namespace

bool all_signs_around(State& st, const Node& a, const Around& around, std::span<const int> places) {
    const int k = static_cast<int>(places.size());
    double step = room(around, st.n, k);
    const auto constrained = [&](const Forms& forms, Index u, Word active, Word inactive) {
        const Changes changes(around, forms, u, k);
        for_each_bit(active | inactive, [&](int b) {
            const double side = (active >> b & 1) != 0 ? 1.0 : -1.0;
            if (step > 0.0) step = changes.allowed(b, side, step);
        });
        return step > 0.0;
    };
    const Forms domain = st.net.domain_forms();
    for (Index c = 0; c < st.cuts; c += PAD) {
        const Word all = c + PAD <= st.cuts ? 0xFF : (Word{1} << (st.cuts - c)) - 1;
        if (!constrained(domain, c, all, 0)) return false;
    }
    for (Index layer = 0; layer <= a.layer; ++layer) {
        const Forms forms = st.forms_of(layer);
        for (Index w = 0; w < words_for(st.net.widths[layer]); ++w) {
            const Word active = a.active[st.cut_begin[layer] + w];
            const Word inactive = a.inactive[st.cut_begin[layer] + w];
            for (int b = 0; b < 64; b += PAD) {
                const Word above = active >> b & 0xFF, below = inactive >> b & 0xFF;
                if ((above | below) != 0 && !constrained(forms, 64 * w + b, above, below))
                    return false;
            }
        }
    }
    const Forms forms = st.forms_of(a.layer);
    const Index begin = st.net.starts[a.layer];
    std::optional<Changes> changes;
    Index group = -1;
    for (int i = 0; i < k; ++i) {
        const Index unit = st.unit_of_var(a.rows.rowvar[places[static_cast<std::size_t>(i)]]) - begin;
        if (unit / PAD != group) {
            group = unit / PAD;
            changes.emplace(around, forms, group * PAD, k);
        }
        if (!changes->shows(static_cast<int>(unit % PAD), i, step)) return false;
    }
    return true;
}

}  // namespace milpcount
