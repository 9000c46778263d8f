from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from milpcount.core.result import Progress, ProgressCallback
from milpcount.errors import ConfigError, MissingDependencyError
from milpcount.study import report_study, run_study
from milpcount.study.config.grid import Run
from milpcount.study.executors.choose import Finished
from tests.interruptions import SECONDS
from tests.study import fakes


class Recorder:
    """Notes what a display would show."""

    def __init__(self) -> None:
        self.todo, self.done = -1, -1
        self.names: list[str] = []
        self.counts = 0

    def begin(self, todo: int, done: int) -> None:
        self.todo, self.done = todo, done

    def finished(self, finished: Finished) -> None:
        self.names.append(finished.run.source.name)

    def counting(self, progress: Progress) -> None:
        self.counts += 1


def stored_lines(folder: Path) -> list[str]:
    path = folder / "out" / "runs.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "runs.jsonl"}


def test_runs_then_reuses(tmp_path: Path) -> None:
    path, seen = fakes.write_study(tmp_path), Recorder()
    report = run_study(path, progress=seen, execute_run=fakes.quick)
    assert (report.done, report.reused, report.failures) == (6, 0, ())
    assert (seen.todo, seen.done, len(seen.names)) == (6, 0, 6)
    assert {p.name for p in report.files} == {
        f"{name}.{suffix}" for name in ("architectures", "runs") for suffix in ("csv", "md", "tex")
    }
    assert report.summary.startswith("| architecture |")
    assert report.note is not None
    assert report.note.startswith("engine tree-highs, definition full, hidden units only; min, ")
    again = run_study(path, execute_run=fakes.quick)
    assert (again.done, again.reused) == (0, 6)
    assert again.summary == report.summary
    assert len(stored_lines(tmp_path)) == 6
    json.dumps(report.to_json())


def test_fresh_counts_again(tmp_path: Path) -> None:
    path = fakes.write_study(tmp_path)
    run_study(path, execute_run=fakes.quick)
    report = run_study(path, resume=False, execute_run=fakes.quick)
    assert (report.done, report.reused) == (6, 0)
    assert len(stored_lines(tmp_path)) == 6


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    report = run_study(fakes.write_study(tmp_path), dry_run=True, execute_run=fakes.quick)
    assert report.planned[0] == "random-2-3-2-1-0 (tree-highs, full)"
    assert len(report.planned) == 6
    assert not (tmp_path / "out").exists()


def test_failures_are_reported_and_tried_again(tmp_path: Path) -> None:
    path = fakes.write_study(tmp_path)
    report = run_study(path, execute_run=fakes.failing)
    assert report.done == 4
    assert report.failures == (
        "random-2-3-2-1-1 (tree-highs, full): the solver gave up",
        "random-3-4-2-1 (tree-highs, full): the solver gave up",
    )
    again = run_study(path, execute_run=fakes.quick)
    assert (again.done, again.reused, again.failures) == (2, 4, ())


