"""A node of the tree search: its memory, its rows, its signs.

A slot holds a node: its dictionary, the signs decided so far, and the forms of the next layer as
far as they are known.  Signs are 0 (undecided), 1 and -1 (decided by a cut: the unit's row is a
constraint of the cell), 2 and -2 (implied: proved on the cell, no row).  Linear units, which pass
on what they compute and have no state, are preset to 2 in the root, whatever their layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.compiled.codes import OPEN, SLOT, VERDICT
from milpcount.search.compiled.dictionary import (
    CONSTRAINT,
    FREE,
    SEEN_NEGATIVE,
    SEEN_POSITIVE,
    VISIBLE,
    add_row,
    drive,
    drop_row,
    note_signs,
)
from milpcount.search.compiled.forms import add_skips, add_unit, cube_range, size_of, start_next
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.tape import record_range

ENTER, DECIDE, COME_BACK = 0, 1, 2
# Places in State.counters.
PIVOTS, NODES, BY_RANGE, BY_MULTIPLIERS, BY_POINT, JOINTLY, SEPARATED, ON_SEGMENTS, IN_HULLS = (
    range(9)
)


class Net(NamedTuple):
    """What the search reads; see :mod:`milpcount.search.frames.frame` for the coordinates."""

    n: int
    widths: NDArray[np.int64]
    starts: NDArray[np.int64]  # place of each layer's first unit
    layer_of: NDArray[np.int64]
    first: NDArray[np.float64]  # forms of the first layer
    one: NDArray[np.float64]  # the form that biases multiply
    domain: NDArray[np.float64]  # forms that are positive inside the domain
    weights: NDArray[np.float64]  # W[k, i] of later layers, unit i of the layer before by unit i
    offsets: NDArray[np.int64]  # where each layer's weights begin
    biases: NDArray[np.float64]
    slopes: NDArray[np.float64]
    terms: NDArray[np.int64]  # how many units each layer reads
    skip_begin: NDArray[np.int64]  # where each layer's skips stand: what it reads of older layers
    skip_source: NDArray[np.int64]  # the layer that a skip reads
    skip_offset: NDArray[np.int64]  # where a skip's weights begin
    skip_weights: NDArray[np.float64]  # laid out as ``weights``
    closed: bool  # inactive sides include their boundary (definition nonempty)
    walls: bool  # the sides z = 0 of the cube are zeros of units, and no points of regions


class State(NamedTuple):
    """What the search writes: one entry a slot, then what belongs to the present path."""

    table: NDArray[np.float64]
    kind: NDArray[np.uint8]
    rowvar: NDArray[np.int64]
    colvar: NDArray[np.int64]
    flip: NDArray[np.bool_]
    m: NDArray[np.int64]
    sign: NDArray[np.int8]
    layer: NDArray[np.int64]
    stage: NDArray[np.int64]
    partial: NDArray[np.float64]
    share: NDArray[np.float64]  # of the whole tree, below this node
    unit: NDArray[np.int64]  # to come back for, with its sign
    side: NDArray[np.int64]
    forms: NDArray[np.float64]  # one entry a layer
    scale: NDArray[np.float64]  # of every unit's row, then of the domain's rows
    seen: NDArray[np.uint8]
    marks: NDArray[np.uint64]  # signs at vertices visited, one entry a slot
    marked: NDArray[np.int64]
    z: NDArray[np.float64]
    total: NDArray[np.float64]
    registers: NDArray[np.int64]
    counters: NDArray[np.int64]
    joint: NDArray[np.int64]  # by number of units: attempts of :mod:`.joint`, and successes
    leaf_signs: NDArray[np.int8]
    leaf_points: NDArray[np.float64]
    tape: NDArray[np.uint8]  # steps of a certificate (compiled/tape.py); empty where none is wanted


@jit
def settle(net, st, d, u, s):
    """Decide unit ``u`` of the node's layer: its part in the forms of the next layer is known."""
    st.sign[d, u] = s
    layer = st.layer[d]
    if layer + 1 < net.widths.shape[0]:
        wide = net.widths[layer + 1]
        i = u - net.starts[layer]
        begin = net.offsets[layer + 1] + i * wide
        factor = 1.0 if s > 0 else net.slopes[u]
        add_unit(
            st.partial[d],
            net.weights[begin : begin + wide],
            factor,
            st.forms[layer],
            i,
            net.terms[layer + 1],
        )


