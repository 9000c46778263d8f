"""The coordinates in which certificates state witnesses; see :mod:`milpcount.proof.format`."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

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
        origins, lengths = [], []
        for j, (a, b) in enumerate(zip(box.lo.tolist(), box.hi.tolist(), strict=True)):
            if a == b or not any(row[j] for row in rows):
                continue
            self.used.append(j)
            low, high = (Fraction(v) if np.isfinite(v) else None for v in (a, b))
            origins.append(low if low is not None else high if high is not None else Fraction(0))
            lengths.append(high - low if low is not None and high is not None else Fraction(1))
        # With one common denominator z_j = (x_j - origin) / length = (factor x_j - move) / one.
        pairs = list(zip(origins, lengths, strict=True))
        self._one = lcm(1, *(length.numerator * origin.denominator for origin, length in pairs))
        self._factors = [int(self._one / length) for length in lengths]
        self._moves = [int(self._one * origin / length) for origin, length in pairs]

    def of(self, point: Point) -> Point:
        """The coordinates of a point of the problem, in lowest terms."""
        x, d = point.numerators, point.denominator
        z = [
            factor * x[j] - move * d
            for j, factor, move in zip(self.used, self._factors, self._moves, strict=True)
        ]
        one = self._one * d
        divisor = gcd(one, *z)
        return Point(tuple(v // divisor for v in z), one // divisor)
