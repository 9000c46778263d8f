"""The commands explore and fold."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli.app import run
from tests.shared import data_folder

BOX = ["--box", "-1", "1"]


def _saved(path: Path, net: mc.ReLUNetwork) -> str:
    arrays = {f"W{i}": w for i, w in enumerate(net.weights)}
    arrays |= {f"b{i}": b for i, b in enumerate(net.biases)}
    np.savez(path, **arrays)
    return str(path)


def test_explore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = str(data_folder() / "networks" / "random_a.npz")
    start = tmp_path / "x.csv"
    start.write_text("0.11,0.23\n")
    assert run(["explore", net, *BOX, "--start", str(start), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["regions"], found["edges"], found["diameter"]) == ("106", "188", "16")
    assert found["degrees"] == {"1": "1", "2": "11", "3": "44", "4": "33", "5": "13", "6": "4"}
    assert found["mean_degree"] == pytest.approx(2 * 188 / 106)
    assert found["complete"]
    graph = tmp_path / "g.json"
    near = ["--start", str(start), "--distance", "1", "--graph", str(graph)]
    assert run(["explore", net, *BOX, *near]) == 3
    assert "Written to" in capsys.readouterr().out
    assert len(json.loads(graph.read_text())["nodes"]) == 6
    assert run(["explore", net, *BOX, "--start", str(start), "--region-limit", "9", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["regions"], found["stopped_by"]) == ("9", "regions")


def test_explore_as_graphml(tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    net = str(data_folder() / "networks" / "degenerate_dup.npz")
    out = tmp_path / "g.graphml"
    assert run(["explore", net, *BOX, "--resume", str(tmp_path / "k"), "--graph", str(out)]) == 0
    made = networkx.read_graphml(out)
    assert (len(made), made.number_of_edges()) == (4, 4)
    assert sorted(u.count(" ") for *_, u in made.edges(data="units")) == [0, 0, 1, 1]


def test_fold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = _saved(tmp_path / "cantor.npz", mc.cantornet(2))
    line = tmp_path / "line.csv"
    line.write_text("0,0.75\n1,0.75\n")
    assert run(["fold", net, "--line", str(line), "--with-output", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pieces"], found["r1"], found["r2"], found["chi"]) == ("11", "5", "16", "11/16")
    assert found["breakpoints"][:2] == ["1/18", "1/9"]
    assert sum(Fraction(part) for part in found["chi_by_layer"]) == Fraction(11, 16)
    assert len(found["chi_by_layer"]) == 5
    assert run(["fold", net, "--line", str(line), "--layers", "1"]) == 0
    assert "chi = 0" in capsys.readouterr().out
    points = tmp_path / "points.npy"
    np.save(points, np.array([[0, 0.75], [1, 0.75], [0.4, 0.2]]))
    assert run(["fold", net, "--points", str(points), "--pairs", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["walks"] == "2"
    assert len(found["pair"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fold", "NET"], "either --line FILE or --points FILE"),
        (["fold", "NET", "--line", "LINE", "--pairs", "2"], "--pairs goes with --points"),
        (["fold", "NET", "--line", "LINE", "--layers", "a"], "no list of layers"),
        (["fold", "NET", "--line", "LINE", "--layers", "9"], "no layer 9"),
        (["explore", "NET", *BOX, "--graph", "g.txt"], ".graphml or .json"),
        (["explore", "NET", *BOX, "--start", "LINE"], "the start has shape"),
        (["explore", "NET", *BOX, "--distance", "-1"], "a distance is at least 0"),
    ],
)
def test_bad_input(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = _saved(tmp_path / "cantor.npz", mc.cantornet(1))
    line = tmp_path / "line.csv"
    line.write_text("0,0.75\n1,0.75\n")
    given = [{"NET": net, "LINE": str(line)}.get(a, a) for a in arguments]
    assert run(given) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