@jit
def append(net, st, d, forms, i, var, scale):
    """Append a row for form ``i``, free for now; return its place."""
    m = st.m[d]
    add_row(st.table[d], net.n, m, st.rowvar[d], st.colvar[d], st.flip[d], forms, i, scale)
    st.kind[d, m] = FREE
    st.rowvar[d, m] = var
    st.seen[m] = 0
    st.m[d] = m + 1
    return m


@jit
def first_var(net, st, d):
    """The variable of the first unit of the node's layer."""
    layer = st.layer[d]
    if layer >= net.starts.shape[0]:
        return net.n + net.domain.shape[1] + st.sign.shape[1]
    return net.n + net.domain.shape[1] + net.starts[layer]


@jit
def push_to(net, st, d, r, sign, goal=VISIBLE):
    """Drive row ``r`` to the given sign."""
    return drive(
        st.table[d], net.n, st.m[d], st.kind[d], st.rowvar[d], st.colvar[d], st.flip[d],
        first_var(net, st, d), st.seen, st.marks[d], st.marked[d : d + 1], r, float(sign), goal,
        st.counters,
    )  # fmt: skip


@jit
def constrain(net, st, d, r, sign):
    """Make free row ``r``, which has this sign at the vertex, a constraint."""
    if sign < 0:
        for c in range(net.n + 1):
            st.table[d, c, r] = -st.table[d, c, r]
    st.kind[d, r] = CONSTRAINT


@jit
def keep_marks(net, st, d, e, u, sign):
    """Remember in slot ``e`` the vertices of slot ``d`` at which unit ``u`` has this sign."""
    place = u - net.starts[st.layer[d]]
    kept = 0
    if place < 64:
        bit = np.uint64(1) << np.uint64(place)
        which = 0 if sign > 0 else 1
        for k in range(st.marked[d]):
            if st.marks[d, k, which] & bit != np.uint64(0):
                st.marks[e, kept, 0] = st.marks[d, k, 0]
                st.marks[e, kept, 1] = st.marks[d, k, 1]
                kept += 1
    st.marked[e] = kept


@jit
def look_again(net, st, d):
    """Set which signs were seen: at the vertices remembered, and at the present one."""
    m = st.m[d]
    pos = np.uint64(0)
    neg = np.uint64(0)
    for k in range(st.marked[d]):
        pos |= st.marks[d, k, 0]
        neg |= st.marks[d, k, 1]
    first = first_var(net, st, d)
    for r in range(m):
        st.seen[r] = 0
        place = st.rowvar[d, r] - first
        if st.kind[d, r] == FREE and place < 64:
            bit = np.uint64(1) << np.uint64(place)
            if pos & bit != np.uint64(0):
                st.seen[r] |= SEEN_POSITIVE
            if neg & bit != np.uint64(0):
                st.seen[r] |= SEEN_NEGATIVE
    note_signs(
        st.table[d], net.n, m, st.kind[d], st.rowvar[d], first, st.seen, st.marks[d],
        st.marked[d : d + 1],
    )  # fmt: skip


@jit
def start(net, st):
    """The root in slot 0, its preset signs standing in ``sign[0]``; False if it is doubtful."""
    n = net.n
    for j in range(n):
        st.colvar[0, j] = j
        st.flip[0, j] = False
    st.m[0] = 0
    st.marked[0] = 0
    st.layer[0] = 0
    st.stage[0] = ENTER
    st.registers[SLOT] = 0
    n_units = st.sign.shape[1]
    st.registers[VERDICT] = OPEN
    for k in range(net.domain.shape[1]):
        st.scale[n_units + k] = 1.0 / max(size_of(net.domain, k), 1e-300)
        r = append(net, st, 0, net.domain, k, n + k, st.scale[n_units + k])
        if push_to(net, st, 0, r, 1) != 1:
            return False
        constrain(net, st, 0, r, 1)
    return True


