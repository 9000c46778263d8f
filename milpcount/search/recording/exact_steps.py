"""Steps of a certificate written by the exact tree search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.exact.cell_rows import NamedRow
from milpcount.exact.tree import ExactTree
from milpcount.search.recording import encode
from milpcount.search.recording.coordinates import Coordinates

__all__ = ["ExactRecorder", "Recorded"]


@dataclass(frozen=True, eq=False)
class Recorded:
    """Steps, and the regions among them."""

    steps: bytes
    leaves: list[Leaf]


class ExactRecorder:
    """Records what lies below nodes; ``known`` patterns need no search for a point.

    It is the :class:`~milpcount.exact.tree.Recorder` of its own search.
    """

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        coordinates: Coordinates,
        known: Mapping[tuple[int, ...], Point] | None = None,
    ) -> None:
        self._index, self._coordinates = problem.index, coordinates
        self._tree = ExactTree(problem, watch, outcome, known, self)
        self._steps: list[bytes] = []

    def renew(self, watch: Watch) -> None:
        """Go on with another clock."""
        self._tree.watch = watch

    def below(self, signs: NDArray[np.int8]) -> Recorded:
        """The steps that settle the node with these signs (0 for open units).

        At a limit they end early, and leave nodes open.
        """
        self._steps = []
        leaves = [leaf for leaf, _ in self._tree.run(self._tree.node(signs))]
        return Recorded(b"".join(self._steps), leaves)

    def branch(self, position: int, first: int) -> None:
        """Write that a unit has both signs."""
        self._steps.append(encode.branch(self._index.place(position)[1], first))

    def region(self, witness: Point) -> None:
        """Write a region."""
        self._steps.append(encode.point(self._coordinates.of(witness)))

    def empty(self, rows: Sequence[NamedRow], multipliers: Sequence[int]) -> None:
        """Write that there is no region here."""
        terms = []
        for named, m in zip(rows, multipliers, strict=True):
            if m:
                spare = (m & -m).bit_length() - 1
                terms.append((named.name, m >> spare, spare + named.shift))
        self._steps.append(encode.empty(terms))
