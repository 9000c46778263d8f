"""Counts of a study that were stopped or killed go on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import milpcount as mc
from milpcount.study import run_study
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.schema import load_config
from milpcount.study.executors.journals import with_journal, with_journals
from tests.interruptions import time_is_up_with_a_region
from tests.study import fakes

STUDY = """\
name: stopped
root: .
random:
  - {architecture: [20, 9, 7, 1], count: 1}
domain: {box: [-1, 1]}
counts:
  - {engine: auto, time_limit: LIMIT}
output: out
figures: []
"""


def write(folder: Path, limit: float) -> Path:
    return fakes.write_study(folder, STUDY.replace("LIMIT", str(limit)))


def stop_early(folder: Path) -> Path:
    """Run the study up to its limit on the time; returns the file of the unfinished count."""
    with pytest.MonkeyPatch.context() as patch:
        time_is_up_with_a_region(patch)
        run_study(write(folder, 100))
    [file] = (folder / "out" / "unfinished").iterdir()
    return file


def records(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "out" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def add_regions(file: Path, number: int) -> None:
    """Make the file say that so many more were counted: told from a count that begins anew."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines[-1]["count"] = str(int(lines[-1]["count"]) + number)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def truth(path: Path) -> int:
    return mc.count(only_run(path).source.load(), mc.Box(-1, 1)).lower


def only_run(path: Path) -> Run:
    [run] = resolve_runs(load_config(path)[0], path.parent)
    return run


@pytest.mark.usefixtures("short_portions")
def test_a_raised_limit_goes_on(tmp_path: Path) -> None:
    file = stop_early(tmp_path)
    [stopped] = records(tmp_path)
    assert not stopped["exact"]
    add_regions(file, 1000)
    path = write(tmp_path, 50_000)
    run_study(path)
    whole = records(tmp_path)[-1]
    assert whole["exact"]
    assert int(str(whole["lower"])) == truth(path) + 1000
    assert not (tmp_path / "out" / "unfinished").exists()


@pytest.mark.usefixtures("short_portions")
def test_seconds_are_those_of_all_runs(tmp_path: Path) -> None:
    file = stop_early(tmp_path)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(line["seconds"] >= 0 for line in lines[1:])
    lines[-1]["seconds"] += 1e6
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run_study(write(tmp_path, 50_000))
    assert 1e6 < float(str(records(tmp_path)[-1]["seconds"])) < 1.1e6


@pytest.mark.usefixtures("short_portions")
def test_fresh_begins_anew(tmp_path: Path) -> None:
    add_regions(stop_early(tmp_path), 1000)
    path = write(tmp_path, 50_000)
    run_study(path, resume=False)
    assert int(str(records(tmp_path)[-1]["lower"])) == truth(path)


def test_only_counts_that_can_go_on_have_a_file(tmp_path: Path) -> None:
    run = only_run(write(tmp_path, 0.1))
    with_file = with_journal(run, tmp_path)
    assert with_file.journal is not None
    assert with_file.key == run.key
    # Limits do not matter for the name, what is counted does.
    for change, same in (
        ({"time_limit": 5.0}, True),
        ({"definition": "nonempty"}, False),
        ({"with_output": True}, False),
    ):
        other = replace(run, settings=run.settings.model_copy(update=change))
        assert (with_journal(other, tmp_path).journal == with_file.journal) == same
    for change in (
        {"engine": "tree-highs"},
        {"region_limit": 5},
        {"options": {"certificate": "x.cert"}},
        {"options": {"resume": "x.jsonl"}},
    ):
        other = replace(run, settings=run.settings.model_copy(update=change))
        assert with_journal(other, tmp_path).journal is None


def test_two_counts_of_one_question_share_no_file(tmp_path: Path) -> None:
    """They may run at the same time; which of several limits matters is not known before."""
    run = only_run(write(tmp_path, 0.1))
    other = replace(run, key="other", settings=run.settings.model_copy(update={"time_limit": 9.0}))
    first, second = with_journals([run, other], tmp_path)
    assert first.journal is not None
    assert second.journal is None
