"""Figures that can be hovered, as the plain values that plotly draws in a browser.

Pure functions of the stored runs with the content of :mod:`milpcount.study.figures`; every point
of a run tells its network, count, accuracy, seconds and bounds, and carries the run's key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import pandas as pd

from milpcount.bounds import estimate_hanin_rolnick2019
from milpcount.decimal_text import from_decimal
from milpcount.study.figures.style import BOUND_NAMES, hidden
from milpcount.study.figures.sweep import initialisation
from milpcount.study.records import (
    Record,
    Records,
    counts_of,
    estimates_of,
    finished_networks,
    training_networks,
)
from milpcount.study.sweep_table import POLYNOMIAL, sweep_table
from milpcount.study.tables import WAY, architecture_table, cell_text

__all__ = ["Figure", "hover_figures"]

Figure = dict[str, Any]

# Seen on white and on black.
_COLOURS = ("#2a8bd2", "#e69f00", "#12a37a", "#cc79a7", "#d55e00", "#8c7ae6", "#999999", "#b8860b")
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
_HIGHEST = 1e250
_MEASURES = {
    "test_accuracy": ("test accuracy (%)", 100.0),
    "train_accuracy": ("training accuracy (%)", 100.0),
    "test_loss": ("test loss", 1.0),
    "train_loss": ("training loss", 1.0),
}
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
                settings |= _ticks([v for trace in figure["data"] for v in trace[axis]])
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
                _trace(
                    _bound_name(name),
                    [(shape, value, _text(_bound_name(name), str(shape), cell_text(value)))
                     for shape, value in known.items()],
                    _pick(_COLOURS, k + 1), _pick(_SYMBOLS, k + 1), line="dash",
                )
            )  # fmt: skip
        for k, (way, part) in enumerate(table.groupby(list(WAY), sort=False)):
            colour = _pick(_COLOURS, 0 if k == 0 else k + 6)
            rows = _rows(part)
            mean = _trace(
                f"mean, min to max: {_way(dict(zip(WAY, way, strict=True)))}",
                [(row["architecture"], row["mean"], _summary(row)) for row in rows],
                colour, "circle", line="solid",
            )  # fmt: skip
            mean["error_y"] = _bars(rows, "mean", "min", "max")
            data.append(mean)
    if counts:
        data.append(_runs_trace("runs", counts, _shape, _pick(_COLOURS, 0), 5))
    for k, label in enumerate(dict.fromkeys(r.get("label") or r["engine"] for r in estimates)):
        some = [r for r in estimates if (r.get("label") or r["engine"]) == label]
        data.append(_runs_trace(f"lower bound: {label}", some, _shape, _pick(_COLOURS, k + 4), 6))
    layout = _layout("units in the hidden layers")
    layout["xaxis"] |= {
        "type": "category", "categoryorder": "array", "categoryarray": shapes,
        "tickmode": "array", "tickvals": shapes, "ticktext": _short_names(shapes),
    }  # fmt: skip
    return {"title": "Counts and bounds by architecture", "data": data, "layout": layout}


def _short_names(shapes: Sequence[str]) -> list[str]:
    """The hidden layers, after the inputs where these differ."""
    inputs = {shape.partition("-")[0] for shape in shapes}
    before = "" if len(inputs) == 1 else "{}: "
    return [before.format(shape.partition("-")[0]) + hidden(shape) for shape in shapes]


def _against_measure(counts: Records, measure: str) -> Figure:
    """Counts against what training reached, one point a network, coloured by architecture."""
    label, factor = _MEASURES[measure]

    def place(record: Record) -> float | None:
        value = record.get("metadata", {}).get(measure)
        return factor * value if _is_number(value) else None

    data = _per_shape([r for r in counts if place(r) is not None], place)
    layout = _layout(label)
    return {"title": f"Counts against {label}", "data": data, "layout": layout}


def _against_bounds(counts: Records, bounds: Sequence[str]) -> Figure:
    """Every count against each bound of its network; no point lies above the diagonal."""
    data, ends = [], []
    for k, name in enumerate(bounds):

        def place(record: Record, name: str = name) -> float | None:
            value = record["bounds"].get(name)
            return None if value is None else _height(from_decimal(value))

        part = [r for r in counts if place(r) is not None]
        ends += [place(r) for r in part]
        if part:
            data.append(_runs_trace(_bound_name(name), part, place, _pick(_COLOURS, k), 6))
    layout = _layout("upper bound")
    layout["xaxis"]["type"] = "log"
    return {
        "title": "Counts against bounds",
        "data": [*_diagonal([e for e in ends if e is not None], "bound reached"), *data],
        "layout": layout,
    }


def _against_estimates(counts: Records, estimates: Records) -> Figure:
    """Probabilistic lower bounds and estimates against the counts of the same networks."""
    exact = {_question(r): from_decimal(r["lower"]) for r in counts if r["exact"]}
    data: list[Figure] = []

    def place(record: Record) -> float | None:
        return _height(exact[_question(record)])

    known = [r for r in estimates if _question(r) in exact]
    for k, label in enumerate(dict.fromkeys(r.get("label") or r["engine"] for r in known)):
        part = [r for r in known if (r.get("label") or r["engine"]) == label]
        data.append(_runs_trace(f"lower bound: {label}", part, place, _pick(_COLOURS, k), 6))
        valued = [r for r in part if _is_number_text(r.get("estimate"))]
        if valued:
            points = [(place(r), float(r["estimate"]), _describe(r), r["key"]) for r in valued]
            data.append(_trace(f"estimate: {label}", points, _pick(_COLOURS, k), "x"))
    layout = _layout("count", "lower bound or estimate")
    layout["xaxis"]["type"] = "log"
    ends = [float(v) for v in exact.values() if v < _HIGHEST]
    data = [*_diagonal(ends, "equal to the count"), *data]
    return {"title": "Estimates against counts", "data": data, "layout": layout}


def _by_epoch(counts: Records) -> Figure:
    """Counts of the networks kept while training."""
    data = _per_shape(counts, lambda record: record["metadata"]["epoch"], mode="lines+markers")
    layout = _layout("epoch of training")
    return {"title": "Counts by epoch", "data": data, "layout": layout}


def _sweep(counts: Records, bounds: Sequence[str]) -> Figure:
    """Mean counts of a sweep by units, beside Hanin and Rolnick's polynomial."""
    rows = _rows(sweep_table(counts, bounds))
    data = []
    for k, inputs in enumerate(dict.fromkeys(row["inputs"] for row in rows)):
        part = [row for row in rows if row["inputs"] == inputs]
        units = sorted({row["units"] for row in part if row["units"]})
        words = f"{inputs} input{'s' if inputs > 1 else ''}"
        curve = [(n, estimate_hanin_rolnick2019([inputs, n])) for n in units]
        polynomial = _trace(
            f"polynomial, {words}",
            [(n, v, _text(f"N^n/n!, {words}", f"N = {n}", cell_text(v))) for n, v in curve],
            _pick(_COLOURS, k), line="solid",
        )  # fmt: skip
        data.append(polynomial | {"mode": "lines"})
        for j, kind in enumerate(dict.fromkeys(initialisation(row) for row in part)):
            some = [row for row in part if initialisation(row) == kind]
            means = _trace(
                f"{words}, {kind}",
                [(row["units"], row["mean"], _summary(row)) for row in some],
                _pick(_COLOURS, k), _pick(_SYMBOLS, j),
            )  # fmt: skip
            data.append(means | {"error_y": _bars(some, "mean", "min", "max")})
    layout = _layout("units N")
    places = sorted({row["units"] for row in rows})
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": [str(n) for n in places]}
    layout["xaxis"] |= {"type": "log", **ticks}
    return {"title": "Random networks: mean counts by size", "data": data, "layout": layout}


