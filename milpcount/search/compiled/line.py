"""The last layer, which reads a layer with one active unit and no other: breakpoints on a line.

All forms of the layer are then ``w_k t + b_k`` in one number ``t``, so units that change sign in a
cell do so at breakpoints ``-b_k / w_k`` of ``t``, and ``k`` different ones make ``k + 1`` regions
if there is a point of the cell below the least and one above the greatest: the segment between
them meets all.  Two linear programmes and a sort instead of a branching for each.
"""

from __future__ import annotations

import numpy as np

from milpcount.search.compiled.codes import REGIONS
from milpcount.search.compiled.dictionary import FREE
from milpcount.search.compiled.jit import jit
from milpcount.search.compiled.leaves import find_beyond, take_rows
from milpcount.search.compiled.node import BY_POINT, JOINTLY, form_of, row_of
from milpcount.search.compiled.zonotope import FOUND, UNKNOWN, confirm, take_row

APART = 1e-14  # relative distance of breakpoints whose order floats tell


@jit
def only_active(net, st, d):
    """The place of the only active unit of the layer before; -1 where there is no such unit."""
    layer = st.layer[d] - 1
    if layer < 0 or net.skip_begin[layer + 1] < net.skip_begin[layer + 2]:
        return -1
    begin = net.starts[layer]
    found = -1
    for i in range(net.widths[layer]):
        if st.sign[d, begin + i] > 0:
            if found >= 0:
                return -1
            found = i
        elif net.slopes[begin + i] != 0.0:
            return -1
    return found


@jit
def on_a_line(net, st, zono, d, k, before):
    """Count the leaves below slot ``d``, whose ``k`` free rows all cut it.

    The only active unit in the layer before is the one at place ``before``.

    Returns:
        False, with nothing counted, where floats prove no count.
    """
    layer = st.layer[d]
    start = net.starts[layer]
    begin = net.offsets[layer] + before * net.widths[layer]
    base = net.n + net.domain.shape[1]
    at = np.empty(k)
    unit = np.empty(k, np.int64)
    rising = np.empty(k, np.int64)
    count = 0
    for r in range(st.m[d]):
        if st.kind[d, r] != FREE:
            continue
        u = st.rowvar[d, r] - base
        weight = net.weights[begin + u - start]
        if weight == 0.0:
            return False
        t = -net.biases[u] / weight
        place = count
        while place > 0 and at[place - 1] > t:
            at[place], unit[place] = at[place - 1], unit[place - 1]
            rising[place] = rising[place - 1]
            place -= 1
        at[place], unit[place] = t, u
        rising[place] = 1 if weight > 0.0 else -1
        count += 1
    for i in range(1, k):
        if not at[i] - at[i - 1] > APART * (abs(at[i]) + abs(at[i - 1])):
            return False
    low, high = 0, k - 1
    while low <= high:
        code = beyond(net, st, zono, d, unit[low], -rising[low])
        if code == UNKNOWN:
            return False
        if code == FOUND:
            break
        low += 1  # the cell is all above this breakpoint
    while low <= high:
        code = beyond(net, st, zono, d, unit[high], rising[high])
        if code == UNKNOWN:
            return False
        if code == FOUND:
            break
        high -= 1
    if low > high:
        return False
    regions = high - low + 2
    st.counters[BY_POINT] += regions
    st.counters[JOINTLY] += regions
    st.registers[REGIONS] += regions
    return True


@jit
def beyond(net, st, zono, d, u, sign):
    """Whether the cell has a point where free unit ``u`` has this sign: FOUND, EMPTY or UNKNOWN."""
    r = row_of(net, st, d, u)
    if zono.v.shape[0] == 0:
        return FOUND if find_beyond(net, st, d, r, sign) else UNKNOWN
    var = st.rowvar[d, r]
    layer, i = form_of(net, st, var)
    count = take_row(zono, 0, st.forms[layer], i, float(sign), var - net.n)
    return confirm(zono, take_rows(net, st, zono, d, count))
