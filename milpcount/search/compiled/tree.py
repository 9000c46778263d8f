"""The tree search, compiled: a depth-first machine that can stop and go on at any step.

A slot holds a node: its dictionary, the signs decided so far, and the forms of the next layer as
far as they are known.  Signs are 0 (undecided), 1 and -1 (decided by a cut: the unit's row is a
constraint of the cell), 2 and -2 (implied: proved on the cell, no row).  Branching leaves the
node in its slot, with one side to come back for, and goes on in the next slot.

Whatever floats cannot prove is handed out: ``run`` returns with a doubt and is called again with
the verdict.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.compiled.codes import (
    DONE,
    DOUBT_NODE,
    DOUBT_SIDE,
    DOUBT_SIGN,
    DOUBT_UNIT,
    EMPTY,
    FULL,
    GROW,
    LEAVES,
    OPEN,
    REGIONS,
    SLOT,
    STEPS,
    VERDICT,
)
from milpcount.search.compiled.dictionary import (
    CONSTRAINT,
    FREE,
    SEEN_NEGATIVE,
    SEEN_POSITIVE,
    VISIBLE,
    add_row,
    drive,
    drop_row,
    inner_point,
    longest_step,
    move,
    note_signs,
    vertex,
)
from milpcount.search.compiled.forms import add_unit, cube_range, size_of, start_next
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.proofs import add_multiple, holds, supremum
from milpcount.search.compiled.zonotope import EMPTY as EMPTY_CELL
from milpcount.search.compiled.zonotope import FOUND, confirm, take_row

ENTER, DECIDE, COME_BACK = 0, 1, 2
# Places in State.counters.
PIVOTS, NODES, BY_RANGE, BY_MULTIPLIERS, BY_POINT, ENTRIES, SEPARATED = range(7)


class Net(NamedTuple):
    """What the search reads; see :mod:`milpcount.search.frame` for the coordinates."""

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
    leaf_signs: NDArray[np.int8]
    leaf_points: NDArray[np.float64]


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
            net.widths[layer],
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
        start_next(st.partial[d], net.biases[after : after + wide], net.one, width)
    st.counters[ENTRIES] += 1
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
            settle(net, st, d, u, -2)
            st.counters[BY_RANGE] += 1
        elif low > 0.0 or (low == 0.0 and not net.closed):
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
def refuted(net, st, d, r, sign):
    """Whether the reduced costs of row ``r`` prove that it never has this sign on the cell."""
    n = net.n
    n_units = st.sign.shape[1]
    rows = net.domain.shape[1]
    total = st.total
    for c in range(n + 1):
        total[c] = 0.0
    layer, i = form_of(net, st, st.rowvar[d, r])
    u = st.rowvar[d, r] - n - rows
    size, error = add_multiple(total, st.forms[layer], i, sign * st.scale[u])
    terms = 1
    for c in range(n):
        cost = sign * st.table[d, c, r]
        var = st.colvar[d, c]
        if cost >= 0.0 or var < n:
            continue
        layer, i = form_of(net, st, var)
        if layer < 0:
            s, e = add_multiple(total, net.domain, i, -cost * st.scale[n_units + i])
        else:
            v = var - n - rows
            side = 1.0 if st.sign[d, v] > 0 else -1.0
            s, e = add_multiple(total, st.forms[layer], i, -cost * side * st.scale[v])
        size += s
        error += e
        terms += 1
    return supremum(total, size, error, terms) < 0.0


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
def decide(net, st, d):
    """Decide the free rows of the node one by one, until all that are left cut it.

    Returns:
        -1 where none is left, the row to branch on, or -2 for a doubt.
    """
    n = net.n
    base = n + net.domain.shape[1]
    while True:
        target = -1
        branch = -1
        kind = st.kind[d]
        for r in range(st.m[d]):
            if kind[r] == FREE:
                if st.seen[r] != SEEN_NEGATIVE | SEEN_POSITIVE:
                    target = r
                    break
                branch = r
        if target < 0:
            return branch
        sign = -1 if st.seen[target] & SEEN_POSITIVE else 1
        code = push_to(net, st, d, target, sign)
        if code == 1:
            continue
        u = st.rowvar[d, target] - base
        if code == 0 and refuted(net, st, d, target, sign):
            st.counters[BY_MULTIPLIERS] += 1
            remove_row(net, st, d, target)
            settle(net, st, d, u, -2 * sign)
            continue
        st.registers[DOUBT_UNIT] = u
        st.registers[DOUBT_SIGN] = sign
        return -2


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
def take_verdict(net, st, d):
    """Go on after a doubt: the doubtful side is empty, or was settled elsewhere."""
    u = st.registers[DOUBT_UNIT]
    sign = st.registers[DOUBT_SIGN]
    verdict = st.registers[VERDICT]
    st.registers[VERDICT] = OPEN
    r = row_of(net, st, d, u)
    if verdict == EMPTY:
        remove_row(net, st, d, r)
        settle(net, st, d, u, -2 * sign)
        return True
    # The other side is a cell of its own.
    if push_to(net, st, d, r, -sign) != 1:
        return False
    constrain(net, st, d, r, -sign)
    settle(net, st, d, u, -sign)
    keep_marks(net, st, d, d, u, -sign)
    look_again(net, st, d)
    return True


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
    for u in range(net.starts[layer] + net.widths[layer]):
        st.sign[d + 1, u] = st.sign[d, u]
    for u in range(net.starts[layer] + net.widths[layer], st.sign.shape[1]):
        st.sign[d + 1, u] = 0
    if layer + 1 < net.widths.shape[0]:
        wide = net.widths[layer + 1]
        for c in range(n + 2):
            for k in range(wide):
                st.partial[d + 1, c, k] = st.partial[d, c, k]


@jit
def branch_on(net, st, d, r):
    """Go down the side on which the vertex stands; the other side waits in slot ``d``."""
    u = st.rowvar[d, r] - net.n - net.domain.shape[1]
    sign = 1 if st.table[d, net.n, r] > 0.0 else -1
    copy_slot(net, st, d)
    st.stage[d] = COME_BACK
    st.unit[d] = u
    st.side[d] = -sign
    half = 0.5 * st.share[d]
    st.share[d] = half
    e = d + 1
    st.share[e] = half
    st.stage[e] = DECIDE
    st.registers[SLOT] = e
    constrain(net, st, e, r, sign)
    settle(net, st, e, u, sign)
    keep_marks(net, st, d, e, u, sign)
    look_again(net, st, e)


@jit
def come_back(net, st, d):
    """Take the side that waits; False where it cannot be reached."""
    u = st.unit[d]
    side = st.side[d]
    r = row_of(net, st, d, u)
    if push_to(net, st, d, r, side) != 1:
        return False
    constrain(net, st, d, r, side)
    settle(net, st, d, u, side)
    st.stage[d] = DECIDE
    keep_marks(net, st, d, d, u, side)
    look_again(net, st, d)
    return True


@jit
def leaf(net, st, zono, d, emit):
    """Count a leaf with a proved point; False if there is no proof."""
    point = st.z
    if zono.v.shape[0] > 0:
        code = confirm(zono, take_rows(net, st, zono, d))
        if code == EMPTY_CELL:
            st.counters[SEPARATED] += 1
            return True
        if code != FOUND:
            return False
        point = zono.u
    elif not find_inside(net, st, d) or (emit and net.walls and not off_walls(net, st, d)):
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
def two_leaves(net, st, d, r):
    """Count the two leaves below the last layer's last cutting unit, without branching.

    A point ``p`` inside proves one side.  On the way from ``p`` to a vertex on the other side of
    the unit's zero every point but the vertex is inside: one behind the zero proves that side.

    Returns:
        False, with nothing counted, where floats do not prove both.
    """
    n = net.n
    u = st.rowvar[d, r] - n - net.domain.shape[1]
    layer = net.layer_of[u]
    forms = st.forms[layer]
    i = u - net.starts[layer]
    table, kind = st.table[d], st.kind[d]
    rowvar, colvar, flip = st.rowvar[d], st.colvar[d], st.flip[d]
    inner_point(table, n, st.m[d], kind, rowvar, colvar, flip, st.z)
    if not proved_point(net, st, d, st.z):
        return False
    here = forms[n, i]
    for j in range(n):
        st.total[j] = st.z[j]
        here += forms[j, i] * st.z[j]
    sign = 1 if here > 0.0 else -1
    if not holds(forms, i, sign, st.z) or push_to(net, st, d, r, -sign) != 1:
        return False
    vertex(table, n, st.m[d], rowvar, colvar, flip, st.z)
    there = forms[n, i]
    for j in range(n):
        there += forms[j, i] * st.z[j]
    t = 0.5 + 0.5 * abs(here) / (abs(here) + abs(there))
    for j in range(n):
        st.z[j] = min(max(st.total[j] + t * (st.z[j] - st.total[j]), 0.0), 1.0)
    if not holds(forms, i, -sign, st.z) or not proved_point(net, st, d, st.z):
        return False
    st.counters[BY_POINT] += 2
    st.registers[REGIONS] += 2
    return True


@jit
def take_rows(net, st, zono, d):
    """Hand the rows of the cell over to :mod:`.zonotope`; return how many."""
    count = 0
    for r in range(st.m[d] + net.n):
        var = st.rowvar[d, r] if r < st.m[d] else st.colvar[d, r - st.m[d]]
        if var < net.n:
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
def run(net, st, zono, steps, limit, emit):
    """Search on for at most so many steps, or up to so many regions; return why it stopped.

    After DOUBT_SIDE the caller sets the verdict on side DOUBT_SIGN of unit DOUBT_UNIT in the
    node of the present slot; after DOUBT_NODE it settles that node as a whole, elsewhere.
    """
    reg = st.registers
    n_layers = net.widths.shape[0]
    plain = not emit and zono.v.shape[0] == 0
    while reg[SLOT] >= 0:
        if steps <= 0 or reg[REGIONS] >= limit:
            return STEPS
        steps -= 1
        d = reg[SLOT]
        st.counters[NODES] += 1
        stage = st.stage[d]
        if stage == ENTER:
            if st.layer[d] < n_layers:
                if not enter(net, st, d):
                    return DOUBT_NODE
                st.stage[d] = DECIDE
                continue
            if emit and reg[LEAVES] == st.leaf_signs.shape[0]:
                return FULL
            if not leaf(net, st, zono, d, emit):
                return DOUBT_NODE
            reg[SLOT] = d - 1
            continue
        if stage == COME_BACK:
            if not come_back(net, st, d):
                return DOUBT_NODE
            continue
        if reg[VERDICT] != OPEN and not take_verdict(net, st, d):
            return DOUBT_NODE
        if d + 2 >= st.table.shape[0]:
            return GROW
        r = decide(net, st, d)
        if r == -2:
            return DOUBT_SIDE
        if r >= 0:
            last = plain and st.layer[d] == n_layers - 1 and free_rows(st, d) == 1
            if last and two_leaves(net, st, d, r):
                reg[SLOT] = d - 1
            else:
                branch_on(net, st, d, r)
        else:
            st.layer[d] += 1
            st.stage[d] = ENTER
    return DONE
