"""Tasks for the workers of a cluster, one at a time for each, whatever happens to them."""

from __future__ import annotations

import logging
import queue
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from milpcount.errors import InvariantError, SolverError

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Dispatch", "Lost", "LostConnectionError", "abandoned"]

_LOG = logging.getLogger(__name__)
_LOOK = 1.0  # seconds between two looks at who the workers are
_QUIET = 20.0  # seconds without workers before a word about it
_PATIENCE = 60.0  # seconds without the scheduler before giving up
_FETCH = 60.0  # seconds for a result to arrive
_DIED = "its process died (out of memory?)"

Tag = TypeVar("Tag")


class LostConnectionError(SolverError):
    """The scheduler of the cluster does not answer any more."""


@dataclass(frozen=True)
class Lost:
    """What comes of a task that has no result.

    Attributes:
        reason: in one line.
        forgotten: whether it is no fault of the task: the connection broke while it was at work.
        error: what it raised, None if its worker died.
    """

    reason: str
    forgotten: bool = False
    error: Exception | None = None


class Dispatch(Generic[Tag]):
    """Hands tasks to workers and takes in their results.

    Every task is meant for one worker.  When that is gone the task is :class:`Lost`, and so is one
    that raises, or that was at work when the connection to the scheduler broke.  What is to be
    done then is the caller's choice.  (Dask would run it elsewhere, but with a preferred worker
    it has been seen to wait for ever, distributed 2026.8.)
    """

    def __init__(self, client: Client, most: int | None = None) -> None:
        """Use at most ``most`` of the cluster's workers at a time; None for all."""
        self._client, self._most = client, most
        self._ended: queue.SimpleQueue[tuple[str, Future]] = queue.SimpleQueue()
        self._at_work: dict[str, tuple[Tag, Future, str]] = {}
        self._addresses: list[str] = []
        now = time.monotonic()
        self._looked = now - _LOOK
        self._answered = self._served = now
        self._told = False

    @property
    def size(self) -> int:
        """How many tasks at a time: one a worker.

        Raises:
            LostConnectionError: the scheduler has not answered for a minute.
        """
        self._look()
        count = len(self._addresses)
        return count if self._most is None else min(count, self._most)

    @property
    def idle(self) -> int:
        """How many tasks more may be submitted now."""
        return max(0, self.size - len(self._at_work))

    def submit(self, tag: Tag, function: Callable[..., Any], *arguments: Any) -> None:
        """Start a task on an idle worker; its result comes with this tag.

        Raises:
            InvariantError: no worker is idle.
        """
        busy = {address for _, _, address in self._at_work.values()}
        free = next((a for a in self._addresses if a not in busy), None)
        if free is None:
            raise InvariantError("a task was submitted while no worker was idle")
        key = f"milpcount-{uuid.uuid4().hex}"
        # Two tasks on one worker of many threads would wait for each other.
        future = self._client.submit(function, *arguments, key=key, pure=False, workers=[free])
        self._at_work[key] = (tag, future, free)
        future.add_done_callback(lambda ended: self._ended.put((key, ended)))

    def wait(self, seconds: float) -> list[tuple[Tag, Any]]:
        """Results that have come, or :class:`Lost`, waiting for one at most so long.

        Raises:
            LostConnectionError: the scheduler has not answered for a minute.
        """
        self._look()
        out = self._orphans()
        if out:
            return out
        try:
            key, future = self._ended.get(timeout=seconds)
            while True:
                item = self._at_work.pop(key, None)
                if item is not None:
                    out.append((item[0], self._result(future)))
                key, future = self._ended.get_nowait()
        except queue.Empty:
            return out

    def cancel(self) -> None:
        """Give up what is at work; workers that look whether it is :func:`abandoned` stop."""
        futures = [future for _, future, _ in self._at_work.values()]
        self._at_work.clear()
        self._forget(futures)

    def _forget(self, futures: list[Future]) -> None:
        if futures and self._client.status == "running":
            try:
                self._client.cancel(futures)
            except (OSError, TimeoutError):
                _LOG.info("the scheduler is gone; nothing is left to cancel")

    def _orphans(self) -> list[tuple[Tag, Any]]:
        """Tasks at work on workers that are gone."""
        if self._client.status != "running":
            return []
        there = set(self._addresses)
        gone = [key for key, (_, _, address) in self._at_work.items() if address not in there]
        out: list[tuple[Tag, Any]] = []
        for key in gone:
            tag, future, _ = self._at_work.pop(key)
            self._forget([future])
            out.append((tag, Lost(_DIED)))
        return out

    def _result(self, future: Future) -> Any:
        from distributed import KilledWorker

        if future.status != "error":
            try:
                return future.result(timeout=_FETCH)
            except TimeoutError:
                # The worker died with it.
                self._forget([future])
                return Lost(_DIED)
            except (CancelledError, OSError):
                return Lost("the connection to the Dask scheduler was lost", forgotten=True)
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Lost(_DIED)
        if isinstance(error, ImportError):
            error = SolverError(
                f"the workers cannot load what they need ({error}); install the same milpcount, "
                "with the same extras, where they run"
            )
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Lost(line, error=error)

    def _look(self) -> None:
        """Ask the scheduler for its workers, once a second."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        try:
            running = self._client.status == "running"
            self._addresses = sorted(self._client.nthreads()) if running else []
            self._answered = now if running else self._answered
        except (OSError, TimeoutError):
            _LOG.info("the Dask scheduler does not answer")
        if self._client.status == "closed" or now - self._answered > _PATIENCE:
            raise LostConnectionError(
                "the connection to the Dask scheduler was lost for good; run again: studies, and "
                "counts with a file to resume, go on from what is finished"
            )
        if self._addresses:
            self._served, self._told = now, False
        elif now - self._served > _QUIET and not self._told:
            self._told = True
            _LOG.warning("the Dask cluster has no workers; waiting for some")


def abandoned() -> bool:
    """Within a task: whether nobody waits for it any more.

    The scheduler forgets a task when it is cancelled and when its client is gone; the worker then
    knows it as cancelled, but does not end its thread.
    """
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled"
