"""Patterns that are proved to exist, whoever proposed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome
from milpcount.exact.feasibility import check_point
from milpcount.exact.forms import domain_rows, exact_box
from milpcount.exact.ladder import Ladder
from milpcount.exact.prefix import pattern_rows, state_signs
from milpcount.sampling.parity import Parity, mask_of

__all__ = ["ProvedPatterns"]


class ProvedPatterns:
    """The patterns shown to exist so far, each with a rational witness, and how to show one.

    Whether a pattern exists does not depend on how it was found, so the patterns of one run may
    serve as witnesses in another.
    """

    def __init__(self, problem: CountProblem, outcome: Outcome) -> None:
        self._problem, self._outcome = problem, outcome
        self.box = exact_box(problem)
        self._domain_rows = domain_rows(problem)
        self.ladder = Ladder(problem.box, outcome)
        self._leaves: dict[int, Leaf] = {}

    def __len__(self) -> int:
        return len(self._leaves)

    def __contains__(self, pattern: int) -> bool:
        return pattern in self._leaves

    def __iter__(self) -> Iterator[int]:
        return iter(self._leaves)

    def leaves(self, first: int) -> list[Leaf]:
        """The patterns in the order in which they came, from number ``first`` on."""
        return list(islice(self._leaves.values(), first, None))

    def satisfying(self, parities: Iterable[Parity]) -> list[int]:
        """The patterns that satisfy all of these."""
        left = list(self._leaves)
        for parity in parities:
            left = [pattern for pattern in left if parity.holds(pattern)]
        return left

    def show_point(self, point: Point) -> tuple[int, ...] | None:
        """The pattern of a point of the domain, evaluated exactly; None if it proves no region.

        Of full regions a point on a zero set proves one only if every form that vanishes there is
        constant on it.
        """
        if not check_point(self._domain_rows, self.box, point):
            return None
        signs = state_signs(self._problem, point)
        bits = tuple(int(s > 0) for s in signs)
        if self._problem.definition is not Definition.NONEMPTY and 0 in signs:
            rows = pattern_rows(self._problem, bits)
            if rows is None or not check_point(rows, self.box, point):
                return None
        self.keep(bits, point)
        return bits

    def show(self, bits: tuple[int, ...], x: NDArray[np.float64]) -> bool:
        """Whether a pattern exists: by the exact evaluation of a point, else by exact LP.

        The pattern of the point is kept too if it is another one.
        """
        if mask_of(bits) in self._leaves:
            return True
        if self.show_point(Point.of_floats(x)) == bits:
            self._outcome.add("confirmed_by_evaluation")
            return True
        rows = pattern_rows(self._problem, bits)
        witness = None if rows is None else self.ladder.decide(rows).witness
        if witness is None:
            self._outcome.add("rejected_candidates")
            return False
        self._outcome.add("confirmed_by_exact_lp")
        self.keep(bits, witness)
        return True

    def keep(self, bits: tuple[int, ...], witness: Point) -> None:
        """Add a pattern that is proved to exist."""
        self._leaves.setdefault(mask_of(bits), Leaf(bits, witness))
