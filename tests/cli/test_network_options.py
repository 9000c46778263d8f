"""What commands say about the network that a file gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from milpcount.cli.app import run
from tests.importers.onnx_helpers import node, write

NODES = [node("Gemm", ["x", "W"], "g"), node("Relu", ["g"], "h"), node("Tanh", ["h"], "t")]
PROPERTY = "".join(
    f"(declare-const X_{i} Real)(assert (>= X_{i} -1))(assert (<= (* 2 X_{i}) 1))" for i in range(2)
)


def notes(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["info", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return list(json.loads(captured.out)["notes"])


def test_one_of_several_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    constants = {"W": np.float32([[1, 2, 3], [4, 5, 6]])}
    outputs = ("g", "t")
    path = str(write(tmp_path / "n.onnx", NODES, constants, (1, 2), outputs=outputs))
    assert run(["bound", path]) == 2
    assert "choose one: --output NAME" in capsys.readouterr().err
    assert notes(capsys, path, "--output", "g") == []
    (note,) = [note for note in notes(capsys, path, "--output", "t") if "head" in note]
    assert "output head Tanh 't'" in note
    assert run(["info", path, "--output", "q"]) == 2
    assert "no output 'q'" in capsys.readouterr().err


def test_conditions_on_outputs_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    constants = {"W": np.float32([[1, 2, 3], [4, 5, 6]])}
    path = str(write(tmp_path / "n.onnx", NODES[:2], constants, (1, 2), outputs=("h",)))
    where = tmp_path / "p.vnnlib"
    where.write_text(PROPERTY)
    before = notes(capsys, path, "--vnnlib", str(where))
    where.write_text(f"{PROPERTY}(declare-const Y_0 Real)(assert (<= Y_0 1))")
    after = notes(capsys, path, "--vnnlib", str(where))
    assert len(after) == len(before) + 1
    assert after[-1].startswith("p.vnnlib also has conditions on outputs")
