"""What is shown of a count that runs."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest

from milpcount import progress_bar as module
from milpcount.core.result import Progress
from milpcount.progress_bar import Pace, progress_bar


def test_the_rate_counts_from_the_first_node() -> None:
    pace = Pace()
    assert pace.rate(Progress("loading", 0, 50.0, None)) is None
    assert pace.rate(Progress("searching", 1000, 60.0, 0.0)) is None  # brought along
    assert pace.rate(Progress("searching", 1500, 70.0, 0.5)) == pytest.approx(50.0)
    # Another search begins anew.
    assert pace.rate(Progress("closing", 1500, 80.0, 0.0)) is None
    assert pace.rate(Progress("closing", 1600, 81.0, 0.1)) == pytest.approx(100.0)


def test_what_is_left_is_not_shown_before_it_can_be_known() -> None:
    pace = Pace()
    assert pace.left(Progress("loading", 0, 50.0, None)) is None
    assert pace.left(Progress("searching", 0, 60.0, 0.0)) is None
    assert pace.left(Progress("searching", 5, 61.0, 0.4)) is None  # too soon
    assert pace.left(Progress("searching", 5, 70.0, 0.0001)) is None  # too little
    assert pace.left(Progress("searching", 5, 80.0, 0.25)) == pytest.approx(60.0)
    assert Pace().left(Progress("sampling", 7, 5.0, None)) is None


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: self.now))


def test_a_log_gets_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    error = io.StringIO()
    monkeypatch.setattr(sys, "stderr", error)
    clock = _Clock(monkeypatch)
    with progress_bar() as show:
        for second in range(31):
            clock.now = 100.0 + second
            fraction = 0.02 * (second - 4) if second > 3 else None
            show(Progress("searching", 10 * max(second - 3, 0), float(second), fraction))
    lines = error.getvalue().splitlines()
    assert lines == [
        "milpcount: searching, 70 regions at 10/s, 12.0%, 0:00:10, about 0:00:44 left",
        "milpcount: searching, 170 regions at 10/s, 32.0%, 0:00:20, about 0:00:34 left",
        "milpcount: searching, 270 regions at 10/s, 52.0%, 0:00:30, about 0:00:24 left",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_nothing_of_what_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    error = _Terminal()
    monkeypatch.setattr(sys, "stderr", error)
    waiting: list[Callable[[], None]] = []

    class _Timer:
        def __init__(self, _: float, function: Callable[[], None]) -> None:
            waiting.append(function)
            self.start = self.cancel = self.join = lambda: None

    monkeypatch.setattr(module, "threading", types.SimpleNamespace(Timer=_Timer, Lock=Lock))
    with progress_bar() as show:
        show(Progress("searching", 3, 1.0, 0.5))
    assert error.getvalue() == ""
    with progress_bar() as show:
        show(Progress("counting", 3, 1.0, 0.5))
        waiting[1]()
        assert error.getvalue()
        show(Progress("closing", 3, 1.0, 0.5))
    assert "closing" in error.getvalue()


def test_a_notebook_gets_a_bar_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class _Handle:
        def update(self, value: str) -> None:
            shown.append(value)

    def display(value: str, display_id: bool) -> _Handle:
        shown.append(value)
        return _Handle()

    ipython = types.ModuleType("IPython")
    stub: Any = types.ModuleType("IPython.display")
    stub.HTML, stub.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", stub)
    monkeypatch.setattr("rich.console.Console", lambda **_: types.SimpleNamespace(is_jupyter=True))
    with progress_bar() as show:
        show(Progress("<b>", 3, 1.0, 0.5))
    assert shown[0] == "starting"
    assert "<progress value=0.5000>" in shown[1]
    assert "&lt;b&gt;" in shown[1]
    assert shown[-1] == ""
