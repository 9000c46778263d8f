"""A line on stderr that shows how far a count is, for ``progress=True`` and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from milpcount.core.result import Progress as Snapshot
from milpcount.core.result import ProgressCallback
from milpcount.support.text import printable

__all__ = ["progress_bar"]


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A callback that shows what it is told, until the block ends; the line then goes."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[regions]} regions, {task.fields[rate]}/s", markup=False),
        TextColumn("{task.fields[done]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("starting", total=None, regions=0, rate="0", done="", left="")

        def show(snapshot: Snapshot) -> None:
            rate = snapshot.regions / snapshot.seconds if snapshot.seconds > 0 else 0.0
            display.update(
                task,
                description=printable(snapshot.phase),
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
