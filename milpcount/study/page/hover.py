"""Figures that can be hovered, as the plain values that plotly draws in a browser.

Pure functions of the stored runs with the content of :mod:`milpcount.study.figures`; every point
of a run tells its network, count, accuracy, seconds and bounds, and carries the run's key.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from milpcount.bounds import estimate_hanin_rolnick2019
from milpcount.study.figures.depth_figure import missing_depths
from milpcount.study.figures.style import BOUND_STYLES, OTHER_COLOURS, hidden
from milpcount.study.figures.sweep_figure import initialisation
from milpcount.study.page.traces import (
    COLOURS,
    HIGHEST,
    MEASURES,
    SYMBOLS,
    Figure,
    bars,
    bound_name,
    describe,
    diagonal,
    height,
    hover_text,
    is_number,
    layout_of,
    ordered_colour,
    per_shape,
    pick,
    rows_of,
    runs_trace,
    shape_of,
    summary,
    ticks,
    trace_of,
)
from milpcount.study.records import (
    Record,
    Records,
    counts_of,
    estimates_of,
    finished_networks,
    training_networks,
)
from milpcount.study.tables.architecture import WAY, architecture_table, cell_text
from milpcount.study.tables.depth_table import DepthBounds, bounds_by_depth
from milpcount.study.tables.sweep_table import sweep_table
from milpcount.support.decimal_text import from_decimal

__all__ = ["Figure", "depth_figures", "hover_figures"]


# The second of each where the first is not known.
_DRAWN = (("test_accuracy", "train_accuracy"), ("test_loss", "train_loss"))


def hover_figures(records: Records, bounds: Sequence[str]) -> list[Figure]:
    """All the figures that the runs have something for: ``title``, ``data`` and ``layout``."""
    counts, estimates = finished_networks(counts_of(records)), estimates_of(records)
    figures: list[Figure] = []
    if counts or estimates:
        figures.append(_by_architecture(counts, estimates, bounds))
    if counts:
        for names in _DRAWN:
            known = [name for name in names if _known(counts, name)]
            figures += [_against_measure(counts, name) for name in known[:1]]
        figures.append(_against_bounds(counts, bounds))
    if counts and estimates:
        figures.append(_against_estimates(counts, estimates))
    if epochs := training_networks(counts_of(records)):
        figures.append(_by_epoch(epochs))
    if any("weights" in r.get("metadata", {}) for r in counts):
        figures.append(_sweep(counts, bounds))
    for figure in figures:
        for axis in "xy":
            settings = figure["layout"][f"{axis}axis"]
            if settings.get("type") == "log" and "tickvals" not in settings:
                settings |= ticks([v for trace in figure["data"] for v in trace[axis]])
    return figures


def _by_architecture(counts: Records, estimates: Records, bounds: Sequence[str]) -> Figure:
    """Mean counts with bars from min to max, every run, estimates, and the bounds."""
    runs = [*counts, *estimates]
    shapes = ["-".join(map(str, s)) for s in sorted({tuple(r["architecture"]) for r in runs})]
    data = []
    table = architecture_table(counts, bounds) if counts else None
    if table is not None:
        for k, name in enumerate(n for n in bounds if table[n].notna().any()):
            known = table[table[name].notna()].groupby("architecture", sort=False)[name].max()
            data.append(
                trace_of(
                    bound_name(name),
                    [(shape, value, hover_text(bound_name(name), str(shape), cell_text(value)))
                     for shape, value in known.items()],
                    BOUND_STYLES[name][0], pick(SYMBOLS, k + 1), line="dash",
                )
            )  # fmt: skip
        # Where every architecture has one row, what "auto" chose makes no series of its own.
        by = [column for column in WAY if column != "engine"]
        if table.duplicated(["architecture", *by]).any():
            by = list(WAY)
        for k, (way, part) in enumerate(table.groupby(by, sort=False)):
            colour = pick(COLOURS, 0 if k == 0 else k + 5)
            rows = rows_of(part)
            words = "mean, min to max" if max(part["networks"]) > 1 else "count"
            mean = trace_of(
                f"{words}: {_series(by, way)}",
                [(row["architecture"], row["mean"], summary(row)) for row in rows],
                colour, "circle", line="solid",
            )  # fmt: skip
            mean["error_y"] = bars(rows, "mean", "min", "max")
            data.append(mean)
    if counts:
        data.append(runs_trace("runs", counts, shape_of, pick(COLOURS, 0), 5))
    for k, label in enumerate(dict.fromkeys(r.get("label") or r["engine"] for r in estimates)):
        some = [r for r in estimates if (r.get("label") or r["engine"]) == label]
        data.append(runs_trace(f"lower bound: {label}", some, shape_of, pick(OTHER_COLOURS, k), 6))
    layout = layout_of("units in the hidden layers")
    layout["xaxis"] |= {
        "type": "category", "categoryorder": "array", "categoryarray": shapes,
        "tickmode": "array", "tickvals": shapes, "ticktext": _short_names(shapes),
    }  # fmt: skip
    return {"title": "Counts and bounds by architecture", "data": data, "layout": layout}


def _series(by: Sequence[str], way: Sequence[Any]) -> str:
    values = dict(zip(by, way, strict=True))
    output = ", with output" if values.pop("with_output") else ""
    return ", ".join(map(str, values.values())) + output


def _short_names(shapes: Sequence[str]) -> list[str]:
    """The hidden layers, after the inputs where these differ."""
    inputs = {shape.partition("-")[0] for shape in shapes}
    before = "" if len(inputs) == 1 else "{}: "
    return [before.format(shape.partition("-")[0]) + hidden(shape) for shape in shapes]


def _against_measure(counts: Records, measure: str) -> Figure:
    """Counts against what training reached, one point a network, coloured by architecture."""
    label, factor = MEASURES[measure]

    def place(record: Record) -> float | None:
        value = record.get("metadata", {}).get(measure)
        return factor * value if is_number(value) else None

    data = per_shape([r for r in counts if place(r) is not None], place)
    layout = layout_of(label)
    return {"title": f"Counts against {label}", "data": data, "layout": layout}


def _against_bounds(counts: Records, bounds: Sequence[str]) -> Figure:
    """Every count against each bound of its network; no point lies above the diagonal."""
    data, ends = [], []
    for name in bounds:

        def place(record: Record, name: str = name) -> float | None:
            value = record["bounds"].get(name)
            return None if value is None else height(from_decimal(value))

        part = [r for r in counts if place(r) is not None]
        ends += [place(r) for r in part]
        if part:
            colour = BOUND_STYLES[name][0]
            data.append(runs_trace(bound_name(name), part, place, colour, 6))
    layout = layout_of("upper bound")
    layout["xaxis"]["type"] = "log"
    return {
        "title": "Counts against bounds",
        "data": [*diagonal([e for e in ends if e is not None], "bound reached"), *data],
        "layout": layout,
    }


def _against_estimates(counts: Records, estimates: Records) -> Figure:
    """Probabilistic lower bounds and estimates against the counts of the same networks."""
    exact = {_question(r): from_decimal(r["lower"]) for r in counts if r["exact"]}
    data: list[Figure] = []

    def place(record: Record) -> float | None:
        return height(exact[_question(record)])

    known = [r for r in estimates if _question(r) in exact]
    for k, label in enumerate(dict.fromkeys(r.get("label") or r["engine"] for r in known)):
        part = [r for r in known if (r.get("label") or r["engine"]) == label]
        data.append(runs_trace(f"lower bound: {label}", part, place, pick(COLOURS, k), 6))
        valued = [r for r in part if _is_number_text(r.get("estimate"))]
        if valued:
            points = [(place(r), float(r["estimate"]), describe(r), r["key"]) for r in valued]
            data.append(trace_of(f"estimate: {label}", points, pick(COLOURS, k), "x"))
    layout = layout_of("count", "lower bound or estimate")
    layout["xaxis"]["type"] = "log"
    ends = [float(v) for v in exact.values() if v < HIGHEST]
    data = [*diagonal(ends, "equal to the count"), *data]
    return {"title": "Estimates against counts", "data": data, "layout": layout}


def _by_epoch(counts: Records) -> Figure:
    """Counts of the networks kept while training."""
    data = per_shape(counts, lambda record: record["metadata"]["epoch"], mode="lines+markers")
    layout = layout_of("epoch of training")
    return {"title": "Counts by epoch", "data": data, "layout": layout}


def _sweep(counts: Records, bounds: Sequence[str]) -> Figure:
    """Mean counts of a sweep by units, beside Hanin and Rolnick's polynomial."""
    rows = rows_of(sweep_table(counts, bounds))
    data = []
    for k, inputs in enumerate(dict.fromkeys(row["inputs"] for row in rows)):
        part = [row for row in rows if row["inputs"] == inputs]
        units = sorted({row["units"] for row in part if row["units"]})
        words = f"{inputs} input{'s' if inputs > 1 else ''}"
        curve = [(n, estimate_hanin_rolnick2019([inputs, n])) for n in units]
        polynomial = trace_of(
            f"polynomial, {words}",
            [(n, v, hover_text(f"N^n/n!, {words}", f"N = {n}", cell_text(v))) for n, v in curve],
            pick(COLOURS, k), line="solid",
        )  # fmt: skip
        data.append(polynomial | {"mode": "lines"})
        for j, kind in enumerate(dict.fromkeys(initialisation(row) for row in part)):
            some = [row for row in part if initialisation(row) == kind]
            means = trace_of(
                f"{words}, {kind}",
                [(row["units"], row["mean"], summary(row)) for row in some],
                pick(COLOURS, k), pick(SYMBOLS, j),
            )  # fmt: skip
            data.append(means | {"error_y": bars(some, "mean", "min", "max")})
    layout = layout_of("units N")
    places = sorted({row["units"] for row in rows})
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": [str(n) for n in places]}
    layout["xaxis"] |= {"type": "log", **ticks}
    return {"title": "Random networks: mean counts by size", "data": data, "layout": layout}


