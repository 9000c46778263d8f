"""Interruptions that come at an event, so that no test hangs on the speed of a machine."""

from __future__ import annotations

import itertools
import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import milpcount as mc
from milpcount.core import run as core_run
from milpcount.core.run import Watch
from milpcount.search import searcher
from milpcount.search.run import dask_pool, process_pool, thread_pool
from milpcount.search.run.bundle import Bundle, BundleRunner, Report
from milpcount.search.run.journal import Journal

if TYPE_CHECKING:
    import pytest  # processes that tests start do without

__all__ = [
    "SECONDS",
    "die_after",
    "endless_network",
    "hold_after",
    "report_always",
    "shorten_portions",
    "time_is_up_with_a_region",
]

SECONDS = 120.0  # until a test gives up what should come soon: for the slowest of machines


def endless_network() -> mc.ReLUNetwork:
    """One whose count takes years on any machine: only a limit or a signal ends it."""
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=size) for size in ((60, 10), (60, 60), (1, 60))]
    return mc.ReLUNetwork(weights, [rng.normal(size=len(weight)) for weight in weights])


def report_always(patch: pytest.MonkeyPatch) -> None:
    """Progress is told at every opportunity, not ten times a second."""
    patch.setattr(core_run, "_BETWEEN_REPORTS", 0.0)


def shorten_portions(patch: pytest.MonkeyPatch) -> None:
    """Searches stop for a look after some milliseconds or, in this process, some hundred steps.

    Worker processes are told to end their portions after some milliseconds.
    """
    report_always(patch)
    patch.setattr(searcher, "_STEPS", 300)
    for kind in (thread_pool.Threads, process_pool.Processes, dask_pool.DaskPool):
        patch.setattr(kind, "slice", 0.005)
        patch.setattr(kind, "short", 0.005)
    run = BundleRunner.run

    def run_to_the_second_look(
        self: BundleRunner, bundle: Bundle, seconds: float, told: Callable[[], bool] = bool
    ) -> Report:
        # The first look is before the task.
        looks = itertools.count()
        return run(self, bundle, math.inf, lambda: next(looks) > 1 or told())

    patch.setattr(BundleRunner, "run", run_to_the_second_look)


def time_is_up_with_a_region(patch: pytest.MonkeyPatch) -> None:
    """Limits on the time are reached as soon as a region is found, and not before."""

    def remaining(watch: Watch) -> float | None:
        if watch.budget.seconds is None:
            return None
        return 0.0 if watch.regions else watch.budget.seconds

    patch.setattr(Watch, "remaining", property(remaining))


def hold_after(patch: pytest.MonkeyPatch, portions: int, folder: Path) -> None:
    """After so many portions tell this process in the folder, and wait for a file "go" there."""
    finish, left = Journal.finish, [portions]

    def finish_and_hold(self: Journal, *arguments: object) -> list[int]:
        numbers = finish(self, *arguments)  # type: ignore[arg-type]
        left[0] -= 1
        if not left[0]:
            (folder / str(os.getpid())).touch()
            while not (folder / "go").exists():
                time.sleep(0.02)
        return numbers

    patch.setattr(Journal, "finish", finish_and_hold)


def die_after(patch: pytest.MonkeyPatch, portions: int) -> None:
    """Kill this process, as SIGKILL does, when so many portions are written to a file."""
    finish, left = Journal.finish, [portions]

    def finish_and_die(self: Journal, *arguments: object) -> list[int]:
        numbers = finish(self, *arguments)  # type: ignore[arg-type]
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return numbers

    patch.setattr(Journal, "finish", finish_and_die)
