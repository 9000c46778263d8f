"""A simplex dictionary over the unit cube: every basic variable in terms of the nonbasic ones.

``table[c, r]`` is the coefficient of nonbasic variable ``c`` in basic variable ``r``, column ``n``
holds the values; columns are contiguous.  Every nonbasic variable stands at 0.  Variables are

* coordinates ``0..n-1``, in [0, 1]; while ``flip[j]`` is set the variable is ``1 - z_j``;
* constraints (rows of the domain, decided units), at least 0;
* free rows (undecided units), which never block and never leave the basis.

Which is which is told by ``kind``; every vertex visited shows the sign of every free row.
"""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.jit import jit

COORDINATE, CONSTRAINT, FREE = 0, 1, 2
PIVOT = 1e-11  # entries below are taken for zero, rows being scaled to unit size
BLAND = 200  # pivots of greatest improvement before Bland's rule, which cannot cycle
GIVE_UP = 2000
SEEN_NEGATIVE, SEEN_POSITIVE = 1, 2
VISIBLE = 1e-11  # least value of a row of unit size that counts as a sign


@jit
def note_signs(table, n, m, kind, rowvar, first, seen, marks, marked):
    """Record for every free row which sign it has at the present vertex.

    ``marks`` remembers the signs vertex by vertex, for units ``0..63`` of the layer whose first
    variable is ``first``: two words a vertex, positive and negative; ``marked[0]`` counts them.
    """
    values = table[n]
    pos = np.uint64(0)
    neg = np.uint64(0)
    for r in range(m):
        if kind[r] == FREE:
            v = values[r]
            place = rowvar[r] - first
            bit = np.uint64(1) << np.uint64(place & 63) if place < 64 else np.uint64(0)
            if v > VISIBLE:
                seen[r] |= SEEN_POSITIVE
                pos |= bit
            elif v < -VISIBLE:
                seen[r] |= SEEN_NEGATIVE
                neg |= bit
    k = marked[0]
    if k < marks.shape[0] and pos | neg != np.uint64(0):
        marks[k, 0] = pos
        marks[k, 1] = neg
        marked[0] = k + 1


@jit
def longest_step(column, values, m, kind, top):
    """How far a nonbasic variable may rise: ``(step, blocking row)``, row -1 for its own bound."""
    step = top
    block = -1
    for r in range(m):
        k = kind[r]
        if k == FREE:
            continue
        t = column[r]
        if t < -PIVOT:
            v = values[r]
            bound = v / -t if v > 0.0 else 0.0
            if bound < step:
                step = bound
                block = r
        elif t > PIVOT and k == COORDINATE:
            v = 1.0 - values[r]
            bound = v / t if v > 0.0 else 0.0
            if bound < step:
                step = bound
                block = r
    return step, block


@jit
def flip_nonbasic(table, n, m, c):
    """Move nonbasic coordinate ``c`` to its other end, where it is 0 again."""
    column = table[c]
    values = table[n]
    for r in range(m):
        values[r] += column[r]
        column[r] = -column[r]


@jit
def pivot(table, n, m, c, p):
    """Exchange nonbasic column ``c`` with basic row ``p``."""
    column = table[c]
    a = column[p]
    inverse = 1.0 / a
    for d in range(n + 1):
        if d == c:
            continue
        other = table[d]
        f = other[p] * inverse
        if f != 0.0:
            # x_p = a x_c + f' x_d  gives  x_c = x_p / a - (f' / a) x_d.
            for r in range(m):
                other[r] -= f * column[r]
        other[p] = -f
    for r in range(m):
        column[r] *= inverse
    column[p] = inverse


@jit
def move(table, n, m, kind, rowvar, colvar, flip, c, block):
    """Raise nonbasic variable ``c`` until row ``block`` (-1: its own other end) stops it."""
    if block < 0:
        j = colvar[c]
        flip[j] = not flip[j]
        flip_nonbasic(table, n, m, c)
        return
    if kind[block] == COORDINATE and table[c, block] > 0.0:
        # It leaves at its upper end: count it from there.
        j = rowvar[block]
        flip[j] = not flip[j]
        for d in range(n):
            table[d, block] = -table[d, block]
        table[n, block] = 1.0 - table[n, block]
    entering = colvar[c]
    colvar[c] = rowvar[block]
    rowvar[block] = entering
    table[n, block] = max(table[n, block], 0.0)
    pivot(table, n, m, c, block)
    kind[block] = COORDINATE if entering < n else CONSTRAINT