def _per_shape(
    records: Records, place: Callable[[Record], Any], mode: str = "markers"
) -> list[Figure]:
    data = []
    for k, shape in enumerate(dict.fromkeys(_shape(r) for r in records)):
        part = [r for r in records if _shape(r) == shape]
        symbol = _pick(_SYMBOLS, k // len(_COLOURS))
        trace = _runs_trace(hidden(shape) or shape, part, place, _pick(_COLOURS, k), 7, symbol)
        data.append(trace | {"mode": mode})
    return data


def _runs_trace(
    name: str, records: Records, place: Callable[[Record], Any], colour: str, size: int,
    symbol: str = "circle",
) -> Figure:  # fmt: skip
    """One point a run at its lower end; hollow, with a bar to the upper end, if not exact."""
    points = [(place(r), from_decimal(r["lower"]), _describe(r), r["key"]) for r in records]
    trace = _trace(name, points, colour, symbol)
    open_symbols = [symbol if r["exact"] else f"{symbol}-open" for r in records]
    trace["marker"] |= {"size": size, "symbol": open_symbols, "opacity": 0.8}
    rows = [{"lower": from_decimal(r["lower"]), "upper": _upper(r)} for r in records]
    if any(row["upper"] != row["lower"] for row in rows):
        trace["error_y"] = _bars(rows, "lower", "lower", "upper")
    return trace


def _trace(
    name: str, points: Sequence[tuple[Any, ...]], colour: str, symbol: str = "circle",
    line: str | None = None,
) -> Figure:  # fmt: skip
    """A series of (place, value, text) or (place, value, text, key)."""
    return {
        "type": "scatter",
        "name": escape(name),
        "mode": "lines+markers" if line else "markers",
        "x": [point[0] for point in points],
        "y": [_height(point[1]) for point in points],
        "text": [point[2] for point in points],
        "customdata": [point[3] if len(point) > 3 else None for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 8},
        "line": {"color": colour, "width": 1.5, "dash": line or "solid"},
    }


def _bars(rows: Sequence[Record], middle: str, low: str, high: str) -> Figure:
    above, below = [], []
    for row in rows:
        a, m, b = (_height(row[name]) for name in (low, middle, high))
        above.append(0 if m is None or b is None else b - m)
        below.append(0 if m is None or a is None else m - a)
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 3}


