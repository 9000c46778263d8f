"""Random searches of the tree, compiled: thinned depth-first search, and single descents.

A node of the search carries a weight ``w``, kept as ``log2 w``.  A node that is about to branch
belongs to a *class*: its layer and how many units of the layer cut its cell; leaves are a class of
their own.  Every class has a target weight.  A node that arrives with a smaller weight is kept
with probability ``w / target``, and then weighs ``target``; so its expected weight is ``w``, and
the sum of the weights of the leaves that are proved regions is an unbiased estimate of their
number, whatever the targets.

Which nodes of a class are kept is decided in the order of the search by Deville's systematic
sampling (Tillé, Sampling Algorithms, 2006, section 5.2): inclusion probabilities are laid end to
end on a line, one point is drawn in every unit interval, and the node on which it falls is kept.
So of neighbouring nodes with probabilities that sum to 1 exactly one is kept: the sample is spread
over the tree.  A node across the border of two intervals is kept at most once: where it was kept
in the first, the point of the second is drawn beside it; else it is drawn on it with the
probability that gives the node its due.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.sampling.jit import jit
from milpcount.search.compiled.codes import (
    DONE,
    DOUBT_NODE,
    DOUBT_SIDE,
    GROW,
    OPEN,
    REGIONS,
    SLOT,
    STEPS,
    VERDICT,
)
from milpcount.search.compiled.leaves import leaf, take_rows
from milpcount.search.compiled.node import COME_BACK, DECIDE, ENTER, NODES, enter, free_rows
from milpcount.search.compiled.tree import branch_on, come_back, decide, take_verdict
from milpcount.search.compiled.zonotope import EMPTY as EMPTY_CELL
from milpcount.search.compiled.zonotope import confirm

# Places in Sample.counts.
ARRIVED, THINNED, PRUNED, LEAVES_KEPT = range(4)


class Sample(NamedTuple):
    """What a random search remembers besides the search itself.

    Attributes:
        weight: log2 of the weight of the node in every slot.
        before: class of the last branching above it.
        class_of: class by layer and number of units that cut; the last class is that of leaves,
            the one before of nodes found empty.
        target: log2 of the target weight of every class.
        place, point: how far the present unit interval of a class is filled, and its point.
        steps: how often a path led from a class to another; the root is the last row.
        sums, exponents: weights of the nodes that entered a layer, and of the regions, in all:
            ``sums[l] * 2**exponents[l]``.
        signs: number of regions kept at which a unit was active, and in the last place of all.
        counts: see the names above.
        random: state of the generator.
    """

    weight: NDArray[np.float64]
    before: NDArray[np.int64]
    class_of: NDArray[np.int64]
    target: NDArray[np.float64]
    place: NDArray[np.float64]
    point: NDArray[np.float64]
    steps: NDArray[np.int64]
    sums: NDArray[np.float64]
    exponents: NDArray[np.float64]
    signs: NDArray[np.int64]
    counts: NDArray[np.int64]
    random: NDArray[np.uint64]


@jit
def bits(random):
    """64 random bits (SplitMix64: Steele, Lea and Flood 2014)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    x = random[0]
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@jit
def uniform(random):
    """A number in [0, 1)."""
    return np.float64(bits(random) >> np.uint64(11)) * 2.0**-53


@jit
def kept(sample, c, p):
    """Whether a node of class ``c`` is kept, which happens with probability ``p`` < 1."""
    x, u = sample.place[c], sample.point[c]
    if x + p < 1.0:
        sample.place[c] = x + p
        return x <= u < x + p
    inside = u >= x
    over = x + p - 1.0
    chosen = inside
    if not inside and uniform(sample.random) * x < over:
        chosen = True
        sample.point[c] = -1.0  # used up
    else:
        sample.point[c] = over + (1.0 - over) * uniform(sample.random)
    sample.place[c] = over
    return chosen


@jit
def add(sample, k, weight):
    """Add ``2**weight`` to sum ``k``."""
    if weight > sample.exponents[k]:
        sample.sums[k] *= 2.0 ** (sample.exponents[k] - weight)
        sample.exponents[k] = weight
    sample.sums[k] += 2.0 ** (weight - sample.exponents[k])


@jit
def arrive(sample, d, c, thin):
    """Take the node in slot ``d`` as one of class ``c``; False if it is dropped."""
    sample.steps[sample.before[d], c] += 1
    sample.counts[ARRIVED] += 1
    below = sample.weight[d] - sample.target[c]
    if thin and below < 0.0:
        if not kept(sample, c, 2.0**below):
            sample.counts[THINNED] += 1
            return False
        sample.weight[d] = sample.target[c]
    return True


@jit
def branch(net, st, sample, d, r, c, single):
    """Branch, or take one side at random where a single descent is wanted."""
    sample.before[d] = c
    if single:
        st.unit[d] = st.rowvar[d, r] - net.n - net.domain.shape[1]
        st.side[d] = 1 if bits(sample.random) >> np.uint64(63) else -1
        st.stage[d] = COME_BACK
        sample.weight[d] += 1.0
        return
    branch_on(net, st, d, r)
    sample.weight[d + 1] = sample.weight[d]
    sample.before[d + 1] = c


@jit
def outside(net, st, zono, d):
    """Whether the node's cell is proved to hold no image of an input."""
    return zono.v.shape[0] > 0 and confirm(zono, take_rows(net, st, zono, d)) == EMPTY_CELL


@jit
def run(net, st, zono, sample, steps, single):
    """Search on for at most so many steps; return why it stopped, as the exact search does.

    After a doubt the caller adds what it finds there, with the weight of the present slot.
    """
    reg = st.registers
    n_layers = net.widths.shape[0]
    leaves = sample.target.shape[0] - 1
    while reg[SLOT] >= 0:
        if steps <= 0:
            return STEPS
        steps -= 1
        d = reg[SLOT]
        st.counters[NODES] += 1
        stage = st.stage[d]
        if stage == ENTER:
            layer = st.layer[d]
            if layer < n_layers:
                if layer > 0 and outside(net, st, zono, d):
                    sample.steps[sample.before[d], leaves - 1] += 1
                    sample.counts[PRUNED] += 1
                    reg[SLOT] = d - 1
                    continue
                add(sample, layer, sample.weight[d])
                if not enter(net, st, d):
                    return DOUBT_NODE
                st.stage[d] = DECIDE
                continue
            if not arrive(sample, d, leaves, not single):
                reg[SLOT] = d - 1
                continue
            before = reg[REGIONS]
            if not leaf(net, st, zono, d, False):
                return DOUBT_NODE
            if reg[REGIONS] > before:
                add(sample, n_layers, sample.weight[d])
                sample.counts[LEAVES_KEPT] += 1
                n_units = sample.signs.shape[0] - 1
                sample.signs[n_units] += 1
                for u in range(n_units):
                    if st.sign[d, u] > 0:
                        sample.signs[u] += 1
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
        if r < 0:
            st.layer[d] += 1
            st.stage[d] = ENTER
            continue
        c = sample.class_of[st.layer[d], free_rows(st, d)]
        if arrive(sample, d, c, not single):
            branch(net, st, sample, d, r, c, single)
        else:
            reg[SLOT] = d - 1
    return DONE


def empty_sums(layers: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of nothing."""
    return np.zeros(layers + 1), np.full(layers + 1, -math.inf)
