"""The tree search under parity constraints, compiled.

A constraint asks that the number of active units of a set be odd, or even.  Sets are bits of
words, one bit a unit.  At every node the constraints are reduced over GF(2) with the units
decided so far put in: a constraint without units left is satisfied or closes the node, one with a
single unit left decides it.  A unit so decided is cut like any other, or the node is closed where
multipliers prove that its side is empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.sampling.jit import jit
from milpcount.sampling.kernels import outside
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
from milpcount.search.compiled.leaves import leaf
from milpcount.search.compiled.node import COME_BACK, DECIDE, ENTER, NODES, enter, row_of
from milpcount.search.compiled.tree import branch_on, come_back, decide, refuted, take_verdict

# What propagation comes to, besides a unit that is decided.
NOTHING, CONFLICT = -1, -2
ONE, NONE = np.uint64(1), np.uint64(0)


class Parity(NamedTuple):
    """Constraints, and room to reduce them.

    Attributes:
        sets: bits of the units of each constraint.
        odd: 1 where their number of ones is to be odd, else 0.
        rows, right: reduced constraints at the present node.
        known, value: units that are decided there, and which of them are active.
        counts: nodes closed by parity, units decided by it.
    """

    sets: NDArray[np.uint64]
    odd: NDArray[np.uint8]
    rows: NDArray[np.uint64]
    right: NDArray[np.uint8]
    known: NDArray[np.uint64]
    value: NDArray[np.uint64]
    counts: NDArray[np.int64]


@jit
def parity_of(x):
    """Number of ones modulo 2."""
    x ^= x >> np.uint64(32)
    x ^= x >> np.uint64(16)
    x ^= x >> np.uint64(8)
    x ^= x >> np.uint64(4)
    x ^= x >> np.uint64(2)
    x ^= x >> np.uint64(1)
    return np.uint8(x & ONE)


@jit
def place_of(x):
    """Place of the lowest one."""
    k = 0
    while x & np.uint64(0xFF) == NONE:
        x >>= np.uint64(8)
        k += 8
    while x & ONE == NONE:
        x >>= ONE
        k += 1
    return k


@jit
def put_in(par, sign):
    """Put the decided units in; what is left stands in ``rows`` and ``right``."""
    words = par.sets.shape[1]
    for w in range(words):
        par.known[w] = NONE
        par.value[w] = NONE
    for u in range(sign.shape[0]):
        if sign[u] != 0:
            bit = ONE << np.uint64(u & 63)
            par.known[u >> 6] |= bit
            if sign[u] > 0:
                par.value[u >> 6] |= bit
    for k in range(par.sets.shape[0]):
        odd = par.odd[k]
        for w in range(words):
            odd ^= parity_of(par.sets[k, w] & par.value[w])
            par.rows[k, w] = par.sets[k, w] & ~par.known[w]
        par.right[k] = odd


@jit
def propagate(par, sign):
    """Reduce the constraints at a node with these signs.

    Returns:
        a unit that they decide (its side in ``right[0]``), NOTHING, or CONFLICT.
    """
    count, words = par.sets.shape
    put_in(par, sign)
    rows, right = par.rows, par.right
    done = 0
    for w in range(words - 1, -1, -1):
        while True:
            # The latest unit of any row left becomes that of row ``done`` alone, so that the
            # others are about earlier units.
            top = NONE
            for k in range(done, count):
                if rows[k, w] > top:
                    top = rows[k, w]
            if top == NONE:
                break
            lead = top
            for shift in (1, 2, 4, 8, 16, 32):
                lead |= lead >> np.uint64(shift)
            lead ^= lead >> ONE
            pivot = done
            while rows[pivot, w] & lead == NONE:
                pivot += 1
            for v in range(words):
                rows[pivot, v], rows[done, v] = rows[done, v], rows[pivot, v]
            right[pivot], right[done] = right[done], right[pivot]
            for k in range(count):
                if k != done and rows[k, w] & lead != NONE:
                    for v in range(words):
                        rows[k, v] ^= rows[done, v]
                    right[k] ^= right[done]
            done += 1
    for k in range(done, count):
        if right[k] != 0:
            return CONFLICT
    # Of the units that stand alone the earliest.
    best = NOTHING
    side = np.uint8(0)
    for k in range(done):
        unit = -1
        for w in range(words):
            x = rows[k, w]
            if x == NONE:
                continue
            if unit >= 0 or x & (x - ONE) != NONE:
                unit = -1
                break
            unit = 64 * w + place_of(x)
        if unit >= 0 and (best < 0 or unit < best):
            best = unit
            side = right[k]
    right[0] = side
    return best


@jit
def in_layer(net, st, d, u):
    """Whether the unit belongs to the node's layer."""
    first = net.starts[st.layer[d]]
    return first <= u < first + net.widths[st.layer[d]]


@jit
def run(net, st, zono, par, steps, limit):
    """Search on for at most so many steps or regions; return why it stopped.

    After a doubt the caller counts what it finds there, as far as it satisfies the constraints.
    """
    reg = st.registers
    n_layers = net.widths.shape[0]
    while reg[SLOT] >= 0:
        if steps <= 0 or reg[REGIONS] >= limit:
            return STEPS
        steps -= 1
        d = reg[SLOT]
        st.counters[NODES] += 1
        stage = st.stage[d]
        if stage == ENTER:
            if st.layer[d] < n_layers:
                if st.layer[d] > 0 and outside(net, st, zono, d):
                    reg[SLOT] = d - 1
                    continue
                if not enter(net, st, d):
                    return DOUBT_NODE
                st.stage[d] = DECIDE
                continue
            if not leaf(net, st, zono, d, False):
                return DOUBT_NODE
            reg[SLOT] = d - 1
            continue
        if stage == COME_BACK:
            if not come_back(net, st, d):
                u = st.unit[d]
                r = row_of(net, st, d, u)
                if not refuted(net, st, d, r, st.side[d]):
                    return DOUBT_NODE
                # Only parity asks for a side that is not known to be there.
                par.counts[0] += 1
                reg[SLOT] = d - 1
            continue
        if reg[VERDICT] != OPEN and not take_verdict(net, st, d):
            return DOUBT_NODE
        if d + 2 >= st.table.shape[0]:
            return GROW
        u = propagate(par, st.sign[d])
        if u == CONFLICT:
            par.counts[0] += 1
            reg[SLOT] = d - 1
            continue
        if u >= 0 and in_layer(net, st, d, u):
            par.counts[1] += 1
            st.unit[d] = u
            st.side[d] = 1 if par.right[0] else -1
            st.stage[d] = COME_BACK
            continue
        r = decide(net, st, d)
        if r == -2:
            return DOUBT_SIDE
        # Units that were implied may contradict the constraints, or decide others.
        u = propagate(par, st.sign[d])
        if u == CONFLICT:
            par.counts[0] += 1
            reg[SLOT] = d - 1
            continue
        if u >= 0 and in_layer(net, st, d, u):
            continue
        if r >= 0:
            branch_on(net, st, d, r)
        else:
            st.layer[d] += 1
            st.stage[d] = ENTER
    return DONE
