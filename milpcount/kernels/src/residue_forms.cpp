#include "residue_forms.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace milpcount {

namespace {

constexpr Index MOST_WORDS = Index{1} << 23;  // of all residues together

// What is to be subtracted from 2^62.
constexpr Word BELOW[MOST_PRIMES] = {
    57,   87,   117,  143,  153,  167,  171,  195,  203,  273,  287,  317,  443,
    483,  495,  575,  581,  603,  633,  663,  765,  773,  777,  791,  813,  831,
    923,  981,  993,  1001, 1007, 1017, 1197, 1241, 1293, 1353, 1433, 1515, 1553,
    1575, 1581, 1595, 1617, 1673, 1697, 1701, 1703, 1823, 1881, 1911, 1923, 2043,
    2073, 2103, 2141, 2187, 2217, 2247, 2285, 2351, 2367, 2375, 2397, 2421};

// A number is mantissa * 2^exponent with an odd mantissa, or 0.
struct Dyadic {
    std::int64_t mantissa = 0;
    int exponent = 0;
};

Dyadic dyadic(double x) {
    if (x == 0.0) return {};
    int exponent;
    auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(x, &exponent), 53));
    const int spare = std::countr_zero(static_cast<Word>(mantissa));
    return {mantissa >> spare, exponent - 53 + spare};
}

// The least shift >= 0 with which all numbers are integers, but no less than what is given.
Index shift_of(std::span<const double> numbers, Index shift) {
    for (const double x : numbers) shift = std::max<Index>(shift, -dyadic(x).exponent);
    return shift;
}

// The binary logarithm of an absolute value, or a little more; -1 for 0.
double log2_absolute(const Word* limbs, Index count) {
    const Word flip = limbs[count - 1] >> 63 ? ~Word{0} : 0;
    for (Index k = count; k-- > 0;) {
        const Word top = limbs[k] ^ flip;
        if (top == 0) continue;
        // Lower words, and what is lost when a negative number's bits are inverted, are below one.
        const bool whole = k == 0 && flip == 0;
        return std::log2(static_cast<double>(top) + (whole ? 0.0 : 1.0)) + 64.0 * static_cast<double>(k);
    }
    return flip == 0 ? -1.0 : 0.0;
}

}  // namespace

Word residue_prime(int place) { return (Word{1} << 62) - BELOW[place]; }

ResidueForms::ResidueForms(const Net& net, LongFrame frame)
    : net_(net), frame_(std::move(frame)), active_(static_cast<std::size_t>(net.units)) {
    const auto span = [](const Buffer<double>& from, Index begin, Index count) {
        return std::span<const double>{from.data() + begin, static_cast<std::size_t>(count)};
    };
    words_ = (net.domain_rows + net.units + 1) * (net.n + 2);
    for (Index l = 0; l < net.layers; ++l) {
        const Index width = net.widths[l];
        turn_.push_back(1);
        slope_shift_.push_back(shift_of(span(net.slopes, net.starts[l], width), 0));
        if (l == 0) {
            weight_shift_.push_back(0);
            top_.push_back(0);
            shift_.push_back(frame_.shift);
            continue;
        }
        const auto lift = [&](Index s) {
            return shift_[static_cast<std::size_t>(s)] + slope_shift_[static_cast<std::size_t>(s)];
        };
        Index shift = shift_of(span(net.weights, net.offsets[l], net.widths[l - 1] * width), 0);
        shift = shift_of(span(net.biases, net.starts[l], width), shift);
        Index top = lift(l - 1);
        words_ += net.widths[l - 1] * width;
        for (Index k = net.skip_begin[l]; k < net.skip_begin[l + 1]; ++k) {
            const Index size = net.widths[net.skip_source[k]] * width;
            shift = shift_of(span(net.skip_weights, net.skip_offset[k], size), shift);
            top = std::max(top, lift(net.skip_source[k]));
            words_ += size;
        }
        weight_shift_.push_back(shift);
        top_.push_back(top);
        shift_.push_back(top + shift);
    }
}

