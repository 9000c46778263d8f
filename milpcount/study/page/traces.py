"""Parts of the figures that can be hovered: series of points, their words, scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import pandas as pd

from milpcount.study.figures.style import BOUND_NAMES, hidden
from milpcount.study.records import Record, Records
from milpcount.study.tables.architecture import WAY, cell_text
from milpcount.study.tables.sweep_table import POLYNOMIAL
from milpcount.support.decimal_text import from_decimal

__all__ = [
    "COLOURS",
    "HIGHEST",
    "MEASURES",
    "SYMBOLS",
    "Figure",
    "bars",
    "bound_name",
    "describe",
    "diagonal",
    "height",
    "hover_text",
    "is_number",
    "layout_of",
    "ordered_colour",
    "per_shape",
    "pick",
    "rows_of",
    "runs_trace",
    "shape_of",
    "summary",
    "ticks",
    "trace_of",
]

Figure = dict[str, Any]

# Seen on white and on black.
COLOURS = ("#2a8bd2", "#e69f00", "#12a37a", "#cc79a7", "#d55e00", "#8c7ae6", "#999999", "#b8860b")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
# Between them colours are mixed; viridis without its darkest and lightest, for both pages.
_ORDERED = ((115, 74, 170), (58, 110, 190), (33, 145, 140), (60, 175, 110), (200, 190, 30))
HIGHEST = 1e250
MEASURES = {
    "test_accuracy": ("test accuracy (%)", 100.0),
    "train_accuracy": ("training accuracy (%)", 100.0),
    "test_loss": ("test loss", 1.0),
    "train_loss": ("training loss", 1.0),
}


def per_shape(
    records: Records, place: Callable[[Record], Any], mode: str = "markers"
) -> list[Figure]:
    """A series of runs for each architecture; ``place`` says where along the axis."""
    data = []
    ordered = sorted(records, key=lambda record: list(record["architecture"]))
    shapes = list(dict.fromkeys(shape_of(r) for r in ordered))
    for k, shape in enumerate(shapes):
        part = [r for r in records if shape_of(r) == shape]
        colour, symbol = ordered_colour(k, len(shapes)), pick(SYMBOLS, k)
        trace = runs_trace(hidden(shape) or shape, part, place, colour, 7, symbol)
        data.append(trace | {"mode": mode})
    return data


def ordered_colour(k: int, of: int) -> str:
    """The colour of the k-th of several ordered things, all different: violet, green, yellow."""
    place = k / max(1, of - 1) * (len(_ORDERED) - 1)
    j = min(int(place), len(_ORDERED) - 2)
    share = place - j
    mixed = (round(a + share * (b - a)) for a, b in zip(*_ORDERED[j : j + 2], strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def runs_trace(
    name: str, records: Records, place: Callable[[Record], Any], colour: str, size: int,
    symbol: str = "circle",
) -> Figure:  # fmt: skip
    """One point a run at its lower end; hollow, with a bar to the upper end, if not exact."""
    points = [(place(r), from_decimal(r["lower"]), describe(r), r["key"]) for r in records]
    trace = trace_of(name, points, colour, symbol)
    open_symbols = [symbol if r["exact"] else f"{symbol}-open" for r in records]
    trace["marker"] |= {"size": size, "symbol": open_symbols, "opacity": 0.8}
    rows = [{"lower": from_decimal(r["lower"]), "upper": _upper(r)} for r in records]
    if any(row["upper"] != row["lower"] for row in rows):
        trace["error_y"] = bars(rows, "lower", "lower", "upper")
    return trace


def trace_of(
    name: str, points: Sequence[tuple[Any, ...]], colour: str, symbol: str = "circle",
    line: str | None = None,
) -> Figure:  # fmt: skip
    """A series of (place, value, text) or (place, value, text, key)."""
    return {
        "type": "scatter",
        "name": escape(name),
        "mode": "lines+markers" if line else "markers",
        "x": [point[0] for point in points],
        "y": [height(point[1]) for point in points],
        "text": [point[2] for point in points],
        "customdata": [point[3] if len(point) > 3 else None for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 8},
        "line": {"color": colour, "width": 1.5, "dash": line or "solid"},
    }


def bars(rows: Sequence[Record], middle: str, low: str, high: str) -> Figure:
    """Bars from one column to another around a third, nothing where one is out of the picture."""
    above, below = [], []
    for row in rows:
        a, m, b = (height(row[name]) for name in (low, middle, high))
        above.append(0 if m is None or b is None else b - m)
        below.append(0 if m is None or a is None else m - a)
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 3}


def diagonal(ends: Sequence[float], name: str) -> list[Figure]:
    """The line of equal values, from the least of the ends to the largest."""
    if not ends:
        return []
    points = [(end, end, escape(name)) for end in (min(ends), max(ends))]
    return [trace_of(name, points, "#999999", line="dot") | {"mode": "lines"}]


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table by column."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def layout_of(x: str, y: str = "activation regions") -> Figure:
    """Axes with these titles, the vertical one logarithmic; colours are the page's."""
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


