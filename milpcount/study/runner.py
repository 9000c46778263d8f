"""Running a study from its file, and rebuilding its report from the store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.result import Progress
from milpcount.errors import ConfigError
from milpcount.study.config.grid import Run, resolve_runs
from milpcount.study.config.plan import Plan, make_plan
from milpcount.study.config.schema import StudyConfig, load_config
from milpcount.study.config.strict import PlacedError, require_valid, where_set
from milpcount.study.executors.choose import ExecuteRun, Finished, run_all
from milpcount.study.executors.execute import execute
from milpcount.study.executors.journals import drop_journal, with_journals
from milpcount.study.figures import (
    OF_ALL_RUNS,
    draw_bounds_by_depth,
    require_matplotlib,
    save_figure,
    write_figure,
)
from milpcount.study.records import counts_of, estimates_of
from milpcount.study.store import ResultStore, StoreWriter
from milpcount.study.tables.architecture import (
    architecture_table,
    to_markdown,
    without_constants,
    write_table,
)
from milpcount.study.tables.comparison import TABLES
from milpcount.study.tables.depth_table import depth_table
from milpcount.study.whole_files import write_text

__all__ = [
    "StoredStudy",
    "StudyProgress",
    "StudyReport",
    "read_study",
    "report_study",
    "run_study",
]

_SNAPSHOT = "study.json"


class StudyProgress(Protocol):
    """What a display of a study's progress is told."""

    def begin(self, todo: int, done: int) -> None:
        """Say how many runs are to be done and how many are stored already."""

    def finished(self, finished: Finished) -> None:
        """Tell that one run ended."""

    def counting(self, progress: Progress) -> None:
        """Pass on what the count that is going on reports."""


@dataclass(frozen=True)
class StudyReport:
    """What a study did and where its results are.

    Attributes:
        folder: of the store, tables and figures.
        done: runs counted now; reused: runs that were stored before.
        planned: labels of the runs that a dry run would do; plan: all of its runs.
        failures: one line for each run that failed.
        interrupted: whether Ctrl-C ended the study early.
        files: tables and figures written.
        summary: the table by architecture, in Markdown.
        note: what holds for all of the summary (engine, definition, which units).
        notes: what importers changed about networks, each after the network's name.
    """

    folder: Path
    done: int = 0
    reused: int = 0
    planned: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    interrupted: bool = False
    files: tuple[Path, ...] = field(default=())
    summary: str = ""
    note: str = ""
    notes: tuple[str, ...] = ()
    plan: Plan | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            **({} if self.plan is None else {"plan": self.plan.to_json()}),
            "folder": str(self.folder),
            "done": self.done,
            "reused": self.reused,
            "planned": list(self.planned),
            "failures": list(self.failures),
            "interrupted": self.interrupted,
            "files": [str(path) for path in self.files],
            "notes": list(self.notes),
        }


