"""Files of unfinished counts, so that hours of counting survive a kill or a limit."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from milpcount.engines.registry import can_resume
from milpcount.study.config.grid import Run
from milpcount.study.config.schema import CountSettings
from milpcount.study.config.seeds import canonical_json

__all__ = ["drop_journal", "with_journal", "with_journals"]

_FOLDER = "unfinished"


def with_journals(runs: Sequence[Run], folder: Path, fresh: bool = False) -> list[Run]:
    """Give each count a file of its own; of several of one question only the first has one."""
    given: list[Run] = []
    taken: set[Path] = set()
    for run in runs:
        with_file = with_journal(run, folder, fresh)
        given.append(run if with_file.journal in taken else with_file)
        if with_file.journal is not None:
            taken.add(with_file.journal)
    return given


def with_journal(run: Run, folder: Path, fresh: bool = False) -> Run:
    """Give a count whose engine can resume a file in the study's folder.

    The name does not depend on the limits: a count that a limit stopped goes on from there when
    the limit is raised.  With ``fresh`` what an earlier run left is dropped.
    """
    settings = run.settings
    if not isinstance(settings, CountSettings) or not can_resume(settings.engine):
        return run
    # How many regions there are is looked at only between the parts of a count that can resume.
    if settings.region_limit is not None:
        return run
    if {"resume", "certificate"} & set(settings.options):
        return run
    content = {
        "network_sha256": run.network_sha256,
        "domain": run.domain.model_dump(mode="json"),
        "engine": settings.engine,
        "definition": str(settings.definition),
        "with_output": settings.with_output,
    }
    name = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:32]
    run = replace(run, journal=folder / _FOLDER / f"{name}.jsonl")
    if fresh:
        drop_journal(run)
    return run


def drop_journal(run: Run) -> None:
    """Remove the file of a run, and the folder when it was the last."""
    if run.journal is None:
        return
    run.journal.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        run.journal.parent.rmdir()
