"""Regions between inputs found before: whether the convex hull of the points meets a cell.

The points are those of :mod:`.segments`.  A linear programme in their weights, which sum to 1,
looks for weights with which all units that bound the cell have the wanted signs: phase 1 of the
simplex method in dictionary form, from the point that violates them least.  It has as few rows
as the cell and is far cheaper than a programme in the inputs.  What it finds is evaluated, and
counts only if every unit is clear of zero there.
"""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.segments import KEPT, MARGIN, NONE, ONE, POINTS, last_layer, note

DISTANCE = 1e-7  # wanted of every unit, in terms of the largest sum of terms it can have
PIVOTS = 24
SLOPE = 1e-10


@jit
def in_hull(net, st, seg, d, unit, sign):
    """Whether a point of the hull is found in the cell of slot ``d``, then noted as met.

    Unit ``unit`` of the last layer (-1: none) is to have the given sign, though it is undecided.
    """
    count = min(seg.numbers[KEPT], POINTS)
    if count < 2:
        return False
    m = take_rows(net, st, seg, d, count, unit, sign)
    start(seg, m, count)
    for _ in range(PIVOTS):
        state = step(seg, m, count)
        if state != 0:
            return state > 0 and confirmed(net, st, seg, d, m, unit, sign)
    return False


@jit
def take_rows(net, st, seg, d, count, unit, sign):
    """Put what the units that bound the cell are at every point into the table, scaled."""
    layer = net.widths.shape[0] - 2
    m = 0
    first = net.starts[layer]
    for i in range(net.widths[layer]):
        s = st.sign[d, first + i]
        if s == 1 or s == -1:
            f = s / (seg.reach[i] + 1e-300)
            row, at = seg.table[m], seg.at[i]
            for p in range(count):
                row[p] = f * at[p] - DISTANCE
            m += 1
    wide = net.widths[layer + 1]
    begin = net.starts[layer + 1]
    for j in range(wide):
        s = st.sign[d, begin + j]
        if begin + j == unit:
            s = sign
        if s != 1 and s != -1:
            continue
        # The doubt is MARGIN times the largest sum of terms.
        f = s * MARGIN / seg.doubt[1, j]
        row = seg.table[m]
        constant = f * net.biases[begin + j] - DISTANCE
        for p in range(count):
            row[p] = constant
        for i in range(net.widths[layer]):
            factor = 1.0 if st.sign[d, first + i] > 0 else net.slopes[first + i]
            if factor == 0.0:
                continue
            factor *= f * net.weights[net.offsets[layer + 1] + i * wide + j]
            at = seg.at[i]
            for p in range(count):
                row[p] += factor * at[p]
        m += 1
    return m


@jit
def start(seg, m, count):
    """Begin at the point that violates the rows least; row ``m`` is that point's weight."""
    lacking = seg.table[m]
    for p in range(count):
        lacking[p] = 0.0
    for r in range(m):
        row = seg.table[r]
        for p in range(count):
            lacking[p] += min(row[p], 0.0)
    best = 0
    for p in range(count):
        if lacking[p] > lacking[best]:
            best = p
    for r in range(m):
        row = seg.table[r]
        here = row[best]
        seg.values[r] = here
        seg.basic[r] = -1 - r
        for p in range(count):
            row[p] -= here
    for p in range(count):
        lacking[p] = -1.0
        seg.nonbasic[p] = p
    seg.values[m] = 1.0
    seg.basic[m] = best
    seg.basic[m + 1] = -1
    # The place of the point that is basic stays empty.
    for r in range(m + 1):
        seg.table[r, best] = 0.0


@jit
def step(seg, m, count):
    """One step of the simplex method; 1: all rows are satisfied, -1: they cannot be, 0: go on."""
    table, values = seg.table, seg.values
    gain = seg.table[m + 1]
    for p in range(count):
        gain[p] = 0.0
    lacking = 0
    for r in range(m):
        if values[r] < 0.0 and seg.basic[r] < 0:
            lacking += 1
            row = table[r]
            for p in range(count):
                gain[p] += row[p]
    if lacking == 0:
        return 1
    enter = 0
    for p in range(count):
        if gain[p] > gain[enter]:
            enter = p
    if gain[enter] <= SLOPE:
        return -1
    # How far the satisfied rows and the weights allow to go, and where the first and the last of
    # the others is satisfied.
    block, room = -1, 1e300
    first, nearest, last = -1, 1e300, 0.0
    for r in range(m + 1):
        rate = table[r, enter]
        if values[r] < 0.0 and seg.basic[r] < 0:
            if rate > SLOPE:
                t = -values[r] / rate
                if t < nearest:
                    first, nearest = r, t
                last = max(last, t)
            else:
                last = 1e300
        elif rate < -SLOPE:
            t = max(values[r], 0.0) / -rate
            if t < room:
                block, room = r, t
    if last < room:
        t = 0.5 * (last + min(room, 2.0 * last))
        for r in range(m + 1):
            values[r] += t * table[r, enter]
        # The weight that entered has no row: it takes the place after the last one.
        values[m + 1] = t
        seg.basic[m + 1] = seg.nonbasic[enter]
        return 1
    r = block if room <= nearest else first
    if r < 0:
        return -1
    exchange(seg, m, count, r, enter)
    return 0


@jit
def exchange(seg, m, count, r, enter):
    """Pivot: the variable of column ``enter`` becomes basic in row ``r``."""
    table, values = seg.table, seg.values
    row = table[r]
    inverse = 1.0 / row[enter]
    for p in range(count):
        row[p] *= -inverse
    row[enter] = inverse
    value = -values[r] * inverse
    values[r] = value
    for s in range(m + 1):
        if s == r:
            continue
        other = table[s]
        f = other[enter]
        if f == 0.0:
            continue
        other[enter] = 0.0
        for p in range(count):
            other[p] += f * row[p]
        values[s] += f * value
    seg.basic[r], seg.nonbasic[enter] = seg.nonbasic[enter], seg.basic[r]


@jit
def confirmed(net, st, seg, d, m, unit, sign):
    """Whether the point that was found has the pattern wanted beyond doubt; then note it."""
    layer = net.widths.shape[0] - 2
    wide = net.widths[layer]
    total = 0.0
    for i in range(wide):
        seg.at[i, POINTS] = 0.0
    for r in range(m + 2):
        p = seg.basic[r]
        weight = seg.values[r]
        if p >= 0 and weight > 0.0:
            total += weight
            for i in range(wide):
                seg.at[i, POINTS] += weight * seg.at[i, p]
    first, second = NONE, NONE
    for i in range(wide):
        seg.at[i, POINTS] /= total
        value = seg.at[i, POINTS]
        if abs(value) <= seg.doubt[0, i] or (value > 0.0) != (
            st.sign[d, net.starts[layer] + i] > 0
        ):
            return False
        if value > 0.0:
            first |= ONE << np.uint64(i)
    last_layer(net, seg, layer, POINTS, POINTS, 0.0, seg.here)
    begin = net.starts[layer + 1]
    for j in range(net.widths[layer + 1]):
        value = seg.here[j]
        wanted = sign if begin + j == unit else st.sign[d, begin + j]
        if abs(value) <= seg.doubt[1, j] or (value > 0.0) != (wanted > 0):
            return False
        if value > 0.0:
            second |= ONE << np.uint64(j)
    note(seg, first, second)
    return True
