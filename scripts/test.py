#!/usr/bin/env python3
"""Set everything up and run the tests: python scripts/test.py [pytest arguments].

Tests on the shared networks run where MILPCOUNT_DATA names their folder, and skip elsewhere.
Those that compare with PyTorch run where it is installed in .venv (pip install torch).
"""

from __future__ import annotations

import subprocess
import sys

from _bootstrap import ROOT, ensure_environment


def main() -> int:
    """Run pytest in the project's environment, on all cores unless arguments are given."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    python = ensure_environment("dev")
    arguments = sys.argv[1:] or ["-n", "auto", "-q"]
    return subprocess.run(
        [str(python), "-m", "pytest", *arguments], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
