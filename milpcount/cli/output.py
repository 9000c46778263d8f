"""What every command shares: exit codes, JSON, tables, messages, the progress display."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from milpcount.cli.streams import answers
from milpcount.core.result import ProgressCallback
from milpcount.progress_bar import progress_bar
from milpcount.support.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

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
    "print_facts",
    "print_json",
    "print_line",
    "print_notes",
    "progress_display",
    "strong",
]

EXIT_DONE = 0
EXIT_INPUT = 2
EXIT_LIMIT = 3
EXIT_FAILED = 4


def console(*, stderr: bool = False) -> Console:
    """A console for answers, wide enough that tables are not cut when piped."""
    # Heavy; commands that answer in a few lines do without.
    from milpcount.cli.plain_console import PlainConsole

    stream = sys.stderr if stderr else answers()
    width = None if stream.isatty() else 160
    return PlainConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def bold(text: str) -> Text:
    """Bold text."""
    from rich.text import Text

    return Text(printable(text), style="bold")


def dim(text: str) -> Text:
    """Text in the background."""
    from rich.text import Text

    return Text(printable(text), style="dim")


def strong(text: str) -> str:
    """The text for :func:`print_line`: bold on a terminal, what it could obey written out."""
    dumb = os.environ.get("TERM") in ("dumb", "unknown")
    return printable(text) if dumb else typer.style(printable(text), bold=True)


def print_line(line: str) -> None:
    """Print one line of an answer, without rich; texts of others are made printable before."""
    typer.echo(line, file=answers())


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values in two columns, without rich."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print_line(printable(f"{name:{width}}  {value}"))


def print_notes(notes: Iterable[str]) -> None:
    """Print what an importer changed about a network, a line each."""
    for note in notes:
        print_line(printable(f"note: {note}"))


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
