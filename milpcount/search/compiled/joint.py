"""The last layer without branching: all sign patterns around one point.

Let ``k`` units of the last layer cut a cell ``P``.  If there is a point ``p`` inside where all of
their forms ``g_i`` vanish, and directions ``s_i`` with ``g_j(s_i) = 0`` for ``j != i`` but not for
``j = i`` (the normals are independent), then the points ``p + e sum_i +-s_i`` have all ``2^k``
patterns, and for small ``e`` they are inside.  So they are ``2^k`` regions, from one linear
programme.  Nothing of this need hold exactly: what is proved is that for each choice of signs

    |g_i(p)| + e sum_{j != i} |g_i . s_j| < e |g_i . s_i|,    e sum_j |h . s_j| < h(p)

for the units ``i`` and all constraints ``h`` of the cell, with all errors of rounding.  Where
there is no such point, or it cannot be proved, the search branches as ever.

In the cube of the search ``p`` is a vertex of the intersection, moved inward along its edges, and
the columns of the dictionary are the directions.  Where the cube is only a relaxation ``p`` is the
image of the point nearest the centre, and the directions are least in units of the room that each
input has.
"""

from __future__ import annotations

import math

from milpcount.search.compiled.codes import REGIONS
from milpcount.search.compiled.dictionary import (
    CONSTRAINT,
    COORDINATE,
    FREE,
    PIVOT,
    longest_step,
    move,
)
from milpcount.search.compiled.forms import TINY, gamma
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.least_squares import dot, least_multipliers
from milpcount.search.compiled.leaves import take_rows
from milpcount.search.compiled.node import BY_POINT, JOINTLY, copy_slot, form_of
from milpcount.search.compiled.zonotope import (
    REFRESH,
    WIDE,
    absolute_sum,
    at_image,
    clip,
    image_of,
    measure,
    prepare,
    renew,
    separated,
    spread_out,
    take_row,
)

MOST = 40  # units at once: 2^k must be an integer of the machine
KEPT = 0.9  # of the room in the cube
PIVOTS_EACH = 30
ROUNDS_EACH = 8
RETRY = 64  # attempts left out before one is made all the same
TRIED, WON = 0, 1


@jit
def worth_trying(net, st, d, k, saved):
    """Whether ``k`` units are likely enough to meet in the cell of slot ``d``.

    An attempt costs about as much as one leaf, and success saves ``saved`` of them.
    """
    if k > MOST or k > net.n:
        return False
    # Forms of a layer depend on no more numbers than an earlier layer has active units.
    for layer in range(st.layer[d]):
        begin = net.starts[layer]
        rank = 0
        for u in range(begin, begin + net.widths[layer]):
            if st.sign[d, u] > 0 or net.slopes[u] != 0.0:
                rank += 1
        if k > rank:
            return False
    tried, won = st.joint[k, TRIED], st.joint[k, WON]
    st.joint[0, TRIED] += 1
    return (won + 1) * saved >= tried + 1 or st.joint[0, TRIED] % RETRY == 0


@jit
def jointly(net, st, zono, d, k):
    """Count all ``2^k`` leaves below slot ``d``, whose ``k`` free rows all cut it, if they meet.

    Returns:
        False, with nothing counted, where there is no proof that they do.
    """
    m = take_cell(net, st, zono, d)
    st.joint[k, TRIED] += 1
    blur = 0.0
    if zono.v.shape[0] == 0:
        limit = meet_in_cube(net, st, zono, d)
    else:
        limit = meet_in_zonotope(zono, m, k)
        if limit > 0.0:
            blur = image_of(zono)
    if limit <= 0.0 or not all_signs(zono, m, k, limit, blur):
        return False
    st.joint[k, WON] += 1
    count = 1 << k
    st.counters[BY_POINT] += count
    st.counters[JOINTLY] += count
    st.registers[REGIONS] += count
    return True


@jit
def take_cell(net, st, zono, d):
    """Put the free rows, then the constraints of the cell, into ``zono.rows``; return how many."""
    count = 0
    for r in range(st.m[d]):
        if st.kind[d, r] == FREE:
            layer, i = form_of(net, st, st.rowvar[d, r])
            count = take_row(zono, count, st.forms[layer], i, 1.0, st.rowvar[d, r] - net.n)
    return take_rows(net, st, zono, d, count)


