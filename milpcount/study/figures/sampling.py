"""Probabilistic lower bounds, exact counts and upper bounds by architecture, with their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from milpcount.study.figures.style import (
    BOUND_NAMES,
    BOUND_STYLES,
    OTHER_COLOURS,
    count_axis,
    heights,
    plain_axes,
    require_matplotlib,
    split_ticks,
)
from milpcount.study.records import (
    Record,
    Records,
    bounds_of,
    counts_of,
    estimates_of,
    finished_networks,
)
from milpcount.support.decimal_text import from_decimal
from milpcount.support.escaping import mathtext
from milpcount.support.text import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["sampling_and_bounds"]

_UPPER = ("serra2018", "activation_based")
_MARKERS = ("<", ">", "d", "*", "p", "h")


def sampling_and_bounds(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Means over the networks of an architecture; below the seconds that each took.

    Lower bounds are those at their stated confidence.  Counts are of the networks that have
    estimates, where any have; the upper bounds are Serra et al.'s and the activation-based one.
    A cross on a time says that some of the runs were stopped by their limit.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    records = finished_networks(records)
    estimates = estimates_of(records)
    ways = {(r["network"], r["definition"], r["with_output"]) for r in estimates}
    counts = [
        r
        for r in counts_of(records)
        if not ways or (r["network"], r["definition"], r["with_output"]) in ways
    ]
    shown = sorted({tuple(r["architecture"]) for r in [*estimates, *counts]})
    shapes = ["-".join(map(str, shape)) for shape in shown]
    figure = Figure(
        figsize=(max(6.4, 3.8 + min(0.45, 6.4 / max(1, len(shapes))) * len(shapes)), 6.0),
        layout="constrained",
    )
    upper: Axes = figure.add_subplot(2, 1, 1)
    lower: Axes = figure.add_subplot(2, 1, 2, sharex=upper)
    for axes in (upper, lower):
        plain_axes(axes)
    for k, name in enumerate(_UPPER):
        known = [r for r in counts if name in r["bounds"]]
        style: dict[str, Any] = {
            **_bound_style(name),
            "markersize": 7 - 2 * k,
        }
        values = {id(r): from_decimal(r["bounds"][name]) for r in known}
        _line(upper, _means(known, shapes, values), BOUND_NAMES[name], style)
    exact = [r for r in counts if r["exact"]]
    style = {"color": "#0072B2", "marker": "o", "linestyle": "-"}
    _line(upper, _means(exact, shapes, _ends(exact)), "exact", style)
    _line(lower, _means(exact, shapes, _seconds(exact)), "exact", style)
    stopped = [r for r in counts if not r["exact"]]
    style = {"color": "#0072B2", "marker": "o", "markerfacecolor": "white", "linestyle": "none"}
    _line(upper, _means(stopped, shapes, _ends(stopped)), "stopped: proved lower end", style)
    crosses: set[tuple[int, float]] = set()
    for k, label in enumerate(dict.fromkeys(r["label"] for r in estimates)):
        part = [r for r in estimates if r["label"] == label]
        style = {
            "color": OTHER_COLOURS[k % len(OTHER_COLOURS)],
            "marker": _MARKERS[k % len(_MARKERS)],
        }
        style |= {"linestyle": (0, (2, 1.5))}
        _line(upper, _means(part, shapes, _ends(part)), _stated(label, part), style)
        seconds = _means(part, shapes, _seconds(part))
        _line(lower, seconds, mathtext(label), style)
        crosses |= _stopped(part, shapes, seconds)
    known = bounds_of(records)
    style = {**_bound_style("activation_based"), "markerfacecolor": None}
    for ranges in dict.fromkeys(r["ranges"] for r in known):
        part = [r for r in known if r["ranges"] == ranges]
        name = f"activation-based, {ranges} ranges"
        _line(lower, _means(part, shapes, _seconds(part)), name, style)
        style = {**style, "markerfacecolor": "none", "linestyle": ":"}
    style = {"color": "#444444", "marker": "|", "markersize": 7}
    analytic = {id(r): r["analytic_seconds"] for r in known}
    _line(lower, _means(known, shapes, analytic), "bounds without ranges", style)
    style = {"color": "#000000", "marker": "x", "markersize": 6, "linestyle": "none"}
    if crosses:
        places, ends = zip(*sorted(crosses), strict=True)
        lower.plot(places, ends, label="stopped by its limit", zorder=4, **style)
    count_axis(upper)
    count_axis(lower, "seconds")
    split_ticks(lower, shapes)
    upper.tick_params(labelbottom=False)
    upper.set_title(mathtext(title), fontsize=10)
    for axes in (upper, lower):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _ends(records: Sequence[Record]) -> dict[int, Any]:
    return {id(r): from_decimal(r["lower"]) for r in records}


def _seconds(records: Sequence[Record]) -> dict[int, Any]:
    return {id(r): r["seconds"] for r in records}


def _stated(label: str, part: Sequence[Record]) -> str:
    """The name of a lower bound with the confidence that it was asked at."""
    confidences = {r["confidence"] for r in part}
    name = mathtext(label)
    if len(confidences) > 1:
        return name
    return f"{name} (≥ {number_text(round(100 * confidences.pop(), 9))} %)"


def _means(
    records: Sequence[Record], shapes: Sequence[str], values: Mapping[int, Any]
) -> list[float]:
    """The mean value by architecture; nan where there is none, or none that can be drawn."""
    means: list[Any] = []
    for shape in shapes:
        some = [values[id(r)] for r in records if "-".join(map(str, r["architecture"])) == shape]
        total = sum(some)
        integral = isinstance(total, int)
        means.append(None if not some else total // len(some) if integral else total / len(some))
    return heights(means)


def _bound_style(name: str) -> dict[str, Any]:
    colour, marker, dash = BOUND_STYLES[name]
    return {"color": colour, "marker": marker, "linestyle": dash, "markerfacecolor": "none"}


def _line(axes: Axes, values: Sequence[float], label: str, style: Mapping[str, Any]) -> None:
    if any(value == value for value in values):
        defaults = {"markersize": 5, "linewidth": 1.2, "linestyle": "-"}
        axes.plot(range(len(values)), values, label=label, **{**defaults, **style})


def _stopped(
    part: Sequence[Record], shapes: Sequence[str], seconds: Sequence[float]
) -> set[tuple[int, float]]:
    """Where the times are of estimates some of which were stopped."""
    stopped = {"-".join(map(str, r["architecture"])) for r in part if r["stopped_by"] is not None}
    return {(k, seconds[k]) for k, shape in enumerate(shapes) if shape in stopped}