def ticks(places: Sequence[float | None]) -> Figure:
    """Plain numbers on a logarithmic scale that spans few powers of ten."""
    known = [v for v in places if v is not None]
    if not known or max(known) > 10**6 or max(known) / min(known) > 10**3.5:
        return {}
    return {"dtick": "D2", "tickformat": ",~r"}


def describe(record: Record) -> str:
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
        shape_of(record),
        count + (f", stopped by {stopped}" if stopped else ""),
        _way(record),
        *(
            f"{label.split(' (')[0]} {metadata[name]:.4g}"
            for name, (label, _) in MEASURES.items()
            if is_number(metadata.get(name))
        ),
        f"{float(record['seconds']):.3g} s",
        *(
            f"{bound_name(name)}: {cell_text(from_decimal(value))}"
            for name, value in record.get("bounds", {}).items()
        ),
    ]
    return hover_text(*lines)


def summary(row: Record) -> str:
    """What hovering shows of a row of a table by architecture or combination."""
    names = {str(n) for n in row} - {*WAY, "min", "mean", "max", "networks", "exact"}
    shown = [n for n in row if n in names and row[n] is not None]
    lines = [
        f"mean {cell_text(row['mean'])} ({cell_text(row['min'])} to {cell_text(row['max'])})",
        f"{row['networks']} networks, {row['exact']} exact",
        *(f"{n.replace('_', ' ')}: {cell_text(row[n])}" for n in shown if n != POLYNOMIAL),
    ]
    return hover_text(*lines)


def hover_text(head: str, *lines: str) -> str:
    """Lines as plotly shows them, which reads tags; what is written to it here has none."""
    return "<br>".join([f"<b>{escape(_short(head))}</b>", *(escape(_short(t)) for t in lines)])


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:60]}... ({len(text)} characters)"


def _way(row: Record) -> str:
    output = ", with output" if row["with_output"] else ""
    return f"{row['engine']}, {row['definition']}{output}"


def _upper(record: Record) -> int | None:
    return None if record["upper"] is None else from_decimal(record["upper"])


def shape_of(record: Record) -> str:
    """The architecture as tables write it."""
    return "-".join(map(str, record["architecture"]))


def is_number(value: Any) -> bool:
    """Whether it is a number that can be drawn."""
    return isinstance(value, int | float) and math.isfinite(value)


def bound_name(name: str) -> str:
    """The name of a bound in words, without LaTeX."""
    return BOUND_NAMES.get(name, name).replace("$2^N$", "2^N")


def height(value: Any) -> float | None:
    """A height in a logarithmic picture; None for what lies outside of any."""
    return float(value) if value is not None and 0 < value < HIGHEST else None


def pick(choices: Sequence[str], k: int) -> str:
    """The k-th choice, from the first again after the last."""
    return choices[k % len(choices)]
