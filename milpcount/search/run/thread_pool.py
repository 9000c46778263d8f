"""Bundles run by threads of this process: the kernels work without the interpreter's lock.

Threads share the problem and what was made of it, start at once and leave nothing behind.  What
they cannot share is the interpreter: where much is decided in exact arithmetic, which is Python,
they wait for each other.  :class:`Threads` measures how much that is.
"""

from __future__ import annotations

import atexit
import queue
import threading

from milpcount.core.problem import CountProblem
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.run.bundle import Bundle, BundleRunner, Report
from milpcount.search.searcher import Method

__all__ = ["Threads"]

_Answer = tuple["_Thread", int, Report | BaseException]


class Threads:
    """Worker threads; each has a searcher of its own."""

    slice = 1.0
    short = 0.02

    def __init__(
        self,
        problem: CountProblem,
        method: Method,
        keep: bool,
        size: int,
        coordinates: Coordinates | None = None,
    ) -> None:
        self.size = size
        self._arguments = (problem, method, keep, coordinates)
        self._inbox: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._resting: list[_Thread] = []
        self._working: set[_Thread] = set()
        # CPU seconds of all reports: in all, and with the interpreter's lock.
        self.busy = self.locked = 0.0
        # A thread inside a kernel must not meet the end of the interpreter.
        atexit.register(self.close)

    @property
    def idle(self) -> int:
        """Threads without a bundle, and those not started yet."""
        return self.size - len(self._working)

    def submit(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Give the bundle to a thread that rests, starting one if there is none."""
        thread = self._resting.pop() if self._resting else _Thread(self._inbox, *self._arguments)
        self._working.add(thread)
        thread.begin(number, bundle, seconds)

    def wait(self, seconds: float) -> list[tuple[int, Report]]:
        """Reports that have come.

        Raises:
            MilpcountError: what the search raised.
        """
        out: list[tuple[int, Report]] = []
        try:
            answer = self._inbox.get(timeout=seconds)
            while True:
                out.append(self._take(*answer))
                answer = self._inbox.get_nowait()
        except queue.Empty:
            return out

    def _take(
        self, thread: _Thread, number: int, report: Report | BaseException
    ) -> tuple[int, Report]:
        self._working.remove(thread)
        self._resting.append(thread)
        if isinstance(report, BaseException):
            raise report
        self.busy += report.seconds
        self.locked += report.locked
        return number, report

    def stop(self) -> None:
        """Ask for the reports of what is at work; they come at once."""
        for thread in self._working:
            thread.runner.stop()

    def finish(self) -> list[tuple[int, Report]]:
        """The reports of all that is at work, and the end."""
        self.stop()
        reports: list[tuple[int, Report]] = []
        while self._working:
            reports += self.wait(1.0)
        self.close()
        return reports

    def close(self) -> None:
        """End the threads; what is at work is lost."""
        atexit.unregister(self.close)
        threads = [*self._resting, *self._working]
        for thread in threads:
            thread.end()
        for thread in threads:
            if thread is not threading.current_thread():  # which may collect a dropped count
                thread.join()
        self._resting, self._working = [], set()


class _Thread(threading.Thread):
    """One worker."""

    def __init__(
        self,
        inbox: queue.SimpleQueue[_Answer],
        problem: CountProblem,
        method: Method,
        keep: bool,
        coordinates: Coordinates | None,
    ) -> None:
        # A count that is dropped without being closed must not keep the interpreter from ending.
        super().__init__(name="milpcount worker", daemon=True)
        self._inbox = inbox
        self._calls: queue.SimpleQueue[tuple[int, Bundle, float] | None] = queue.SimpleQueue()
        self.runner = BundleRunner(problem, method, keep, coordinates)
        self.start()

    def begin(self, number: int, bundle: Bundle, seconds: float) -> None:
        """Run the bundle."""
        self.runner.ready()
        self._calls.put((number, bundle, seconds))

    def end(self) -> None:
        """Stop what is at work, and leave."""
        self._calls.put(None)
        self.runner.stop()

    def run(self) -> None:
        """Run bundles until the end."""
        while (call := self._calls.get()) is not None:
            number, bundle, seconds = call
            answer: Report | BaseException
            try:
                answer = self.runner.run(bundle, seconds)
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                answer = error
            self._inbox.put((self, number, answer))
