"""Options that say who works: this process, processes beside it, or a Dask cluster."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Annotated

import typer

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.errors import InputError

__all__ = [
    "Executor",
    "ExecutorOption",
    "SchedulerFileOption",
    "SchedulerOption",
    "workers_from_options",
]


class Executor(enum.StrEnum):
    """Who works."""

    SERIAL = "serial"
    PROCESSES = "processes"
    DASK = "dask"


ExecutorOption = Annotated[
    Executor | None,
    typer.Option(
        "--executor",
        help="serial: one worker; processes: --workers of them on this machine; dask: a Dask "
        "cluster, on this machine unless a scheduler is named.",
        show_default=False,
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Dask scheduler, tcp://HOST:PORT."),
]
SchedulerFileOption = Annotated[
    Path | None,
    typer.Option("--scheduler-file", metavar="FILE", help="File that names the Dask scheduler."),
]


def workers_from_options(
    executor: Executor | None,
    workers: int | None,
    scheduler: str | None,
    scheduler_file: Path | None,
) -> int | DaskCluster | None:
    """Return what ``count`` and ``run_study`` take as ``workers``.

    Raises:
        InputError: options that do not go together.
    """
    if executor is Executor.DASK:
        return DaskCluster(scheduler, scheduler_file, workers)
    if scheduler is not None or scheduler_file is not None:
        raise InputError("--scheduler and --scheduler-file go with --executor dask")
    if executor is Executor.SERIAL and workers not in (None, 1):
        raise InputError(f"--executor serial has one worker, not {workers}; leave --workers out")
    if executor is Executor.PROCESSES and workers is None:
        return os.cpu_count() or 1
    return workers
