#!/usr/bin/env python3
"""Build the native kernels of this checkout in place: python scripts/build_kernels.py.

For working on the package without installing it: the compiled variants go to
``milpcount/kernels`` (``--only avx2`` builds one of them).  Uses the Python that runs this script,
which must have nanobind (pip install nanobind), CMake and a C++20 compiler.  With ``--sanitize``
the kernels check their own memory and arithmetic; ``scripts/test_sanitized.py`` builds them beside
the checkout and runs the tests on them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def command(name: str) -> str | None:
    """Where a build tool is: on PATH, or beside this Python, where pip puts it."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def build(folder: Path, options: list[str], jobs: int, prefix: Path = ROOT) -> int:
    """Configure, compile and install below ``prefix``; return the exit code."""
    cmake = command("cmake")
    if cmake is None:
        print("CMake is needed to build the kernels: pip install cmake ninja", file=sys.stderr)
        return 2
    configure = [cmake, "-S", str(ROOT), "-B", str(folder), f"-DPython_EXECUTABLE={sys.executable}"]
    ninja = command("ninja")
    if ninja is not None:
        configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    for step in (
        [*configure, "-DCMAKE_BUILD_TYPE=Release", *options],
        [cmake, "--build", str(folder), "--config", "Release", "--parallel", str(jobs)],
        [cmake, "--install", str(folder), "--config", "Release", "--prefix", str(prefix)],
    ):
        code = subprocess.run(step, check=False).returncode
        if code != 0:
            return code
    return 0


def main() -> int:
    """Parse the options and build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--sanitize", action="store_true", help="with sanitizers, for debugging")
    parser.add_argument("--only", default="", help="one variant: baseline, avx2 or avx512")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--prefix", type=Path, default=ROOT, help="the folder of the package milpcount"
    )
    arguments = parser.parse_args()
    name = "sanitized" if arguments.sanitize else "kernels"
    options = [
        f"-DMILPCOUNT_SANITIZE={'ON' if arguments.sanitize else 'OFF'}",
        f"-DMILPCOUNT_VARIANTS={arguments.only}",
    ]
    return build(ROOT / "build" / name, options, arguments.jobs, arguments.prefix)


if __name__ == "__main__":
    sys.exit(main())
