"""The tree search, compiled: a depth-first machine that can stop and go on at any step.

Branching leaves the node in its slot, with one side to come back for, and goes on in the next slot.
Whatever floats cannot prove is handed out: ``run`` returns with a doubt and is called again with
the verdict.  Nodes are in :mod:`.node`, leaves in :mod:`.leaves`.
"""

from __future__ import annotations

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
    TAPE,
    TAPE_SLACK,
    VERDICT,
)
from milpcount.search.compiled.dictionary import FREE, SEEN_NEGATIVE, SEEN_POSITIVE
from milpcount.search.compiled.jit import borrowed, jit
from milpcount.search.compiled.joint import jointly, worth_trying
from milpcount.search.compiled.leaves import leaf
from milpcount.search.compiled.line import on_a_line, only_active
from milpcount.search.compiled.node import (
    BY_MULTIPLIERS,
    COME_BACK,
    DECIDE,
    ENTER,
    NODES,
    constrain,
    copy_slot,
    enter,
    form_of,
    free_rows,
    keep_marks,
    look_again,
    push_to,
    remove_row,
    row_of,
    settle,
)
from milpcount.search.compiled.proofs import add_multiple, supremum
from milpcount.search.compiled.segments import learn, new_cell
from milpcount.search.compiled.shortcuts import (
    LEARNING,
    MOST,
    count_met,
    count_two,
    met_leaf,
)
from milpcount.search.compiled.sums import record_sum
from milpcount.search.compiled.tape import record_branch


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
        if code == 0 and refuted(net, st, d, target, sign) and record_sum(net, st, d, target, sign):
            st.counters[BY_MULTIPLIERS] += 1
            remove_row(net, st, d, target)
            settle(net, st, d, u, -2 * sign)
            continue
        st.registers[DOUBT_UNIT] = u
        st.registers[DOUBT_SIGN] = sign
        return -2


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
    # The other side is a cell of its own, and all that is left of the node.
    st.sign[d, u] = -sign
    if push_to(net, st, d, r, -sign) != 1:
        return False
    constrain(net, st, d, r, -sign)
    settle(net, st, d, u, -sign)
    keep_marks(net, st, d, d, u, -sign)
    look_again(net, st, d)
    return True


@jit
def branch_on(net, st, d, r):
    """Go down the side on which the vertex stands; the other side waits in slot ``d``."""
    u = st.rowvar[d, r] - net.n - net.domain.shape[1]
    sign = 1 if st.table[d, net.n, r] > 0.0 else -1
    record_branch(st, u - net.starts[st.layer[d]], sign)
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
def run(net, st, zono, seg, steps, limit, emit):
    """Search on for at most so many steps, or up to so many regions; return why it stopped.

    After DOUBT_SIDE the caller sets the verdict on side DOUBT_SIGN of unit DOUBT_UNIT in the
    node of the present slot; after DOUBT_NODE it settles that node as a whole, elsewhere.
    """
    return go_on(borrowed(net), borrowed(st), borrowed(zono), borrowed(seg), steps, limit, emit)


@jit
def go_on(net, st, zono, seg, steps, limit, emit):
    """The loop of :func:`run`."""
    reg = st.registers
    n_layers = net.widths.shape[0]
    plain = not emit and st.tape.shape[0] == 0
    joined = plain and seg.at.shape[0] > 0
    while reg[SLOT] >= 0:
        if steps <= 0 or reg[REGIONS] >= limit:
            return STEPS
        if reg[TAPE] + reg[TAPE_SLACK] > st.tape.shape[0]:
            return FULL
        steps -= 1
        d = reg[SLOT]
        st.counters[NODES] += 1
        stage = st.stage[d]
        if stage == ENTER:
            if st.layer[d] < n_layers:
                if not enter(net, st, d):
                    return DOUBT_NODE
                if joined and st.layer[d] == n_layers - 2:
                    new_cell(seg)
                st.stage[d] = DECIDE
                continue
            if emit and reg[LEAVES] == st.leaf_signs.shape[0]:
                return FULL
            if not (joined and met_leaf(net, st, seg, d)):
                before = reg[REGIONS]
                if not leaf(net, st, zono, d, emit):
                    return DOUBT_NODE
                if joined and reg[REGIONS] > before:
                    learn(net, st, seg, zono)
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
            k = free_rows(st, d) if plain and st.layer[d] == n_layers - 1 else 0
            active = only_active(net, st, d) if k > 1 else -1
            counted = active >= 0 and on_a_line(net, st, zono, d, k, active)
            met = 0
            if joined and not counted:
                if k == 1:
                    met = count_two(net, st, seg, zono, d)
                    counted = met > 0
                elif 0 < k <= MOST:
                    met = count_met(net, st, seg, d, k)
                    counted = met == 1 << k
            # Where some of the patterns were met the others are likely to be cheap as well.
            saved = 2.0**k if met == 0 else 2.0
            if not counted and k > 0 and met >= 0 and worth_trying(net, st, d, k, saved):
                counted = jointly(net, st, zono, d, k)
                if counted and joined and k <= LEARNING:
                    learn(net, st, seg, zono)
            if counted:
                reg[SLOT] = d - 1
            else:
                branch_on(net, st, d, r)
        else:
            st.layer[d] += 1
            st.stage[d] = ENTER
    return DONE
