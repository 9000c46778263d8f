"""The regions around a point: the arrangement of directions that its network makes there.

Along ``x + s d`` for small ``s > 0`` a unit that does not vanish at ``x`` keeps its sign; one that
vanishes has the sign of its derivative, which is linear in ``d`` once the signs of the stages
before are fixed.  A unit whose form is 0 on the region is inactive.  So the regions around ``x``
are the full-dimensional cells of a network without biases on the vanishing units, searched unit by
unit with rational arithmetic behind every decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.run import Outcome
from milpcount.exact.feasibility import Row
from milpcount.exact.ladder import Ladder
from milpcount.geometry.space import Space

__all__ = ["directions"]

Bits = NDArray[np.uint8]


def directions(
    space: Space, at: Point, signs: NDArray[np.int8], sides: Sequence[tuple[int, ...]]
) -> Iterator[tuple[Bits, tuple[int, ...]]]:
    """Yield the bits of each region around a point, with a direction that leads into it.

    Arguments:
        space: the problem.
        at: the point, in the coordinates that vary.
        signs: of all pre-activations there.
        sides: rows of the sides of the domain that the point lies on, positive inside.
    """
    ladder = Ladder(Box(np.full(space.n, -1.0), np.full(space.n, 1.0)), Outcome())
    rows = [Row((*row[:-1], 0), True) for row in sides]
    yield from _below(space, ladder, signs, np.zeros(space.n_units, np.uint8), 0, rows)


def _below(
    space: Space,
    ladder: Ladder,
    signs: NDArray[np.int8],
    bits: Bits,
    unit: int,
    rows: list[Row],
) -> Iterator[tuple[Bits, tuple[int, ...]]]:
    while unit < space.n_units:
        if space.index.linear[unit]:
            bits[unit] = 1
            unit += 1
            continue
        if signs[unit]:
            bits[unit] = signs[unit] > 0
            unit += 1
            continue
        form = space.on_inputs(Row(space.exact_row(bits, unit), True)).coefficients
        if not any(form[:-1]):
            bits[unit] = 0
            unit += 1
            continue
        for bit in (0, 1):
            sign = 1 if bit else -1
            more = [*rows, Row((*(sign * c for c in form[:-1]), 0), True)]
            if ladder.decide(more).feasible:
                part = bits.copy()
                part[unit] = bit
                yield from _below(space, ladder, signs, part, unit + 1, more)
        return
    witness = ladder.decide(rows).witness
    if witness is not None:
        yield bits, witness.numerators
