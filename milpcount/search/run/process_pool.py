"""Bundles run by worker processes of one thread each."""

from __future__ import annotations

import contextlib
import queue

from milpcount.core.problem import CountProblem
from milpcount.errors import MilpcountError, SolverError
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.run.bundle import Bundle, Report
from milpcount.search.searcher import Method
from milpcount.support.child import Child, Message

__all__ = ["Processes"]

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WORKER = "milpcount.search.run.worker"

_Item = tuple[int, Bundle, float]


class Processes:
    """Worker processes; one that dies is replaced and its bundle run again."""

    slice = 1.0
    short = 0.1

    def __init__(
        self,
        problem: CountProblem,
        method: Method,
        keep: bool,
        size: int,
        coordinates: Coordinates | None = None,
    ) -> None:
        self.size = size
        self._arguments = {
            "problem": problem,
            "method": method,
            "keep": keep,
            "coordinates": coordinates,
        }
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._deaths = 0
        # None: at work on nothing.
        self._workers: dict[Child, _Item | None] = {}

    @property
    def idle(self) -> int:
        """Workers without a bundle, and those not started yet."""
        return self.size - sum(item is not None for item in self._workers.values())

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Give the bundle to an idle worker, starting one if there is none."""
        worker = next((w for w, item in self._workers.items() if item is None), None)
        if worker is None:
            worker = Child(_WORKER, "worker", self._inbox, dict.fromkeys(_ONE_THREAD, "1"))
            worker.post("load", **self._arguments)
        self._workers[worker] = (number, bundle, seconds)
        worker.post("run", bundle=bundle, seconds=seconds)

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come.

        Raises:
            SolverError: workers die again and again.
            MilpcountError: what the search raised.
        """
        out = []
        with contextlib.suppress(queue.Empty):
            message = self._inbox.get(timeout=seconds)
            while True:
                out += self._take(message)
                message = self._inbox.get_nowait()
        for worker, item in list(self._workers.items()):
            if item is not None and worker.silent:
                self._replace(worker)
        return out

    def _take(self, message: Message) -> list[tuple[int, Report]]:
        worker, answer = message.child, message.value
        item = self._workers.get(worker)
        if message.kind == "ended" and worker in self._workers:
            self._replace(worker)
        elif message.kind == "failed":
            raise SolverError(f"a worker process failed: {answer}")
        elif isinstance(answer, MilpcountError):
            raise answer
        elif isinstance(answer, Report) and item is not None:
            self._workers[worker] = None
            return [(item[0], answer)]
        return []

    def _replace(self, worker: Child) -> None:
        """End a worker that is dead, or as good as dead, and give its bundle to another."""
        item = self._workers.pop(worker)
        worker.close()
        self._deaths += 1
        if self._deaths > 2 * self.size + 2:
            raise SolverError(
                f"worker processes end again and again: {worker.last_words}; is there enough "
                "memory? Try fewer workers"
            )
        if item is not None:
            self.submit(*item)

    def stop(self) -> None:
        """Ask for the reports of what is at work."""
        for worker, item in self._workers.items():
            if item is not None:
                worker.stop()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()
