"""Running a list of runs: one after the other, or in processes; results come back to the parent."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from milpcount.errors import MilpcountError
from milpcount.facade import bound, count
from milpcount.result import Budget, Limit, ProgressCallback
from milpcount.study.grid import Run, resolve_domain

__all__ = ["Finished", "execute", "run_all"]

Execute = Callable[[Run], dict[str, Any]]


@dataclass(frozen=True)
class Finished:
    """The end of one run: a record to store, or why there is none."""

    run: Run
    record: dict[str, Any] | None
    error: str | None = None


def execute(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Count and bound one network; return the record that is stored.

    Raises:
        KeyboardInterrupt: the count was interrupted; it is to be run again.
        MilpcountError: the run failed.
    """
    network = run.source.load()
    settings = run.settings
    result = count(
        network,
        resolve_domain(run.domain),
        engine=settings.engine,
        definition=settings.definition,
        with_output=settings.with_output,
        budget=Budget(seconds=settings.time_limit),
        progress=progress,
        **settings.options,
    )
    if result.termination.limit is Limit.INTERRUPT:
        raise KeyboardInterrupt
    bounds = bound(network, with_output=settings.with_output)
    return {
        "key": run.key,
        "network": run.source.name,
        "architecture": list(run.architecture),
        **result.to_json(),
        "seed": run.source.seed,
        "asked_engine": settings.engine,
        "bounds": bounds.to_json()["upper"],
        "statistics": dict(result.statistics),
        "metadata": dict(run.source.metadata),
    }


def run_all(
    runs: Sequence[Run],
    workers: int = 1,
    progress: ProgressCallback | None = None,
    execute_run: Callable[..., dict[str, Any]] = execute,
) -> Iterator[Finished]:
    """Yield every run as it ends, in any order; a failure of one does not stop the others.

    KeyboardInterrupt ends the workers and is raised on.
    """
    if workers == 1:
        for run in runs:
            try:
                record = execute_run(run, progress)
            except MilpcountError as error:
                yield Finished(run, None, str(error))
            else:
                yield Finished(run, record)
        return
    with _one_thread_each():
        # Fresh interpreters: forked ones would share the solvers' state.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            futures = {pool.submit(execute_run, run): run for run in runs}
            try:
                for future in as_completed(futures):
                    run = futures[future]
                    try:
                        yield Finished(run, future.result())
                    except MilpcountError as error:
                        yield Finished(run, None, str(error))
                    except BrokenProcessPool:
                        yield Finished(run, None, "a worker process died (out of memory?)")
            except (KeyboardInterrupt, GeneratorExit):
                pool.shutdown(wait=False, cancel_futures=True)
                for child in multiprocessing.active_children():
                    child.terminate()
                raise


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
