"""What ``python -m experiments.NAME [CONFIG]`` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["tell_files"]

ROOT = Path(__file__).parents[1]

Run = Callable[[Path, Callable[[str], None]], Sequence[Path]]


def tell_files(run: Run, arguments: Sequence[str], otherwise: str) -> None:
    """Run an experiment with the configuration that is named; print the files that it writes."""
    path = Path(arguments[0] if arguments else ROOT / otherwise)
    for file in run(path, lambda line: print(line, file=sys.stderr)):  # noqa: T201
        print(file)  # noqa: T201
