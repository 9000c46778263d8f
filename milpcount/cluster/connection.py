"""The connection to a Dask cluster, which is started here where no address is given."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.errors import InputError, MissingDependencyError, SolverError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

__all__ = ["connected"]

_PATIENCE = 15.0  # seconds until a scheduler that does not answer is given up

# Ctrl-C reaches the whole group of processes; the parent decides what it means.
_DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"


@contextlib.contextmanager
def connected(cluster: DaskCluster) -> Iterator[Client]:
    """A client of the cluster; a cluster of this machine ends with it.

    Raises:
        MissingDependencyError: the package distributed is not installed.
        InputError: no scheduler answers at the address.
        SolverError: the workers of this machine do not start.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError("distributed", "a Dask cluster", "dask") from error
    with contextlib.ExitStack() as stack:
        address = cluster.address
        if address is None:
            local = _local(cluster.workers or os.cpu_count() or 1)
            stack.callback(_close, local)
            address = local.scheduler_address
        try:
            client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address}; start one with dask scheduler, or name "
                "none for a cluster on this machine"
            ) from error
        stack.enter_context(client)
        yield client


def _local(workers: int) -> LocalCluster:
    """One process of one thread for each worker, no dashboard."""
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            # Any free port: without one it would warn when that of the dashboard is taken.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
            preload=[_DEAF],
        )
    except RuntimeError as error:
        raise SolverError(
            "the workers of the local Dask cluster do not start; in a script, start them below "
            'if __name__ == "__main__":'
        ) from error


def _close(local: LocalCluster) -> None:
    # What its workers do is of no use any more.
    local.close(timeout=5)