void ResidueForms::follow(const std::int8_t* signs, Index stage) {
    bool changed = false;
    for (Index l = 0; l < stage; ++l) {
        if (changed) ++turn_[static_cast<std::size_t>(l)];
        for (Index u = net_.starts[l]; u < net_.starts[l] + net_.widths[l]; ++u) {
            const std::uint8_t now = signs[u] > 0;
            changed |= active_[static_cast<std::size_t>(u)] != now;
            active_[static_cast<std::size_t>(u)] = now;
        }
    }
    for (Index l = stage; changed && l < net_.layers; ++l) ++turn_[static_cast<std::size_t>(l)];
}

double ResidueForms::log2_factor(Index u) const {
    return log2_absolute(frame_.one.at(0, net_.n), frame_.one.limbs) +
           static_cast<double>(shift_[static_cast<std::size_t>(net_.layer_of[u])]);
}

double ResidueForms::log2_size(Index k) const {
    double most = 0.0;
    for (Index c = 0; c <= net_.n; ++c)
        most = std::max(most, log2_absolute(frame_.domain.at(k, c), frame_.domain.limbs));
    return most + std::log2(static_cast<double>(net_.n + 1));
}

Index ResidueForms::multiple_of(Index u) const {
    Index found = -1;
    for (Index c = 0; c <= net_.n; ++c) {
        const Word* limbs = frame_.first.at(u, c);
        if (std::all_of(limbs, limbs + frame_.first.limbs, [](Word x) { return x == 0; })) continue;
        const bool negative = limbs[frame_.first.limbs - 1] >> 63;
        if (found >= 0 || negative || c == net_.n) return -1;
        found = c;
    }
    return found;
}

bool ResidueForms::prepare(int q) {
    while (static_cast<int>(primes_.size()) <= q) {
        const auto count = static_cast<Index>(primes_.size());
        if (count == MOST_PRIMES || (count + 1) * words_ > MOST_WORDS) return false;
        Prime prime(residue_prime(static_cast<int>(count)));
        const Index rows = net_.domain_rows + net_.units;
        prime.rows = Buffer<Word>(static_cast<std::size_t>(rows * (net_.n + 1)));
        prime.taken = Buffer<Index>(static_cast<std::size_t>(rows));
        prime.one = Buffer<Word>(static_cast<std::size_t>(net_.n + 1));
        take_long(prime, frame_.one, 0, prime.one.data());
        prime.stages.resize(static_cast<std::size_t>(net_.layers));
        for (Index l = 0; l < net_.layers; ++l) prepare_stage(prime, l);
        primes_.push_back(std::move(prime));
    }
    return true;
}

Word ResidueForms::Prime::power_of_two(Index exponent) {
    while (static_cast<Index>(powers.size()) <= exponent)
        powers.push_back(field.plus(powers.back(), powers.back()));
    return powers[static_cast<std::size_t>(exponent)];
}

Word ResidueForms::Prime::residue(double x, Index shift) {
    const Dyadic d = dyadic(x);
    if (d.mantissa == 0) return 0;
    const Word size = field.times(field.entered(static_cast<Word>(std::abs(d.mantissa))),
                                  power_of_two(d.exponent + shift));
    return d.mantissa < 0 ? field.negative(size) : size;
}

Buffer<Word> ResidueForms::Prime::residues(std::span<const double> numbers, Index shift) {
    Buffer<Word> out(numbers.size());
    for (std::size_t k = 0; k < numbers.size(); ++k) out[k] = residue(numbers[k], shift);
    return out;
}

void ResidueForms::prepare_stage(Prime& prime, Index l) const {
    const auto at = static_cast<std::size_t>(l);
    Stage& stage = prime.stages[at];
    const auto width = static_cast<std::size_t>(net_.widths[l]);
    stage.slopes = prime.residues({net_.slopes.data() + net_.starts[l], width}, slope_shift_[at]);
    stage.one = prime.power_of_two(slope_shift_[at]);
    if (l == 0) return;
    const auto take = [&](const double* from, Index reads) {
        return prime.residues({from, static_cast<std::size_t>(net_.widths[reads]) * width},
                              weight_shift_[at]);
    };
    const auto lift = [&](Index s) {
        const auto from = static_cast<std::size_t>(s);
        return prime.power_of_two(top_[at] - shift_[from] - slope_shift_[from]);
    };
    stage.weights = take(net_.weights.data() + net_.offsets[l], l - 1);
    stage.biases =
        prime.residues({net_.biases.data() + net_.starts[l], width}, weight_shift_[at]);
    stage.bias_lift = prime.power_of_two(top_[at]);
    stage.lifts.push_back(lift(l - 1));
    for (Index k = net_.skip_begin[l]; k < net_.skip_begin[l + 1]; ++k) {
        stage.skips.push_back(take(net_.skip_weights.data() + net_.skip_offset[k],
                                   net_.skip_source[k]));
        stage.lifts.push_back(lift(net_.skip_source[k]));
    }
}

