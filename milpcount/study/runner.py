"""Running a study from its file, and rebuilding its report from the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from milpcount.errors import ConfigError
from milpcount.result import Progress
from milpcount.study.executor import Finished, execute, run_all
from milpcount.study.figures import write_figure
from milpcount.study.grid import Run, resolve_runs
from milpcount.study.schema import StudyConfig, load_config
from milpcount.study.seeds import canonical_json
from milpcount.study.store import ResultStore
from milpcount.study.tables import (
    architecture_table,
    runs_table,
    to_markdown,
    write_table,
    write_text,
)

__all__ = ["StudyProgress", "StudyReport", "report_study", "run_study"]

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
        planned: labels of the runs that a dry run would do.
        failures: one line for each run that failed.
        interrupted: whether Ctrl-C ended the study early.
        files: tables and figures written.
        summary: the table by architecture, in Markdown.
    """

    folder: Path
    done: int = 0
    reused: int = 0
    planned: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    interrupted: bool = False
    files: tuple[Path, ...] = field(default=())
    summary: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "folder": str(self.folder),
            "done": self.done,
            "reused": self.reused,
            "planned": list(self.planned),
            "failures": list(self.failures),
            "interrupted": self.interrupted,
            "files": [str(path) for path in self.files],
        }


def run_study(
    config_path: str | Path,
    *,
    overrides: Mapping[str, str] | None = None,
    resume: bool = True,
    workers: int = 1,
    progress: StudyProgress | None = None,
    dry_run: bool = False,
    execute_run: Callable[..., dict[str, Any]] = execute,
) -> StudyReport:
    """Do the runs of a study that are not stored yet, then write its tables and figures.

    Arguments:
        config_path: the YAML file.
        overrides: dotted keys and YAML values that replace settings of the file.
        resume: keep runs that are stored; else the store is emptied first.
        workers: processes that count.
        progress: told of every run.
        dry_run: only list what would be done.
        execute_run: does one run (for tests).

    Raises:
        ConfigError: the file, an override, or the store is not right.
        NetworkError: a network cannot be read.
    """
    path = Path(config_path)
    config, values = load_config(path, overrides)
    root = (path.parent / config.root).resolve()
    folder = _relative(root / config.output)
    runs = resolve_runs(config, _relative(root))
    store = ResultStore(folder)
    stored = store.read() if resume else {}
    todo = [run for run in runs if run.key not in stored]
    if dry_run:
        labels = tuple(run.label for run in todo)
        return StudyReport(folder, reused=len(runs) - len(todo), planned=labels)
    with store.appending():
        if not resume:
            store.path.unlink(missing_ok=True)
        write_text(folder / _SNAPSHOT, canonical_json(values) + "\n")
        done, failures, interrupted = _do(todo, store, workers, progress, execute_run, len(runs))
    keys = {run.key for run in runs}
    report = _report(config, folder, [r for k, r in store.read().items() if k in keys])
    return StudyReport(
        folder,
        done=done,
        reused=len(runs) - len(todo),
        failures=failures,
        interrupted=interrupted,
        files=report.files,
        summary=report.summary,
    )


def report_study(results: str | Path) -> StudyReport:
    """Rebuild tables and figures from the stored runs alone.

    Arguments:
        results: the output folder of a study, or its YAML file.

    Raises:
        ConfigError: there is no finished run.
    """
    path = Path(results)
    if path.is_dir():
        snapshot = path / _SNAPSHOT
        if not snapshot.exists():
            raise ConfigError(f"{path} holds no {_SNAPSHOT}; name the output folder of a study")
        config, _ = load_config(snapshot)
        folder = path
    else:
        config, _ = load_config(path)
        folder = _relative((path.parent / config.root).resolve() / config.output)
    records = list(ResultStore(folder).read().values())
    if not records:
        raise ConfigError(f"{folder} holds no finished run; do milpcount run first")
    return _report(config, folder, records)


def _do(
    todo: Sequence[Run],
    store: ResultStore,
    workers: int,
    progress: StudyProgress | None,
    execute_run: Callable[..., dict[str, Any]],
    total: int,
) -> tuple[int, tuple[str, ...], bool]:
    """Do the runs and store each; return (done, failures, interrupted)."""
    done, failures = 0, []
    if progress is not None:
        progress.begin(len(todo), total - len(todo))
    try:
        watching = progress.counting if progress is not None else None
        for finished in run_all(todo, workers, watching, execute_run):
            if finished.record is not None:
                store.append(finished.record)
                done += 1
            else:
                failures.append(f"{finished.run.label}: {finished.error}")
            if progress is not None:
                progress.finished(finished)
    except KeyboardInterrupt:
        return done, tuple(failures), True
    return done, tuple(failures), False


def _report(config: StudyConfig, folder: Path, records: list[dict[str, Any]]) -> StudyReport:
    """Write what the configuration asks for."""
    if not records:
        return StudyReport(folder)
    title = config.title or config.name
    files: list[Path] = []
    makers = {"architectures": architecture_table, "runs": runs_table}
    for name in config.tables:
        files += write_table(makers[name](records, config.bounds), folder, name, title)
    for figure in config.figures:
        files += write_figure(figure, records, config.bounds, title, folder)
    summary = to_markdown(architecture_table(records, config.bounds))
    return StudyReport(folder, files=tuple(files), summary=summary)


def _relative(path: Path) -> Path:
    """Return the path from the working folder where it lies below it: shorter, and portable."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
