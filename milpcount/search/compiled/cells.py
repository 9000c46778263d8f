"""Cells by their vertices: what the subdivision remembers, and the signs of units at vertices.

Signs are three sets of bits a vertex, one bit a unit of the layer: positive, negative, and those
that floats leave open, where exact arithmetic is asked.  In neither set is a zero.  Vertices carry
a bound on their error; between two vertices on one side a new vertex is on that side too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.compiled.forms import (
    ROUNDOFF,
    TINY,
    add_skips,
    add_unit,
    gamma,
    size_of,
    start_next,
)
from milpcount.search.compiled.jit import inlined, jit

ENTER, DECIDE = 0, 1
# Places in Cells.counters.
VERTICES, NODES, BY_VERTICES, ENTRIES, OPEN_SIGNS, SEPARATED, BY_POINT = range(7)
MAX_FACETS = 64
ONE = np.uint64(1)
NONE = np.uint64(0)


class Cells(NamedTuple):
    """What the search writes: one entry a slot, then what belongs to the present path."""

    corners: NDArray[np.int64]  # number of vertices
    at: NDArray[np.float64]  # at[slot, v, j]
    error: NDArray[np.float64]  # of every coordinate of a vertex
    facets: NDArray[np.uint64]  # on which a vertex lies
    pos: NDArray[np.uint64]  # units that are positive there; pos[slot, v, word]
    neg: NDArray[np.uint64]
    open: NDArray[np.uint64]
    rows: NDArray[np.int64]  # what each facet is: 2 j, 2 j + 1: z_j = 0, 1; then domain, units
    used: NDArray[np.uint64]  # facets
    sign: NDArray[np.int8]
    layer: NDArray[np.int64]
    stage: NDArray[np.int64]
    todo: NDArray[np.uint64]  # units of the layer that are not decided
    preset: NDArray[np.uint64]  # units of the layer whose sign is a cut made before the task
    partial: NDArray[np.float64]
    share: NDArray[np.float64]
    forms: NDArray[np.float64]  # one entry a layer
    rate: NDArray[np.float64]  # rate[layer + 1, :, u]: error of form u, and per error of a vertex
    fresh: NDArray[np.float64]  # new vertices of a cut: coordinates and error
    fresh_facets: NDArray[np.uint64]
    fresh_signs: NDArray[np.uint64]
    side: NDArray[np.int8]
    z: NDArray[np.float64]
    values: NDArray[np.float64]
    registers: NDArray[np.int64]
    counters: NDArray[np.int64]
    leaf_signs: NDArray[np.int8]
    leaf_points: NDArray[np.float64]


@jit
def count_bits(x):
    """Number of ones."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@jit
def lowest_bit(x):
    """Place of the lowest one."""
    return count_bits((x & (~x + ONE)) - ONE)


@jit
def note_rates(rate, forms, width):
    """Error bounds of the layer's forms: of their own, and per unit of error of a vertex."""
    n = forms.shape[0] - 2
    for u in range(width):
        size = size_of(forms, u)
        rate[0, u] = forms[n + 1, u] + gamma(n + 1) * size + TINY
        rate[1, u] = 1.01 * (size - abs(forms[n, u]))


@jit
def value_at(forms, u, z):
    """Form ``u`` at ``z``."""
    n = forms.shape[0] - 2
    value = forms[n, u]
    for j in range(n):
        value += forms[j, u] * z[j]
    return value


@jit
def form_of(net, cells, row):
    """``(layer, place)`` of a facet's form; layer -1 for the domain, -2 for the cube itself."""
    k = row - 2 * net.n
    if k < 0:
        return -2, row
    if k < net.domain.shape[1]:
        return -1, k
    u = k - net.domain.shape[1]
    layer = net.layer_of[u]
    return layer, u - net.starts[layer]