@jit
def enter(net, st, d):
    """Bring the rows of the node's layer in; False where a preset sign cannot be reached."""
    layer = st.layer[d]
    n = net.n
    base = n + net.domain.shape[1]
    width = net.widths[layer]
    begin = net.starts[layer]
    forms = st.forms[layer]
    source = net.first if layer == 0 else st.partial[d]
    for c in range(n + 2):
        for i in range(width):
            forms[c, i] = source[c, i]
    if layer + 1 < net.widths.shape[0]:
        after = net.starts[layer + 1]
        wide = net.widths[layer + 1]
        start_next(st.partial[d], net.biases[after : after + wide], net.one, net.terms[layer + 1])
        add_skips(net, st.partial[d], st.forms, st.sign[d], layer + 1)
    for i in range(width):
        u = begin + i
        preset = st.sign[d, u]
        if abs(preset) == 2:
            settle(net, st, d, u, preset)
            continue
        size = size_of(forms, i)
        st.scale[u] = 1.0 / size if size > 0.0 else 1.0
        if preset != 0:
            r = append(net, st, d, forms, i, base + u, st.scale[u])
            if push_to(net, st, d, r, preset) != 1:
                return False
            constrain(net, st, d, r, preset)
            settle(net, st, d, u, preset)
            continue
        low, high = cube_range(forms, i)
        if high <= 0.0:
            record_range(st, i, -1)
            settle(net, st, d, u, -2)
            st.counters[BY_RANGE] += 1
        elif low > 0.0 or (low == 0.0 and not net.closed):
            record_range(st, i, 1)
            settle(net, st, d, u, 2)
            st.counters[BY_RANGE] += 1
        else:
            append(net, st, d, forms, i, base + u, st.scale[u])
    st.marked[d] = 0
    look_again(net, st, d)
    return True


@jit
def form_of(net, st, var):
    """``(layer, place)`` of a constraint's form; layer -1 for a row of the domain."""
    k = var - net.n
    rows = net.domain.shape[1]
    if k < rows:
        return -1, k
    u = k - rows
    layer = net.layer_of[u]
    return layer, u - net.starts[layer]


@jit
def free_rows(st, d):
    """How many units of the layer are not decided."""
    total = 0
    for r in range(st.m[d]):
        if st.kind[d, r] == FREE:
            total += 1
    return total


@jit
def remove_row(net, st, d, r):
    """Drop a free row."""
    st.m[d] = drop_row(st.table[d], net.n, st.m[d], st.kind[d], st.rowvar[d], st.seen, r)


@jit
def row_of(net, st, d, u):
    """Where unit ``u`` stands among the basic rows."""
    var = net.n + net.domain.shape[1] + u
    for r in range(st.m[d]):
        if st.rowvar[d, r] == var:
            return r
    return -1


@jit
def copy_slot(net, st, d):
    """Copy the node of slot ``d`` to slot ``d + 1``."""
    n = net.n
    m = st.m[d]
    for c in range(n + 1):
        for r in range(m):
            st.table[d + 1, c, r] = st.table[d, c, r]
    for r in range(m):
        st.kind[d + 1, r] = st.kind[d, r]
        st.rowvar[d + 1, r] = st.rowvar[d, r]
    for j in range(n):
        st.colvar[d + 1, j] = st.colvar[d, j]
        st.flip[d + 1, j] = st.flip[d, j]
    st.m[d + 1] = m
    st.layer[d + 1] = st.layer[d]
    layer = st.layer[d]
    # In later layers only presets stand.
    for u in range(st.sign.shape[1]):
        st.sign[d + 1, u] = st.sign[d, u]
    if layer + 1 < net.widths.shape[0]:
        wide = net.widths[layer + 1]
        for c in range(n + 2):
            for k in range(wide):
                st.partial[d + 1, c, k] = st.partial[d, c, k]