@jit
def drive(
    table,
    n,
    m,
    kind,
    rowvar,
    colvar,
    flip,
    first,
    seen,
    marks,
    marked,
    target,
    sign,
    goal,
    counters,
):
    """Move to vertices of ever larger ``sign * row[target]`` until it is above ``goal``.

    Returns:
        1 when it is, 0 at an optimum where it is not, -1 without result.
    """
    if sign * table[n, target] > goal:
        return 1
    for iteration in range(GIVE_UP):
        best = -1
        best_gain = -1.0
        best_cost = 0.0
        best_block = -1
        for c in range(n):
            cost = sign * table[c, target]
            if cost <= PIVOT:
                continue
            top = 1.0 if colvar[c] < n else 1e300
            step, block = longest_step(table[c], table[n], m, kind, top)
            if step >= 1e300:
                return -1
            if iteration >= BLAND:
                if best < 0 or colvar[c] < colvar[best]:
                    best, best_block = c, block
                continue
            gain = cost * step
            # Among steps of length 0 the steepest.
            if gain > best_gain or (gain == best_gain and cost > best_cost):
                best, best_gain, best_cost, best_block = c, gain, cost, block
        if best < 0:
            return 0
        counters[0] += 1
        move(table, n, m, kind, rowvar, colvar, flip, best, best_block)
        note_signs(table, n, m, kind, rowvar, first, seen, marks, marked)
        if sign * table[n, target] > goal:
            return 1
    return -1


@jit
def drop_row(table, n, m, kind, rowvar, seen, r):
    """Remove basic row ``r``; the last row takes its place."""
    last = m - 1
    if r != last:
        for c in range(n + 1):
            table[c, r] = table[c, last]
        kind[r] = kind[last]
        rowvar[r] = rowvar[last]
        seen[r] = seen[last]
    return last


@jit
def add_row(table, n, m, rowvar, colvar, flip, forms, u, scale):
    """Append ``scale`` times form ``u``, written in the present nonbasic variables."""
    for c in range(n + 1):
        table[c, m] = 0.0
    constant = forms[n, u]
    for j in range(n):
        if flip[j]:
            constant += forms[j, u]
    for c in range(n):
        j = colvar[c]
        if j < n:
            table[c, m] = -forms[j, u] if flip[j] else forms[j, u]
    for r in range(m):
        j = rowvar[r]
        if j < n:
            f = -forms[j, u] if flip[j] else forms[j, u]
            if f != 0.0:
                for c in range(n + 1):
                    table[c, m] += f * table[c, r]
    table[n, m] += constant
    for c in range(n + 1):
        table[c, m] *= scale


@jit
def vertex(table, n, m, rowvar, colvar, flip, z):
    """Coordinates of the present vertex."""
    for c in range(n):
        if colvar[c] < n:
            z[colvar[c]] = 0.0
    for r in range(m):
        if rowvar[r] < n:
            z[rowvar[r]] = table[n, r]
    for j in range(n):
        if flip[j]:
            z[j] = 1.0 - z[j]


@jit
def inner_point(table, n, m, kind, rowvar, colvar, flip, z):
    """A point inside, seen from the present vertex: half the way along the sum of the edges.

    Returns the step; 0 where a constraint that is tight besides the nonbasic ones blocks it.
    """
    step = 1.0
    values = table[n]
    for r in range(m):
        if kind[r] == FREE:
            continue
        slope = 0.0
        for c in range(n):
            slope += table[c, r]
        if slope < 0.0:
            step = min(step, max(values[r], 0.0) / -slope)
        elif slope > 0.0 and kind[r] == COORDINATE:
            step = min(step, max(1.0 - values[r], 0.0) / slope)
    step *= 0.5
    for c in range(n):
        if colvar[c] < n:
            z[colvar[c]] = step
    for r in range(m):
        j = rowvar[r]
        if j < n:
            v = values[r]
            for c in range(n):
                v += step * table[c, r]
            z[j] = v
    for j in range(n):
        if flip[j]:
            z[j] = 1.0 - z[j]
    for j in range(n):
        z[j] = min(max(z[j], 0.0), 1.0)
    return step
