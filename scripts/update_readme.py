#!/usr/bin/env python3
"""Write the tables that README.md shows from the files that studies left in results/.

Each place is marked ``<!-- table: FILE -->`` and ``<!-- end -->``.  With ``--check`` nothing is
written, and the exit code is 1 if a table is not what its file says.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def updated(text: str) -> str:
    """Return the text with every marked table replaced."""

    def table(match: re.Match[str]) -> str:
        content = (ROOT / match[2]).read_text(encoding="utf-8")
        return f"{match[1]}\n{content.strip()}\n\n{match[3]}"

    return PLACE.sub(table, text)


def main() -> int:
    """Write or check the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if not right")
    options = parser.parse_args()
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = updated(before)
    if options.check:
        if after != before:
            print("README.md is not up to date: run python scripts/update_readme.py")
            return 1
        return 0
    readme.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
