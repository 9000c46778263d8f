"""Which Dask cluster to use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from milpcount.errors import InputError

__all__ = ["DaskCluster"]


@dataclass(frozen=True)
class DaskCluster:
    """Workers of a Dask cluster: a running one, or one started on this machine for the occasion.

    Every worker runs one task at a time, however many threads it has; start workers with one
    thread each.  milpcount must be installed where they run, in the same version.

    Attributes:
        scheduler: address of a running scheduler, such as ``tcp://host:8786``.
        scheduler_file: the file that ``dask scheduler --scheduler-file`` writes, instead.
        workers: the most workers to use; on this machine, how many to start (None for all of the
            cluster, or one a core).
    """

    scheduler: str | None = None
    scheduler_file: str | Path | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.scheduler is not None and self.scheduler_file is not None:
            raise InputError("name the scheduler by its address or by its file, not by both")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"the number of workers must be at least 1, not {self.workers}")
        if self.scheduler is not None and "://" not in self.scheduler:
            raise InputError(
                f"{self.scheduler!r} is no address of a Dask scheduler; write tcp://HOST:PORT"
            )

    @property
    def address(self) -> str | None:
        """The address of the scheduler, None for a cluster to be started here.

        Raises:
            InputError: the scheduler's file cannot be read.
        """
        if self.scheduler_file is None:
            return self.scheduler
        path = Path(self.scheduler_file)
        try:
            address = json.loads(path.read_text(encoding="utf-8"))["address"]
        except FileNotFoundError as error:
            raise InputError(
                f"{path}: no such file; dask scheduler --scheduler-file {path} writes it"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: names no Dask scheduler: {error}") from error
        return str(address)
