"""Where bundles are run: in this process, or in worker processes of one thread each."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from typing import Protocol

from milpcount.core.problem import CountProblem
from milpcount.errors import SolverError
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.run.bundle import Bundle, BundleRunner, Report
from milpcount.search.searcher import Method

__all__ = ["Here", "Pool", "Workers"]

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SLICE = 1.0


class Pool(Protocol):
    """What runs bundles."""

    @property
    def size(self) -> int:
        """How many at a time."""

    @property
    def idle(self) -> int:
        """How many more may be submitted now."""

    @property
    def slice(self) -> float:
        """Seconds that a bundle is worked on before its report."""

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Start on a bundle; its report comes with this number."""

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come, waiting for one at most so long."""

    def stop(self) -> None:
        """Ask for the reports of what is at work."""

    def close(self) -> None:
        """End at once; what is at work is lost."""


class Here:
    """The process that asks."""

    size = 1
    slice = _SLICE

    def __init__(self, problem: CountProblem, method: Method, keep: bool) -> None:
        self._runner = BundleRunner(problem, method, keep)
        self._item: tuple[int, Bundle, float] | None = None

    @property
    def idle(self) -> int:
        """One, if nothing is submitted."""
        return int(self._item is None)

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Keep it for :meth:`wait`."""
        self._item = (number, bundle, seconds)

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Run what was submitted."""
        if self._item is None:
            return []
        number, bundle, most = self._item
        self._item = None
        return [(number, self._runner.run(bundle, most, lambda: False))]

    def stop(self) -> None:
        """Nothing is at work between calls."""

    def close(self) -> None:
        """Nothing to end."""


class _Worker:
    """One worker process and the thread that reads its reports."""

    def __init__(self, first: bytes, reports: queue.Queue[tuple[_Worker, Report | None]]) -> None:
        environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
        environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "milpcount.search.run.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.item: tuple[int, Bundle, float] | None = None
        self._send(first)
        self._reports = reports
        threading.Thread(target=self._read, daemon=True).start()

    def _send(self, message: bytes) -> None:
        assert self.process.stdin is not None
        # If it has died, the reader will say so.
        with contextlib.suppress(OSError):
            self.process.stdin.write(message)
            self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while True:
            try:
                report = pickle.load(self.process.stdout)  # noqa: S301 - from our own child
            except (EOFError, pickle.UnpicklingError, OSError, ValueError):
                self._reports.put((self, None))
                return
            self._reports.put((self, report))

    def submit(self, item: tuple[int, Bundle, float]) -> None:
        self.item = item
        self._send(pickle.dumps(item[1:], protocol=pickle.HIGHEST_PROTOCOL))

    def stop(self) -> None:
        self._send(pickle.dumps(None))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                # Unsent bytes of a message to the dead.
                with contextlib.suppress(OSError):
                    pipe.close()


class Workers:
    """Worker processes; one that dies is replaced and its bundle run again."""

    slice = _SLICE

    def __init__(
        self,
        problem: CountProblem,
        method: Method,
        keep: bool,
        size: int,
        coordinates: Coordinates | None = None,
    ) -> None:
        self.size = size
        self._first = pickle.dumps(
            (problem, method, keep, coordinates), protocol=pickle.HIGHEST_PROTOCOL
        )
        self._reports: queue.Queue[tuple[_Worker, Report | None]] = queue.Queue()
        self._deaths = 0
        self._workers: list[_Worker] = []
        self._started = 0

    @property
    def idle(self) -> int:
        """Workers without a bundle, and those not started yet."""
        return self.size - sum(w.item is not None for w in self._workers)

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Give the bundle to an idle worker, starting one if there is none."""
        worker = next((w for w in self._workers if w.item is None), None)
        if worker is None:
            worker = _Worker(self._first, self._reports)
            self._workers.append(worker)
        worker.submit((number, bundle, seconds))

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come.

        Raises:
            SolverError: workers die again and again.
        """
        out = []
        try:
            worker, report = self._reports.get(timeout=seconds)
            while True:
                if worker in self._workers:
                    out += self._take(worker, report)
                worker, report = self._reports.get_nowait()
        except queue.Empty:
            return out

    def _take(self, worker: _Worker, report: Report | None) -> list[tuple[int, Report]]:
        item = worker.item
        worker.item = None
        if report is not None and item is not None:
            return [(item[0], report)]
        code = worker.process.wait()
        self._workers.remove(worker)
        worker.kill()
        self._deaths += 1
        if self._deaths > 2 * self.size + 2:
            raise SolverError(
                f"worker processes end again and again (exit code {code}); is there enough "
                "memory? Try fewer workers"
            )
        if item is not None:
            self.submit(*item)
        return []

    def stop(self) -> None:
        """Ask for the reports of what is at work."""
        for worker in self._workers:
            if worker.item is not None:
                worker.stop()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
