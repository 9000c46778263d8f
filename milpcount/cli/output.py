"""What every command shares: exit codes, JSON, tables, messages, the progress display."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from milpcount.cli.streams import answers
from milpcount.core.result import Progress as Snapshot
from milpcount.core.result import ProgressCallback

__all__ = [
    "EXIT_DONE",
    "EXIT_FAILED",
    "EXIT_INPUT",
    "EXIT_LIMIT",
    "complain",
    "console",
    "print_json",
    "progress_display",
]

EXIT_DONE = 0
EXIT_INPUT = 2
EXIT_LIMIT = 3
EXIT_FAILED = 4


def console() -> Console:
    """A console for answers, wide enough that tables are not cut when piped."""
    out = answers()
    return Console(file=out, width=None if out.isatty() else 160, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(value, allow_nan=False), file=answers())


def complain(message: str) -> None:
    """Print one line on stderr."""
    typer.echo("milpcount: " + " ".join(message.split()), err=True)


@contextmanager
def progress_display(quiet: bool) -> Iterator[ProgressCallback | None]:
    """Show a live line on stderr while a count runs; nothing when quiet or not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[regions]} regions, {task.fields[rate]}/s"),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("starting", total=None, regions=0, rate="0", done="", left="")

        def show(snapshot: Snapshot) -> None:
            rate = snapshot.regions / snapshot.seconds if snapshot.seconds > 0 else 0.0
            display.update(
                task,
                description=snapshot.phase,
                total=None if snapshot.fraction is None else 1.0,
                completed=snapshot.fraction or 0.0,
                regions=snapshot.regions,
                rate=f"{rate:.3g}",
                done="" if snapshot.fraction is None else f"{snapshot.fraction:.1%}",
                left=_time_left(snapshot),
            )

        yield show


def _time_left(snapshot: Snapshot) -> str:
    """A guess from the part that is done, once there is something to guess from."""
    if snapshot.fraction is None or snapshot.fraction < 0.001 or snapshot.seconds < 1:
        return ""
    seconds = round(snapshot.seconds * (1 - snapshot.fraction) / snapshot.fraction)
    hours, rest = divmod(max(seconds, 0), 3600)
    return f"about {hours}:{rest // 60:02}:{rest % 60:02} left"
