"""Bundles run by the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from milpcount.cluster.connection import connected
from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.cluster.dispatch import Dispatch, Lost, abandoned
from milpcount.errors import SolverError
from milpcount.search.run.bundle import Bundle, BundleRunner, Report

if TYPE_CHECKING:
    from distributed import Future

__all__ = ["DaskPool"]

_SLICE = 1.0  # seconds a bundle is worked on, with few workers
_LONGEST = 4.0  # the same with many
_REPORTS = 32.0  # a second: more would be hard on scheduler and disk


class DaskPool:
    """The workers of a cluster, which may come and go.

    Every task is bounded in time: it reports what it found and hands back what it left, which is
    how the work is shared anew.  A task whose worker dies is run again from its beginning; only
    one report is taken in, so nothing is counted twice.
    """

    def __init__(self, cluster: DaskCluster, *arguments: Any) -> None:
        """Connect; the arguments are those of :class:`BundleRunner`.

        Raises:
            MissingDependencyError: the package distributed is not installed.
            InputError: no scheduler answers.
        """
        self._stack = contextlib.ExitStack()
        self._client = self._stack.enter_context(connected(cluster))
        self._dispatch: Dispatch[int] = Dispatch(self._client, cluster.workers)
        self._arguments = arguments
        self._runner: Future | None = None
        self._items: dict[int, tuple[Bundle, float]] = {}
        self._again: list[int] = []
        self._lost = 0

    @property
    def size(self) -> int:
        """Workers that there are now."""
        return self._dispatch.size

    @property
    def idle(self) -> int:
        """Workers without a bundle."""
        return max(0, self._dispatch.idle - len(self._again))

    @property
    def slice(self) -> float:
        """Longer with more workers."""
        return min(max(_SLICE, self.size / _REPORTS), _LONGEST)

    @property
    def short(self) -> float:
        """Many small reports would be hard on the scheduler."""
        return min(0.1, self.slice)

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Send the bundle to a worker without one."""
        if self._runner is None or self._runner.cancelled():
            # The problem goes to the cluster once; workers fetch it from each other.
            self._runner = self._client.submit(_Runner, *self._arguments, pure=False)
        self._items[number] = (bundle, seconds)
        self._dispatch.submit(number, _run, self._runner, bundle, seconds)

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come.

        Raises:
            SolverError: workers die again and again, or the scheduler is gone.
            MilpcountError: what the search raised.
        """
        out = []
        for number, report in self._dispatch.wait(seconds):
            item = self._items.pop(number)
            if isinstance(report, Report):
                out.append((number, report))
                continue
            assert isinstance(report, Lost)
            if report.error is not None:
                raise report.error
            self._lost += 1
            if self._lost > 2 * self.size + 2:
                raise SolverError(
                    f"bundles are lost again and again: {report.reason}; try fewer workers a "
                    "machine"
                )
            self._items[number] = item
            self._again.append(number)
        while self._again and self._dispatch.idle:
            number = self._again.pop()
            self.submit(number, *self._items[number])
        return out

    def stop(self) -> None:
        """Nothing to ask: all reports come soon."""

    def close(self) -> None:
        """Give up what is at work and disconnect."""
        self._dispatch.cancel()
        self._items.clear()
        self._again.clear()
        self._runner = None
        self._stack.close()


class _Runner:
    """What a worker keeps of a problem; sent to another worker, it begins afresh there."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._runner: BundleRunner | None = None
        # Workers may have several threads, searchers serve one.
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[_Runner], tuple[Any, ...]]:
        return _Runner, self._arguments

    def run(self, bundle: Bundle, seconds: float) -> Report:
        with self._lock:
            if self._runner is None:
                self._runner = BundleRunner(*self._arguments)
            return self._runner.run(bundle, seconds, abandoned)


def _run(runner: _Runner, bundle: Bundle, seconds: float) -> Report:
    """The task."""
    return runner.run(bundle, seconds)
