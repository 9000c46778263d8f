"""Subdivision, compiled: cells by their vertices, cut unit by unit; for few inputs.

A cell is a polytope given by all its vertices, each with the set of facets that it lies on (bits
of a word).  Whether a unit cuts a cell is read off the signs at its vertices (:mod:`.cells`), and a
cut makes two cells of one (:mod:`.cutting`).  If every sign is right, every cell is right,
degenerate or not: nothing else is ever rounded into a decision.
"""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.cells import (
    BY_POINT,
    BY_VERTICES,
    DECIDE,
    ENTER,
    NODES,
    NONE,
    ONE,
    SEPARATED,
    classify,
    count_bits,
    enter,
    form_of,
    lowest_bit,
    settle,
    settle_rarely,
)
from milpcount.search.compiled.codes import (
    DONE,
    DOUBT_NODE,
    DOUBT_SIGNS,
    FULL,
    GROW,
    LEAVES,
    REGIONS,
    SLOT,
    STEPS,
)
from milpcount.search.compiled.cutting import cut, sides_of
from milpcount.search.compiled.jit import borrowed, inlined, jit
from milpcount.search.compiled.proofs import holds
from milpcount.search.compiled.zonotope import EMPTY as EMPTY_CELL
from milpcount.search.compiled.zonotope import FOUND, confirm, take_row


@inlined
def classify_open(net, cells, d, forms):
    """Evaluate the signs that a cut left open in slot ``d``; whether floats leave some open."""
    doubtful = False
    for v in range(cells.corners[d]):
        for w in range(cells.todo.shape[1]):
            rest = cells.open[d, v, w]
            if rest == NONE:
                continue
            rest &= cells.todo[d, w]
            cells.open[d, v, w] = NONE
            while rest != NONE:
                b = lowest_bit(rest)
                rest &= rest - ONE
                classify(net, cells, d, v, forms, (w << 6) + b)
            doubtful |= cells.open[d, v, w] != NONE
    return doubtful


@inlined
def read_signs(net, cells, d):
    """Settle the units that do not cut the cell; return one that does, or -1."""
    chosen = -1
    for w in range(cells.todo.shape[1]):
        todo = cells.todo[d, w]
        if todo == NONE:
            continue
        pos = NONE
        neg = NONE
        for v in range(cells.corners[d]):
            pos |= cells.pos[d, v, w]
            neg |= cells.neg[d, v, w]
        both = pos & neg & todo
        if both != NONE and chosen < 0:
            chosen = (w << 6) + lowest_bit(both)
        # Zero at every vertex is zero everywhere: inactive.
        plain = todo & ~both & ~cells.preset[d, w]
        cells.counters[BY_VERTICES] += count_bits(todo & ~both)
        settle(net, cells, d, w, plain & pos, plain & ~pos, 2)
        plain = todo & ~both & cells.preset[d, w]
        if plain != NONE:
            settle_rarely(net, cells, d, w, plain & pos, plain & ~pos, 1)
    return chosen


@inlined
def copy_rest(net, cells, d):
    """Copy what is not vertices from slot ``d`` to slot ``d + 1``."""
    layer = cells.layer[d]
    e = d + 1
    cells.layer[e] = layer
    # In later layers only presets stand.
    for u in range(cells.sign.shape[1]):
        cells.sign[e, u] = cells.sign[d, u]
    for w in range(cells.todo.shape[1]):
        cells.todo[e, w] = cells.todo[d, w]
        cells.preset[e, w] = cells.preset[d, w]
    if layer + 1 < net.widths.shape[0]:
        wide = net.widths[layer + 1]
        for c in range(net.n + 2):
            for k in range(wide):
                cells.partial[e, c, k] = cells.partial[d, c, k]


@jit
def start(net, cells):
    """The cube in slot 0, to be cut by the rows of the domain first."""
    n = net.n
    cells.registers[SLOT] = 0
    cells.layer[0] = -1 if net.domain.shape[1] > 0 else 0
    cells.stage[0] = ENTER
    cells.used[0] = NONE
    for j in range(2 * n):
        cells.rows[0, j] = j
        cells.used[0] |= ONE << np.uint64(j)
    corners = 1 << n
    cells.corners[0] = corners
    words = cells.todo.shape[1]
    for v in range(corners):
        facets = NONE
        for j in range(n):
            end = v >> j & 1
            cells.at[0, v, j] = end
            facets |= ONE << np.uint64(2 * j + end)
        cells.facets[0, v] = facets
        cells.error[0, v] = 0.0
        for w in range(words):
            cells.pos[0, v, w] = NONE
            cells.neg[0, v, w] = NONE
            cells.open[0, v, w] = NONE


@jit
def proved_centre(net, cells, d):
    """Put the mean of the vertices into ``cells.z``; whether floats prove that it is inside."""
    count = cells.corners[d]
    for j in range(net.n):
        total = 0.0
        for v in range(count):
            total += cells.at[d, v, j]
        cells.z[j] = min(max(total / count, 0.0), 1.0)
    rest = cells.used[d]
    while rest != NONE:
        layer, i = form_of(net, cells, cells.rows[d, lowest_bit(rest)])
        rest &= rest - ONE
        if layer == -1 and not holds(net.domain, i, 1.0, cells.z):
            return False
        if layer >= 0:
            sign = 1.0 if cells.sign[d, net.starts[layer] + i] > 0 else -1.0
            if not holds(cells.forms[layer], i, sign, cells.z):
                return False
    return True


