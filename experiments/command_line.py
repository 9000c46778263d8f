"""What ``python -m experiments.NAME [CONFIG]`` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from milpcount.errors import InputError, MilpcountError

__all__ = ["tell_files"]

ROOT = Path(__file__).parents[1]

Run = Callable[[Path, Callable[[str], None]], Sequence[Path]]


def tell_files(run: Run, arguments: Sequence[str], otherwise: str) -> None:
    """Run an experiment with the configuration that is named; print the files that it writes.

    What cannot be done is one line, with the exit code of the command line of milpcount.
    """
    path = Path(arguments[0] if arguments else ROOT / otherwise)
    try:
        files = run(path, lambda line: print(line, file=sys.stderr))  # noqa: T201
    except MilpcountError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, InputError) else 4)
    for file in files:
        print(file)  # noqa: T201