@jit
def all_signs(zono, m, k, limit, blur):
    """Whether the inequalities of the module hold for some step up to ``limit``.

    Of the ``m`` rows the first ``k`` are the units'; ``blur`` bounds the error of the coordinates
    of ``zono.image``, those of the directions stand in their last column.
    """
    step = limit
    for r in range(k, m):
        value, error, smear = at_image(zono, r, blur)
        slack = value - error
        if not slack > 0.0:
            return False
        reach = 0.0
        for i in range(k):
            change, doubt = along(zono, r, i, smear)
            reach += abs(change) + doubt
        if reach > 0.0:
            step = min(step, 0.5 * slack / reach)
    for r in range(k):
        value, error, smear = at_image(zono, r, blur)
        gain = 0.0
        for i in range(k):
            change, doubt = along(zono, r, i, smear)
            gain += (abs(change) if i == r else -abs(change)) - doubt
        if not 0.99 * step * gain > abs(value) + error:
            return False
    return True


@jit
def along(zono, r, i, smear):
    """How fast row ``r`` changes along direction ``i``, and a bound on the error of that."""
    n = zono.rows.shape[1] - 1
    value = 0.0
    size = 0.0
    for c in range(n):
        p = zono.rows[r, c] * zono.steps[i, c]
        value += p
        size += abs(p)
    return value, gamma(n + 1) * size + 1.01 * smear * zono.steps[i, n] + TINY


@jit
def meet_in_cube(net, st, zono, d):
    """Find the point and the directions by the dictionary; return how long a step may be, or 0."""
    n = net.n
    e = d + 1
    copy_slot(net, st, d)
    base = n + net.domain.shape[1]
    for r in range(st.m[e]):
        if st.kind[e, r] == FREE and not to_zero(net, st, e, r):
            return 0.0
    table, kind, m = st.table[e], st.kind[e], st.m[e]
    rowvar, colvar, flip = st.rowvar[e], st.colvar[e], st.flip[e]
    # Half the way along the sum of the edges on which all units stay 0.
    inward = st.total
    for c in range(n):
        var = colvar[c]
        held = var >= base and st.sign[e, var - base] == 0
        inward[c] = 0.0 if held else 1.0
    length = 1.0
    for r in range(m):
        slope = 0.0
        for c in range(n):
            slope += inward[c] * table[c, r]
        if slope < 0.0:
            length = min(length, max(table[n, r], 0.0) / -slope)
        elif slope > 0.0 and kind[r] == COORDINATE:
            length = min(length, max(1.0 - table[n, r], 0.0) / slope)
    length *= 0.5
    if length <= 0.0:
        return 0.0
    z = zono.image
    for c in range(n):
        if colvar[c] < n:
            z[colvar[c]] = length
    for r in range(m):
        if rowvar[r] < n:
            value = table[n, r]
            for c in range(n):
                value += length * inward[c] * table[c, r]
            z[rowvar[r]] = value
    for j in range(n):
        z[j] = min(max(1.0 - z[j] if flip[j] else z[j], 0.0), 1.0)
    # The free rows of slot d in their order: theirs are the directions.
    count = 0
    for r in range(st.m[d]):
        if st.kind[d, r] != FREE:
            continue
        step = zono.steps[count]
        for c in range(n + 1):
            step[c] = 0.0
        for c in range(n):
            if colvar[c] == st.rowvar[d, r]:
                for row in range(m):
                    j = rowvar[row]
                    if j < n:
                        step[j] = -table[c, row] if flip[j] else table[c, row]
        count += 1
    limit = 1e300
    for j in range(n):
        reach = 0.0
        for i in range(count):
            reach += abs(zono.steps[i, j])
        if reach > 0.0:
            limit = min(limit, KEPT * min(z[j], 1.0 - z[j]) / reach)
    return limit


