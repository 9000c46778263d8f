#!/usr/bin/env python3
"""Install and count as on a machine without a compiler.

    python scripts/test_without_compiler.py [--wheel FOLDER]

Hides every C and C++ compiler of this machine (PATH becomes a folder of links to all other tools),
makes a virtual environment, lets the package index bring a compiler into it, as
``scripts/demo.py`` does, builds a wheel with the plainest kernels, installs it into that
environment and counts a network with ``tree``.  Downloads some 250 MB and takes a few minutes of
one core, most of them for zig's own C++ library.

With ``--wheel`` it stops at the wheel and leaves it in the folder: continuous integration tests it
with the newest versions of the index, which it installs anyway.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from _compiler import build_environment

ROOT = Path(__file__).resolve().parent.parent
COMPILER = re.compile(r"(.*-)?(cc|c\+\+|gcc|g\+\+|clang|clang\+\+|cpp|c89|c99|icpx|zig)(-[\d.]+)?")
NETWORK = "results/mnist8/networks/4-4_s0.npz"


def tools_without_compilers(folder: Path) -> str:
    """A PATH with all that is on this one but compilers."""
    for place in os.environ["PATH"].split(os.pathsep):
        for tool in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / tool.name
            if not COMPILER.fullmatch(tool.name) and not link.is_symlink():
                link.symlink_to(tool)
    return str(folder)


def build(python: Path, folder: Path) -> bool:
    """Make a wheel with the compiler that the package index brings; whether that worked."""
    pip = [str(python), "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--config-settings", "cmake.define.MILPCOUNT_VARIANTS=baseline"]
    command = [*pip, *options, "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    return subprocess.run(command, env=build_environment(python), check=False).returncode == 0


def counts(python: Path, wheel: Path, folder: Path) -> bool:
    """Install the wheel and count with its kernels; whether the count is the stored one."""
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, str(wheel)], check=False).returncode != 0:
        return False
    count = [str(python), "-m", "milpcount", "count", str(ROOT / NETWORK)]
    count += ["--box", "0", "1", "--engine", "tree", "--json"]
    done = subprocess.run(count, cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout.strip() or done.stderr.strip())
    stored = (ROOT / "results/mnist8/paper/runs.jsonl").read_text(encoding="utf-8").splitlines()
    known = {run["network"]: run["lower"] for run in map(json.loads, stored)}[Path(NETWORK).stem]
    return done.returncode == 0 and bool(json.loads(done.stdout)["lower"] == known)


def main() -> int:
    """Build, install and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="only build a wheel, into this folder")
    arguments = parser.parse_args()
    if os.name == "nt":
        print("not tried on Windows, where CMake finds Visual Studio off the PATH")
        return 0
    with tempfile.TemporaryDirectory() as name:
        tools, place = Path(name) / "tools", Path(name) / "environment"
        tools.mkdir()
        os.environ["PATH"] = tools_without_compilers(tools)
        for variable in ("CC", "CXX"):
            os.environ.pop(variable, None)
        venv.create(place, with_pip=True)
        python = place / "bin" / "python"
        folder = arguments.wheel or Path(name) / "wheel"
        if not build(python, folder.absolute()):
            return 1
        (wheel,) = folder.glob("milpcount-*.whl")
        print(f"built {wheel.name} without a compiler of this machine")
        return 0 if arguments.wheel or counts(python, wheel, Path(name)) else 1


if __name__ == "__main__":
    sys.exit(main())