def _diagonal(ends: Sequence[float], name: str) -> list[Figure]:
    if not ends:
        return []
    points = [(end, end, escape(name)) for end in (min(ends), max(ends))]
    return [_trace(name, points, "#999999", line="dot") | {"mode": "lines"}]


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _layout(x: str, y: str = "activation regions") -> Figure:
    clear = "rgba(0,0,0,0)"
    return {
        "xaxis": {"title": {"text": x}, "automargin": True, "exponentformat": "power"},
        "yaxis": {"title": {"text": y}, "type": "log", "exponentformat": "power"},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "legend": {"font": {"size": 11}},
        "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
        "modebar": {"bgcolor": clear},
        "paper_bgcolor": clear,
        "plot_bgcolor": clear,
    }  # fmt: skip


def _ticks(places: Sequence[float | None]) -> Figure:
    """Plain numbers on a logarithmic scale that spans few powers of ten."""
    known = [v for v in places if v is not None]
    if not known or max(known) > 10**6 or max(known) / min(known) > 10**3.5:
        return {}
    return {"dtick": "D2", "tickformat": ",~r"}


def _describe(record: Record) -> str:
    """What hovering shows of a run."""
    lower = cell_text(from_decimal(record["lower"]))
    upper = _upper(record)
    metadata = record.get("metadata", {})
    if record.get("kind") == "estimate":
        count = f"at least {lower} (confidence {record.get('confidence')})"
    elif record["exact"]:
        count = f"{lower} regions, exact"
    else:
        count = f"{lower} to {'?' if upper is None else cell_text(upper)} regions"
    stopped = record.get("stopped_by")
    lines = [
        record["network"],
        _shape(record),
        count + (f", stopped by {stopped}" if stopped else ""),
        _way(record),
        *(
            f"{label.split(' (')[0]} {metadata[name]:.4g}"
            for name, (label, _) in _MEASURES.items()
            if _is_number(metadata.get(name))
        ),
        f"{float(record['seconds']):.3g} s",
        *(
            f"{_bound_name(name)}: {cell_text(from_decimal(value))}"
            for name, value in record.get("bounds", {}).items()
        ),
    ]
    return _text(*lines)


def _summary(row: Record) -> str:
    """What hovering shows of a row of a table by architecture or combination."""
    names = {str(n) for n in row} - {*WAY, "min", "mean", "max", "networks", "exact"}
    shown = [n for n in row if n in names and row[n] is not None]
    lines = [
        f"mean {cell_text(row['mean'])} ({cell_text(row['min'])} to {cell_text(row['max'])})",
        f"{row['networks']} networks, {row['exact']} exact",
        *(f"{n.replace('_', ' ')}: {cell_text(row[n])}" for n in shown if n != POLYNOMIAL),
    ]
    return _text(*lines)


def _text(head: str, *lines: str) -> str:
    """Lines as plotly shows them, which reads tags; what is written to it here has none."""
    return "<br>".join([f"<b>{escape(_short(head))}</b>", *(escape(_short(t)) for t in lines)])


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:60]}... ({len(text)} characters)"


def _way(row: Record) -> str:
    output = ", with output" if row["with_output"] else ""
    return f"{row['engine']}, {row['definition']}{output}"


def _upper(record: Record) -> int | None:
    return None if record["upper"] is None else from_decimal(record["upper"])


def _shape(record: Record) -> str:
    return "-".join(map(str, record["architecture"]))


def _question(record: Record) -> tuple[Any, ...]:
    return record["network_sha256"], record["definition"], record["with_output"]


def _known(records: Records, measure: str) -> bool:
    return any(_is_number(r.get("metadata", {}).get(measure)) for r in records)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_number_text(value: Any) -> bool:
    try:
        return value is not None and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _bound_name(name: str) -> str:
    return BOUND_NAMES.get(name, name).replace("$2^N$", "2^N")


def _height(value: Any) -> float | None:
    """A height in a logarithmic picture; None for what lies outside of any."""
    return float(value) if value is not None and 0 < value < _HIGHEST else None


def _pick(choices: Sequence[str], k: int) -> str:
    return choices[k % len(choices)]
