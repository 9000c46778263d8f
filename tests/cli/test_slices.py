"""Slices and surveys on the command line, and the files that hold their points."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli.app import run
from milpcount.importers.npz import save_npz
from milpcount.importers.points import load_points
from tests.shared import random_net

NET = random_net(np.random.default_rng(4), [2, 5, 3, 1])
POINTS = np.array([[-1.0, -1.0], [1.5, 0.25], [0.5, 2.0]])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with net.npz and files of points."""
    monkeypatch.chdir(tmp_path)
    save_npz(NET, tmp_path / "net.npz")
    np.save("three.npy", POINTS)
    np.savez("three.npz", points=POINTS)
    np.savetxt("three.csv", POINTS, delimiter=",")
    Path("two.txt").write_text("# segment\n-1 -1\n\n1.5; 0.25  # its end\n")
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    captured = capsys.readouterr()
    assert captured.err == ""
    value = json.loads(captured.out)
    assert isinstance(value, dict)
    return value


@pytest.mark.usefixtures("folder")
def test_count_on_a_line_and_a_plane(capsys: pytest.CaptureFixture[str]) -> None:
    truth = mc.count(NET, mc.Slice.segment(*POINTS[:2])).lower
    assert run(["count", "net.npz", "--line", "two.txt", "--json"]) == 0
    assert _json(capsys)["lower"] == str(truth)
    truth = mc.count(NET, mc.Slice.plane(*POINTS)).lower
    for name in ("three.npy", "three.npz", "three.csv"):
        assert run(["count", "net.npz", "--plane", name, "--engine", "brute", "--json"]) == 0
        assert _json(capsys)["lower"] == str(truth)


