"""Leaves of the tree search: a proved point for every region that is counted."""

from __future__ import annotations

import math

import numpy as np

from milpcount.search.compiled.codes import LEAVES, REGIONS
from milpcount.search.compiled.dictionary import (
    CONSTRAINT,
    FREE,
    inner_point,
    longest_step,
    move,
    vertex,
)
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.node import BY_POINT, SEPARATED, form_of, push_to
from milpcount.search.compiled.proofs import holds
from milpcount.search.compiled.sums import record_separation, record_spread
from milpcount.search.compiled.tape import POINT, put
from milpcount.search.compiled.zonotope import EMPTY as EMPTY_CELL
from milpcount.search.compiled.zonotope import FOUND, confirm, take_row


@jit
def proved_point(net, st, d, z):
    """Whether ``z``, in the cube, satisfies every constraint of the cell."""
    for r in range(st.m[d] + net.n):
        var = st.rowvar[d, r] if r < st.m[d] else st.colvar[d, r - st.m[d]]
        if var < net.n or (r < st.m[d] and st.kind[d, r] == FREE):
            continue
        layer, i = form_of(net, st, var)
        if layer < 0:
            if not holds(net.domain, i, 1.0, z):
                return False
        else:
            u = var - net.n - net.domain.shape[1]
            side = 1.0 if st.sign[d, u] > 0 else -1.0
            if not holds(st.forms[layer], i, side, z):
                return False
    return True


@jit
def note_room(table, n, m, kind, rowvar, room):
    """Record how large every constraint has been; nonbasic ones are 0 here."""
    for r in range(m):
        if kind[r] == CONSTRAINT:
            room[rowvar[r]] = max(room[rowvar[r]], table[n, r])


@jit
def find_inside(net, st, d):
    """Put a proved interior point of the cell into ``st.z``; False where none is found.

    From the present vertex first.  Where other constraints are tight there too, the mean of
    vertices at each of which one more constraint is large.
    """
    n = net.n
    table, kind = st.table[d], st.kind[d]
    rowvar, colvar, flip = st.rowvar[d], st.colvar[d], st.flip[d]
    m = st.m[d]
    inner_point(table, n, m, kind, rowvar, colvar, flip, st.z)
    if proved_point(net, st, d, st.z):
        return True
    n_vars = n + net.domain.shape[1] + st.sign.shape[1]
    room = np.zeros(n_vars)
    note_room(table, n, m, kind, rowvar, room)
    vertex(table, n, m, rowvar, colvar, flip, st.z)
    mean = st.z.copy()
    count = 1
    present = np.zeros(n_vars, np.bool_)
    for r in range(m):
        present[rowvar[r]] = kind[r] == CONSTRAINT
    for c in range(n):
        present[colvar[c]] = colvar[c] >= n
    for var in range(n, n_vars):
        if not present[var] or room[var] > 1e-6:
            continue
        for c in range(n):
            if colvar[c] == var:
                _, block = longest_step(table[c], table[n], m, kind, 1e300)
                if block < 0:
                    return False
                move(table, n, m, kind, rowvar, colvar, flip, c, block)
                break
        for r in range(m):
            if rowvar[r] == var:
                push_to(net, st, d, r, 1, 0.25)
                break
        note_room(table, n, m, kind, rowvar, room)
        vertex(table, n, m, rowvar, colvar, flip, st.z)
        mean += st.z
        count += 1
    for j in range(n):
        st.z[j] = min(max(mean[j] / count, 0.0), 1.0)
    return proved_point(net, st, d, st.z)


@jit
def off_walls(net, st, d):
    """Move the proved point ``st.z`` off the sides ``z = 0``; False if the proof is lost."""
    n = net.n
    for j in range(n):
        st.total[j] = st.z[j]
    step = 0.0
    for _ in range(12):
        positive = True
        for j in range(n):
            st.z[j] = st.total[j] + step * (1.0 / (n + 1) - st.total[j])
            positive &= st.z[j] > 0.0
        if positive and proved_point(net, st, d, st.z):
            return True
        step = 0.125 if step == 0.0 else step / 16.0
    return False


@jit
def record_point(net, st, d):
    """Write the region with the shortest point near ``st.z`` that is proved."""
    if st.tape.shape[0] == 0:
        return True
    n = net.n
    z = st.total[:n]
    scale = 1.0
    for size in range(1, 7):
        scale *= 256.0
        for j in range(n):
            z[j] = (min(math.floor(st.z[j] * scale), scale - 1.0) + 0.5) / scale
        if not proved_point(net, st, d, z):
            continue
        put(st, POINT)
        put(st, size)
        for j in range(n):
            k = np.int64(z[j] * scale)
            for _ in range(size):
                put(st, k & 255)
                k >>= 8
        return True
    return False


@jit
def leaf(net, st, zono, d, emit):
    """Count a leaf with a proved point; False if there is no proof."""
    point = st.z
    if zono.v.shape[0] > 0:
        m = take_rows(net, st, zono, d)
        code = confirm(zono, m)
        if code == EMPTY_CELL:
            if not record_separation(st, zono, m):
                return False
            st.counters[SEPARATED] += 1
            return True
        if code != FOUND or not record_spread(net, st, zono, m):
            return False
        point = zono.u
    elif not (
        find_inside(net, st, d)
        and (not emit or not net.walls or off_walls(net, st, d))
        and record_point(net, st, d)
    ):
        return False
    st.counters[BY_POINT] += 1
    st.registers[REGIONS] += 1
    if emit:
        k = st.registers[LEAVES]
        st.leaf_signs[k] = st.sign[d]
        st.leaf_points[k] = point
        st.registers[LEAVES] = k + 1
    return True


@jit
def take_rows(net, st, zono, d, count=0):
    """Append the constraints of the cell to ``count`` rows in ``zono``; return how many."""
    for r in range(st.m[d] + net.n):
        var = st.rowvar[d, r] if r < st.m[d] else st.colvar[d, r - st.m[d]]
        if var < net.n or (r < st.m[d] and st.kind[d, r] == FREE):
            continue
        layer, i = form_of(net, st, var)
        if layer < 0:
            count = take_row(zono, count, net.domain, i, 1.0, var - net.n)
        else:
            u = var - net.n - net.domain.shape[1]
            side = 1.0 if st.sign[d, u] > 0 else -1.0
            count = take_row(zono, count, st.forms[layer], i, side, var - net.n)
    return count


@jit
def find_beyond(net, st, d, r, sign):
    """Put a proved interior point on one side of free row ``r`` into ``st.z``; False if not found.

    On the way from a point inside to a vertex on that side every point but the vertex is inside.
    """
    n = net.n
    layer, i = form_of(net, st, st.rowvar[d, r])
    forms = st.forms[layer]
    if push_to(net, st, d, r, sign) != 1 or not find_inside(net, st, d):
        return False
    if holds(forms, i, sign, st.z):
        return True
    for j in range(n):
        st.total[j] = st.z[j]
    if push_to(net, st, d, r, sign) != 1:
        return False
    vertex(st.table[d], n, st.m[d], st.rowvar[d], st.colvar[d], st.flip[d], st.z)
    here, there = forms[n, i], forms[n, i]
    for j in range(n):
        here += forms[j, i] * st.total[j]
        there += forms[j, i] * st.z[j]
    t = 0.5 + 0.5 * abs(here) / (abs(here) + abs(there))
    for j in range(n):
        st.z[j] = min(max(st.total[j] + t * (st.z[j] - st.total[j]), 0.0), 1.0)
    return holds(forms, i, sign, st.z) and proved_point(net, st, d, st.z)
