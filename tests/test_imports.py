"""The package stays light to import, and imports go downward only."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import milpcount
from milpcount.importers.npz import save_npz

PACKAGE = Path(milpcount.__file__).parent

HEAVY = (
    "pyomo", "highspy", "ortools", "torch", "pandas", "matplotlib", "onnx", "sklearn",
    "distributed", "dask",
    "keras",
)  # fmt: skip

# Lower tiers first; a module may import from its own tier and from those before it.
TIERS = [
    ["errors", "support"],
    ["cluster", "kernels"],
    ["core"],
    ["proof", "importers", "zoo"],
    ["exact", "bounds", "preactivation"],
    ["search"],
    ["linear", "sampling", "engines"],
    ["arguments", "progress_bar"],
    ["geometry", "draw"],
    ["certificates", "api", "definitions", "surveys", "__init__"],
    ["study"],
    ["cli", "__main__"],
]
TIER = {name: k for k, names in enumerate(TIERS) for name in names}


def test_import_is_light() -> None:
    code = "import json, sys, milpcount; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)


def test_a_count_by_the_command_line_brings_what_it_needs_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    net = milpcount.ReLUNetwork([[[1.0, 2.0]], [[1.0]]], [[0.0], [0.0]])
    save_npz(net, path)
    code = (
        "import json, sys; from milpcount.cli.app import run\n"
        "assert run(['count', sys.argv[1], '--box', '-1', '1']) == 0\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, check=True)
    answer, names = done.stdout.decode().strip().rsplit("\n", 1)
    assert answer.startswith("2 full-dimensional")
    loaded = set(json.loads(names))
    assert loaded.isdisjoint(HEAVY)
    assert loaded.isdisjoint({"pydantic", "rich", "multiprocessing", "scipy", "networkx"})


def _part(module: str) -> str:
    """The tier's name of a module "milpcount.x.y": "x"; the package itself is "__init__"."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            if base == "milpcount":
                found += [f"milpcount.{alias.name}" for alias in node.names]
            else:
                found.append(base)
    return [name for name in found if name.split(".")[0] == "milpcount"]


def test_every_module_has_a_tier() -> None:
    parts = {
        _part("milpcount." + ".".join(p.relative_to(PACKAGE).with_suffix("").parts))
        for p in PACKAGE.rglob("*.py")
    }
    assert parts == set(TIER)


def test_imports_go_downward() -> None:
    upward = []
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE).with_suffix("")
        mine = _part("milpcount." + ".".join(relative.parts))
        for imported in _imports(path):
            other = _part(imported)
            if other not in TIER:
                continue  # a name of the façade
            if TIER[other] > TIER[mine]:
                upward.append(f"{relative} imports {imported}")
    assert not upward


def test_no_two_modules_have_one_name() -> None:
    names = [path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__"]
    # A command is called what the function that it offers is called.
    commands = {path.stem for path in (PACKAGE / "cli").glob("*.py")}
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= commands
