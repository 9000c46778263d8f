// Signs proved in floats: multipliers with outward rounding, points with an error bound.

#pragma once

#include "lanes.hpp"
#include "state.hpp"

namespace milpcount {

// A sum of multiples of rows of the search, and an upper bound of it over the unit cube.
class Combination {
  public:
    explicit Combination(State& st) : st_(st) {
        for (double& x : st.total) x = 0.0;
    }
    void add(Index k, double factor) {
        add_multiple(st_.total.data(), factor, st_.row[k], padded(st_.n + 1));
        size_ += std::abs(factor) * st_.size[k];
        error_ += std::abs(factor) * st_.error[k];
        ++terms_;
    }
    // Computed so that rounding can only make it larger.
    double supremum() const {
        double top = st_.total[st_.n];
        for (int c = 0; c < st_.n; ++c)
            if (st_.total[c] > 0.0) top += st_.total[c];
        return top + 1.01 * error_ + gamma(st_.n + terms_ + 2) * size_ + TINY;
    }
    Index terms() const { return terms_; }

  private:
    State& st_;
    double size_ = 0.0, error_ = 0.0;
    Index terms_ = 0;
};

// The values of eight forms at z (in the cube), and bounds on the errors of these.
struct Values {
    double value[PAD], error[PAD];
};

// Of the forms from u (a multiple of 8) on.
inline void values_at(const Forms& forms, Index u, const double* z, Values& out) {
    const Index n = forms.n;
    const Lanes rate = fill(gamma(n + 1)), tiny = fill(TINY);
    Lanes value[Sum::parts], size[Sum::parts];
    for (int k = 0; k < Sum::parts; ++k) {
        value[k] = load(forms.constants() + u + k * Lanes::width);
        size[k] = absolute(value[k]);
    }
    for (Index c = 0; c < n; ++c) {
        const double* row = forms.row(c) + u;
        const Lanes at = fill(z[c]);
        for (int k = 0; k < Sum::parts; ++k) {
            const Lanes p = load(row + k * Lanes::width) * at;
            value[k] = value[k] + p;
            size[k] = size[k] + absolute(p);
        }
    }
    for (int k = 0; k < Sum::parts; ++k) {
        const Lanes error = load(forms.errors() + u + k * Lanes::width);
        store(out.value + k * Lanes::width, value[k]);
        store(out.error + k * Lanes::width, error + rate * size[k] + tiny);
    }
}

// Which of the eight forms from u on are proved to be positive at z, and which negative.
struct Signs {
    Word above, below;
};

inline Signs signs_at(const Forms& forms, Index u, const double* z) {
    Values at;
    values_at(forms, u, z, at);
    Signs out{0, 0};
    const Lanes zero = fill(0.0);
    for (int k = 0; k < PAD; k += Lanes::width) {
        const Lanes value = load(at.value + k), error = load(at.error + k);
        out.above |= static_cast<Word>(bits(error < value)) << k;
        out.below |= static_cast<Word>(bits(error < zero - value)) << k;
    }
    return out;
}

// Whether z, in the cube, satisfies every constraint of the node's cell.
inline bool proved_point(State& st, const Node& a, const double* z) {
    const Forms domain = st.net.domain_forms();
    for (Index k = 0; k < st.cuts; k += PAD) {
        const Word all = k + PAD <= st.cuts ? 0xFF : (Word{1} << (st.cuts - k)) - 1;
        if ((signs_at(domain, k, z).above & all) != all) return false;
    }
    for (Index layer = 0; layer < st.net.layers && layer <= a.layer; ++layer) {
        const Index words = words_for(st.net.widths[layer]);
        const Forms forms = st.forms_of(layer);
        for (Index w = 0; w < words; ++w) {
            const Word active = a.active[st.cut_begin[layer] + w];
            const Word inactive = a.inactive[st.cut_begin[layer] + w];
            for (int b = 0; b < 64; b += PAD) {
                const Word above = active >> b & 0xFF, below = inactive >> b & 0xFF;
                if ((above | below) == 0) continue;
                const Signs signs = signs_at(forms, 64 * w + b, z);
                if ((above & ~signs.above) != 0 || (below & ~signs.below) != 0) return false;
            }
        }
    }
    return true;
}

}  // namespace milpcount