def test_changed_settings_leave_old_runs_out(tmp_path: Path) -> None:
    path = fakes.write_study(tmp_path)
    run_study(path, execute_run=fakes.quick)
    report = run_study(
        path, overrides={"counts.0.engine": "brute", "random.0.count": "1"}, execute_run=fakes.quick
    )
    assert (report.done, report.reused) == (3, 0)
    assert len(stored_lines(tmp_path)) == 9
    rows = (tmp_path / "out" / "runs.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 3
    assert all(",brute," in row for row in rows)


@pytest.mark.parametrize("workers", [1, 2])
def test_report_rebuilds_the_same_files(tmp_path: Path, workers: int) -> None:
    pytest.importorskip("matplotlib")
    text = fakes.STUDY.replace("figures: []", "figures: [bounds_and_counts, counts_and_accuracy]")
    path = fakes.write_study(tmp_path, text)
    run_study(path, workers=workers, overrides={"title": "Other words"}, execute_run=fakes.quick)
    folder = tmp_path / "out"
    before = contents(folder)
    assert len(before) == 11
    for name in before:
        if name != "study.json":
            (folder / name).unlink()
    report = report_study(folder)
    assert contents(folder) == before
    assert report.reused == 6
    # From the configuration, whose title is another.
    assert report_study(path).summary == report.summary
    assert contents(folder)["runs.csv"] == before["runs.csv"]
    assert contents(folder)["runs.md"] != before["runs.md"]


def test_report_without_runs(tmp_path: Path) -> None:
    path = fakes.write_study(tmp_path)
    for where in (tmp_path, path):
        with pytest.raises(ConfigError, match=r"holds no study\.json"):
            report_study(where)
    (tmp_path / "study.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read as JSON"):
        report_study(tmp_path)
    (tmp_path / "study.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="no settings and runs"):
        report_study(tmp_path)
    run_study(path, execute_run=fakes.failing, overrides={"random": "[{architecture: [1, 1]}]"})
    (tmp_path / "out" / "runs.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="no finished run"):
        report_study(tmp_path / "out")


def test_interrupt_keeps_what_is_finished(tmp_path: Path) -> None:
    def interrupted(run: Run, progress: ProgressCallback | None = None) -> dict[str, object]:
        if run.source.name == "random-2-3-2-1-2":
            raise KeyboardInterrupt
        return fakes.make_record(run)

    path = fakes.write_study(tmp_path)
    report = run_study(path, execute_run=interrupted)
    assert report.interrupted
    assert report.done == len(stored_lines(tmp_path)) == 2
    assert report.files
    again = run_study(path, execute_run=fakes.quick)
    assert (again.done, again.reused, again.interrupted) == (4, 2, False)


_KILLED = """\
import sys
from milpcount.study import run_study
from tests.study import fakes
if __name__ == "__main__":
    run_study(sys.argv[1], workers=int(sys.argv[2]), execute_run=fakes.stuck)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_run_goes_on_where_it_was(tmp_path: Path, workers: int) -> None:
    path = fakes.write_study(tmp_path)
    (tmp_path / "main.py").write_text(_KILLED, encoding="utf-8")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py"), str(path), str(workers)],
        env={"PYTHONPATH": str(root), "PATH": ""},
        stderr=subprocess.DEVNULL,  # the orphaned workers complain of their end
    )
    limit = time.monotonic() + SECONDS
    while len(stored_lines(tmp_path)) < 2 and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = stored_lines(tmp_path)
    assert len(before) == 2
    # What a kill in the middle of a write leaves behind.
    with (tmp_path / "out" / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": "torn", "low')
    seen = Recorder()
    report = run_study(path, progress=seen, execute_run=fakes.quick)
    assert (report.done, report.reused) == (6 - len(before), len(before))
    after = stored_lines(tmp_path)
    assert after[: len(before)] == before
    assert len({json.loads(line)["key"] for line in after}) == len(after) == 6


def test_missing_matplotlib_is_told_before_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fakes.write_study(tmp_path, fakes.STUDY.replace("[]", "[bounds_and_counts]"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="matplotlib"):
        run_study(path, execute_run=fakes.quick)
    assert not (tmp_path / "out").exists()


def test_engines_agree_in_a_real_study(tmp_path: Path) -> None:
    text = fakes.STUDY.replace(
        "engine: tree-highs", "engine: [tree-highs, brute], definition: [full, nonempty]"
    )
    path, seen = fakes.write_study(tmp_path, text), Recorder()
    report = run_study(path, progress=seen)
    assert (report.done, report.failures) == (24, ())
    records = [json.loads(line) for line in stored_lines(tmp_path)]
    assert all(r["exact"] for r in records)
    for definition in ("full", "nonempty"):
        counts = {}
        for engine in ("tree-highs", "brute"):
            counts[engine] = {
                r["network"]: r["lower"]
                for r in records
                if (r["engine"], r["definition"]) == (engine, definition)
            }
        assert counts["tree-highs"] == counts["brute"]
        assert len(counts["brute"]) == 6
