#include "segments.hpp"

#include <cmath>

namespace milpcount {

namespace {

constexpr Index DRAWN = 16;  // segments from each new point
constexpr std::size_t SLOTS = std::size_t{1} << 14;  // patterns in the table

// Where a pattern stands in the table.
std::size_t place_of(Word first, Word second) {
    Word x = (first * 0x9E3779B97F4A7C15u) ^ (second * 0xC2B2AE3D27D4EB4Fu);
    x ^= x >> 29;
    return static_cast<std::size_t>((x * 0xBF58476D1CE4E5B9u) >> 50);
}

}  // namespace

Segments::Segments(const Net& net, bool relaxed) {
    const Index last = net.layers - 1;
    used_ = relaxed && last > 0 && net.skip_begin[last] == net.skip_begin[last + 1] &&
            std::max(net.widths[last], net.widths[last - 1]) <= 64;
    if (!used_) return;
    layer_ = last - 1;
    const Index wide = std::max(net.widths[last], net.widths[last - 1]);
    at_ = Matrix<double>(net.widths[layer_], POINTS + 1);
    blur_ = Buffer<double>(padded(wide));
    reach_ = Buffer<double>(padded(wide));
    doubt_ = Matrix<double>(2, wide);
    patterns_ = Buffer<Pattern>(SLOTS);
    stops_ = Buffer<double>(wide);
    crossings_ = Buffer<double>(wide);
    units_ = Buffer<std::int32_t>(wide);
    here_ = Buffer<double>(padded(wide));
    there_ = Buffer<double>(padded(wide));
    table_ = Matrix<double>(2 * wide + 2, POINTS + 1);
    values_ = Buffer<double>(2 * wide + 2);
    basic_ = Buffer<std::int32_t>(2 * wide + 2);
    nonbasic_ = Buffer<std::int32_t>(POINTS + 1);
}

Word word_of(const State& st, const Node& a, Index layer) {
    const std::int8_t* sign = a.sign.data() + st.net.starts[layer];
    Word word = 0;
    for (Index i = 0; i < st.net.widths[layer]; ++i) word |= static_cast<Word>(sign[i] > 0) << i;
    return word;
}

void Segments::new_cell() {
    ++cell_;
    kept_ = 0;
    for (double& x : blur_) x = 0.0;
    for (double& x : reach_) x = 0.0;
}

bool Segments::known(Word first, Word second) const {
    const Pattern& entry = patterns_[place_of(first, second)];
    return entry.first == first && entry.second == second && entry.cell == cell_;
}

void Segments::note(Word first, Word second) {
    // In the place of another one where need be.
    patterns_[place_of(first, second)] = {first, second, cell_};
}

void Segments::learn(State& st, const Zonotope& zono) {
    const Forms forms = st.forms_of(layer_);
    const Index n = st.n, width = st.net.widths[layer_];
    // The place after the last points is for the new one, until segments to it are drawn.
    const Index fresh = std::min(kept_, POINTS);
    for (Index i = 0; i < width; ++i) {
        double value = forms.at(n, i);
        double size = std::abs(value);
        double smear = 0.0;
        for (Index c = 0; c < n; ++c) {
            const double f = forms.at(c, i);
            const double p = f * zono.image[c];
            value += p;
            size += std::abs(p);
            smear += std::abs(f);
        }
        at_[i][fresh] = value;
        const double error =
            forms.at(n + 1, i) + 1.01 * smear * zono.blur + gamma(n + 1) * size + TINY;
        blur_[i] = std::max(blur_[i], error);
        reach_[i] = std::max(reach_[i], std::abs(value));
    }
    set_doubts(st.net);
    for (Index k = 0; k < std::min(fresh, DRAWN); ++k)
        follow(st.net, fresh, fresh > DRAWN ? draw(fresh) : k);
    if (kept_ >= POINTS) {
        const Index place = draw(POINTS);
        for (Index i = 0; i < width; ++i) at_[i][place] = at_[i][fresh];
    }
    ++kept_;
}

Index Segments::draw(Index below) {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<Index>((random_ >> 33) % static_cast<Word>(below));
}

void Segments::set_doubts(const Net& net) {
    // How far from zero the units have to be.
    const Index wide = net.widths[layer_ + 1], start = net.starts[layer_ + 1];
    double *before = doubt_[0], *last = doubt_[1];
    for (Index j = 0; j < wide; ++j) last[j] = MARGIN * std::abs(net.biases[start + j]) + TINY;
    for (Index i = 0; i < net.widths[layer_]; ++i) {
        before[i] = MARGIN * reach_[i] + 2.0 * blur_[i] + TINY;
        const double* weight = net.weights_of(layer_ + 1, i);
        for (Index j = 0; j < wide; ++j) last[j] += std::abs(weight[j]) * before[i];
    }
}

// The pre-activations of the last layer at t on the way from point a to point b.
void Segments::last_layer(const Net& net, Index a, Index b, double t, double* out) {
    const Index wide = net.widths[layer_ + 1], start = net.starts[layer_ + 1];
    for (Index j = 0; j < wide; ++j) out[j] = net.biases[start + j];
    for (Index i = 0; i < net.widths[layer_]; ++i) {
        const double* at = at_[i];
        double value = at[a] + t * (at[b] - at[a]);
        if (value < 0.0) value *= net.slopes[net.starts[layer_] + i];
        if (value == 0.0) continue;
        const double* weight = net.weights_of(layer_ + 1, i);
        for (Index j = 0; j < wide; ++j) out[j] += value * weight[j];
    }
}

// Note the regions on the way from point a to point b.
void Segments::follow(const Net& net, Index a, Index b) {
    const Index width = net.widths[layer_];
    const double* doubt = doubt_[0];
    int count = 0;
    Word first = 0;
    for (Index i = 0; i < width; ++i) {
        const double p = at_[i][a], q = at_[i][b];
        if (!(std::abs(p) > doubt[i] && std::abs(q) > doubt[i])) return;
        if (p > 0.0) first |= bit_of(i);
        if ((p > 0.0) == (q > 0.0)) continue;
        const double t = p / (p - q);
        int place = count++;
        for (; place > 0 && stops_[place - 1] > t; --place) {
            stops_[place] = stops_[place - 1];
            units_[place] = units_[place - 1];
        }
        stops_[place] = t;
        units_[place] = static_cast<std::int32_t>(i);
    }
    last_layer(net, a, b, 0.0, here_.data());
    double low = 0.0;
    for (int piece = 0; piece <= count; ++piece) {
        const double high = piece < count ? stops_[piece] : 1.0;
        last_layer(net, a, b, high, there_.data());
        follow_piece(net, a, b, low, high, count, first);
        if (piece < count) first ^= bit_of(units_[piece]);
        low = high;
        std::swap(here_, there_);
    }
}

// Note the regions between two crossings of units of the layer before the last.
void Segments::follow_piece(const Net& net, Index a, Index b, double low, double high, int count,
                            Word first) {
    const Index wide = net.widths[layer_ + 1];
    const double *here = here_.data(), *there = there_.data(), *doubt = doubt_[1];
    int between = 0;
    for (Index j = 0; j < wide; ++j) {
        if ((here[j] > 0.0) == (there[j] > 0.0)) continue;
        const double x = here[j] / (here[j] - there[j]);
        int place = between++;
        for (; place > 0 && crossings_[place - 1] > x; --place)
            crossings_[place] = crossings_[place - 1];
        crossings_[place] = x;
    }
    double begin = 0.0;
    for (int k = 0; k <= between; ++k) {
        const double end = k < between ? crossings_[k] : 1.0;
        const double x = 0.5 * (begin + end);
        begin = end;
        bool clear = true;
        Word second = 0;
        for (Index j = 0; j < wide; ++j) {
            const double value = here[j] + x * (there[j] - here[j]);
            second |= static_cast<Word>(value > 0.0) << j;
            clear &= std::abs(value) > doubt[j];
        }
        const double t = low + x * (high - low);
        for (int c = 0; c < count; ++c) {
            const Index i = units_[c];
            const double value = at_[i][a] + t * (at_[i][b] - at_[i][a]);
            clear &= std::abs(value) > doubt_[0][i];
        }
        if (clear) note(first, second);
    }
}

}  // namespace milpcount
