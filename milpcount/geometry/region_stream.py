"""The regions of a count one by one."""

from __future__ import annotations

from collections.abc import Iterator

from milpcount.core.pattern import ActivationPattern
from milpcount.core.problem import CountProblem
from milpcount.core.result import Termination
from milpcount.core.run import Leaf, Outcome
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.region import Region

__all__ = ["RegionStream"]


class RegionStream(Iterator[Region]):
    """Regions one by one, in bounded memory; :attr:`termination` says why the stream ended."""

    def __init__(self, problem: CountProblem, leaves: Iterator[Leaf], outcome: Outcome) -> None:
        self._problem, self._leaves, self._outcome = problem, leaves, outcome
        self._prepared = Prepared(problem)

    @property
    def termination(self) -> Termination:
        """UNKNOWN while regions may follow, then complete or the limit that was reached."""
        return self._outcome.termination

    def __next__(self) -> Region:
        leaf = next(self._leaves)
        pattern = ActivationPattern.from_bits(leaf.bits, self._problem.counted_widths)
        return Region(pattern, self._problem, leaf, self._prepared)