def run_study(
    config_path: str | Path,
    *,
    overrides: Mapping[str, str] | None = None,
    resume: bool = True,
    workers: int | DaskCluster = 1,
    progress: StudyProgress | None = None,
    dry_run: bool = False,
    collect: bool = False,
    execute_run: ExecuteRun = execute,
) -> StudyReport:
    """Do the runs of a study that are not stored yet, then write its tables and figures.

    Arguments:
        config_path: the YAML file.
        overrides: dotted keys and YAML values that replace settings of the file.
        resume: keep runs that are stored; else the store is emptied first.
        workers: processes that count, or a Dask cluster.
        progress: told of every run.
        dry_run: only plan what would be done.
        collect: do no run; make tables and figures of those that are stored.
        execute_run: does one run (for tests).

    Raises:
        ConfigError: the file, an override, or the store is not right.
        NetworkError: a network cannot be read.
    """
    path = Path(config_path)
    config, values = load_config(path, overrides)
    if config.figures:
        require_matplotlib()  # now, not after hours of counting
    folder = _folder(path, config, overrides or {})
    root = _relative((path.parent / config.root).resolve())
    try:
        runs = resolve_runs(config, root)
    except PlacedError as error:
        place = where_set(path, error.place, overrides or {})
        raise ConfigError(f"{place}: {error}") from None
    others = [_relative(root.resolve() / other) for other in config.reuse]
    store = ResultStore(folder)
    stored = _read_stores(others) | (store.read() if resume else {})
    todo = [run for run in runs if run.key not in stored]
    reused = len(runs) - len(todo)
    if dry_run:
        size = workers if isinstance(workers, int) else workers.workers
        return StudyReport(
            folder,
            reused=reused,
            planned=tuple(run.label for run in todo),
            notes=_notes((run.source.name, run.notes) for run in runs),
            plan=make_plan(runs, stored, size),
        )
    if collect:
        if not reused:
            raise ConfigError(f"{folder} holds no finished run of {path}; do milpcount run first")
        todo = []
    with store.appending(fresh=not resume) as writer:
        snapshot = {
            "settings": values,
            "reuse": [Path(os.path.relpath(other, folder)).as_posix() for other in others],
            "runs": [run.key for run in runs],
        }
        write_text(folder / _SNAPSHOT, json.dumps(snapshot, indent=1) + "\n")
        if isinstance(workers, int):  # the machines of a cluster may not share this folder
            todo = with_journals(todo, folder, fresh=not resume)
        done, failures, interrupted = _do(todo, writer, workers, progress, execute_run, reused)
    files, summary, note = _write(config, folder, _records(folder))
    return StudyReport(
        folder,
        done=done,
        reused=reused,
        failures=failures,
        interrupted=interrupted,
        files=files,
        summary=summary,
        note=note,
        notes=_notes((run.source.name, run.notes) for run in runs),
    )


def report_study(results: str | Path) -> StudyReport:
    """Rebuild tables and figures from the stored runs alone.

    Arguments:
        results: the output folder of a study, or its YAML file, whose tables, figures and title
            may have changed since; its networks and counts are those of the last run.

    Raises:
        ConfigError: there is no finished run.
    """
    study = read_study(results)
    folder, config, records = study.folder, study.config, study.records
    files, summary, note = _write(config, folder, records)
    notes = _notes((record["network"], record.get("notes", ())) for record in records)
    return StudyReport(
        folder, reused=len(records), files=files, summary=summary, note=note, notes=notes
    )


@dataclass(frozen=True)
class StoredStudy:
    """A study that was run.

    Attributes:
        folder: of the store.
        config: the settings; values: the same as they were written.
        records: the stored runs, in the order of the configuration.
    """

    folder: Path
    config: StudyConfig
    values: Mapping[str, Any]
    records: list[dict[str, Any]]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that the settings name and that something is known for."""
        frames = {name: _table(self.config, name, self.records) for name in self.config.tables}
        return {name: frame for name, frame in frames.items() if len(frame)}


def read_study(results: str | Path) -> StoredStudy:
    """Read the stored runs of a study; arguments and errors as for :func:`report_study`."""
    path = Path(results)
    if path.is_dir():
        folder = path
        values = _read_snapshot(folder)["settings"]
        config = require_valid(StudyConfig, values, folder / _SNAPSHOT)
    else:
        config, values = load_config(path)
        folder = _folder(path, config)
    records = _records(folder)
    if not records and config.depth_bounds is None:
        raise ConfigError(f"{folder} holds no finished run; do milpcount run first")
    return StoredStudy(folder, config, values, records)


def _notes(networks: Iterable[tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """Each note once, after the name of its network."""
    return tuple(dict.fromkeys(f"{name}: {note}" for name, notes in networks for note in notes))


def _table(config: StudyConfig, name: str, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    if config.depth_bounds is not None and name == "bounds_by_depth":
        return depth_table(config.depth_bounds)
    return TABLES[name](records, config.bounds)


def _folder(path: Path, config: StudyConfig, overrides: Mapping[str, str] | None = None) -> Path:
    """The folder of the results, which lies below the root of the study.

    Only who runs the study names another place, with ``--set output=FOLDER``; its file may be
    anybody's.

    Raises:
        ConfigError: the file names a place outside.
    """
    root = (path.parent / config.root).resolve()
    folder = (root / config.output).resolve()
    if "output" not in (overrides or {}) and not folder.is_relative_to(root):
        raise ConfigError(
            f"{where_set(path, ('output',))}: output: {config.output!r} lies outside of the root "
            f"{root}; if that is meant, say so with --set output=FOLDER"
        )
    return _relative(folder)


def _read_snapshot(folder: Path) -> dict[str, Any]:
    """Read what the last run was asked to do.

    Raises:
        ConfigError: the folder is no output folder of a study.
    """
    path = folder / _SNAPSHOT
    try:
        snapshot = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{folder} holds no {_SNAPSHOT}; name the output folder of a study that was run"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(snapshot, dict) or not {"settings", "runs"} <= snapshot.keys():
        raise ConfigError(f"{path}: holds no settings and runs; do milpcount run again")
    return snapshot


def _read_stores(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The finished runs of several stores by key, where two have one that of the last."""
    runs: dict[str, dict[str, Any]] = {}
    for folder in folders:
        runs |= ResultStore(folder).read()
    return runs


