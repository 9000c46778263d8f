"""Regions that are met on the way between two points: found without any programme.

All inputs found in one cell of the layers before the last two are joined by segments, and the
cell is convex: every region that a segment passes through exists.  The pre-activations of the
layer before the last, which are affine on the cell, are kept of up to POINTS inputs.  From each
new one the segments to SEGMENTS others, drawn at random, are followed through both layers; the
patterns met go into a table in which the search looks before it asks for a proof.  Where the
cube of the search is a relaxation (:mod:`.zonotope`) a proof is dear and most of them are saved.

A pattern is noted only where every unit is off zero by more than MARGIN of the largest sum of
absolute terms it can have; rounding, which includes that of the points' images, is far less.
What the table has no room for is lost, which costs time only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.compiled.forms import TINY, gamma
from milpcount.search.compiled.jit import jit

POINTS = 96
SEGMENTS = 16
SLOTS = 1 << 14  # patterns in the table
MARGIN = 1e-11
# Places in Segments.numbers.
CELL, KEPT, RANDOM = range(3)
ONE = np.uint64(1)
NONE = np.uint64(0)


class Segments(NamedTuple):
    """What is known of the present cell of the layers before the last two.

    Attributes:
        numbers: of the cell; of the points found in it; state of the random numbers.
        at: pre-activations of the layer before the last, a column a point; no rows where the search
            does without.
        blur: bound on their errors, one a unit.
        reach: bound on their absolute values.
        doubt: a unit of one of the two layers counts as zero up to this.
        patterns: of the last two layers, one word each, and the cell they were found in.
        stops: where the segment crosses units of the layer before the last, or of the last.
        here, there, slope: the last layer's pre-activations.
    """

    numbers: NDArray[np.int64]
    at: NDArray[np.float64]
    blur: NDArray[np.float64]
    reach: NDArray[np.float64]
    doubt: NDArray[np.float64]
    patterns: NDArray[np.uint64]
    stops: NDArray[np.float64]
    units: NDArray[np.int64]
    crossings: NDArray[np.float64]
    here: NDArray[np.float64]
    there: NDArray[np.float64]
    table: NDArray[np.float64]  # for :mod:`.hull`: a row a basic variable, a column a nonbasic one
    values: NDArray[np.float64]  # of the basic variables
    basic: NDArray[np.int64]  # which they are: points from 0 on, units from -1 down
    nonbasic: NDArray[np.int64]


@jit
def new_cell(seg):
    """Forget everything: the layer before the last is entered in another cell."""
    seg.numbers[CELL] += 1
    seg.numbers[KEPT] = 0
    seg.blur[:] = 0.0
    seg.reach[:] = 0.0


@jit
def place_of(first, second):
    """Where a pattern stands in the table."""
    x = first * np.uint64(0x9E3779B97F4A7C15) ^ second * np.uint64(0xC2B2AE3D27D4EB4F)
    x ^= x >> np.uint64(29)
    return np.int64((x * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(50))


@jit
def known(seg, first, second):
    """Whether the pattern was met in the present cell."""
    entry = seg.patterns[place_of(first, second)]
    return entry[0] == first and entry[1] == second and entry[2] == np.uint64(seg.numbers[CELL])


@jit
def note(seg, first, second):
    """Remember a pattern, in the place of another one where need be."""
    entry = seg.patterns[place_of(first, second)]
    entry[0], entry[1], entry[2] = first, second, np.uint64(seg.numbers[CELL])


@jit
def word_of(net, st, d, layer):
    """The signs of a layer's units as bits, the undecided ones as zeros."""
    word = NONE
    first = net.starts[layer]
    for i in range(net.widths[layer]):
        if st.sign[d, first + i] > 0:
            word |= ONE << np.uint64(i)
    return word


@jit
def learn(net, st, seg, zono):
    """Take the input up whose image the check of a cell has just found; follow new segments."""
    layer = net.widths.shape[0] - 2
    forms = st.forms[layer]
    n = net.n
    kept = seg.numbers[KEPT]
    # The place after the last points is for the new one, until segments to it are drawn.
    new = min(kept, POINTS)
    for i in range(net.widths[layer]):
        value = forms[n, i]
        size = abs(value)
        smear = 0.0
        for c in range(n):
            p = forms[c, i] * zono.image[c]
            value += p
            size += abs(p)
            smear += abs(forms[c, i])
        seg.at[i, new] = value
        error = forms[n + 1, i] + 1.01 * smear * zono.blur + gamma(n + 1) * size + TINY
        seg.blur[i] = max(seg.blur[i], error)
        seg.reach[i] = max(seg.reach[i], abs(value))
    set_doubts(net, seg, layer)
    have = min(kept, POINTS)
    for k in range(min(have, SEGMENTS)):
        follow(net, seg, layer, new, draw(seg, have) if have > SEGMENTS else k)
    if kept >= POINTS:
        place = draw(seg, POINTS)
        for i in range(net.widths[layer]):
            seg.at[i, place] = seg.at[i, new]
    seg.numbers[KEPT] = kept + 1


