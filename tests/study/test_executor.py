from __future__ import annotations

import logging
import multiprocessing
import os
from pathlib import Path

import pytest

from milpcount.core.result import Progress, ProgressCallback
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.schema import load_config
from milpcount.study.executors.choose import ExecuteRun, execute, run_all
from tests.study import fakes


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return resolve_runs(load_config(fakes.write_study(tmp_path))[0], tmp_path)


def ends(runs: list[Run], workers: int, execute_run: ExecuteRun) -> dict[str, str | None]:
    return {
        finished.run.source.name: finished.error
        for finished in run_all(runs, workers, execute_run=execute_run)
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_does_not_stop_the_others(runs: list[Run], workers: int) -> None:
    found = ends(runs, workers, fakes.failing)
    assert len(found) == 6
    assert found["random-2-3-2-1-1"] == found["random-3-4-2-1"] == "the solver gave up"
    assert list(found.values()).count(None) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_a_defect_does_not_stop_the_others(
    runs: list[Run], workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        found = ends(runs, workers, fakes.broken)
    assert list(found.values()).count(None) == 4
    assert str(found["random-3-4-2-1"]).startswith("TypeError: ")
    assert str(found["random-3-4-2-1"]).endswith("(a defect, please report it)")


def test_a_dead_worker_costs_one_run(runs: list[Run]) -> None:
    found = ends(runs, 2, fakes.dying)
    assert found.pop("random-2-3-2-1-1") == "its process died (out of memory?)"
    assert list(found.values()) == [None] * 5


def test_processes_have_one_thread_each(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    records = [f.record for f in run_all(runs, 2, execute_run=fakes.threads)]
    statistics = [record["statistics"] for record in records if record is not None]
    assert {s["threads"] for s in statistics} == {"1"}
    assert os.getpid() not in {s["pid"] for s in statistics}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_closing_ends_the_workers(runs: list[Run]) -> None:
    iterator = run_all(runs, 2, execute_run=fakes.slow)
    assert next(iterator).error is None
    iterator.close()
    assert multiprocessing.active_children() == []


def test_really_counts(runs: list[Run]) -> None:
    seen: list[Progress] = []
    record = execute(runs[0], seen.append)
    assert record["exact"]
    assert record["lower"] == record["upper"]
    assert int(record["lower"]) <= int(record["bounds"]["hinz2019"]) <= 32
    assert {"key", "network", "engine", "definition", "with_output", "lower", "upper"} <= set(
        record
    )
    assert {"exact", "seconds", "seed", "version", "network_sha256", "stopped_by"} <= set(record)


def test_interrupted_count_is_not_stored(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    def interrupted(run: Run, progress: ProgressCallback | None = None) -> dict[str, object]:
        return execute(run, stop)

    with pytest.raises(KeyboardInterrupt):
        list(run_all(runs, 1, execute_run=interrupted))