@jit
def to_zero(net, st, e, r):
    """Make free row ``r`` nonbasic at 0, the units that are so already staying; False if not."""
    n = net.n
    base = n + net.domain.shape[1]
    table, kind, m = st.table[e], st.kind[e], st.m[e]
    rowvar, colvar, flip = st.rowvar[e], st.colvar[e], st.flip[e]
    if table[n, r] < 0.0:
        for c in range(n + 1):
            table[c, r] = -table[c, r]
    kind[r] = CONSTRAINT
    for _ in range(PIVOTS_EACH):
        best, best_gain, best_block = -1, -1.0, -1
        for c in range(n):
            cost = -table[c, r]
            var = colvar[c]
            if cost <= PIVOT or (var >= base and st.sign[e, var - base] == 0):
                continue
            step, block = longest_step(table[c], table[n], m, kind, 1.0 if var < n else 1e300)
            if step >= 1e300:
                return False
            if cost * step > best_gain:
                best, best_gain, best_block = c, cost * step, block
        if best < 0:
            return False
        st.counters[0] += 1
        move(table, n, m, kind, rowvar, colvar, flip, best, best_block)
        if best_block == r:
            return True
    return False


@jit
def meet_in_zonotope(zono, m, k):
    """Find the point and the directions; return how long a step may be, or 0.

    The rows that were active in the last cell are tried first, as in :func:`.zonotope.confirm`.
    """
    measure(zono, m)
    for r in range(m):
        zono.active[r] = r < k or zono.was_active[zono.names[r]]
    found = nearest(zono, m, k)
    if not found:
        zono.rounds[0] = REFRESH
    for r in range(k, m):
        zono.was_active[zono.names[r]] = zono.active[r]
    return directions(zono, k) if found else 0.0


@jit
def nearest(zono, m, k):
    """Put the ``u`` nearest the centre that has some distance from the constraints into ``u``."""
    for _ in range(ROUNDS_EACH):
        renew(zono, m, k)
        prepare(zono, m, k, WIDE)
        least_multipliers(zono, m, k)
        spread_out(zono, m)
        if separated(zono, m, zono.image, absolute_sum(zono.u)):
            return False
        if clip(zono) == 0:
            return True
    return False


@jit
def directions(zono, k):
    """Directions in ``u``, their images in ``zono.steps``; return how long a step may be, or 0.

    With ``R`` the diagonal of the room that every coordinate of ``u`` has and ``A`` the rows in
    terms of ``u`` they are the columns of ``R^2 A^T (A R^2 A^T)^-1``: least in units of the room.
    """
    n, many = zono.v.shape
    room, square, used = zono.room[0], zono.room[1], zono.room[2]
    for j in range(many):
        room[j] = 1.0 - abs(zono.u[j])
        square[j] = room[j] * room[j]
        used[j] = 0.0
    for i in range(k):
        a, s = zono.across[i], zono.scaled[i]
        for j in range(many):
            a[j] = 0.0
        for c in range(n):
            f = 0.5 * zono.rows[i, c]
            if f != 0.0:
                v = zono.v[c]
                for j in range(many):
                    a[j] += f * v[j]
        for j in range(many):
            s[j] = a[j] * square[j]
    if not invert(zono, k):
        return 0.0
    delta = zono.room[1]  # the squares have been used
    for i in range(k):
        for j in range(many):
            delta[j] = 0.0
        for c in range(k):
            f = zono.inverse[c, i]
            s = zono.scaled[c]
            for j in range(many):
                delta[j] += f * s[j]
        largest = 0.0
        for j in range(many):
            size = abs(delta[j])
            used[j] += size
            largest = max(largest, size)
        for c in range(n):
            zono.steps[i, c] = 0.5 * dot(zono.v[c], delta)
        zono.steps[i, n] = zono.blur * largest
    limit = 1e300
    for j in range(many):
        if used[j] > 0.0:
            limit = min(limit, KEPT * room[j] / used[j])
    return limit


@jit
def invert(zono, k):
    """Invert the Gram matrix of the scaled rows into ``zono.inverse``; False if it is singular."""
    f, x = zono.factor, zono.inverse
    for a in range(k):
        for b in range(a + 1):
            total = dot(zono.across[a], zono.scaled[b])
            if a == b:
                whole = total
            for c in range(b):
                total -= f[a, c] * f[b, c]
            if a == b:
                if not total > 1e-9 * whole:
                    return False
                f[a, a] = math.sqrt(total)
            else:
                f[a, b] = total / f[b, b]
    for i in range(k):
        for a in range(k):
            total = 1.0 if a == i else 0.0
            for c in range(a):
                total -= f[a, c] * x[c, i]
            x[a, i] = total / f[a, a]
        for a in range(k - 1, -1, -1):
            total = x[a, i]
            for c in range(a + 1, k):
                total -= f[c, a] * x[c, i]
            x[a, i] = total / f[a, a]
    return True