@jit
def refine(net, cells, d, v):
    """Place a vertex anew, where ``n`` of its facets meet; whether that made its error smaller.

    The errors of vertices grow from cut to cut.  With ``A`` the coefficients of the facets' forms
    and ``C`` nearly its inverse, a point with residuals ``r`` is off by at most
    ``max_j sum_i |C_ji| (|r_i| + errors of r_i and of form i) / (1 - |I - C A|)`` (Rump,
    Verification methods, Acta Numerica 2010, section 10).
    """
    n = net.n
    if cells.error[d, v] < 1e-14 or count_bits(cells.facets[d, v]) < n:
        return False
    matrix = np.zeros((n, n))
    constant = np.zeros(n)
    error = np.zeros(n)
    rest = cells.facets[d, v]
    for k in range(n):
        row = cells.rows[d, lowest_bit(rest)]
        rest &= rest - ONE
        layer, i = form_of(net, cells, row)
        if layer == -2:
            matrix[k, row >> 1] = 1.0
            constant[k] = -(row & 1)
            continue
        forms = net.domain if layer == -1 else cells.forms[layer]
        scale = 1.0 / max(size_of(forms, i), 1e-300)
        for j in range(n):
            matrix[k, j] = forms[j, i] * scale
        constant[k] = forms[n, i] * scale
        # Scaling rounds every entry once.
        error[k] = 1.01 * (forms[n + 1, i] * scale + (n + 2) * ROUNDOFF) + TINY
    # Gauss-Jordan with row pivoting: a stands for the matrix, c becomes its inverse.
    a = matrix.copy()
    c = np.eye(n)
    for k in range(n):
        p = k
        for r in range(k + 1, n):
            if abs(a[r, k]) > abs(a[p, k]):
                p = r
        if abs(a[p, k]) < 1e-10:
            return False
        for j in range(n):
            a[k, j], a[p, j] = a[p, j], a[k, j]
            c[k, j], c[p, j] = c[p, j], c[k, j]
        f = 1.0 / a[k, k]
        for j in range(n):
            a[k, j] *= f
            c[k, j] *= f
        for r in range(n):
            f = a[r, k]
            if r != k and f != 0.0:
                for j in range(n):
                    a[r, j] -= f * a[k, j]
                    c[r, j] -= f * c[k, j]
    z = cells.z
    for j in range(n):
        z[j] = 0.0
        for i in range(n):
            z[j] -= c[j, i] * constant[i]
        z[j] = min(max(z[j], 0.0), 1.0)
    for i in range(n):
        residual = constant[i]
        for j in range(n):
            residual += matrix[i, j] * z[j]
        # Coordinates are at most 1 and rows of size 1.
        error[i] += abs(residual) + gamma(n + 1)
    off = 0.0
    defect = 0.0
    for j in range(n):
        part = 0.0
        line = 0.0
        for i in range(n):
            part += abs(c[j, i]) * error[i]
            entry = -1.0 if i == j else 0.0
            size = 1.0
            for k in range(n):
                entry += c[j, k] * matrix[k, i]
                size += abs(c[j, k])
            line += abs(entry) + gamma(n + 1) * size
        off = max(off, part)
        defect = max(defect, line)
    if defect > 0.5:
        return False
    # The inverse of A is at most 1 / (1 - defect) times C, entry sums by entry sums.
    off = 1.02 * off / (1.0 - defect) + 4 * ROUNDOFF
    if off >= 0.5 * cells.error[d, v]:
        return False
    for j in range(n):
        cells.at[d, v, j] = z[j]
    cells.error[d, v] = off
    return True


@jit
def classify(net, cells, d, v, forms, u):
    """Put unit ``u`` into the right set of vertex ``v``."""
    value = value_at(forms, u, cells.at[d, v])
    rate = cells.rate[cells.layer[d] + 1]
    bound = rate[0, u] + rate[1, u] * cells.error[d, v]
    word, bit = u >> 6, ONE << np.uint64(u & 63)
    if abs(value) <= bound and refine(net, cells, d, v):
        value = value_at(forms, u, cells.at[d, v])
        bound = rate[0, u] + rate[1, u] * cells.error[d, v]
    if value > bound:
        cells.pos[d, v, word] |= bit
    elif value < -bound:
        cells.neg[d, v, word] |= bit
    elif exactly_zero(forms, u, cells.at[d, v], cells.error[d, v]):
        pass
    else:
        cells.open[d, v, word] |= bit
        cells.counters[OPEN_SIGNS] += 1


@jit
def exactly_zero(forms, u, z, error):
    """Whether the form is zero at the vertex beyond doubt: at most two exact terms."""
    n = forms.shape[0] - 2
    if error > 0.0 or forms[n + 1, u] > 0.0:
        return False
    total = forms[n, u]
    terms = 1 if total != 0.0 else 0
    for j in range(n):
        f = forms[j, u]
        if f != 0.0 and z[j] != 0.0:
            if z[j] != 1.0:
                return False
            total += f
            terms += 1
    # A float sum of two numbers is zero only if the true sum is.
    return total == 0.0 and terms <= 2


