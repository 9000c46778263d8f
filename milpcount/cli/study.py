"""``milpcount run`` and ``milpcount report``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from milpcount.cli.dry_run import describe_plan
from milpcount.cli.output import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_LIMIT,
    complain,
    console,
    print_json,
    print_notes,
)
from milpcount.cli.workers import (
    ExecutorOption,
    SchedulerFileOption,
    SchedulerOption,
    workers_from_options,
)
from milpcount.core.result import Progress as Snapshot
from milpcount.errors import InputError
from milpcount.support.escaping import unescaped_cells
from milpcount.support.text import printable

if TYPE_CHECKING:
    from milpcount.study.executors.choose import Finished
    from milpcount.study.runner import StudyProgress, StudyReport

__all__ = ["report_command", "run_command"]


def run_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Study configuration, YAML.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; dotted keys."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--fresh", help="Keep finished runs, or begin anew."),
    ] = True,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes that count; 1 if not given."),
    ] = None,
    executor: ExecutorOption = None,
    scheduler: SchedulerOption = None,
    scheduler_file: SchedulerFileOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List the runs, say how long they may take, and stop."),
    ] = False,
    collect: Annotated[
        bool,
        typer.Option("--collect", help="Do no run; rebuild tables and figures from what is there."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Run a study: count and bound every network it names, then write its tables and figures.

    A run that was killed goes on where it stopped.
    """
    from milpcount.study.runner import run_study

    overrides = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise InputError(f"--set needs KEY=VALUE, not {setting!r}")
        overrides[key] = value
    if collect and (dry_run or not resume):
        raise InputError("--collect takes what is stored; leave --dry-run and --fresh out")
    who = workers_from_options(executor, workers, scheduler, scheduler_file)
    with _display(quiet=as_json) as progress:
        report = run_study(
            config,
            overrides=overrides,
            resume=resume,
            workers=1 if who is None else who,
            progress=progress,
            dry_run=dry_run,
            collect=collect,
        )
    if as_json:
        print_json(report.to_json())
    else:
        _describe(report)
    for failure in report.failures:
        complain(failure)
    if report.failures:
        return EXIT_FAILED
    return EXIT_LIMIT if report.interrupted else EXIT_DONE


def report_command(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="Results folder, or the configuration.")
    ],
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write all of it to one HTML file, and nothing else."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Rebuild the tables and figures of a study from its stored runs alone."""
    from milpcount.study.runner import StudyReport, report_study

    if html is None:
        report = report_study(results)
    else:
        from milpcount.study.page.report import write_html_report

        report = StudyReport(html.parent, files=(write_html_report(results, html),))
    if as_json:
        print_json(report.to_json())
    else:
        _describe(report)


def _describe(report: StudyReport) -> None:
    """Print what was done, the table by architecture, and where the files are."""
    out = console()
    if report.plan is not None:
        describe_plan(report.plan, out)
        return
    if report.interrupted:
        out.print("Interrupted; finished runs are kept, run again to go on.")
    if report.done or report.reused:
        out.print(f"{report.done} run(s) done, {report.reused} stored before.")
    if report.note:
        out.print(f"Counted with {report.note}.")
    if report.summary:
        out.print(_as_table(report.summary, out.width))
    print_notes(report.notes)
    for path in report.files:
        out.print(str(path), soft_wrap=True)


def _as_table(markdown: str, width: int) -> Table:
    """Turn the Markdown summary into a table for a terminal of this width."""
    head, rules, *rows = [unescaped_cells(row) for row in markdown.splitlines()]
    keep = [k for k in range(len(head)) if any(row[k] for row in rows)]
    needed = {
        k: max(len(word) for word in [*head[k].split(), *(row[k] for row in rows)]) for k in keep
    }
    fits = sum(needed.values()) + 2 * len(keep) <= width
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for k in keep:
        numbers = rules[k].endswith(":")
        # Where the terminal is wide enough, lines break between words, never within one.
        table.add_column(
            head[k],
            justify="right" if numbers else "left",
            min_width=needed[k] if fits else None,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(row[k] for k in keep))
    return table


class _Display:
    """Shows the runs of a study and the count that is going on, on stderr."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._runs = display.add_task("runs", total=None, note="")

    def begin(self, todo: int, done: int) -> None:
        """Set the length of the bar."""
        self._display.update(self._runs, total=todo + done, completed=done)

    def finished(self, finished: Finished) -> None:
        """Move the bar on."""
        note = printable(finished.run.source.name)
        if finished.record is not None and finished.record.get("kind") != "bound":
            note += f": {finished.record['lower']} regions"
        self._display.update(self._runs, advance=1, note=note)

    def counting(self, progress: Snapshot) -> None:
        """Show how far the present count is."""
        phase = printable(progress.phase)
        self._display.update(self._runs, note=f"{phase}: {progress.regions} regions")


@contextmanager
def _display(quiet: bool) -> Iterator[StudyProgress | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        yield _Display(display)
