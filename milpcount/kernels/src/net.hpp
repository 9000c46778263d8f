// The network as the searches read it: stages in topological order, and the frame's coordinates.

#pragma once

#include "arrays.hpp"
#include "forms.hpp"

namespace milpcount {

// Stage l has widths[l] units, numbered from starts[l].  Its forms are those of `first` for l = 0
// (columns first, see forms.hpp).  A later stage reads the one before by
//     weights[offsets[l] + i * widths[l] + k]    from unit i of stage l - 1 to unit k of stage l,
// and the skips skip_begin[l] .. skip_begin[l + 1] - 1: of each, the stage skip_source[s] by
//     skip_weights[skip_offset[s] + i * widths[l] + k].
// terms[l] is the number of units that stage l reads in all.
struct Net {
    Index n = 0;
    Index layers = 0;
    Index units = 0;
    Index widest = 0;
    Index domain_rows = 0;
    Buffer<Index> widths, starts, layer_of, offsets, terms;
    Buffer<Index> skip_begin, skip_source, skip_offset;
    Matrix<double> first;   // (n + 2, widths[0])
    Buffer<double> one;     // n + 1: the form that biases multiply
    Matrix<double> domain;  // (n + 2, rows): forms that are positive inside the domain
    Buffer<double> weights, skip_weights, biases, slopes;
    bool closed = false;  // inactive sides include their boundary (definition nonempty)
    bool walls = false;   // the sides z = 0 of the cube are zeros of units, no points of regions

    const double* weights_of(Index layer, Index i) const {
        return weights.data() + offsets[static_cast<std::size_t>(layer)] +
               i * widths[static_cast<std::size_t>(layer)];
    }
    Forms domain_forms() const {
        return {const_cast<double*>(domain[0]), static_cast<Index>(domain.stride()), n,
                domain_rows};
    }
    Forms first_forms() const {
        return {const_cast<double*>(first[0]), static_cast<Index>(first.stride()), n, widths[0]};
    }
};

// Add what `layer` reads of stages before the one before: all their signs are known, and their
// forms are on the present path.  forms_of(s) gives the forms of stage s.
template <class FormsOf>
inline void add_skips(const Net& net, const Forms& partial, FormsOf&& forms_of,
                      const std::int8_t* sign, Index layer) {
    const Index wide = net.widths[layer];
    for (Index k = net.skip_begin[layer]; k < net.skip_begin[layer + 1]; ++k) {
        const Index s = net.skip_source[k];
        const Forms read = forms_of(s);
        for (Index i = 0; i < net.widths[s]; ++i) {
            const Index u = net.starts[s] + i;
            const double* weight = net.skip_weights.data() + net.skip_offset[k] + i * wide;
            add_unit(partial, weight, sign[u] > 0 ? 1.0 : net.slopes[u], read, i,
                     net.terms[layer]);
        }
    }
}

}  // namespace milpcount
