"""The executor of processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from milpcount.study.config.grid import Run
from milpcount.study.executors.attempt import ExecuteRun, Finished, attempt
from milpcount.support.child import end_with_parent

__all__ = ["in_processes"]


def in_processes(
    runs: Sequence[Run], workers: int, execute_run: ExecuteRun
) -> Generator[tuple[Run, Finished | None], None, None]:
    """Yield every run with its end; None if its worker, or that of another run, died before."""
    # Fresh interpreters: forked ones would share the solvers' state.
    context = multiprocessing.get_context("spawn")
    futures: dict[Future[Finished], Run] = {}
    unsent = list(runs)
    others = set(multiprocessing.active_children())
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool,
    ):
        try:
            try:
                while unsent:
                    futures[pool.submit(attempt, execute_run, unsent[0])] = unsent[0]
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
