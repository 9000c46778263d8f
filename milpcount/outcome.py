"""What enumerating engines hand out while they run: leaves, and one mutable record of the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from milpcount.point import Point
from milpcount.problem import Watch
from milpcount.result import Termination

__all__ = ["Leaf", "Outcome"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A region that is proved to exist.

    Attributes:
        bits: 0/1 for every counted unit, layer-major.
        witness: a rational point of the region (an interior one when full regions are counted).
    """

    bits: tuple[int, ...]
    witness: Point


@dataclass
class Outcome:
    """The record that an engine fills while it yields leaves.

    Attributes:
        termination: UNKNOWN until the engine has finished or was stopped.
        upper: a proved upper bound on the count when it stopped early, if the engine has one.
        open_regions: regions proved to exist besides the leaves, when it stopped early: one for
            each disjoint cell that was found feasible and not searched to its end.
        statistics: numbers to report, by name.
    """

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
