"""What every command shares: exit codes, JSON, tables, messages, the progress display."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from milpcount.cli.streams import answers
from milpcount.core.result import ProgressCallback
from milpcount.progress_bar import progress_bar
from milpcount.support.text import printable

__all__ = [
    "EXIT_DONE",
    "EXIT_FAILED",
    "EXIT_INPUT",
    "EXIT_LIMIT",
    "ProgressOption",
    "bold",
    "complain",
    "console",
    "dim",
    "print_json",
    "print_notes",
    "progress_display",
]

EXIT_DONE = 0
EXIT_INPUT = 2
EXIT_LIMIT = 3
EXIT_FAILED = 4


class _PlainConsole(Console):
    """A console for which every text is data: no markup, no emoji codes, no control sequences.

    What is to be bold or dim is a :class:`rich.text.Text` made here.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it is, what a terminal could obey written out."""
        return super().render_str(
            printable(text), **{**options, "markup": False, "emoji": False, "highlight": False}
        )


def console(*, stderr: bool = False) -> Console:
    """A console for answers, wide enough that tables are not cut when piped."""
    stream = sys.stderr if stderr else answers()
    width = None if stream.isatty() else 160
    return _PlainConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def bold(text: str) -> Text:
    """Bold text."""
    return Text(printable(text), style="bold")


def dim(text: str) -> Text:
    """Text in the background."""
    return Text(printable(text), style="dim")


def print_notes(out: Console, notes: Iterable[str]) -> None:
    """Print what an importer changed about a network, a line each."""
    for note in notes:
        out.print(f"note: {note}")


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(value, allow_nan=False), file=answers())


def complain(message: str) -> None:
    """Print one line on stderr."""
    typer.echo("milpcount: " + " ".join(printable(message).split()), err=True)


ProgressOption = Annotated[
    bool | None,
    typer.Option(
        "--progress/--quiet",
        help="Show progress on stderr: a line that changes on a terminal, where it is the default, "
        "else one every ten seconds.",
        show_default=False,
    ),
]


@contextmanager
def progress_display(wanted: bool | None, as_json: bool) -> Iterator[ProgressCallback | None]:
    """Show progress on stderr while a count runs; if not asked, on a terminal and without JSON."""
    if wanted or (wanted is None and not as_json and sys.stderr.isatty()):
        with progress_bar() as show:
            yield show
    else:
        yield None
