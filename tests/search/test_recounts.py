"""The script that recounts random parts of large counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "recount_subtrees.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_parts_are_counted_alike(tmp_path: Path) -> None:
    network = ROOT / "results/mnist22/networks/3-19_s0.npz"
    table = tmp_path / "table.md"
    done = _run(
        str(network), "--parts", "2", "--regions", "60", "--with-output", "--output", str(table)
    )
    assert done.returncode == 0, done.stderr
    row = table.read_text(encoding="utf-8").splitlines()[2].split("|")
    name, parts, _, tree, exact = (cell.strip() for cell in row[1:6])
    assert (name, parts) == ("3-19_s0", "2")
    assert tree == exact
    assert 2 <= int(tree) <= 120


def test_bad_input_is_one_line() -> None:
    done = _run("nothing.npz")
    assert done.returncode == 2
    assert done.stderr.strip() == ("recount_subtrees: nothing.npz does not exist; check the path")
