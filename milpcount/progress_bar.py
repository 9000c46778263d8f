"""How far a count is, on stderr or in a notebook, for ``progress=True`` and the command line.

On a terminal a line that changes, which then goes; in a notebook the same below the cell; else, in
a log, a line every ten seconds.
"""

from __future__ import annotations

import html
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from milpcount.core.result import Progress as Snapshot
from milpcount.core.result import ProgressCallback
from milpcount.support.text import printable

__all__ = ["Pace", "progress_bar"]

_APPEARS = 0.3  # seconds until a terminal shows anything: most counts are done before
_EVERY = 10.0  # seconds between two lines of a log
_REDRAWN = 0.25  # and between two pictures in a notebook
_SOON, _LITTLE = 2.0, 0.005  # seconds and part of the work after which a rest can be guessed


@dataclass
class Pace:
    """Speed of a search, and what is left of it, from its first node on.

    What was done before, loading and preparing, tells nothing about the search; nor do regions
    that a run which is resumed brings along.
    """

    first: Snapshot | None = None

    def rate(self, now: Snapshot) -> float | None:
        """Regions a second; None before there is anything to divide."""
        begin = self._since(now)
        if begin is None or now.seconds <= begin.seconds:
            return None
        return (now.regions - begin.regions) / (now.seconds - begin.seconds)

    def left(self, now: Snapshot) -> float | None:
        """Seconds left; None before they can be known."""
        begin = self._since(now)
        if begin is None or now.fraction is None or begin.fraction is None:
            return None
        seconds, done = now.seconds - begin.seconds, now.fraction - begin.fraction
        if seconds < _SOON or done < _LITTLE:
            return None
        return seconds * (1.0 - now.fraction) / done

    def _since(self, now: Snapshot) -> Snapshot | None:
        """The first look at the search, None while it has not begun."""
        searching = now.regions > 0 or now.fraction is not None
        if self.first is None and searching:
            self.first = now
        elif self.first is not None and (
            now.phase != self.first.phase or now.regions < self.first.regions
        ):
            # Another search: the next pair of points, or the walk after the pilot.
            self.first = now if searching else None
        return self.first


@dataclass(frozen=True)
class _Words:
    """What is shown of a snapshot; empty where nothing is known."""

    phase: str
    regions: str
    rate: str
    done: str
    left: str

    @classmethod
    def of(cls, snapshot: Snapshot, pace: Pace) -> _Words:
        rate, left = pace.rate(snapshot), pace.left(snapshot)
        return cls(
            printable(snapshot.phase),
            f"{snapshot.regions} regions" if snapshot.regions else "",
            "" if rate is None else f"{rate:.3g}/s",
            "" if snapshot.fraction is None else f"{snapshot.fraction:.1%}",
            "" if left is None else f"about {_clock(left)} left",
        )

    def line(self, seconds: float) -> str:
        """All of it, and the time that has passed."""
        counted = " at ".join(filter(None, (self.regions, self.rate)))
        return ", ".join(filter(None, (self.phase, counted, self.done, _clock(seconds), self.left)))


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """A callback that shows what it is told, until the block ends."""
    kind = _notebook if _in_notebook() else _terminal if sys.stderr.isatty() else _log
    with kind() as show:
        yield show


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    # Heavy, and needed here and for a bar alone.
    from rich.console import Console

    return Console(stderr=True).is_jupyter


@contextmanager
def _terminal() -> Iterator[ProgressCallback]:
    pace = Pace()
    lock = threading.Lock()
    last: tuple[_Words, float | None] = _Words("starting", "", "", "", ""), None
    update: Callable[[_Words, float | None], None] | None = None
    with ExitStack() as display:

        def appear() -> None:
            nonlocal update
            with lock:
                update = display.enter_context(_bar())
                update(*last)

        def show(snapshot: Snapshot) -> None:
            nonlocal last
            with lock:
                last = _Words.of(snapshot, pace), snapshot.fraction
                if update is not None:
                    update(*last)

        timer = threading.Timer(_APPEARS, appear)
        timer.daemon = True
        timer.start()
        try:
            yield show
        finally:
            timer.cancel()
            timer.join()


@contextmanager
def _bar() -> Iterator[Callable[[_Words, float | None], None]]:
    """A line of a terminal that shows the words that it is given, and goes at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[regions]} {task.fields[rate]}", markup=False),
        TextColumn("{task.fields[done]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("starting", total=None, regions="", rate="", done="", left="")

        def update(words: _Words, fraction: float | None) -> None:
            display.update(
                task,
                description=words.phase,
                total=None if fraction is None else 1.0,
                completed=fraction or 0.0,
                regions=words.regions,
                rate=words.rate,
                done=words.done,
                left=words.left,
            )

        yield update


def _spaced(
    tell: Callable[[Snapshot, _Words], object], every: float, due: float
) -> ProgressCallback:
    """Tells at ``due``, and then so many seconds after it did last; looks at every snapshot."""
    pace = Pace()

    def show(snapshot: Snapshot) -> None:
        nonlocal due
        words = _Words.of(snapshot, pace)
        now = time.monotonic()
        if now >= due:
            due = now + every
            tell(snapshot, words)

    return show


@contextmanager
def _log() -> Iterator[ProgressCallback]:
    def tell(snapshot: Snapshot, words: _Words) -> None:
        sys.stderr.write(f"milpcount: {words.line(snapshot.seconds)}\n")
        sys.stderr.flush()

    yield _spaced(tell, _EVERY, time.monotonic() + _EVERY)


@contextmanager
def _notebook() -> Iterator[ProgressCallback]:
    from IPython.display import HTML, display

    handle = display(HTML("starting"), display_id=True)
    update: Callable[[object], None] = (lambda _: None) if handle is None else handle.update

    def tell(snapshot: Snapshot, words: _Words) -> None:
        bar = "" if snapshot.fraction is None else f"<progress value={snapshot.fraction:.4f}>"
        update(HTML(f"{bar} {html.escape(words.line(snapshot.seconds))}"))

    try:
        yield _spaced(tell, _REDRAWN, 0.0)
    finally:
        update(HTML(""))


def _clock(seconds: float) -> str:
    """As 1:02:03."""
    hours, rest = divmod(max(round(seconds), 0), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