def _records(folder: Path) -> list[dict[str, Any]]:
    """The stored runs of the last configuration, in its order: not in that of their ends."""
    snapshot = _read_snapshot(folder)
    stored = _read_stores([*(folder / other for other in snapshot.get("reuse", [])), folder])
    return [stored[key] for key in snapshot["runs"] if key in stored]


def _do(
    todo: Sequence[Run],
    writer: StoreWriter,
    workers: int | DaskCluster,
    progress: StudyProgress | None,
    execute_run: ExecuteRun,
    stored: int,
) -> tuple[int, tuple[str, ...], bool]:
    """Do the runs and store each; return (done, failures, interrupted)."""
    done, failures = 0, []
    if progress is not None:
        progress.begin(len(todo), stored)
    watching = progress.counting if progress is not None else None
    try:
        with closing(run_all(todo, workers, watching, execute_run)) as ends:
            for finished in ends:
                if finished.record is not None:
                    writer.append(finished.record)
                    if finished.record["exact"]:
                        drop_journal(finished.run)
                    done += 1
                else:
                    failures.append(f"{finished.run.label}: {finished.error}")
                if progress is not None:
                    progress.finished(finished)
    except KeyboardInterrupt:
        return done, tuple(failures), True
    return done, tuple(failures), False


def _write(
    config: StudyConfig, folder: Path, records: list[dict[str, Any]]
) -> tuple[tuple[Path, ...], str, str]:
    """Write what the configuration asks for; return the files, the summary and its note.

    What nothing is known for yet is left out.
    """
    title = config.title or config.name
    files: list[Path] = []
    for name in config.tables:
        table = _table(config, name, records)
        if len(table):
            files += write_table(table, folder, name, title)
    counts = counts_of(records)
    for figure in config.figures:
        if config.depth_bounds is not None and figure == "bounds_by_depth":
            files += save_figure(draw_bounds_by_depth(config.depth_bounds, title), figure, folder)
        elif counts or (estimates_of(records) and figure == "sampling_and_bounds"):
            drawn = records if figure in OF_ALL_RUNS else counts
            files += write_figure(figure, drawn, config.bounds, title, folder)
    if not counts:
        return tuple(files), "", ""
    table = architecture_table(records, config.bounds)
    summary, note = without_constants(table)
    return tuple(files), to_markdown(summary), "; ".join(filter(None, (note, table.attrs["note"])))


def _relative(path: Path) -> Path:
    """Return the path from the working folder where it lies below it: shorter, and portable."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
