"""Estimates and bounds over the domain as runs of a study, beside counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from milpcount.errors import ConfigError, UnsupportedError
from milpcount.study import report_study, run_study
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.schema import EstimateSettings, load_config
from milpcount.study.store import ResultStore
from tests.study.fakes import quick, write_study

STUDY = """\
name: small
random:
  - {architecture: [2, 5, 4, 1], count: 2, weights: normal}
domain: {box: [-1, 1]}
counts: [{engine: brute}]
estimates:
  - {method: tree-sample, seeds: 2, options: {runs: 4, leaves: 2}}
  - {method: mipbound, label: XOR-2, only: "*-1", options: {parity_size: 2, runs: 5}}
domain_bounds: [{ranges: [interval, lp]}]
bounds: [serra2018, activation_based]
output: out
tables: [architectures, estimates, gap_closed, runs]
figures: []
"""


def resolve(folder: Path, text: str = STUDY) -> list[Run]:
    return resolve_runs(load_config(write_study(folder, text))[0], folder)


def test_a_study_runs_estimates_and_bounds_beside_counts(tmp_path: Path) -> None:
    path = write_study(tmp_path, STUDY)
    report = run_study(path)
    assert (report.done, report.failures) == (2 + 4 + 1 + 4, ())
    records = list(ResultStore(tmp_path / "out").read().values())
    kinds = [r["kind"] for r in records]
    assert [kinds.count(kind) for kind in ("count", "estimate", "bound")] == [2, 5, 4]
    counted = {r["network"]: int(r["lower"]) for r in records if r["kind"] == "count"}
    for r in records:
        if r["kind"] == "estimate":
            assert r["confidence"] == 0.95
            assert (r["upper"], r["exact"]) == (None, False)
            assert r["guarantee"]
            assert r["seconds"] > 0
            assert r["options"]["runs"] in (4, 5)
        if r["kind"] == "bound":
            assert int(r["bounds"]["activation_based"]) <= int(r["bounds"]["serra2018"])
            assert int(r["upper"]) >= counted[r["network"]]
            assert r["seconds"] > 0 < r["analytic_seconds"]
    labels = [(r["network"][-1], r["label"]) for r in records if r["kind"] == "estimate"]
    assert labels.count(("1", "XOR-2")) == 1
    assert labels.count(("0", "XOR-2")) == 0
    names = {path.stem for path in report.files}
    assert names == {"architectures", "estimates", "gap_closed", "runs"}
    again = run_study(path, execute_run=quick)
    assert (again.done, again.reused) == (0, 11)


def test_estimates_alone_make_a_study(tmp_path: Path) -> None:
    text = STUDY.replace("counts: [{engine: brute}]\n", "")
    report = run_study(write_study(tmp_path, text))
    assert {path.stem for path in report.files} == {"estimates"}
    assert report.summary == ""
    assert report_study(tmp_path / "out").files == report.files


def test_seeds_come_from_named_axes(tmp_path: Path) -> None:
    def seeds(text: str) -> dict[tuple[str, str, int], int]:
        return {
            (run.source.name, run.settings.method, run.settings.number): run.settings.seed(
                run.network_sha256
            )
            for run in resolve(tmp_path, text)
            if isinstance(run.settings, EstimateSettings)
        }

    before = seeds(STUDY)
    assert len(set(before.values())) == len(before) == 5
    more = seeds(STUDY.replace("seeds: 2", "seeds: 3, time_limit: 9, label: other"))
    assert before.items() <= more.items()


def test_names_for_readers_are_not_in_keys(tmp_path: Path) -> None:
    keys = [run.key for run in resolve(tmp_path)]
    renamed = STUDY.replace("label: XOR-2", "label: parity")
    assert [run.key for run in resolve(tmp_path, renamed)] == keys
    other = [
        run.key for run in resolve(tmp_path, STUDY.replace("parity_size: 2", "parity_size: 3"))
    ]
    assert len(set(keys) - set(other)) == 1


def test_runs_of_other_studies_are_reused(tmp_path: Path) -> None:
    run_study(write_study(tmp_path, STUDY), execute_run=quick_count)
    text = STUDY.replace("output: out", "output: new\nreuse: [out]")
    report = run_study(write_study(tmp_path, text), execute_run=quick_count)
    assert (report.done, report.reused) == (0, 11)
    assert report.files
    # The folder alone knows where they are.
    assert report_study(tmp_path / "new").reused == 11
    assert not ResultStore(tmp_path / "new").read()


def quick_count(run: Run, progress: object = None) -> dict[str, object]:
    """Stand for any run by a count, which the tables take."""
    shape = list(run.architecture)
    return {
        "key": run.key,
        "network": run.source.name,
        "architecture": shape,
        "engine": "brute",
        "definition": "full",
        "with_output": False,
        "lower": "5",
        "upper": "5",
        "exact": True,
        "seconds": 1.0,
        "network_sha256": run.network_sha256,
        "bounds": {},
        "metadata": {},
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("method: mipbound", "method: mipbond", "study.yaml:8: estimates.1.method: no method"),
        ("label: XOR-2", "lable: XOR-2", "study.yaml:8: unknown key 'estimates.1.lable'; did you"),
        ("ranges:", "range:", "study.yaml:9: unknown key 'domain_bounds.0.range'; did you mean"),
        ("[interval, lp]", "[interval, lpp]", "study.yaml:9: domain_bounds.0.ranges.1"),
        ("seeds: 2", "definition: linear", "study.yaml:7: estimates.0.definition"),
        ("domain: {box: [-1, 1]}\n", "", "the key 'domain' is missing"),
        ("tables: [", "tables: [bounds_by_depth, ", "needs the section depth_bounds"),
    ],
)
def test_wrong_settings_name_the_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in STUDY
    with pytest.raises(ConfigError) as caught:
        load_config(write_study(tmp_path, STUDY.replace(old, new)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_fits_no_network_or_method_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"only: '\*-7' matches no network"):
        resolve(tmp_path, STUDY.replace("*-1", "*-7"))
    with pytest.raises(UnsupportedError, match="no option 'leafs'"):
        resolve(tmp_path, STUDY.replace("leaves", "leafs"))


def test_stopped_counts_are_marked_everywhere(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    text = STUDY.replace("engine: brute", "engine: tree-highs, region_limit: 3")
    text = text.replace("figures: []", "figures: [bounds_and_counts, sampling_and_bounds]")
    report = run_study(write_study(tmp_path, text))
    assert report.failures == ()
    records = ResultStore(tmp_path / "out").read().values()
    stopped = [r for r in records if r["kind"] == "count"]
    assert all(not r["exact"] and int(r["upper"]) > int(r["lower"]) for r in stopped)
    least = min(int(r["lower"]) for r in stopped)
    for name in ("architectures", "runs"):
        assert f"≥ {least}" in (tmp_path / "out" / f"{name}.md").read_text(encoding="utf-8")
        assert rf"$\ge$ {least}" in (tmp_path / "out" / f"{name}.tex").read_text(encoding="utf-8")
        assert "≥" not in (tmp_path / "out" / f"{name}.csv").read_text(encoding="utf-8")
    assert "≈" in (tmp_path / "out" / "architectures.md").read_text(encoding="utf-8")
    # No gap is known where the count is not.
    assert not (tmp_path / "out" / "gap_closed.md").exists()
    snapshot = json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))
    assert len(snapshot["runs"]) == 11
