"""Workers on this machine: threads, or processes where threads would wait for each other.

Kernels run without the interpreter's lock, so threads of one process share a search well, start at
once and leave nothing behind.  Exact arithmetic beyond 128 bits is Python: of problems that need
much of it no more is done at a time than one thread can do.  How much that is shows while it is
searched; then the bundles go to processes, each with an interpreter of its own.
"""

from __future__ import annotations

from milpcount.core.problem import CountProblem
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.run.bundle import Bundle, Report
from milpcount.search.run.process_pool import Processes
from milpcount.search.run.thread_pool import Threads
from milpcount.search.searcher import Method

__all__ = ["Local"]

# Processes cost a second or two of CPU each, so that nothing is decided before so many seconds.
_TRIAL = 2.0
# Threads whose time with the interpreter's lock adds up to more than this part of one core wait
# for each other.  Problems are of two kinds: generic ones, and those that integers of 128 bits
# decide, are at it for 2 to 6 % of the time, those that need rationals for 95 %.
_CROWDED = 0.8


class Local:
    """Threads first."""

    def __init__(
        self,
        problem: CountProblem,
        method: Method,
        keep: bool,
        size: int,
        coordinates: Coordinates | None = None,
    ) -> None:
        self._arguments = (problem, method, keep, size, coordinates)
        self._pool: Threads | Processes = Threads(*self._arguments)

    @property
    def size(self) -> int:
        """How many bundles are worked on at a time."""
        return self._pool.size

    @property
    def idle(self) -> int:
        """How many more may be submitted now."""
        return self._pool.idle

    @property
    def slice(self) -> float:
        """Seconds that a bundle is worked on."""
        return self._pool.slice

    @property
    def short(self) -> float:
        """The same while there are too few bundles."""
        return self._pool.short

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Start on a bundle."""
        self._pool.submit(number, bundle, seconds)

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come.

        Raises:
            SolverError: worker processes die again and again.
            MilpcountError: what the search raised.
        """
        reports = self._pool.wait(seconds)
        if isinstance(self._pool, Threads) and self._crowded(self._pool):
            threads, self._pool = self._pool, Processes(*self._arguments)
            reports += threads.finish()
        return reports

    @staticmethod
    def _crowded(pool: Threads) -> bool:
        """Whether threads wait for each other: as many at a time as work would need too much."""
        wanted = pool.size * pool.locked
        return pool.size > 1 and pool.busy > _TRIAL and wanted > _CROWDED * pool.busy

    def stop(self) -> None:
        """Ask for the reports of what is at work."""
        self._pool.stop()

    def close(self) -> None:
        """End at once; what is at work is lost."""
        self._pool.close()