def depth_figures(settings: DepthBounds) -> list[Figure]:
    """The bound at every depth by the number of inputs, a figure a total of units."""
    values = bounds_by_depth(settings)
    figures = []
    for total in settings.units:
        data = []
        for depth in settings.depths(total):
            k = settings.layers.index(depth)
            name = "1 layer" if depth == 1 else f"{depth} layers"
            points = [(n, values[total, depth, n]) for n in settings.input_numbers()]
            trace = trace_of(
                name,
                [(n, v, hover_text(f"{total} units, {name}", f"{n} inputs", cell_text(v)))
                 for n, v in points],
                ordered_colour(k, len(settings.layers)), pick(SYMBOLS, k), line="solid",
            )  # fmt: skip
            data.append(trace)
        layout = layout_of("inputs", f"bound ({bound_name(settings.bound)})")
        figures.append(
            {
                "title": f"Bound by depth: {total} units{missing_depths(settings, total)}",
                "data": data,
                "layout": layout,
            }
        )
    return figures


def _question(record: Record) -> tuple[Any, ...]:
    return record["network_sha256"], record["definition"], record["with_output"]


def _known(records: Records, measure: str) -> bool:
    return any(is_number(r.get("metadata", {}).get(measure)) for r in records)


def _is_number_text(value: Any) -> bool:
    try:
        return value is not None and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
