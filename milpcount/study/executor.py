"""Running a list of runs: one after the other, or in processes; results come back to the parent."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from milpcount.errors import MilpcountError
from milpcount.result import ProgressCallback
from milpcount.study.execute import execute
from milpcount.study.grid import Run
from milpcount.study.seeds import canonical_json

__all__ = ["ExecuteRun", "Finished", "execute", "run_all"]

_log = logging.getLogger(__name__)


class ExecuteRun(Protocol):
    """Does one run and returns its record; with several workers a function of a module."""

    def __call__(self, run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
        """Return the record to store, or raise."""


@dataclass(frozen=True)
class Finished:
    """The end of one run: a record to store, or one line on why there is none."""

    run: Run
    record: dict[str, Any] | None
    error: str | None = None


def run_all(
    runs: Sequence[Run],
    workers: int = 1,
    progress: ProgressCallback | None = None,
    execute_run: ExecuteRun = execute,
) -> Generator[Finished, None, None]:
    """Yield every run as it ends, in any order; a failure of one does not stop the others.

    Closing the iterator, or KeyboardInterrupt, ends the workers.  Progress of single counts is
    reported with one worker only.
    """
    if workers == 1:
        for run in runs:
            yield _attempt(execute_run, run, progress)
        return
    lost = []
    with closing(_in_processes(runs, workers, execute_run)) as ends:
        for run, finished in ends:
            if finished is None:
                lost.append(run)
            else:
                yield finished
    # A worker that dies takes the others' runs along.  Alone, only the culprit dies again.
    for run in lost:
        with closing(_in_processes([run], 1, execute_run)) as ends:
            for _, finished in ends:
                yield finished or Finished(run, None, "its process died (out of memory?)")


def _attempt(
    execute_run: ExecuteRun, run: Run, progress: ProgressCallback | None = None
) -> Finished:
    """Do one run; every failure becomes one line, which any process can hand to its parent."""
    try:
        record = execute_run(run, progress)
        canonical_json(record)  # what the store could not hold is a defect of this run
        return Finished(run, record)
    except MilpcountError as error:
        return Finished(run, None, " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one run must not end a night's others
        _log.exception("the run %s failed", run.label)
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Finished(run, None, f"{line} (a defect, please report it)")


def _in_processes(
    runs: Sequence[Run], workers: int, execute_run: ExecuteRun
) -> Generator[tuple[Run, Finished | None], None, None]:
    """Yield every run with its end, None if a worker died before."""
    # Fresh interpreters: forked ones would share the solvers' state.
    context = multiprocessing.get_context("spawn")
    futures: dict[Future[Finished], Run] = {}
    unsent = list(runs)
    others = set(multiprocessing.active_children())
    with _one_thread_each(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            try:
                while unsent:
                    futures[pool.submit(_attempt, execute_run, unsent[0])] = unsent[0]
                    del unsent[0]
            except BrokenProcessPool:
                pass  # reported below, with the runs that were sent and lost
            for future in as_completed(futures):
                try:
                    finished = future.result()
                except BrokenProcessPool:
                    yield futures[future], None
                else:
                    yield futures[future], finished
        except (KeyboardInterrupt, GeneratorExit):
            # Their counts would go on to the end; the pool then waits for their ends alone.
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
    for run in unsent:
        yield run, None


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the children start with one thread each for linear algebra."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
