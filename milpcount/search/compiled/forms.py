"""Pre-activations as affine forms in floats, each with a bound on its error over the unit cube.

The forms of the next layer are built while the signs of this one are decided: the sign of a unit
adds one multiple of its form to each of them.  The bound of the error follows the same sums.  If
``S_i`` is the sum of the absolute entries of form ``i`` and ``e_i`` its error, then ``m`` such
updates give coefficients whose error over the cube is at most
``sum_i |w_ki| (e_i + gamma_m S_i)`` (Higham, Accuracy and Stability of Numerical Algorithms,
section 3.1: ``gamma_m = m u / (1 - m u)`` bounds any order of summation).
"""

from __future__ import annotations

from milpcount.search.compiled.jit import jit

ROUNDOFF = 2.0**-53
TINY = 1e-290  # above anything that underflow can lose in one form


@jit
def gamma(terms):
    """Upper bound of ``gamma_m``, with room for the roundings of the bound's own sums."""
    return (2 * terms + 16) * ROUNDOFF


@jit
def start_next(partial, bias, one, terms):
    """Forms of the next layer before any unit is decided: ``bias`` times the form of one.

    ``terms`` is the number of units that the layer reads.
    """
    n = one.shape[0] - 1
    size = 0.0
    for c in range(n + 1):
        size += abs(one[c])
    rate = gamma(terms + 4) * size
    for k in range(bias.shape[0]):
        for c in range(n + 1):
            partial[c, k] = bias[k] * one[c]
        partial[n + 1, k] = abs(bias[k]) * rate


@jit
def size_of(forms, u):
    """Sum of the absolute entries of form ``u``."""
    total = 0.0
    for c in range(forms.shape[0] - 1):
        total += abs(forms[c, u])
    return total


@jit
def add_unit(partial, weight, factor, forms, u, terms):
    """Add ``factor * weight[k]`` times form ``u`` to every form ``k`` of a later layer."""
    n = forms.shape[0] - 2
    size = size_of(forms, u)
    if factor == 0.0 or size + forms[n + 1, u] == 0.0:
        return
    error = abs(factor) * (forms[n + 1, u] + gamma(terms + 4) * size + TINY)
    for c in range(n + 1):
        f = factor * forms[c, u]
        if f != 0.0:
            column = partial[c]
            for k in range(weight.shape[0]):
                column[k] += weight[k] * f
    column = partial[n + 1]
    for k in range(weight.shape[0]):
        column[k] += abs(weight[k]) * error


@jit
def add_skips(net, partial, forms, sign, layer):
    """Add what ``layer`` reads of layers before the one before it: their signs are all known."""
    wide = net.widths[layer]
    for k in range(net.skip_begin[layer], net.skip_begin[layer + 1]):
        source = net.skip_source[k]
        for i in range(net.widths[source]):
            u = net.starts[source] + i
            begin = net.skip_offset[k] + i * wide
            factor = 1.0 if sign[u] > 0 else net.slopes[u]
            weight = net.skip_weights[begin : begin + wide]
            add_unit(partial, weight, factor, forms[source], i, net.terms[layer])


@jit
def cube_range(forms, u):
    """Outward range of form ``u`` over the unit cube.

    An end that is one stored number, or an exact difference of two, is not widened, so that a
    hyperplane along a face of the cube is seen to be one.
    """
    n = forms.shape[0] - 2
    low = forms[n, u]
    high = low
    size = abs(low)
    below = above = 1 if low != 0.0 else 0
    for c in range(n):
        f = forms[c, u]
        size += abs(f)
        if f > 0.0:
            high += f
            above += 1
        elif f < 0.0:
            low += f
            below += 1
    error = forms[n + 1, u]
    rounding = gamma(n + 1) * size
    # A float sum of two numbers is zero only if the true sum is.
    if below > 2 or (below == 2 and low != 0.0):
        low -= rounding
    if above > 2 or (above == 2 and high != 0.0):
        high += rounding
    return low - error, high + error
