#!/usr/bin/env python3
"""Install and count on a machine without a compiler: python scripts/test_without_compiler.py.

Hides every C and C++ compiler of this machine (PATH becomes a folder of links to all other tools),
makes a virtual environment, lets the package index bring a compiler into it, as
``scripts/demo.py`` does, builds the plainest kernels with it, and counts a network with them.
Downloads some 250 MB and takes a few minutes of one core, most of them for zig's own C++ library;
so it is run by hand, after changes of the build.
"""

from __future__ import annotations

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
NETWORK, REGIONS = "results/mnist8/networks/4-4_s0.npz", '"lower": "'


def tools_without_compilers(folder: Path) -> str:
    """A PATH with all that is on this one but compilers."""
    for place in os.environ["PATH"].split(os.pathsep):
        for tool in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / tool.name
            if not COMPILER.fullmatch(tool.name) and not link.is_symlink():
                link.symlink_to(tool)
    return str(folder)


def main() -> int:
    """Build, install and count."""
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
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--config-settings", "cmake.define.MILPCOUNT_VARIANTS=baseline", str(ROOT)]
        environment = build_environment(python)
        if subprocess.run(install, env=environment, check=False).returncode != 0:
            return 1
        count = [str(python), "-m", "milpcount", "count", str(ROOT / NETWORK)]
        count += ["--box", "0", "1", "--engine", "tree", "--json"]
        done = subprocess.run(count, cwd=name, capture_output=True, text=True, check=False)
        print(done.stdout.strip() or done.stderr.strip())
        return 0 if done.returncode == 0 and REGIONS in done.stdout else 1


if __name__ == "__main__":
    sys.exit(main())
