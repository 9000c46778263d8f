"""Letting a kernel go on step by step, between looks at the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from milpcount.core.run import Watch

__all__ = ["Steps", "counted", "run"]

_LEAST, _MOST = 16, 1 << 30  # work of one step
_SECONDS = 0.03  # what a step should take


class Steps(Protocol):
    """What the kernels have in common: ``kernels/src/deletion.hpp`` and ``cone.hpp``."""

    @property
    def done(self) -> bool:
        """Whether there is no more to do."""

    @property
    def total(self) -> tuple[int, int]:
        """What is counted: times 2**64, and the rest."""

    def advance(self, work: int) -> None:
        """Do so much."""


def counted(search: Steps) -> int:
    """The number of regions that is proved so far."""
    high, low = search.total
    return (high << 64) + low


def run(search: Steps, watch: Watch, phase: str) -> Iterator[int]:
    """Let a search go on until it is done or a limit is reached; yield what it has counted."""
    yield counted(search)  # small ones are done at once
    work = _LEAST
    while not search.done and watch.exceeded() is None:
        start = watch.seconds
        search.advance(work)
        yield counted(search)
        watch.report(phase)
        took = watch.seconds - start
        if watch.budget.regions is not None:
            # A unit of work adds about one region.
            work = max(_LEAST, min(work * 2, watch.budget.regions - watch.regions))
        elif took < _SECONDS:
            work = min(work * 2, _MOST)
        elif took > 2 * _SECONDS:
            work = max(work // 2, _LEAST)
