"""``milpcount survey``."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from milpcount.cli.network_options import network_from
from milpcount.cli.output import (
    EXIT_DONE,
    EXIT_LIMIT,
    ProgressOption,
    bold,
    console,
    print_json,
    print_notes,
    progress_display,
)
from milpcount.core.result import Budget, Definition
from milpcount.errors import InputError
from milpcount.support.decimal_text import to_decimal
from milpcount.surveys import SurveyResult, survey

__all__ = ["survey_command"]

_SHOWN = 40  # rows of a longer table that the terminal gets
_STATISTICS = ("mean", "std", "min", "q25", "median", "q75", "max")


class _Kind(enum.StrEnum):
    SEGMENTS = "segments"
    BOXES = "boxes"
    PLANES = "planes"


class _Pairs(enum.StrEnum):
    RANDOM = "random"
    ALL = "all"
    CONSECUTIVE = "consecutive"


def survey_command(
    net: Annotated[Path, typer.Argument(metavar="NET", help="Network: .npz, .onnx or .nnet.")],
    points: Annotated[
        Path,
        typer.Option(
            "--points", metavar="FILE", help="Points, one a row (.npy, .npz, .csv, .txt)."
        ),
    ],
    kind: Annotated[
        _Kind,
        typer.Option("--kind", help="Segments between points, boxes around, planes through."),
    ],
    radius: Annotated[
        float | None, typer.Option("--radius", metavar="R", help="Half the width of the boxes.")
    ] = None,
    ends: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--ends",
            metavar="LO HI",
            help="Boxes: inputs are cut to this range. Segments, planes: ends of the coordinates, "
            "instead of 0 1.",
        ),
    ] = None,
    pairs: Annotated[
        _Pairs | None,
        typer.Option(
            "--pairs", help="Which points go together; consecutive, or random with --count."
        ),
    ] = None,
    number: Annotated[
        int | None, typer.Option("--count", metavar="N", help="How many random ones.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Of the random choice.")] = 0,
    engine: Annotated[
        str, typer.Option("--engine", metavar="E", help="As of milpcount count.")
    ] = "auto",
    definition: Annotated[
        Definition,
        typer.Option("--definition", help="full: full-dimensional regions; nonempty: patterns."),
    ] = Definition.FULL,
    with_output: Annotated[
        bool, typer.Option("--with-output", help="Count the output units as ReLUs too.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", metavar="S", help="Seconds for each count; then an interval."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.csv", help="Write the table.")
    ] = None,
    network_output: Annotated[
        str | None,
        typer.Option("--network-output", metavar="NAME", help="Which output of the network."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    show_progress: ProgressOption = None,
) -> int:
    """Count regions on segments, planes or boxes made of many points; print one table.

    Counts are exact; those that reach the time limit are proved intervals. Ctrl-C ends the survey
    with the rows that are done (exit code 3, as for intervals).
    """
    from milpcount.importers.points import load_points

    # Before the counts, which may take long.
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise InputError(f"{output} cannot be written: name a file in a folder that exists")
    network = network_from(net, network_output)
    array = load_points(points, network.input_dimension)
    lo, hi = ends if ends is not None else (None, None)
    with progress_display(show_progress, as_json) as progress:
        result = survey(
            network,
            array,
            kind.value,
            radius=radius,
            pairs=None if pairs is None else pairs.value,
            count=number,
            seed=seed,
            engine=engine,
            definition=definition,
            with_output=with_output,
            budget=Budget(seconds=time_limit),
            lo=lo,
            hi=hi,
            progress=progress,
        )
    if output is not None:
        result.to_csv(output)
    if as_json:
        print_json(result.to_json())
    else:
        _describe(result, output)
    return EXIT_DONE if result.exact else EXIT_LIMIT


def _describe(result: SurveyResult, output: Path | None) -> None:
    """Print the rows, and below them the statistics of each column."""
    out = console()
    out.print(_title(result))
    measures = result.columns[7:]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("points", "regions", *(m.replace("_", " ") for m in measures), "seconds"):
        table.add_column(title, justify="right")
    for row in result.rows[:_SHOWN]:
        values = (row.measure, row.density)[: len(measures)]
        table.add_row(
            "-".join(map(str, row.points)),
            _interval(row.lower, row.upper, row.exact),
            *(_number(v) for v in values),
            f"{row.result.seconds:.2f}",
        )
    if len(result.rows) > _SHOWN:
        more = len(result.rows) - _SHOWN
        table.add_row(f"{more} more", *("..." for _ in range(1 + len(measures))), "")
    summary = result.summary
    first = summary.get("regions") or summary.get("regions_lower")
    density = summary.get(measures[-1]) if measures else None
    if first is not None:
        table.add_section()
        table.add_row("", "")
        for name in _STATISTICS:
            cells = [_number(getattr(first, name))]
            if measures:
                cells += ["", "" if density is None else _number(getattr(density, name))]
            table.add_row(bold(name), *cells)
    out.print(table)
    print_notes(result.notes)
    if "regions_lower" in summary:
        out.print("Not all counts are exact: the statistics are those of the proved lower ends.")
    if output is not None:
        out.print(f"Written to {output}", soft_wrap=True)
    elif len(result.rows) > _SHOWN:
        out.print("-o FILE.csv writes all rows.")


def _title(result: SurveyResult) -> str:
    what = {
        Definition.FULL: "full-dimensional activation regions",
        Definition.NONEMPTY: "non-empty activation patterns",
        Definition.LINEAR: "linear regions",
        Definition.CLOSED: "closed linear regions",
        Definition.AFFINE: "affine maps of regions",
    }[result.definition]
    exact = sum(row.exact for row in result.rows)
    engines = ", ".join(sorted({row.result.engine for row in result.rows})) or "no engine"
    head = f"{what} on {len(result.rows)} {result.kind}, {exact} exact (engine {engines})"
    if len(result.rows) < result.requested:
        head += f"; interrupted, {result.requested} were asked for"
    return head


def _interval(lower: int, upper: int | None, exact: bool) -> str:
    if exact:
        return to_decimal(lower)
    return f"{to_decimal(lower)}..{'?' if upper is None else _number(upper)}"


def _number(value: float | int | None) -> str:
    """Six digits at any size; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"2^{value.bit_length()}"
    return f"{value:.6g}"
