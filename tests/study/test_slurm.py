"""scripts/slurm_cluster.py, without SLURM: what would be submitted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "cluster" / "slurm.yaml"

pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed (extra dev)")


def script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "slurm_cluster.py"), *arguments],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip


def test_job_script(tmp_path: Path) -> None:
    done = script(tmp_path, str(CONFIG), "--print")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for line in (
        "#SBATCH -p compute",
        "#SBATCH --cpus-per-task=16",
        "#SBATCH --mem=60G",  # 64 GB in units of 1024
        "#SBATCH -t 08:00:00",
        "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1",
    ):
        assert line in lines
    command = next(line for line in lines if "dask_worker" in line)
    # One task at a time in each of 16 processes, which outlive neither the job nor the scheduler.
    for words in ("--nworkers 16", "--nthreads 1", "--nanny", "--lifetime 470m", "tcp://"):
        assert words in command
    assert "--death-timeout 300" in command


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: 2\n", "needs the keys jobs and cluster"),
        ("jobs: 0\ncluster: {cores: 1, memory: 1GB}\n", "jobs: a number of at least 1, not 0"),
        ("jobs: 1\ncluster: {cores: 1, memory: 1GB, core: 2}\n", "core"),
        ("jobs: 1\ncluster: {memory: 1GB}\n", "cores"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "slurm.yaml"
    path.write_text(text, encoding="utf-8")
    done = script(tmp_path, str(path), "--print")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
