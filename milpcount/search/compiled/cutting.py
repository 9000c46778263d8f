"""One cut through a cell: the vertices on either side, and a new one on every edge it crosses.

Two vertices span an edge if no third one lies on all their common facets (Fukuda and Prodon,
Double description method revisited, 1996), in degenerate polytopes too.
"""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.cells import NONE, ONE, VERTICES, count_bits, lowest_bit, value_at
from milpcount.search.compiled.forms import ROUNDOFF
from milpcount.search.compiled.jit import inlined, jit


@jit
def adjacent(cells, d, a, b, simple):
    """Whether two vertices span an edge: no third one lies on all their common facets."""
    common = cells.facets[d, a] & cells.facets[d, b]
    if simple:
        return True
    for v in range(cells.corners[d]):
        if v != a and v != b and cells.facets[d, v] & common == common:
            return False
    return True


@jit
def cut(net, cells, d, forms, i, row, keep):
    """Cut slot ``d`` along form ``i``: slot ``d`` keeps the negative side, ``d + 1`` the positive.

    ``cells.side`` holds the signs of the form at the vertices.  With ``keep`` 1 or -1 (0: both)
    only slot ``d`` changes and keeps that side.

    Returns:
        False if there is no room.
    """
    n = net.n
    words = cells.todo.shape[1]
    rate = cells.rate[cells.layer[d] + 1]
    count = cells.corners[d]
    simple = True
    for v in range(count):
        if count_bits(cells.facets[d, v]) != n:
            simple = False
            break
    free = ~cells.used[d]
    if free == NONE:
        return False
    slot = lowest_bit(free)
    new_bit = ONE << np.uint64(slot)
    made = 0
    room = cells.fresh.shape[0]
    for a in range(count):
        if cells.side[a] <= 0:
            continue
        at_a = cells.at[d, a]
        value_a = value_at(forms, i, at_a)
        delta_a = rate[0, i] + rate[1, i] * cells.error[d, a]
        for b in range(count):
            if cells.side[b] >= 0:
                continue
            common = cells.facets[d, a] & cells.facets[d, b]
            if count_bits(common) < n - 1 or not adjacent(cells, d, a, b, simple):
                continue
            if made == room:
                return False
            at_b = cells.at[d, b]
            value_b = value_at(forms, i, at_b)
            delta_b = rate[0, i] + rate[1, i] * cells.error[d, b]
            # Vertices refined by exact arithmetic may have values of no sign here: then the
            # crossing may be anywhere on the edge.
            span = value_a - value_b
            left = span - delta_a - delta_b
            t = 0.5
            blur = 0.5
            if left > 0.0:
                t = min(max(value_a / span, 0.0), 1.0)
                blur = min(1.0, 1.01 * ((1.0 - t) * delta_a + t * delta_b) / left + 4 * ROUNDOFF)
            length = 0.0
            for j in range(n):
                step = at_b[j] - at_a[j]
                length = max(length, abs(step))
                cells.fresh[made, j] = at_a[j] + t * step
            cells.fresh[made, n] = (
                max(cells.error[d, a], cells.error[d, b]) + blur * length + 8 * ROUNDOFF
            )
            cells.fresh_facets[made] = common | new_bit
            for w in range(words):
                # Zero at one end and a sign at the other: that sign.
                pa, na = cells.pos[d, a, w], cells.neg[d, a, w]
                pb, nb_ = cells.pos[d, b, w], cells.neg[d, b, w]
                mixed = (pa & nb_) | (na & pb)
                cells.fresh_signs[made, 0, w] = (pa | pb) & ~mixed
                cells.fresh_signs[made, 1, w] = (na | nb_) & ~mixed
                cells.fresh_signs[made, 2, w] = mixed
            made += 1
    cells.counters[VERTICES] += made
    for turn in range(2):
        e = d + 1 - turn
        if turn == 0 and keep != 0:
            continue
        side = 1 if turn == 0 or keep > 0 else -1
        if not fill(net, cells, d, e, side, made, new_bit):
            return False
        finish_side(net, cells, d, e, slot, row)
    return True


@inlined
def fill(net, cells, d, e, side, made, new_bit):
    """Put the vertices of slot ``d`` on one side, and the new ones, into slot ``e``."""
    n = net.n
    words = cells.todo.shape[1]
    k = 0
    total = 0
    for v in range(cells.corners[d]):
        if cells.side[v] * side >= 0:
            total += 1
    if total + made > cells.at.shape[1]:
        return False
    for v in range(cells.corners[d]):
        if cells.side[v] * side < 0:
            continue
        for j in range(n):
            cells.at[e, k, j] = cells.at[d, v, j]
        cells.error[e, k] = cells.error[d, v]
        facets = cells.facets[d, v]
        cells.facets[e, k] = facets | new_bit if cells.side[v] == 0 else facets
        for w in range(words):
            cells.pos[e, k, w] = cells.pos[d, v, w]
            cells.neg[e, k, w] = cells.neg[d, v, w]
            cells.open[e, k, w] = NONE
        k += 1
    for f in range(made):
        for j in range(n):
            cells.at[e, k, j] = cells.fresh[f, j]
        cells.error[e, k] = cells.fresh[f, n]
        cells.facets[e, k] = cells.fresh_facets[f]
        for w in range(words):
            cells.pos[e, k, w] = cells.fresh_signs[f, 0, w]
            cells.neg[e, k, w] = cells.fresh_signs[f, 1, w]
            cells.open[e, k, w] = cells.fresh_signs[f, 2, w]
        k += 1
    cells.corners[e] = k
    return True


@inlined
def finish_side(net, cells, d, e, slot, row):
    """Name the new facet in slot ``e``, and forget facets with too few vertices to be any."""
    n = net.n
    used = NONE
    union = NONE
    for v in range(cells.corners[e]):
        union |= cells.facets[e, v]
    rest = union
    while rest != NONE:
        f = lowest_bit(rest)
        bit = ONE << np.uint64(f)
        rest &= rest - ONE
        on = 0
        for v in range(cells.corners[e]):
            if cells.facets[e, v] & bit != NONE:
                on += 1
        if on >= n:
            used |= bit
            cells.rows[e, f] = row if f == slot else cells.rows[d, f]
    for v in range(cells.corners[e]):
        cells.facets[e, v] &= used
    cells.used[e] = used


@inlined
def sides_of(cells, d, i):
    """The signs of unit ``i`` at the vertices of slot ``d``."""
    word, bit = i >> 6, ONE << np.uint64(i & 63)
    for v in range(cells.corners[d]):
        if cells.pos[d, v, word] & bit != NONE:
            cells.side[v] = 1
        elif cells.neg[d, v, word] & bit != NONE:
            cells.side[v] = -1
        else:
            cells.side[v] = 0
