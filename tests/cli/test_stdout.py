"""Standard output carries the answer alone, whatever libraries print there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from milpcount.importers.npz import save_npz
from tests.shared import random_net

ROOT = Path(__file__).parents[2]

# A library that prints, with Python and on both descriptors, when it is imported and when it is
# used; what it does it has from the real one.
LIBRARY = """
import importlib, os, sys
def noise():
    print("noise", flush=True)
    os.write(1, b"noise on 1\\n")
    os.write(2, b"noise on 2\\n")
noise()
name = __name__
here = os.path.dirname(os.path.dirname(__file__))
place = sys.path.index(here)
sys.path.remove(here)
del sys.modules[name]
real = importlib.import_module(name)
sys.path.insert(place, here)
sys.modules[name] = real
def noisy(function):
    def run(*args, **kwargs):
        noise()
        return function(*args, **kwargs)
    return run
"""
USES = {
    "highspy": """
class Highs(real.Highs):
    def __init__(self):
        noise()
        super().__init__()
    def run(self):
        noise()
        return super().run()
real.Highs = Highs
""",
    "ortools": """
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model
mathopt.solve = noisy(mathopt.solve)
cp_model.CpSolver.solve = noisy(cp_model.CpSolver.solve)
""",
    "flint": "real.fmpq = real.fmpq\n",
    "pandas": "real.DataFrame.to_csv = noisy(real.DataFrame.to_csv)\n",
}

# All commands in one process: each brings its libraries along.
COMMANDS = """
import json, sys
from milpcount.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as end:
        assert end.code == 0, (arguments, end.code)
"""


@pytest.fixture
def noisy_libraries(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "libraries"
    for name, use in USES.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(LIBRARY + use)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def test_one_json_object_a_command(tmp_path: Path, noisy_libraries: dict[str, str]) -> None:
    path = tmp_path / "net.npz"
    save_npz(random_net(np.random.default_rng(0), [2, 4, 3, 1]), path)
    points = tmp_path / "points.csv"
    points.write_text("0,0\n0.5,1\n")
    count = ["count", str(path), "--box", "-1", "1", "--engine"]
    commands = [
        [*count, "tree-highs"],
        [*count, "milp"],
        [*count, "milp", "--solver", "mathopt-scip"],
        [*count, "cpsat"],
        [*count, "tree", "--workers", "2"],
        [*count, "tree", "--definition", "linear"],
        ["notions", str(path), "--box", "-1", "1"],
        ["estimate", str(path), "--box", "-1", "1", "--method", "cpsat"],
        ["info", str(path), "--box", "-1", "1", "--preactivation", "lp"],
        ["survey", str(path), "--points", str(points), "--kind", "segments", "--engine", "brute"],
    ]
    asked = json.dumps([[*command, "--json"] for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, asked], capture_output=True, text=True,
        env=noisy_libraries, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(values) == len(commands)
    assert len({value["lower"] for value in values[:5]}) == 1
    # They did print.
    assert done.stderr.count("noise on 1") == done.stderr.count("noise on 2") > 10
    assert "noise\n" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="the shell and the device are of POSIX")
def test_answers_that_cannot_be_written() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    command = [sys.executable, "-m", "milpcount", "bound", "3", "4", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert done.returncode == 4
    assert done.stderr == "milpcount: cannot write: No space left on device\n"


def test_help_and_version_are_answers() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for option, text in (("--help", "Usage"), ("--version", "milpcount 0")):
        command = [sys.executable, "-m", "milpcount", option]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert text in done.stdout
        assert done.stderr == ""
