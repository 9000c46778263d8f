"""Studies: many counts from one YAML file, stored as they finish, then tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milpcount.study.runner import StudyReport as StudyReport
    from milpcount.study.runner import report_study as report_study
    from milpcount.study.runner import run_study as run_study

__all__ = ["StudyReport", "report_study", "run_study"]


def __getattr__(name: str) -> Any:
    """What is public, on use: a worker that counts needs no tables, and starts in half the time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from milpcount.study import runner

    return getattr(runner, name)
