"""What ``python -m experiments.NAME [CONFIG]`` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from milpcount.errors import InputError, MilpcountError

__all__ = ["tell_files"]

ROOT = Path(__file__).parents[1]

Run = Callable[[Path, Callable[[str], None]], Sequence[Path]]


def tell_files(run: Run, arguments: Sequence[str], otherwise: str) -> int:
    """Run an experiment with the configuration that is named; print the files that it writes.

    Returns the exit code, 0 or that of the command line of milpcount after one line that says what
    to do: 2 where the configuration, the data or the networks that it names are not what they
    should be.
    """
    path = Path(arguments[0] if arguments else ROOT / otherwise)
    try:
        for file in run(path, lambda line: print(line, file=sys.stderr)):  # noqa: T201
            print(file)  # noqa: T201
    except MilpcountError as error:
        name = run.__module__.rpartition(".")[2]
        if name == "__main__":
            name = Path(sys.argv[0]).stem
        print(f"{name}: {error}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, InputError) else 4
    return 0
