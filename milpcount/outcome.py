"""What enumerating engines hand out while they run: leaves, and one mutable record of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InvariantError
from milpcount.point import Point
from milpcount.problem import Watch
from milpcount.result import Termination

__all__ = ["Batch", "Found", "Leaf", "Outcome", "Tally"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A region that is proved to exist.

    Attributes:
        bits: 0/1 for every counted unit, layer-major.
        witness: a rational point of the region (an interior one when full regions are counted).
    """

    bits: tuple[int, ...]
    witness: Point
    count: ClassVar[int] = 1

    def leaves(self) -> Iterator[Leaf]:
        """Itself."""
        yield self

    def patterns(self) -> NDArray[np.uint8]:
        """Its bits, as a matrix of one row."""
        return np.array([self.bits], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Many regions that are proved to exist.

    Attributes:
        bits: 0/1, one row a region.
        points: what ``witness`` turns into a rational point, one row a region.
        witness: of one row of ``points``.
    """

    bits: NDArray[np.uint8]
    points: NDArray[np.float64]
    witness: Callable[[NDArray[np.float64]], Point]

    @property
    def count(self) -> int:
        """How many."""
        return int(self.bits.shape[0])

    def leaves(self) -> Iterator[Leaf]:
        """One by one."""
        for bits, point in zip(self.bits.tolist(), self.points, strict=True):
            yield Leaf(tuple(bits), self.witness(point))

    def patterns(self) -> NDArray[np.uint8]:
        """The bits."""
        return self.bits


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of regions that are proved to exist and were not kept."""

    count: int

    def leaves(self) -> Iterator[Leaf]:
        """Never asked for: engines tally only when the regions are not wanted."""
        raise InvariantError("regions were counted that should have been kept")

    def patterns(self) -> NDArray[np.uint8]:
        """As for :meth:`leaves`."""
        raise InvariantError("regions were counted that should have been kept")


Found = Leaf | Batch | Tally


@dataclass
class Outcome:
    """The record that an engine fills while it yields leaves.

    Attributes:
        keep: whether the regions themselves are wanted, or only how many there are.
        patterns_only: whether of regions that are kept the patterns are enough, without witnesses.
        termination: UNKNOWN until the engine has finished or was stopped.
        upper: a proved upper bound on the count when it stopped early, if the engine has one.
        open_regions: regions proved to exist besides the leaves, when it stopped early: one for
            each disjoint cell that was found feasible and not searched to its end.
        statistics: numbers to report, by name.
    """

    keep: bool = True
    patterns_only: bool = False
    termination: Termination = field(default_factory=Termination)
    upper: int | None = None
    open_regions: int = 0
    statistics: dict[str, Any] = field(default_factory=dict)
    _counters: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, amount: int = 1) -> None:
        """Raise a counter among the statistics."""
        self._counters[name] += amount
        self.statistics[name] = self._counters[name]

    def finish(self, watch: Watch) -> None:
        """Set the termination at the end of a run: complete, or the limit that was reached."""
        self.termination = watch.stopped or Termination.complete()
