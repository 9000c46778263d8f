"""Modules, classes and functions that docstrings, comments and the manual mention exist."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path

import milpcount

PACKAGE = Path(milpcount.__file__).parent
ROOT = PACKAGE.parent

FULL = re.compile(r"(?<![\w/.-])milpcount(?:\.[A-Za-z_]\w*)+")
ROLE = re.compile(r":(?:class|func|meth|mod):`~?([A-Za-z_.][\w.]*)`")
OPTIONAL = {"torch", "keras", "matplotlib", "plotly", "dask", "distributed", "sklearn", "onnx"}


@cache
def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = [part for part in name.split(".") if part]
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if str(error.name).partition(".")[0] in OPTIONAL:
                return True  # not installed, so nobody can look
            continue
        except ImportError as error:
            # OR-tools does not load beside the HiGHS of highspy: its modules run in a child.
            if "ortools" in str(error):
                return True
            raise
        for part in parts[length:]:
            if part in getattr(found, "__annotations__", {}):
                return True
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_full_names_exist() -> None:
    places = [*PACKAGE.rglob("*.py"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]
    dead = []
    for path in filter(Path.is_file, places):
        for match in FULL.finditer(path.read_text(encoding="utf-8")):
            name = match.group()
            # The compiled variants are there after a build.
            if not name.startswith("milpcount.kernels._native") and not exists(name):
                dead.append(f"{path.relative_to(ROOT)}: {name}")
    assert not dead


def test_short_names_of_roles_exist() -> None:
    dead = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        package = module if path.stem == "__init__" else module.rpartition(".")[0]
        for name in ROLE.findall(text):
            if name.startswith("milpcount."):
                continue
            near = [f"{module}.{name}", f"{package}.{name.lstrip('.')}"]
            near += [name] if "." in name else []
            classes = re.findall(r"^class (\w+)", text, re.MULTILINE)
            near += [f"{module}.{owner}.{name}" for owner in classes]
            if not any(map(exists, near)):
                dead.append(f"{path.relative_to(ROOT)}: {name}")
    assert not dead