@jit
def take_rows(net, cells, zono, d):
    """Hand the facets of the cell over to :mod:`.zonotope`; return how many."""
    count = 0
    rest = cells.used[d]
    while rest != NONE:
        row = cells.rows[d, lowest_bit(rest)]
        layer, i = form_of(net, cells, row)
        name = row - 2 * net.n
        rest &= rest - ONE
        if layer == -1:
            count = take_row(zono, count, net.domain, i, 1.0, name)
        elif layer >= 0:
            sign = 1.0 if cells.sign[d, net.starts[layer] + i] > 0 else -1.0
            count = take_row(zono, count, cells.forms[layer], i, sign, name)
    return count


@jit
def leaf(net, cells, zono, d, emit):
    """Count a leaf; when regions are kept, with a proved point. False if there is no proof."""
    point = cells.z
    if zono.v.shape[0] > 0:
        code = confirm(zono, take_rows(net, cells, zono, d))
        if code == EMPTY_CELL:
            cells.counters[SEPARATED] += 1
            return True
        if code != FOUND:
            return False
        cells.counters[BY_POINT] += 1
        point = zono.u
    elif emit and not proved_centre(net, cells, d):
        return False
    if emit:
        k = cells.registers[LEAVES]
        cells.leaf_signs[k] = cells.sign[d]
        cells.leaf_points[k] = point
        cells.registers[LEAVES] = k + 1
    cells.registers[REGIONS] += 1
    return True


@inlined
def cutting_units(cells, d):
    """How many undecided units cut the cell in slot ``d``."""
    total = 0
    for w in range(cells.todo.shape[1]):
        pos = NONE
        neg = NONE
        for v in range(cells.corners[d]):
            pos |= cells.pos[d, v, w]
            neg |= cells.neg[d, v, w]
        total += count_bits(pos & neg & cells.todo[d, w])
    return total


@jit
def run(net, cells, zono, steps, limit, emit):
    """Search on for at most so many steps, or up to so many regions; return why it stopped.

    After DOUBT_SIGNS the caller resolves the open signs of the present slot; after DOUBT_NODE it
    searches that node in another way.
    """
    return go_on(borrowed(net), borrowed(cells), borrowed(zono), steps, limit, emit)


@jit
def go_on(net, cells, zono, steps, limit, emit):
    """The loop of :func:`run`."""
    reg = cells.registers
    n_layers = net.widths.shape[0]
    plain = not emit and zono.v.shape[0] == 0
    while reg[SLOT] >= 0:
        if steps <= 0 or reg[REGIONS] >= limit:
            return STEPS
        steps -= 1
        d = reg[SLOT]
        cells.counters[NODES] += 1
        layer = cells.layer[d]
        if cells.stage[d] == ENTER:
            if layer < n_layers:
                enter(net, cells, d)
                cells.stage[d] = DECIDE
            else:
                if emit and reg[LEAVES] == cells.leaf_signs.shape[0]:
                    return FULL
                if not leaf(net, cells, zono, d, emit):
                    return DOUBT_NODE
                reg[SLOT] = d - 1
                continue
        forms = net.domain if layer < 0 else cells.forms[layer]
        if classify_open(net, cells, d, forms):
            return DOUBT_SIGNS
        if d + 2 >= cells.corners.shape[0]:
            return GROW
        if layer == n_layers - 1 and plain:
            cutting = cutting_units(cells, d)
            if cutting <= 1:
                # Nothing below is needed but its number.
                reg[REGIONS] += 1 + cutting
                reg[SLOT] = d - 1
                continue
        i = read_signs(net, cells, d)
        if i < 0:
            cells.layer[d] = layer + 1
            cells.stage[d] = ENTER
            continue
        sides_of(cells, d, i)
        bit = ONE << np.uint64(i & 63)
        row = i + 2 * net.n
        keep = 1
        if layer >= 0:
            row += net.domain.shape[1] + net.starts[layer]
            # The sign of a cut that was made before the task.
            keep = cells.sign[d, net.starts[layer] + i]
        if keep == 0:
            copy_rest(net, cells, d)
        if not cut(net, cells, d, forms, i, row, keep):
            return DOUBT_NODE
        if keep != 0:
            kept = bit if keep > 0 else NONE
            settle_rarely(net, cells, d, i >> 6, kept, bit & ~kept, 1)
            continue
        half = 0.5 * cells.share[d]
        cells.share[d] = half
        cells.share[d + 1] = half
        cells.stage[d + 1] = DECIDE
        for side in range(2):
            active = bit if side == 1 else NONE
            settle(net, cells, d + side, i >> 6, active, bit & ~active, 1)
        reg[SLOT] = d + 1
    return DONE
