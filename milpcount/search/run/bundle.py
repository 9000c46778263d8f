"""Bundles: portions of a search that processes pass to each other, and their reports."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Limit, Termination
from milpcount.core.run import Batch, Leaf, Outcome, Tally, Watch
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.recording.tape import Tape
from milpcount.search.searcher import Method, Searcher, Task

__all__ = ["Bundle", "BundleRunner", "Report", "decode", "encode", "halve"]

Bundle = list[Task]


@dataclass(eq=False)
class Report:
    """What became of a bundle.

    Attributes:
        count: regions found.
        left: tasks that are still to be searched.
        closed: share of the whole tree that was searched.
        statistics: counters, by name.
        batches: frame, patterns and points of the regions, when they are kept.
        leaves: regions found in exact arithmetic, when they are kept.
        steps: of a certificate, from the bundle's nodes on, when they are wanted.
        seconds: of CPU that it took.
        locked: of them, those with the interpreter's lock, which no other thread could use.
    """

    count: int
    left: Bundle
    closed: float
    statistics: dict[str, int]
    batches: list[tuple[int, NDArray[np.uint8], NDArray[np.float64]]] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    steps: bytes | None = None
    seconds: float = 0.0
    locked: float = 0.0


class _Clock(Watch):
    """Reaches its limit when it is told to."""

    def __init__(self, told: Callable[[], bool]) -> None:
        super().__init__()
        self._told = told

    def exceeded(self) -> Termination | None:
        if self._told():
            self.stop(Limit.INTERRUPT)
        return super().exceeded()


class BundleRunner:
    """Searches bundles in this process."""

    def __init__(
        self,
        problem: CountProblem,
        method: Method,
        keep: bool,
        coordinates: Coordinates | None = None,
    ) -> None:
        """With coordinates, reports tell the steps of a certificate."""
        self._problem, self._method, self._keep = problem, method, keep
        self._tape = None if coordinates is None else Tape(problem, coordinates)
        self._searcher: Searcher | None = None
        self._stopped = threading.Event()

    def ready(self) -> None:
        """Forget an earlier :meth:`stop`."""
        self._stopped.clear()

    def stop(self) -> None:
        """Let :meth:`run` end, now; called by another thread."""
        self._stopped.set()
        if self._searcher is not None:
            self._searcher.interrupt()

    def run(
        self, bundle: Bundle, seconds: float, told: Callable[[], bool] = lambda: False
    ) -> Report:
        """Search the tasks, last one first, until the time is over, :meth:`stop`, or ``told()``.

        What the last says is heard between portions only, not in exact searches.
        """
        began = time.thread_time()
        if self._searcher is None:
            self._searcher = Searcher(
                self._problem, Watch(), Outcome(keep=self._keep), self._method, self._tape, True
            )
        searcher = self._searcher
        outcome = searcher.renew(_Clock(self._stopped.is_set), Outcome(keep=self._keep))
        in_kernels = searcher.kernel_seconds
        end = time.perf_counter() + seconds
        report = Report(0, list(bundle), 0.0, {})

        def pause() -> bool:
            return time.perf_counter() > end or self._stopped.is_set() or told()

        while report.left and not pause():
            task = report.left.pop()
            for found in searcher.run(task, pause):
                report.count += found.count
                if self._keep:
                    self._store(report, task.frame, found)
            report.left += searcher.left
        if self._tape is not None:
            report.steps, _ = self._tape.take()
        report.closed = sum(t.share for t in bundle) - sum(t.share for t in report.left)
        report.statistics = {k: v for k, v in outcome.statistics.items() if isinstance(v, int)}
        report.seconds = time.thread_time() - began
        report.locked = report.seconds - (searcher.kernel_seconds - in_kernels)
        return report

    @staticmethod
    def _store(report: Report, frame: int, found: Leaf | Batch | Tally) -> None:
        if isinstance(found, Batch):
            report.batches.append((frame, found.bits, found.points))
        else:
            report.leaves += found.leaves()


def halve(bundle: Bundle) -> tuple[Bundle, Bundle]:
    """Two bundles of about the same share: tasks dealt out in turn, the largest first."""
    order = sorted(bundle, key=lambda t: -t.share)
    halves: tuple[Bundle, Bundle] = ([], [])
    shares = [0.0, 0.0]
    for task in order:
        k = 0 if shares[0] <= shares[1] else 1
        halves[k].append(task)
        shares[k] += task.share
    for half in halves:
        half.reverse()
    return halves


def encode(bundle: Bundle) -> list[dict[str, Any]]:
    """The bundle for a text file."""
    return [
        {
            "frame": task.frame,
            "signs": base64.b64encode(task.signs.tobytes()).decode("ascii"),
            "share": task.share,
        }
        for task in bundle
    ]


def decode(data: list[dict[str, Any]]) -> Bundle:
    """The bundle that was encoded."""
    return [
        Task(
            int(item["frame"]),
            np.frombuffer(base64.b64decode(item["signs"]), dtype=np.int8).copy(),
            float(item["share"]),
        )
        for item in data
    ]
