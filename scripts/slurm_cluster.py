"""Starts a Dask scheduler whose workers are SLURM jobs, and keeps it until Ctrl-C.

    python scripts/slurm_cluster.py configs/cluster/slurm.yaml --scheduler-file scheduler.json
    milpcount run STUDY --executor dask --scheduler-file scheduler.json    # in another shell

The YAML holds ``jobs``, how many to submit, and ``cluster``, the arguments of
``dask_jobqueue.SLURMCluster``.  ``--print`` shows the script of a job and submits nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from milpcount.errors import ConfigError, MilpcountError, MissingDependencyError
from milpcount.study.config.yaml_loader import load_yaml


def read(path: Path) -> tuple[int, dict[str, Any]]:
    """The number of jobs and the arguments of the cluster.

    Raises:
        ConfigError: the file holds something else.
    """
    values = load_yaml(path)
    if set(values) != {"jobs", "cluster"} or not isinstance(values["cluster"], dict):
        raise ConfigError(f"{path}: needs the keys jobs and cluster, and no others")
    jobs = values["jobs"]
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise ConfigError(f"{path}: jobs: a number of at least 1, not {jobs!r}")
    return jobs, values["cluster"]


def make(arguments: dict[str, Any]) -> Any:
    """The cluster; its scheduler runs in this process, no job is submitted yet.

    Raises:
        MissingDependencyError: dask-jobqueue is not installed.
        ConfigError: arguments that it does not take.
    """
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise MissingDependencyError("dask-jobqueue", "a cluster of SLURM jobs") from error
    # The scheduler serves its health page even without a dashboard: on any port that is free.
    options = {"dashboard": False, "dashboard_address": ":0"}
    try:
        return SLURMCluster(scheduler_options=options, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"cluster: dask-jobqueue does not take it: {error}") from error


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("config", type=Path)
    parser.add_argument("--scheduler-file", type=Path, help="write the scheduler's address here")
    parser.add_argument("--print", action="store_true", help="show the job's script, and stop")
    options = parser.parse_args()
    try:
        jobs, arguments = read(options.config)
        cluster = make(arguments)
    except MilpcountError as error:
        print(f"slurm_cluster: {error}", file=sys.stderr)
        return 2
    with cluster:
        if options.print:
            print(cluster.job_script())
            return 0
        cluster.scale(jobs=jobs)
        print(cluster.scheduler_address, flush=True)
        if options.scheduler_file is not None:
            text = json.dumps({"address": cluster.scheduler_address})
            options.scheduler_file.write_text(text + "\n", encoding="utf-8")
        try:
            while True:
                time.sleep(60)
        except KeyboardInterrupt:
            print("ending the jobs", file=sys.stderr)
        finally:
            if options.scheduler_file is not None:
                options.scheduler_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