void ResidueForms::take_long(const Prime& prime, const LongRows& from, Index row, Word* out) const {
    const PrimeField& field = prime.field;
    for (Index c = 0; c < from.columns; ++c) {
        const Word* limbs = from.at(row, c);
        // A negative number is -1 minus that of the inverted bits.
        const bool negative = limbs[from.limbs - 1] >> 63;
        Word sum = 0;
        for (Index k = from.limbs; k-- > 0;)
            sum = field.plus(field.times(sum, field.square),
                             field.entered(negative ? ~limbs[k] : limbs[k]));
        out[c] = negative ? field.negative(field.plus(sum, field.one)) : sum;
    }
}

const Word* ResidueForms::row(int q, Index k) {
    Prime& prime = primes_[static_cast<std::size_t>(q)];
    if (k >= net_.domain_rows) {
        const Index u = k - net_.domain_rows, l = net_.layer_of[u];
        return unit_row(prime, l, u - net_.starts[l]);
    }
    if (prime.taken[k] == 0) {
        take_long(prime, frame_.domain, k, row_of(prime, k));
        prime.taken[k] = 1;
    }
    return row_of(prime, k);
}

const Word* ResidueForms::unit_row(Prime& prime, Index l, Index i) {
    const Index k = net_.domain_rows + net_.starts[l] + i;
    Word* out = row_of(prime, k);
    const Index turn = turn_[static_cast<std::size_t>(l)];
    if (prime.taken[k] == turn) return out;
    prime.taken[k] = turn;
    if (l == 0) {
        take_long(prime, frame_.first, i, out);
        return out;
    }
    const PrimeField& field = prime.field;
    const Stage& stage = prime.stages[static_cast<std::size_t>(l)];
    const Word bias = field.times(stage.biases[static_cast<std::size_t>(i)], stage.bias_lift);
    for (Index c = 0; c <= net_.n; ++c)
        out[c] = bias == 0 ? 0 : field.times(bias, prime.one[static_cast<std::size_t>(c)]);
    add_stage(prime, l, l - 1, stage.weights.data(), stage.lifts[0], i, out);
    for (Index s = net_.skip_begin[l], place = 0; s < net_.skip_begin[l + 1]; ++s, ++place)
        add_stage(prime, l, net_.skip_source[s], stage.skips[static_cast<std::size_t>(place)].data(),
                  stage.lifts[static_cast<std::size_t>(place + 1)], i, out);
    return out;
}

void ResidueForms::add_stage(Prime& prime, Index l, Index source, const Word* weights, Word lift,
                             Index i, Word* out) {
    const PrimeField& field = prime.field;
    const Stage& from = prime.stages[static_cast<std::size_t>(source)];
    const Index width = net_.widths[l], begin = net_.starts[source];
    for (Index j = 0; j < net_.widths[source]; ++j) {
        Word factor = weights[j * width + i];
        const bool active = active_[static_cast<std::size_t>(begin + j)];
        const Word slope = active ? from.one : from.slopes[static_cast<std::size_t>(j)];
        if (factor == 0 || slope == 0) continue;
        if (slope != field.one) factor = field.times(factor, slope);
        if (lift != field.one) factor = field.times(factor, lift);
        const Word* read = unit_row(prime, source, j);
        for (Index c = 0; c <= net_.n; ++c)
            if (read[c] != 0) out[c] = field.plus(out[c], field.times(factor, read[c]));
    }
}

}  // namespace milpcount
