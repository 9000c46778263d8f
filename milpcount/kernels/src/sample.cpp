#include "sample.hpp"

#include <cmath>

#include "leaves.hpp"

namespace milpcount {

Sample::Sample(const Matrix<Index>& classes_by_layer, Index classes, Index layers, Index units)
    : class_of(classes_by_layer),
      leaves(classes - 1),
      empty(classes - 2),
      weight(1),
      before(1),
      target(classes),
      place(classes),
      point(classes),
      steps(classes + 1, classes),
      sums(layers + 1),
      exponents(layers + 1),
      signs(units + 1) {}

void Sample::begin(Word seed, const double* targets, const double* points, double root_weight) {
    random = seed;
    for (std::size_t c = 0; c < target.size(); ++c) {
        target[c] = targets[c];
        point[c] = points[c];
        place[c] = 0.0;
    }
    for (std::size_t k = 0; k < sums.size(); ++k) {
        sums[k] = 0.0;
        exponents[k] = -INFINITE;
    }
    for (Index& count : signs) count = 0;
    arrived = thinned = pruned = leaves_kept = 0;
    weight[0] = root_weight;
    before[0] = static_cast<Index>(target.size());
}

void Sample::reach_slot(Index d) {
    const auto slots = static_cast<std::size_t>(d + 1);
    if (weight.size() >= slots) return;
    weight.resize(slots);
    before.resize(slots);
}

Word Sample::bits() {
    random += 0x9E3779B97F4A7C15u;
    Word x = random;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

bool Sample::keeps(Index c, double p) {
    const double x = place[c], u = point[c];
    if (x + p < 1.0) {
        place[c] = x + p;
        return x <= u && u < x + p;
    }
    const bool inside = u >= x;
    const double over = x + p - 1.0;
    bool chosen = inside;
    if (!inside && uniform() * x < over) {
        chosen = true;
        point[c] = -1.0;  // used up
    } else {
        point[c] = over + (1.0 - over) * uniform();
    }
    place[c] = over;
    return chosen;
}

void Sample::add(Index k, double log2_weight) {
    if (log2_weight > exponents[k]) {
        sums[k] *= std::exp2(exponents[k] - log2_weight);
        exponents[k] = log2_weight;
    }
    sums[k] += std::exp2(log2_weight - exponents[k]);
}

bool Sample::arrive(Index slot, Index c, bool thin) {
    ++steps[before[slot]][c];
    ++arrived;
    const double below = weight[slot] - target[c];
    if (thin && below < 0.0) {
        if (!keeps(c, std::exp2(below))) {
            ++thinned;
            return false;
        }
        weight[slot] = target[c];
    }
    return true;
}

bool Randomly::prune(State& st, Index d) {
    const Node& a = st.node(d);
    if (a.layer > 0 && outside(st, zono_, a)) {
        ++sample_.steps[sample_.before[d]][sample_.empty];
        ++sample_.pruned;
        return true;
    }
    sample_.add(a.layer, sample_.weight[d]);
    return false;
}

bool Randomly::count_leaf(State& st, Index d) {
    if (!sample_.arrive(d, sample_.leaves, !single_)) return true;
    Node& a = st.node(d);
    const Index before = st.regions;
    if (!leaf(st, zono_, a)) return false;
    if (st.regions > before) {
        sample_.add(st.net.layers, sample_.weight[d]);
        ++sample_.leaves_kept;
        ++sample_.signs[st.net.units];
        for (Index u = 0; u < st.net.units; ++u) sample_.signs[u] += a.sign[u] > 0;
    }
    return true;
}

Move Randomly::decided(State& st, Index d, int row) {
    if (row < 0) return Move::AS_EVER;
    Node& a = st.node(d);
    const Index c = sample_.class_of[a.layer][free_rows(a)];
    if (!sample_.arrive(d, c, !single_)) return Move::LEAVE;
    sample_.before[d] = c;
    if (!single_) return Move::AS_EVER;
    a.unit = st.unit_of_var(a.rows.rowvar[row]);
    a.side = (sample_.bits() >> 63) != 0 ? 1 : -1;
    a.stage = Stage::COME_BACK;
    sample_.weight[d] += 1.0;
    return Move::NEXT;
}

void Randomly::branched(State&, Index d) {
    const auto next = static_cast<std::size_t>(d + 1);
    sample_.reach_slot(d + 1);
    sample_.weight[next] = sample_.weight[d];
    sample_.before[next] = sample_.before[d];
}

}  // namespace milpcount
