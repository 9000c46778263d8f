"""The command line as a user sees it: output, JSON, exit codes, one line for each bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from milpcount.cli.app import run
from milpcount.engines.registry import ENGINES
from milpcount.importers.npz import save_npz
from tests.shared import data_folder, random_net


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A small network without an input box, in a file."""
    path = tmp_path / "net.npz"
    save_npz(random_net(np.random.default_rng(4), [2, 5, 3, 1]), path)
    return path


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    captured = capsys.readouterr()
    assert captured.err == ""
    value = json.loads(captured.out)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("engine", ["auto", "brute", "tree-highs", "milp"])
def test_count_json(network: Path, engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["count", str(network), "--box", "-1", "1", "--engine", engine, "--json"])
    value = _json(capsys)
    assert code == 0
    assert set(value) == {
        "lower", "upper", "exact", "engine", "definition", "with_output", "seconds",
        "stopped_by", "network_sha256", "version", "notes",
    }  # fmt: skip
    assert value["lower"] == value["upper"]
    assert isinstance(value["lower"], str)
    assert value["exact"] is True


def test_count_in_words(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["count", str(network), "--box", "-1,-1", "1,1"]) == 0
    assert "full-dimensional activation regions (exact)" in capsys.readouterr().out


def test_a_limit_gives_an_interval(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["count", str(network), "--whole-space", "--region-limit", "2"]
    assert run([*arguments, "--json"]) == 3
    value = _json(capsys)
    assert (value["exact"], value["stopped_by"]) == (False, "regions")
    assert 2 <= int(str(value["lower"])) <= int(str(value["upper"]))
    assert run(arguments) == 3
    assert f"between {value['lower']} and" in capsys.readouterr().out


def test_a_box_around_a_point(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    center = tmp_path / "center.txt"
    center.write_text("0.25 -0.5\n")
    arguments = ["count", str(network), "--center", str(center), "--json"]
    assert run([*arguments, "--radius", "0.5"]) == 0
    around = _json(capsys)
    assert run(["count", str(network), "--box", "-0.25,-1", "0.75,0", "--json"]) == 0
    assert _json(capsys)["lower"] == around["lower"]
    assert run(arguments) == 2
    assert "go together" in capsys.readouterr().err


def test_a_property_file(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prop = tmp_path / "p.vnnlib"
    prop.write_text(
        "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)\n"
        "(assert (or (and (>= X_0 -1)(<= X_0 0)(>= X_1 -1)(<= X_1 1))\n"
        "            (and (>= X_0 0)(<= X_0 1)(>= X_1 -1)(<= X_1 1))))\n"
    )
    arguments = ["count", str(network), "--vnnlib", str(prop), "--json"]
    assert run(arguments) == 2
    assert "--disjunct 1..2" in capsys.readouterr().err
    assert run([*arguments, "--disjunct", "2"]) == 0
    _json(capsys)
    assert run([*arguments, "--disjunct", "3"]) == 2


def test_bound(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bound", "784", "11", "11", "10", "--json"]) == 0
    value = _json(capsys)
    assert set(value) == {"upper", "lower", "reasons", "notes"}
    assert value["upper"]["serra2018"] == "1690286436"  # type: ignore[index]
    assert run(["bound", "30", *["1000"] * 20, "--json"]) == 0
    assert len(_json(capsys)["upper"]["naive"]) == 6021  # type: ignore[index]
    assert run(["bound", "2", *["1000"] * 20]) == 0
    assert "e" in capsys.readouterr().out
    assert run(["bound", str(network)]) == 0
    assert "2-5-3" in capsys.readouterr().out


def test_info(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(network), "--box", "-1", "1", "--json"]) == 0
    value = _json(capsys)
    assert value["hidden_layers"] == [5, 3]
    assert len(value["preactivations"]) == 2  # type: ignore[arg-type]
    assert run(["info", str(network)]) == 0
    assert "Name a domain" in capsys.readouterr().out
    assert run(["info", str(network), "--whole-space"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count", "missing.npz", "--box", "0", "1"], "missing.npz"),
        (["count", "NET"], "no input domain"),
        (["count", "NET", "--box", "1", "0"], "empty in coordinate 0"),
        (["count", "NET", "--box", "a", "1"], "'a' is not a number"),
        (["count", "NET", "--box", "0,0,0", "1,1,1"], "3 coordinates"),
        (["count", "NET", "--box", "0", "1", "--whole-space"], "give one"),
        (["count", "NET", "--box", "nan", "1"], "NaN"),
        (["count", "NET", "--whole-space", "--engine", "milp"], "unbounded"),
        (["count", "NET", "--box", "0", "1", "--engine", "mip"], "did you mean milp"),
        (["count", "NET", "--box", "0", "1", "--engine", "milp", "--solver", "hihgs"], "highs"),
        (["count", "NET", "--box", "0", "1", "--solver", "highs"], "no option 'solver'"),
        (["count", "NET", "--box", "0", "1", "--time-limit", "-1"], "above 0"),
        (["count", "NET", "--box", "0", "1", "--definition", "linera"], "linera"),
        (["count"], "NET"),
        (["count", "NET", "--bogus"], "--bogus"),
        (["bound", "3"], "at least one"),
        (["bound", "3", "x"], "'x' is not a width"),
        (["bound", "3", "-4"], ""),
        (["run", "missing.yaml"], "missing.yaml"),
        (["report", "nowhere"], "nowhere"),
        (["cuont"], "count"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], message: str, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([str(network) if a == "NET" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("milpcount: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_damaged_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = tmp_path / "net.npz"
    save_npz(random_net(np.random.default_rng(4), [2, 5, 3, 1]), whole)
    torn = tmp_path / "torn.npz"
    torn.write_bytes(whole.read_bytes()[:300])
    bad = tmp_path / "nan.npz"
    np.savez(bad, W0=[[np.nan, 1.0]], b0=[0.0], W1=[[1.0]], b1=[0.0])
    shapes = tmp_path / "shapes.npz"
    np.savez(shapes, W0=np.ones((3, 2)), b0=np.ones(3), W1=np.ones((1, 4)), b1=np.ones(1))
    pickled = tmp_path / "model.pt"
    pickled.write_bytes(b"anything")
    for path, message in ((torn, "torn.npz"), (bad, "W0"), (shapes, "W1"), (pickled, "ONNX")):
        assert run(["count", str(path), "--box", "0", "1", "--json"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert message.lower() in captured.err.lower()


def test_as_a_program(network: Path) -> None:
    command = [sys.executable, "-m", "milpcount"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("milpcount ")
    help_text = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    for name in ("count", "bound", "info", "run", "report"):
        assert name in help_text.stdout
    done = subprocess.run(
        [*command, "count", str(network), "--box", "0", "1", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["exact"] is True


def test_real_networks_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    folder = data_folder() / "onnx"
    shapes = {
        "acasxu/ACASXU_run2a_1_1_batch_2000.onnx": [50] * 6,
        "vnncomp/mnist-net_256x2.onnx": [256, 256],
    }
    for name, hidden in shapes.items():
        assert run(["info", str(folder / name), "--json"]) == 0
        assert _json(capsys)["hidden_layers"] == hidden
    acas = str(folder / "acasxu/ACASXU_run2a_1_1_batch_2000.onnx")
    prop = str(folder / "acasxu/prop_3.vnnlib")
    assert run(["info", acas, "--vnnlib", prop, "--json"]) == 0
    assert sum(layer["stable_active"] for layer in _json(capsys)["preactivations"]) > 0  # type: ignore[attr-defined]


def test_engines_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["engines", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    by_name = {entry["name"]: entry for entry in listed["engines"]}
    assert list(by_name) == list(ENGINES)
    assert by_name["subdivision"]["definitions"] == ["full"]
    assert by_name["tree"]["abilities"] == ["regions", "workers", "resume", "certificate"]
    assert by_name["arrangement"]["abilities"] == []
    assert by_name["arrangement"]["single_layer"]
    assert [rule["engine"] for rule in listed["auto"]][-1] == "tree"
    assert run(["engines"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{spec.name}: {spec.summary}" in shown for spec in ENGINES.values())