@pytest.mark.usefixtures("folder")
def test_info_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", "net.npz", "--line", "two.txt", "--json"]) == 0
    assert len(_json(capsys)["preactivations"]) == 2  # type: ignore[arg-type]
    assert run(["info", "net.npz", "--line", "two.txt"]) == 0
    assert "Slice(2 points" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_files_of_points() -> None:
    for name in ("three.npy", "three.npz", "three.csv"):
        assert np.array_equal(load_points(name, 2, 3), POINTS)
    assert np.array_equal(load_points("two.txt"), POINTS[:2])
    np.save("images.npy", np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    assert np.array_equal(load_points("images.npy"), np.arange(24).reshape(2, 12))
    Path("column.csv").write_text("1\n2\n3\n")
    assert load_points("column.csv", 1).shape == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count", "--line", "three.csv"], "three.csv holds 3 point(s), one a row; 2 are needed"),
        (["count", "--plane", "two.txt"], "two.txt holds 2 point(s)"),
        (["count", "--line", "missing.csv"], "missing.csv does not exist"),
        (["count", "--line", "wide.csv"], "wide.csv: the points have 3 coordinates, the network 2"),
        (["count", "--line", "ragged.csv"], "ragged.csv, line 3: a point of 1 coordinates"),
        (["count", "--line", "words.csv"], "words.csv, line 1: 'x' is not a number"),
        (["count", "--line", "nan.npy"], "nan.npy: point 1 has a NaN or infinite value at place 0"),
        (["count", "--line", "flat.npy"], "flat.npy holds one array of shape (4,)"),
        (["count", "--line", "empty.csv"], "empty.csv holds no number"),
        (["count", "--line", "equal.csv"], "equal.csv: the slice is degenerate"),
        (["count", "--line", "net.npz"], "save the array of the point or points alone"),
        (["count", "--line", "two.txt", "--box", "0", "1"], "--box and --line both name a domain"),
        (["count", "--line", "two.txt", "--plane", "three.csv"], "both name a domain"),
        (["count", "--line", "two.txt", "--engine", "milp"], "engine milp does not serve slices"),
        (["info", "--line", "two.txt", "--preactivation", "lp"], "use method 'interval'"),
        (["info", "--plane", "two.txt"], "3 are needed"),
        (["survey", "--kind", "segments"], "--points"),
        (["survey", "--points", "three.csv"], "--kind"),
        (["survey", "--points", "three.csv", "--kind", "cubes"], "cubes"),
        (["survey", "--points", "three.csv", "--kind", "boxes"], "boxes need a radius"),
        (["survey", "--points", "three.csv", "--kind", "planes", "--radius", "1"], "a radius goes"),
        (["survey", "--points", "wide.csv", "--kind", "segments"], "wide.csv: the points have 3"),
        (["survey", "--points", "equal.csv", "--kind", "segments"], "degenerate"),
        (["survey", "--points", "two.txt", "--kind", "planes"], "at least 3 needed"),
        (["survey", "--points", "two.txt", "--kind", "segments", "--pairs", "random"], "both"),
        (["survey", "--points", "two.txt", "--kind", "segments", "--count", "2"], "the count 2"),
        (["survey", "--points", "two.txt", "--kind", "segments", "--time-limit", "-1"], "above 0"),
        (["survey", "--points", "two.txt", "--kind", "segments", "-o", "no/t.csv"], "no/t.csv"),
        (["survey", "--points", "two.txt", "--kind", "segments", "--engine", "milp"], "slices"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_gets_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wide.csv").write_text("0,0,0\n1,1,1\n")
    Path("ragged.csv").write_text("0,0\n\n1\n")
    Path("words.csv").write_text("x,y\n0,0\n1,1\n")
    Path("empty.csv").write_text("# nothing\n")
    Path("equal.csv").write_text("1,2\n1,2\n")
    np.save("nan.npy", [[0, 0], [np.nan, 1]])
    np.save("flat.npy", np.zeros(4))
    assert run([arguments[0], "net.npz", *arguments[1:]]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("milpcount: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


@pytest.mark.usefixtures("folder")
def test_survey(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survey", "net.npz", "--points", "three.csv", "--kind", "segments"]
    assert run([*arguments, "--pairs", "all", "-o", "table.csv"]) == 0
    shown = capsys.readouterr().out
    truth = mc.survey(NET, POINTS, pairs="all")
    assert "on 3 segments, 3 exact" in shown
    assert "Written to table.csv" in shown
    for row in truth.rows:
        line = next(x for x in shown.splitlines() if "-".join(map(str, row.points)) in x)
        assert line.split()[1] == str(row.lower)
    assert f"{truth.summary['regions'].mean:.6g}" in shown
    with Path("table.csv").open(encoding="utf-8", newline="") as stream:
        assert [int(r["lower"]) for r in csv.DictReader(stream)] == [r.lower for r in truth.rows]
    assert run([*arguments, "--count", "2", "--seed", "3", "--json"]) == 0
    value = _json(capsys)
    assert (value["pairs"], value["requested"], value["exact"]) == ("random", 2, True)
    assert len(value["rows"]) == 2  # type: ignore[arg-type]


@pytest.mark.usefixtures("folder")
def test_survey_of_boxes_and_planes(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survey", "net.npz", "--points", "three.csv", "--json", "--ends", "-1", "2.1"]
    assert run([*arguments, "--kind", "boxes", "--radius", "0.5"]) == 0
    value = _json(capsys)
    truth = [r.lower for r in mc.survey(NET, POINTS, "boxes", radius=0.5, lo=-1, hi=2.1).rows]
    assert [int(r["lower"]) for r in value["rows"]] == truth  # type: ignore[attr-defined]
    assert run([*arguments, "--kind", "planes", "--definition", "nonempty"]) == 0
    value = _json(capsys)
    piece = mc.Slice.plane(*POINTS, -1, 2.1)
    assert value["rows"][0]["lower"] == str(  # type: ignore[index]
        mc.count(NET, piece, definition="nonempty").lower
    )


@pytest.mark.usefixtures("folder")
def test_a_limit_gives_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survey", "net.npz", "--points", "three.csv", "--kind", "boxes", "--radius", "2"]
    arguments += ["--engine", "tree-highs"]
    assert run([*arguments, "--time-limit", "1e-6", "--json"]) == 3
    value = _json(capsys)
    assert value["exact"] is False
    assert {r["stopped_by"] for r in value["rows"]} == {"time"}  # type: ignore[attr-defined]
    assert run([*arguments, "--time-limit", "1e-6"]) == 3
    assert "Not all counts are exact" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_long_table_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("many.npy", np.random.default_rng(0).normal(size=(50, 2)))
    assert run(["survey", "net.npz", "--points", "many.npy", "--kind", "segments"]) == 0
    shown = capsys.readouterr().out
    assert "9 more" in shown
    assert "-o FILE.csv writes all rows" in shown
