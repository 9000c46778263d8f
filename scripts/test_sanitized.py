#!/usr/bin/env python3
"""Test the native kernels under sanitizers: python scripts/test_sanitized.py [TESTS ...].

Builds one variant of the kernels that checks its own memory and arithmetic (address and undefined
behaviour), puts it with a copy of the package's Python files into a folder of its own, and runs
tests on it: those of the kernels, fuzzing included, and the contract of the two engines that use
them.  Where the compiler has no sanitizer runtime it says so and ends well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build_kernels import ROOT, build

TESTS = (
    "tests/kernels",
    "tests/search/test_last_layer.py",
    "tests/search/test_cells.py",
    "tests/search/test_bulk.py",
)


def runtime() -> str | None:
    """The compiler's libraries that have to be loaded first.

    The address sanitizer's, and the C++ library, whose exceptions it wants to see.
    """
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if compiler is None or sys.platform != "linux":
        return None
    libraries = []
    for name in ("libasan.so", "libstdc++.so"):
        asked = [compiler, f"-print-file-name={name}"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        libraries.append(Path(done.stdout.strip()))
    if not all(path.is_absolute() and path.exists() for path in libraries):
        return None
    return ":".join(str(path) for path in libraries)


def main() -> int:
    """Build, and run the tests."""
    library = runtime()
    if library is None:
        print("no sanitized tests: this compiler has no shared runtime of the address sanitizer")
        return 0
    with tempfile.TemporaryDirectory() as name:
        beside = Path(name)
        options = ["-DMILPCOUNT_SANITIZE=ON", "-DMILPCOUNT_VARIANTS=baseline"]
        code = build(ROOT / "build" / "sanitized", options, os.cpu_count() or 1, beside)
        if code != 0:
            return code
        ignored = shutil.ignore_patterns("*.so", "src", "__pycache__")
        shutil.copytree(
            ROOT / "milpcount", beside / "milpcount", ignore=ignored, dirs_exist_ok=True
        )
        for shared in ("tests", "configs", "results", "scripts", "pyproject.toml"):
            (beside / shared).symlink_to(ROOT / shared)
        environment = {
            **os.environ,
            "LD_PRELOAD": library,
            # What Python itself keeps until it ends is no leak; what is not there is refused.
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            "PYTHONPATH": str(beside),
        }
        asked = sys.argv[1:] or TESTS
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        # What a sanitizer says on its way out goes to descriptor 2, which pytest would keep.
        command += ["--capture=sys", *asked]
        return subprocess.run(command, env=environment, cwd=beside, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