@jit
def pass_on(net, cells, d, layer, u, factor):
    """Add a unit's part to the forms of the next layer."""
    i = u - net.starts[layer]
    wide = net.widths[layer + 1]
    begin = net.offsets[layer + 1] + i * wide
    add_unit(
        cells.partial[d],
        net.weights[begin : begin + wide],
        factor,
        cells.forms[layer],
        i,
        net.terms[layer + 1],
    )


def _settle(net, cells, d, w, active, inactive, strength):
    """Decide units of word ``w`` of the node's layer, with signs of this strength (1 or 2)."""
    layer = cells.layer[d]
    cells.todo[d, w] &= ~(active | inactive)
    if layer < 0:
        return
    sign = cells.sign[d]
    first = net.starts[layer] + (w << 6)
    further = layer + 1 < net.widths.shape[0]
    rest = inactive
    while rest != NONE:
        u = first + lowest_bit(rest)
        rest &= rest - ONE
        sign[u] = -strength
        if further and net.slopes[u] != 0.0:
            pass_on(net, cells, d, layer, u, net.slopes[u])
    rest = active
    while rest != NONE:
        u = first + lowest_bit(rest)
        rest &= rest - ONE
        sign[u] = strength
        if further:
            pass_on(net, cells, d, layer, u, 1.0)


# Where it is called for every node, and where that is rare.
settle = inlined(_settle)
settle_rarely = jit(_settle)


@jit
def enter(net, cells, d):
    """Bring the units of the node's layer in, with their signs at every vertex."""
    layer = cells.layer[d]
    n = net.n
    if layer < 0:
        evaluate(net, cells, d, net.domain, net.domain.shape[1])
        return
    width = net.widths[layer]
    forms = cells.forms[layer]
    source = net.first if layer == 0 else cells.partial[d]
    for c in range(n + 2):
        for i in range(width):
            forms[c, i] = source[c, i]
    if layer + 1 < net.widths.shape[0]:
        after = net.starts[layer + 1]
        wide = net.widths[layer + 1]
        start_next(
            cells.partial[d], net.biases[after : after + wide], net.one, net.terms[layer + 1]
        )
        add_skips(net, cells.partial[d], cells.forms, cells.sign[d], layer + 1)
    cells.counters[ENTRIES] += 1
    evaluate(net, cells, d, forms, width)


@jit
def evaluate(net, cells, d, forms, width):
    """Take the units in as undecided, but for those preset as implied; sign them everywhere."""
    n = net.n
    layer = cells.layer[d]
    rate = cells.rate[layer + 1]
    note_rates(rate, forms, width)
    words = cells.todo.shape[1]
    for w in range(words):
        cells.todo[d, w] = NONE
        cells.preset[d, w] = NONE
    for i in range(width):
        preset = cells.sign[d, net.starts[layer] + i] if layer >= 0 else 0
        bit = ONE << np.uint64(i & 63)
        cells.todo[d, i >> 6] |= bit
        if abs(preset) == 1:
            cells.preset[d, i >> 6] |= bit
        if preset == 2:
            settle_rarely(net, cells, d, i >> 6, bit, NONE, 2)
        elif preset == -2:
            settle_rarely(net, cells, d, i >> 6, NONE, bit, 2)
    for v in range(cells.corners[d]):
        for w in range(words):
            cells.pos[d, v, w] = NONE
            cells.neg[d, v, w] = NONE
            cells.open[d, v, w] = NONE
        at = cells.at[d, v]
        error = cells.error[d, v]
        values = cells.values
        for i in range(width):
            values[i] = forms[n, i]
        for j in range(n):
            column = forms[j]
            z = at[j]
            if z != 0.0:
                for i in range(width):
                    values[i] += column[i] * z
        for w in range(words):
            first = w << 6
            stop = min(first + 64, width)
            pos = NONE
            neg = NONE
            for i in range(first, stop):
                value = values[i]
                bound = rate[0, i] + rate[1, i] * error
                place = np.uint64(i - first)
                pos |= np.uint64(value > bound) << place
                neg |= np.uint64(value < -bound) << place
            pos &= cells.todo[d, w]
            neg &= cells.todo[d, w]
            cells.pos[d, v, w] = pos
            cells.neg[d, v, w] = neg
            rest = cells.todo[d, w] & ~(pos | neg)
            while rest != NONE:
                b = lowest_bit(rest)
                rest &= rest - ONE
                classify(net, cells, d, v, forms, first + b)