@jit
def draw(seg, below):
    """A random number from 0 up to ``below``, which is left out."""
    state = np.uint64(seg.numbers[RANDOM])
    state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    seg.numbers[RANDOM] = np.int64(state)
    return np.int64((state >> np.uint64(33)) % np.uint64(below))


@jit
def set_doubts(net, seg, layer):
    """How far from zero the units have to be."""
    wide = net.widths[layer + 1]
    start = net.starts[layer + 1]
    doubt = seg.doubt[1]
    for j in range(wide):
        doubt[j] = MARGIN * abs(net.biases[start + j]) + TINY
    for i in range(net.widths[layer]):
        seg.doubt[0, i] = MARGIN * seg.reach[i] + 2.0 * seg.blur[i] + TINY
        begin = net.offsets[layer + 1] + i * wide
        for j in range(wide):
            doubt[j] += abs(net.weights[begin + j]) * seg.doubt[0, i]


@jit
def last_layer(net, seg, layer, a, b, t, out):
    """The pre-activations of the last layer at ``t`` on the way from point ``a`` to point ``b``."""
    wide = net.widths[layer + 1]
    start = net.starts[layer + 1]
    for j in range(wide):
        out[j] = net.biases[start + j]
    for i in range(net.widths[layer]):
        value = seg.at[i, a] + t * (seg.at[i, b] - seg.at[i, a])
        if value < 0.0:
            value *= net.slopes[net.starts[layer] + i]
        if value != 0.0:
            begin = net.offsets[layer + 1] + i * wide
            for j in range(wide):
                out[j] += value * net.weights[begin + j]


@jit
def follow(net, seg, layer, a, b):
    """Note the regions on the way from point ``a`` to point ``b``."""
    at, stops, units = seg.at, seg.stops, seg.units
    count = 0
    first = NONE
    for i in range(net.widths[layer]):
        p, q = at[i, a], at[i, b]
        if abs(p) <= seg.doubt[0, i] or abs(q) <= seg.doubt[0, i]:
            return
        if p > 0.0:
            first |= ONE << np.uint64(i)
        if (p > 0.0) != (q > 0.0):
            t = p / (p - q)
            place = count
            while place > 0 and stops[place - 1] > t:
                stops[place] = stops[place - 1]
                units[place] = units[place - 1]
                place -= 1
            stops[place] = t
            units[place] = i
            count += 1
    last_layer(net, seg, layer, a, b, 0.0, seg.here)
    low = 0.0
    for piece in range(count + 1):
        high = stops[piece] if piece < count else 1.0
        last_layer(net, seg, layer, a, b, high, seg.there)
        follow_piece(net, seg, layer, a, b, low, high, count, first)
        if piece < count:
            first ^= ONE << np.uint64(units[piece])
        low = high
        for j in range(net.widths[layer + 1]):
            seg.here[j] = seg.there[j]


@jit
def follow_piece(net, seg, layer, a, b, low, high, count, first):
    """Note the regions between two crossings of units of the layer before the last."""
    wide = net.widths[layer + 1]
    here, there, crossings = seg.here, seg.there, seg.crossings
    between = 0
    for j in range(wide):
        if (here[j] > 0.0) != (there[j] > 0.0):
            x = here[j] / (here[j] - there[j])
            place = between
            while place > 0 and crossings[place - 1] > x:
                crossings[place] = crossings[place - 1]
                place -= 1
            crossings[place] = x
            between += 1
    begin = 0.0
    for k in range(between + 1):
        end = crossings[k] if k < between else 1.0
        x = 0.5 * (begin + end)
        begin = end
        clear = True
        second = NONE
        for j in range(wide):
            value = here[j] + x * (there[j] - here[j])
            if value > 0.0:
                second |= ONE << np.uint64(j)
            clear &= abs(value) > seg.doubt[1, j]
        t = low + x * (high - low)
        for c in range(count):
            i = seg.units[c]
            value = seg.at[i, a] + t * (seg.at[i, b] - seg.at[i, a])
            clear &= abs(value) > seg.doubt[0, i]
        if clear:
            note(seg, first, second)
