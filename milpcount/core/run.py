"""One run of an engine: what it hands out, its record, and its clock with limits and progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.core.result import Budget, Limit, Progress, ProgressCallback, Termination
from milpcount.errors import InvariantError

__all__ = ["Batch", "Found", "Leaf", "Outcome", "Tally", "Watch"]

_BETWEEN_REPORTS = 0.1  # seconds


class Watch:
    """Clock, limits and progress of one run; the only mutable thing that engines share."""

    def __init__(
        self, budget: Budget | None = None, progress: ProgressCallback | None = None
    ) -> None:
        """Start the clock."""
        self.budget = budget or Budget()
        self._progress = progress
        self._start = time.perf_counter()
        self._last_report = -1.0
        self.regions = 0
        self.seconds_before = 0.0  # of the runs that this one goes on with
        self.stopped: Termination | None = None

    @property
    def seconds(self) -> float:
        """Since the start; limits are those of this run."""
        return time.perf_counter() - self._start

    @property
    def remaining(self) -> float | None:
        """Seconds left, None without a time limit; never below 0."""
        if self.budget.seconds is None:
            return None
        return max(0.0, self.budget.seconds - self.seconds)

    def exceeded(self) -> Termination | None:
        """Return the limit that is reached, if one is; engines then stop for good."""
        if self.stopped is None:
            if self.budget.regions is not None and self.regions >= self.budget.regions:
                self.stop(Limit.REGIONS, f"{self.budget.regions} regions")
            elif self.remaining == 0.0:
                self.stop(Limit.TIME, f"{self.budget.seconds:g} s")
        return self.stopped

    def stop(self, limit: Limit, detail: str = "") -> Termination:
        """Record that a limit stopped the run."""
        self.stopped = Termination.stopped(limit, detail)
        return self.stopped

    def report(self, phase: str, fraction: float | None = None, force: bool = False) -> None:
        """Call the progress callback, at most ten times a second."""
        if self._progress is None:
            return
        now = self.seconds
        if force or now - self._last_report >= _BETWEEN_REPORTS:
            self._last_report = now
            self._progress(Progress(phase, self.regions, now, fraction))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A region that is proved to exist.

    Attributes:
        bits: 0/1 for every counted unit, layer-major.
        witness: the rational point that the engine found, in the closure of the region; see
            :mod:`milpcount.exact.interior` for one that is proved to be inside.
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
