r"""Bounds for networks whose stages read several earlier ones: skips, sums, concatenations.

Stage ``l`` has ``s_l`` units with a state; linear units have none.  Fix a pattern of the stages
before.  All outputs are affine in the input then, so the pre-activations of stage ``l`` are
affine functions on the joint image of what it reads; if this image has dimension at most ``d_l``,
the stage adds at most ``sum_{j <= d_l} C(s_l, j)`` patterns (Zaslavsky 1975), and

    #regions <= prod_l sum_{j <= d_l} C(s_l, j).

**The dimension of what is read.**  Let ``r_k`` be the rank of all matrices of stage ``k`` side by
side (at most its width), and ``C`` a set of stages, or the input (``r_0 = n_0``), such that every
way from the input to a stage that ``l`` reads passes one of them, the ends included.  Then ``d_l =
sum_{k in C} r_k`` will do, and the smallest such sum is a minimum cut, found as a maximum flow
through stages of these capacities.

*Proof.*  The pre-activations of a stage ``k`` of ``C``, less their constants, lie in the range of
its matrices: ``r_k`` dimensions.  Any stage that is reached from the input only through ``C`` is,
its pattern fixed, an affine function of what it reads, hence by induction along the order of
stages of the pre-activations of the stages in ``C``.  The joint image of what ``l`` reads is an
affine image of a space of dimension at most ``sum_{k in C} r_k``.  []

In a chain the cuts are single stages and ``d_l = min(n_0, r_1, ..., r_{l-1})``: the bound of
Montúfar 2017, whose name it keeps, with ranks.  ``C = {0}`` gives the bound by the dimension of
the input alone.  Raghu's counts the units of the stages read: ``d_l = sum_{k in reads} n_k``.

**The definition nonempty.**  The argument of :mod:`milpcount.bounds.upper` holds: biases of units
with a state are shifted by ``eps_1 << eps_2 << ...`` in the order of stages, and outputs of
earlier stages, skipped to or not, are continuous.  Leaky units change nothing: no step uses that
inactive units output 0.

**With a domain**, units that are stable over it have one state there, so ``s_l`` counts the others
alone, and ``r_0`` is the number of coordinates that vary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.bounds.ranks import exact_rank
from milpcount.bounds.upper import count_arrangement
from milpcount.core.matrix import dense
from milpcount.core.stage import Stage

__all__ = ["bound_by_cuts", "bound_by_units_read", "dimensions_read", "stage_rank"]

Float = NDArray[np.float64]

_MOST_ENTRIES = 1 << 22  # of the matrices of a stage whose rank is computed


def stage_rank(stage: Stage) -> int:
    """The exact rank of the matrices of a stage side by side, or an upper bound if they are large.

    It is never above the width.
    """
    columns = sum(weight.shape[1] for weight in stage.weights)
    if stage.width * columns > _MOST_ENTRIES:
        return int(min(stage.width, columns))
    side_by_side: Float = np.concatenate([dense(weight) for weight in stage.weights], axis=1)
    return exact_rank(side_by_side)


def bound_by_units_read(stages: Sequence[Stage], inputs: int) -> int:
    """``prod_l sum_{j <= d_l} C(s_l, j)`` with ``d_l`` the number of units that stage l reads."""
    widths = [inputs, *(stage.width for stage in stages)]
    return math.prod(
        count_arrangement(stage.n_states, sum(widths[k] for k in stage.reads)) for stage in stages
    )


def bound_by_cuts(states: Sequence[int], dimensions: Sequence[int]) -> int:
    """``prod_l sum_{j <= d_l} C(s_l, j)``, for ``s_l`` units with a state in ``d_l`` dimensions."""
    return math.prod(count_arrangement(s, d) for s, d in zip(states, dimensions, strict=True))


def dimensions_read(stages: Sequence[Stage], inputs: int, ranks: Sequence[int]) -> list[int]:
    """``d_l`` of every stage: the minimum cut between the input and what the stage reads.

    Arguments:
        stages: in topological order.
        inputs: the dimension of the input, or of the domain.
        ranks: of the stages, or upper bounds on them.
    """
    capacities = [inputs, *ranks]
    reads = [(), *(stage.reads for stage in stages)]
    return [_least_cut(stage.reads, capacities, reads) for stage in stages]


def _least_cut(
    ends: Sequence[int], capacities: Sequence[int], reads: Sequence[Sequence[int]]
) -> int:
    """The least total capacity of nodes that every way from node 0 to ``ends`` passes.

    A maximum flow, by shortest augmenting paths (Edmonds and Karp 1972).  Each node has an inner
    arc of its capacity; arcs between nodes are as wide as they need be.
    """
    n = len(capacities)
    source, sink = 0, 2 * n  # nodes 2k and 2k + 1 are where ways enter and leave node k
    wide = capacities[0] + 1
    room: dict[int, dict[int, int]] = {node: {} for node in range(2 * n + 1)}

    def arc(a: int, b: int, capacity: int) -> None:
        room[a][b] = capacity
        room[b].setdefault(a, 0)

    for k, capacity in enumerate(capacities):
        arc(2 * k, 2 * k + 1, capacity)
        for before in reads[k]:
            arc(2 * before + 1, 2 * k, wide)
    for end in ends:
        arc(2 * end + 1, sink, wide)
    flow = 0
    while True:
        came: dict[int, int] = {source: source}
        queue = [source]
        for node in queue:
            for after, left in room[node].items():
                if left and after not in came:
                    came[after] = node
                    queue.append(after)
        if sink not in came:
            return flow
        path = [sink]
        while path[-1] != source:
            path.append(came[path[-1]])
        steps = [(came[node], node) for node in path[:-1]]
        least = min(room[a][b] for a, b in steps)
        for a, b in steps:
            room[a][b] -= least
            room[b][a] += least
        flow += least
