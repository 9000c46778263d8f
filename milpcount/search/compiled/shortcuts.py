"""Leaves that need no proof of their own: their patterns were met between inputs found before."""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.codes import REGIONS
from milpcount.search.compiled.dictionary import FREE
from milpcount.search.compiled.hull import in_hull
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.leaves import take_rows
from milpcount.search.compiled.node import (
    BY_POINT,
    IN_HULLS,
    JOINTLY,
    ON_SEGMENTS,
    SEPARATED,
    form_of,
)
from milpcount.search.compiled.segments import ONE, known, learn, word_of
from milpcount.search.compiled.zonotope import EMPTY, FOUND, confirm, take_row

MOST = 6  # undecided units whose 2^k patterns are looked up
LEARNING = 2  # where more meet, so many regions are counted at once that points are little use


@jit
def met_leaf(net, st, seg, d):
    """Count the leaf in slot ``d`` if its pattern is met between inputs found before."""
    last = net.widths.shape[0] - 1
    if known(seg, word_of(net, st, d, last - 1), word_of(net, st, d, last)):
        st.counters[ON_SEGMENTS] += 1
    elif in_hull(net, st, seg, d, -1, 0):
        st.counters[IN_HULLS] += 1
    else:
        return False
    st.counters[BY_POINT] += 1
    st.registers[REGIONS] += 1
    return True


@jit
def count_met(net, st, seg, d, k):
    """Count the ``2^k`` leaves below slot ``d`` of the last layer if all their patterns were met.

    Returns:
        How many of them were met, as if all were leaves.
    """
    last = net.widths.shape[0] - 1
    first = word_of(net, st, d, last - 1)
    base = word_of(net, st, d, last)
    begin = net.n + net.domain.shape[1] + net.starts[last]
    bits = seg.units
    count = 0
    for r in range(st.m[d]):
        if st.kind[d, r] == FREE:
            bits[count] = st.rowvar[d, r] - begin
            count += 1
    total = 0
    for choice in range(1 << k):
        second = base
        for i in range(k):
            if choice >> i & 1:
                second |= ONE << np.uint64(bits[i])
        if known(seg, first, second):
            total += 1
    if total == 1 << k:
        st.counters[BY_POINT] += total
        st.counters[ON_SEGMENTS] += total
        st.counters[JOINTLY] += total
        st.registers[REGIONS] += total
    return total


@jit
def count_two(net, st, seg, zono, d):
    """Count the two leaves below slot ``d``, which one free row may cut.

    Returns:
        1 where they were counted, 0 where neither was found, -1 where the search has to branch.
    """
    last = net.widths.shape[0] - 1
    row = 0
    while st.kind[d, row] != FREE:
        row += 1
    unit = st.rowvar[d, row] - net.n - net.domain.shape[1]
    first = word_of(net, st, d, last - 1)
    base = word_of(net, st, d, last)
    bit = ONE << np.uint64(unit - net.starts[last])
    met, hulls = 0, 0
    lacking = 0
    for sign in (-1, 1):
        if known(seg, first, base | bit if sign > 0 else base):
            met += 1
        elif in_hull(net, st, seg, d, unit, sign):
            hulls += 1
        else:
            lacking = sign
    total = met + hulls
    if total == 0:
        return 0
    if total == 1:
        layer, i = form_of(net, st, st.rowvar[d, row])
        count = take_row(zono, 0, st.forms[layer], i, float(lacking), st.rowvar[d, row] - net.n)
        code = confirm(zono, take_rows(net, st, zono, d, count))
        if code == FOUND:
            learn(net, st, seg, zono)
            total += 1
        elif code == EMPTY:
            st.counters[SEPARATED] += 1
        else:
            return -1
    st.counters[ON_SEGMENTS] += met
    st.counters[IN_HULLS] += hulls
    st.counters[BY_POINT] += total
    st.counters[JOINTLY] += total
    st.registers[REGIONS] += total
    return 1
