"""The coordinates in which certificates state witnesses; see :mod:`milpcount.proof.format`."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import domain_rows, problem_stages

__all__ = ["Coordinates"]


class Coordinates:
    """The inputs on which anything depends, each moved to its ends.

    Attributes:
        used: which they are.
    """

    def __init__(self, problem: CountProblem, around: Box | None) -> None:
        """Set up; ``around`` is the box that the certificate gives for a polytope."""
        box = problem.box if around is None else around
        stages = problem_stages(problem)
        rows = [row.coefficients for row in domain_rows(problem)]
        if stages:
            rows += [tuple(int(v) for v in row) for row in stages[0].weights[0].tolist()]
        self.used: list[int] = []
        self._origin: list[Fraction] = []
        self._length: list[Fraction] = []
        for j, (a, b) in enumerate(zip(box.lo.tolist(), box.hi.tolist(), strict=True)):
            if a == b or not any(row[j] for row in rows):
                continue
            self.used.append(j)
            ends = [Fraction(v) if np.isfinite(v) else None for v in (a, b)]
            origin = ends[0] if ends[0] is not None else ends[1]
            self._origin.append(origin if origin is not None else Fraction(0))
            whole = ends[0] is not None and ends[1] is not None
            self._length.append(ends[1] - ends[0] if whole else Fraction(1))  # type: ignore[operator]

    def of(self, point: Point) -> list[Fraction]:
        """The coordinates of a point of the problem."""
        return [
            (Fraction(point.numerators[j], point.denominator) - origin) / length
            for j, origin, length in zip(self.used, self._origin, self._length, strict=True)
        ]
