"""``milpcount estimate``: output, JSON, exit codes, one line for each bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from milpcount.cli.app import run
from milpcount.importers.npz import save_npz
from tests.shared import random_net


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network without an input box, in a file."""
    path = tmp_path / "net.npz"
    save_npz(random_net(np.random.default_rng(4), [4, 10, 8, 1]), path)
    return path


def test_json(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["estimate", str(network), "--box", "-1", "1", "--seed", "2", "--json"]
    assert run([*arguments, "--confidence", "0.9", "--option", "runs=9"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    value = json.loads(captured.out)
    assert {"lower", "confidence", "method", "seed", "seconds", "estimate", "interval"} <= set(
        value
    )
    assert (value["confidence"], value["seed"], value["runs"]) == (0.9, 2, 9)
    assert isinstance(value["lower"], str)
    assert value["method"] == "tree-sample"


def test_in_words(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["estimate", str(network), "--box", "-1", "1", "--method", "hash-tree"]
    assert run([*arguments, "--option", "size=none", "--option", "bucket=20"]) == 0
    out = capsys.readouterr().out
    assert "regions with probability 0.95" in out
    assert "hash-tree" in out


def test_a_limit(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["estimate", str(network), "--box", "-1", "1", "--time-limit", "1e-6"]
    assert run([*arguments, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["stopped_by"] == "time"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "tree"], "no method 'tree'"),
        (["--option", "runs"], "NAME=VALUE"),
        (["--option", "seed=1"], "use --seed"),
        (["--option", "runs=1", "--option", "runs=2"], "given twice"),
        (["--option", "walks=1"], "no option 'walks'"),
        (["--confidence", "2"], "confidence"),
        (["--definition", "linear"], "linear"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input(
    network: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["estimate", str(network), "--box", "-1", "1", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
