"""The executor of a Dask cluster: every worker one run at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from milpcount.cluster.connection import connected
from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.cluster.dispatch import Dispatch, Lost, LostConnectionError, abandoned
from milpcount.core.result import Progress
from milpcount.study.config.grid import Run
from milpcount.study.executors.attempt import ExecuteRun, Finished, attempt

__all__ = ["in_dask"]

_TRIES = 2


def in_dask(
    runs: Sequence[Run], cluster: DaskCluster, execute_run: ExecuteRun
) -> Generator[Finished, None, None]:
    """Yield every run as it ends.

    A run whose worker dies is done once more, for workers may end for other reasons; then it
    fails, and so does what is left when the scheduler is gone for good.  Workers read network
    files by their absolute paths.

    Raises:
        MissingDependencyError: the package distributed is not installed.
        InputError: no scheduler answers.
    """
    if not runs:
        return
    waiting = deque(enumerate(runs))
    working: dict[int, Run] = {}
    deaths: Counter[int] = Counter()
    with connected(cluster) as client:
        dispatch: Dispatch[int] = Dispatch(client, cluster.workers)
        try:
            while waiting or working:
                while waiting and dispatch.idle:
                    number, run = waiting.popleft()
                    working[number] = run
                    dispatch.submit(number, _task, execute_run, _portable(run))
                for number, end in dispatch.wait(0.2):
                    run = working.pop(number)
                    if isinstance(end, Lost):
                        deaths[number] += not end.forgotten
                        if end.error is None and deaths[number] < _TRIES:
                            waiting.append((number, run))
                        else:
                            yield Finished(run, None, end.reason)
                    elif isinstance(end, Finished):
                        yield replace(end, run=run)
                    else:
                        yield Finished(run, None, "it was cancelled on the cluster")
        except LostConnectionError as error:
            for run in [*working.values(), *(run for _, run in waiting)]:
                yield Finished(run, None, str(error))
        finally:
            dispatch.cancel()


def _portable(run: Run) -> Run:
    """The run with the network's path made absolute: workers have other working folders."""
    path = run.source.path
    if path is None:
        return run
    return replace(run, source=replace(run.source, path=str(Path(path).resolve())))


def _task(execute_run: ExecuteRun, run: Run) -> Finished | None:
    """Do the run on a worker; None when it was given up meanwhile."""

    def look(progress: Progress) -> None:
        if abandoned():
            raise KeyboardInterrupt  # how a count is stopped

    try:
        return attempt(execute_run, run, look)
    except KeyboardInterrupt:
        return None
