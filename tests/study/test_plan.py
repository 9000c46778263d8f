"""Dry runs and collecting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from milpcount.cli.app import run
from milpcount.errors import ConfigError
from milpcount.study import run_study
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.plan import Plan, make_plan
from milpcount.study.config.schema import load_config
from tests.study import fakes


def plan_of(folder: Path, stored: dict[str, dict[str, Any]], **overrides: str) -> Plan:
    return make_plan(runs_of(folder, **overrides), stored, 2)


def runs_of(folder: Path, **overrides: str) -> list[Run]:
    changed = {f"counts.0.{key}": value for key, value in overrides.items()}
    return resolve_runs(load_config(fakes.write_study(folder), changed)[0], folder)


def record(run: Run, seconds: float, lower: int = 7) -> dict[str, Any]:
    return {**fakes.make_record(run, lower), "seconds": seconds}


def test_from_runs_like_it(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    stored = {r.key: record(r, 2.0 + k) for k, r in enumerate(runs) if k in (0, 1, 4)}
    plan = make_plan(runs, stored, 2)
    assert [run.stored for run in plan.runs] == [True, True, False, False, True, False]
    assert [run.seconds for run in plan.todo] == [2.5, 2.5, 6.0]
    assert plan.todo[0].basis == "2 stored run(s) like it"
    assert (plan.seconds, plan.wall_seconds, plan.unknown) == (11.0, 6.0, 0)
    assert plan.architectures() == [("2-3-2-1", 2, 2, 5.0), ("3-4-2", 1, 1, 6.0)]
    json.dumps(plan.to_json())
    # Records that say nothing of a whole count say nothing of its time.
    for r in stored.values():
        r["exact"] = False
    assert "stored run" not in make_plan(runs, stored).todo[0].basis


def test_from_other_counts_at_the_engines_rate(tmp_path: Path) -> None:
    # tree-highs: 7 regions in 0.7 s, but only for one architecture; brute has counted the other.
    runs = runs_of(tmp_path)
    stored = {runs[0].key: record(runs[0], 0.7)}
    for r in runs_of(tmp_path, engine="brute"):
        stored[r.key] = record(r, 100.0, 30)
    plan = make_plan(runs, stored)
    seconds = {run.label: run.seconds for run in plan.runs}
    assert seconds["random-3-4-2-0 (tree-highs, full)"] == pytest.approx(3.0)
    assert seconds["random-2-3-2-1-3 (tree-highs, full)"] == pytest.approx(0.7)
    assert "counts of its architecture, the stored rate" in plan.todo[-1].basis


def test_from_samples_limits_or_not_at_all(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {})
    # These trees are searched to their ends: the sample is the count of the first network.
    assert all("a sampled count, a typical rate" in run.basis for run in plan.todo)
    assert all(0.005 <= (run.seconds or 0) <= 0.2 for run in plan.todo)
    limited = plan_of(tmp_path, {}, engine="cpsat", time_limit="5")
    assert {(run.seconds, run.basis) for run in limited.todo} == {(5.0, "its time limit, at most")}
    unknown = plan_of(tmp_path, {}, engine="cpsat")
    assert unknown.unknown == 6
    assert unknown.seconds is None
    assert unknown.wall_seconds is None


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(fakes.write_study(tmp_path))
    run_study(path, overrides={"random.0.count": "1"}, execute_run=fakes.quick)
    assert run(["run", path, "--dry-run", "--workers", "3"]) == 0
    out = capsys.readouterr().out
    assert "3 run(s) to do, 3 stored; about 1.5 s in turn, 0.5 s with 3 workers." in out
    assert "2-3-2-1" in out
    assert run(["run", path, "--dry-run", "--set", "counts.0.engine=cpsat"]) == 0
    assert "6 run(s) to do, 0 stored; time unknown." in capsys.readouterr().out
    assert run(["run", path, "--dry-run", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["planned"]) == 3
    assert report["plan"]["seconds"] == 1.5
    assert len((tmp_path / "out" / "runs.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_collect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(fakes.write_study(tmp_path))
    with pytest.raises(ConfigError, match="no finished run"):
        run_study(path, collect=True)
    run_study(path, overrides={"random.0.count": "1"}, execute_run=fakes.quick)
    lines = (tmp_path / "out" / "runs.jsonl").read_bytes()
    (tmp_path / "out" / "runs.csv").unlink()
    assert run(["run", path, "--collect"]) == 0
    assert "0 run(s)" in capsys.readouterr().out
    assert (tmp_path / "out" / "runs.jsonl").read_bytes() == lines
    assert len((tmp_path / "out" / "runs.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert run(["run", path, "--collect", "--fresh"]) == 2
    assert "--collect takes what is stored" in capsys.readouterr().err


def test_who_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(fakes.write_study(tmp_path))
    for options, message in (
        (["--scheduler", "tcp://h:1"], "go with --executor dask"),
        (["--executor", "serial", "--workers", "2"], "--executor serial has one worker, not 2"),
        (["--executor", "dask", "--scheduler", "h"], "tcp://HOST:PORT"),
    ):
        assert run(["run", path, *options]) == 2
        assert message in capsys.readouterr().err
    assert run(["run", path, "--executor", "processes", "--workers", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 6
