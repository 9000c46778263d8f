"""Subdivision, compiled: cells by their vertices, cut unit by unit; for few inputs.

A cell is a polytope given by all its vertices, each with the set of facets that it lies on (bits
of a word).  Whether a unit cuts a cell is read off the signs at its vertices, and a cut keeps the
vertices on either side and adds one on every edge that it crosses (Fukuda and Prodon, Double
description method revisited, 1996, for the edges of degenerate polytopes).  If every sign is
right, every cell is right, degenerate or not: nothing else is ever rounded into a decision.

Signs are three sets of bits a vertex, one bit a unit of the layer: positive, negative, and those
that floats leave open, where exact arithmetic is asked.  In neither set is a zero.  Vertices carry
a bound on their error; between two vertices on one side a new vertex is on that side too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from milpcount.search.compiled.forms import (
    ROUNDOFF,
    TINY,
    add_unit,
    gamma,
    size_of,
    start_next,
)
from milpcount.search.compiled.jit import inlined, jit
from milpcount.search.compiled.proofs import holds
from milpcount.search.compiled.zonotope import EMPTY as EMPTY_CELL
from milpcount.search.compiled.zonotope import FOUND, confirm, take_row

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
def classify(cells, d, v, forms, u):
    """Put unit ``u`` into the right set of vertex ``v``."""
    value = value_at(forms, u, cells.at[d, v])
    rate = cells.rate[cells.layer[d] + 1]
    bound = rate[0, u] + rate[1, u] * cells.error[d, v]
    word, bit = u >> 6, ONE << np.uint64(u & 63)
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
        net.widths[layer],
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
        start_next(cells.partial[d], net.biases[after : after + wide], net.one, width)
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
                classify(cells, d, v, forms, first + b)


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


@inlined
def classify_open(cells, d, forms):
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
                classify(cells, d, v, forms, (w << 6) + b)
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
    end = net.starts[layer] + net.widths[layer]
    for u in range(cells.sign.shape[1]):
        cells.sign[e, u] = cells.sign[d, u] if u < end else 0
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
        if classify_open(cells, d, forms):
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
