"""Studies on a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from milpcount.cluster import DaskCluster
from milpcount.cluster.connection import connected
from milpcount.cluster.dispatch import Dispatch, Lost, LostConnectionError
from milpcount.study import run_study
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.schema import load_config
from milpcount.study.executors.choose import ExecuteRun, run_all
from tests.interruptions import SECONDS
from tests.study import fakes

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as local:
        yield DaskCluster(local.scheduler_address)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return resolve_runs(load_config(fakes.write_study(tmp_path))[0], tmp_path)


def ends(runs: list[Run], cluster: DaskCluster, execute_run: ExecuteRun) -> dict[str, str | None]:
    return {
        finished.run.source.name: finished.error
        for finished in run_all(runs, cluster, execute_run=execute_run)
    }


def test_stores_what_other_executors_store(cluster: DaskCluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    tables = []
    for folder, workers in ((here, 1), (there, cluster)):
        folder.mkdir()
        report = run_study(fakes.write_study(folder), workers=workers)
        assert (report.done, report.failures) == (6, ())
        lines = (folder / "out" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        tables.append({r["key"]: (r["network"], r["lower"], r["bounds"]) for r in records})
    assert tables[0] == tables[1]
    assert run_study(there / "study.yaml", workers=cluster).reused == 6


def test_failures_and_defects_do_not_stop_the_others(runs: list[Run], cluster: DaskCluster) -> None:
    found = ends(runs, cluster, fakes.failing)
    assert found["random-2-3-2-1-1"] == found["random-3-4-2-1"] == "the solver gave up"
    assert list(found.values()).count(None) == 4
    found = ends(runs, cluster, fakes.broken)
    assert str(found["random-3-4-2-1"]).startswith("TypeError: ")
    assert list(found.values()).count(None) == 4


def test_a_dead_worker_costs_one_run(runs: list[Run], cluster: DaskCluster) -> None:
    found = ends(runs, cluster, fakes.dying)
    assert found.pop("random-2-3-2-1-1") == "its process died (out of memory?)"
    assert list(found.values()) == [None] * 5


def test_at_most_so_many_workers(runs: list[Run], cluster: DaskCluster) -> None:
    one = DaskCluster(cluster.scheduler, workers=1)
    pids = [f.record["statistics"]["pid"] for f in run_all(runs, one, execute_run=fakes.threads)]
    assert os.getpid() not in pids
    assert len(pids) == 6


def test_a_lost_connection_fails_what_is_left(
    runs: list[Run], cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Dispatch.wait
    calls: list[list[tuple[int, object]]] = []

    def breaking(self: Dispatch[int], seconds: float) -> list[tuple[int, object]]:
        if not calls:
            calls.append([])
            # The scheduler forgot what was at work; it is done again.
            tags = [tag for tag, _, _ in self._at_work.values()]
            self.cancel()
            return [(tag, Lost("forgotten", forgotten=True)) for tag in tags]
        if calls[-1]:
            raise LostConnectionError("the connection was lost for good")
        calls[-1] = wait(self, seconds)
        return calls[-1]

    monkeypatch.setattr(Dispatch, "wait", breaking)
    found = ends(runs, cluster, fakes.slow)
    assert len(found) == 6
    errors = {error for error in found.values() if error is not None}
    assert errors == {"the connection was lost for good"}
    assert None in found.values()


def test_closing_gives_up_what_is_at_work(runs: list[Run], cluster: DaskCluster) -> None:
    iterator = run_all(runs, cluster, execute_run=endless)
    assert next(iterator).run.source.name == "random-2-3-2-1-0"
    iterator.close()

    def running(dask_worker: distributed.Worker) -> int:
        return dask_worker.state.executing_count

    end = time.monotonic() + SECONDS
    with connected(cluster) as client:
        while busy := sum(client.run(running).values()):
            assert time.monotonic() < end
            time.sleep(0.05)
    assert not busy


def endless(run: Run, progress: object = None) -> dict[str, object]:
    """A count that ends when its progress says so, but for the first."""
    while run.source.name != "random-2-3-2-1-0":
        time.sleep(0.05)
        progress(None)  # type: ignore[operator]
    return fakes.make_record(run)


ENDLESS = """\
name: endless
random: [{architecture: [10, 60, 60, 1], count: 1}]
domain: {box: [-1, 1]}
counts: [{engine: tree, options: {resume: FILE}}]
output: out
figures: []
"""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C by signal is of POSIX")
def test_ctrl_c_on_the_command_line(tmp_path: Path) -> None:
    path = fakes.write_study(tmp_path, ENDLESS.replace("FILE", str(tmp_path / "count.jsonl")))
    process = subprocess.Popen(
        [sys.executable, "-m", "milpcount", "run", str(path), "--executor=dask", "--workers=1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    awaited = tmp_path / "count.jsonl"  # the count has begun
    end = time.monotonic() + SECONDS
    while not awaited.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    # As a terminal does: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert "Interrupted; finished runs are kept" in out
    assert err == ""
    assert process.returncode == 3
