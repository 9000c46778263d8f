"""Running a list of runs: one after the other, in processes or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.result import ProgressCallback
from milpcount.study.config.grid import Run
from milpcount.study.executors.attempt import ExecuteRun, Finished, attempt
from milpcount.study.executors.execute import execute
from milpcount.study.executors.on_dask import in_dask
from milpcount.study.executors.processes import in_processes

__all__ = ["ExecuteRun", "Finished", "execute", "run_all"]


def run_all(
    runs: Sequence[Run],
    workers: int | DaskCluster = 1,
    progress: ProgressCallback | None = None,
    execute_run: ExecuteRun = execute,
) -> Generator[Finished, None, None]:
    """Yield every run as it ends, in any order; a failure of one does not stop the others.

    Closing the iterator, or KeyboardInterrupt, ends the workers.  Progress of single counts is
    reported without workers only.

    Arguments:
        runs: what to do.
        workers: 1 for this process alone, a number of processes, or a Dask cluster.
        progress: told how far the present count is.
        execute_run: does one run.

    Raises:
        MissingDependencyError: a cluster without the package distributed.
        InputError: no Dask scheduler answers.
    """
    if isinstance(workers, DaskCluster):
        with closing(in_dask(runs, workers, execute_run)) as finishes:
            yield from finishes
        return
    if workers == 1:
        for run in runs:
            yield attempt(execute_run, run, progress)
        return
    lost = []
    with closing(in_processes(runs, workers, execute_run)) as ends:
        for run, finished in ends:
            if finished is None:
                lost.append(run)
            else:
                yield finished
    # A worker that dies takes the others' runs along.  Alone, only the culprit dies again.
    for run in lost:
        with closing(in_processes([run], 1, execute_run)) as ends:
            for _, finished in ends:
                yield finished or Finished(run, None, "its process died (out of memory?)")
