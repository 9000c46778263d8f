"""What executors share: how one run is attempted, and what its end looks like."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from milpcount.core.result import ProgressCallback
from milpcount.errors import MilpcountError
from milpcount.study.config.grid import Run
from milpcount.study.config.seeds import canonical_json

__all__ = ["ExecuteRun", "Finished", "attempt"]

_log = logging.getLogger(__name__)


class ExecuteRun(Protocol):
    """Does one run and returns its record; with several workers a function of a module."""

    def __call__(self, run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
        """Return the record to store, or raise."""


@dataclass(frozen=True)
class Finished:
    """The end of one run: a record to store, or one line on why there is none."""

    run: Run
    record: dict[str, Any] | None
    error: str | None = None


def attempt(
    execute_run: ExecuteRun, run: Run, progress: ProgressCallback | None = None
) -> Finished:
    """Do one run; every failure becomes one line, which any process can hand to its parent."""
    try:
        record = execute_run(run, progress)
        canonical_json(record)  # what the store could not hold is a defect of this run
        return Finished(run, record)
    except MilpcountError as error:
        return Finished(run, None, " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one run must not end a night's others
        _log.exception("the run %s failed", run.label)
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Finished(run, None, f"{line} (a defect, please report it)")
