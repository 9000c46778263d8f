#include "modular.hpp"

namespace milpcount {

void forward(const Residues& net, const Index* first, const std::uint8_t* bits, Index* g,
             Index* h) {
    const Index p = net.prime;
    const auto gate = [&](Index i) {
        h[i] = bits[i] ? g[i] : net.slopes[i] * g[i] % p;
    };
    Index before = 0, start = net.widths[0];
    for (Index i = 0; i < start; ++i) {
        g[i] = first[i];
        gate(i);
    }
    const Index* weight = net.weights.data();
    for (std::size_t k = 1; k < net.widths.size(); ++k) {
        for (Index i = start; i < start + net.widths[k]; ++i) {
            Index total = net.biases[i - net.widths[0]];
            int pending = 0;
            for (Index j = before; j < start; ++j, ++weight) {
                if (h[j] == 0) continue;
                // Products stay below 2^60: seven of them and a residue fit in 63 bits.
                total += *weight * h[j];
                if (++pending == 6) {
                    total %= p;
                    pending = 0;
                }
            }
            g[i] = total % p;
            gate(i);
        }
        before = start;
        start += net.widths[k];
    }
}

bool coincide(const Residues& net, const Index* a, const Index* b, const std::uint8_t* constant,
              const std::uint8_t* linear) {
    for (Index i = 0; i < net.units(); ++i) {
        if (linear[i]) continue;
        if (a[i] == 0 && b[i] == 0) return true;
        if (constant[i]) continue;
        for (Index j = 0; j < i; ++j)
            if (!constant[j] && a[i] * b[j] % net.prime == a[j] * b[i] % net.prime) return true;
    }
    return false;
}

}  // namespace milpcount
