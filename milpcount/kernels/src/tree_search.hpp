// The tree search with its memory, as Python holds it.

#pragma once

#include <atomic>

#include "flats.hpp"
#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

inline constexpr Index TAPE = 1 << 15;          // bytes of a certificate handed over at once
inline constexpr Index LEAF_NUMBERS = 2000000;  // numbers in the points handed over at once

enum class Kind : int { NONE, ALL, SAMPLE, PARITY };

struct TreeSearch {
    TreeSearch(const Net& net, const Matrix<double>* generators, bool emit, bool record)
        : zono(static_cast<int>(net.n), generators != nullptr ? net.units + net.domain_rows : 0,
               generators),
          state(net, emit, zono.present() ? zono.many : net.n, leaf_room(zono, net), record, TAPE) {
        for (int c = 0; c < zono.n; ++c) {
            Index u = 0;
            while (u < net.widths[0] && !(net.first[c][u] > 0.0)) ++u;
            if (u == net.widths[0])
                throw BadArgument("kernel argument first: a coordinate belongs to no unit");
            zono.unit[c] = u;
            zono.reach[c] = net.first[c][u];
        }
    }
    static Index leaf_room(const Zonotope& zono, const Net& net) {
        const Index size = std::max<Index>(zono.present() ? zono.many : net.n, 1);
        return std::max<Index>(16, std::min<Index>(4096, LEAF_NUMBERS / size));
    }

    Zonotope zono;
    Flats flats;
    State state;
    std::atomic<bool> stopped{false};
    std::atomic<bool> at_work{false};
    Stop last = Stop::STEPS;  // what the last run, or what was done since, left behind
    Kind kind = Kind::NONE;   // of the runs since the start
};

}  // namespace milpcount
