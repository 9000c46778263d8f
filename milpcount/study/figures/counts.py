"""Counts by architecture, against the analytic bounds, the accuracy and the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.study.figures.style import (
    BOUND_NAMES,
    BOUND_STYLES,
    COUNT_COLOURS,
    canvas,
    count_axis,
    heights,
    hidden,
    legend_beside,
    shade,
    split_ticks,
)
from milpcount.study.records import Record, Records, counts_of, finished_networks
from milpcount.study.tables.architecture import WAY, architecture_table, runs_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bounds_and_counts", "counts_and", "draw_bounds"]

_NARROW = 4
_OWN = "activation_based"
_MANY = 10


def bounds_and_counts(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Mean counts with bars from min to max by architecture, against the analytic bounds.

    Every way of counting (engine, definition) is a series of its own.  Where a study counts with
    and without the output units, the bounds differ too: the picture is of the first choice.
    Where counts were stopped the marker is hollow, and a cross shows the estimate.
    """
    table = architecture_table(records, bounds)
    units = {r["with_output"]: None for r in counts_of(records)}
    if len(units) > 1:
        with_output = next(iter(units))
        table = table[[bool(v) == with_output for v in table["with_output"]]]
        title += ", with the output units" if with_output else ", hidden units only"
    shapes = list(dict.fromkeys(table["architecture"]))
    figure, axes = canvas(max(6.4, 3.4 + min(0.45, 6.4 / len(shapes)) * len(shapes)), title)
    # Where every architecture has one row, what "auto" chose makes no series of its own.
    by = [column for column in WAY if column != "engine"]
    if table.duplicated(["architecture", *by]).any():
        by = list(WAY)
    ways = dict.fromkeys(table[by].itertuples(index=False, name=None))
    draw_bounds(axes, table, bounds, shapes)
    for k, way in enumerate(ways):
        part = table[(table[by] == pd.Series(way, index=by)).all(axis=1)]
        means = heights(part["mean"])
        below = [m - v for m, v in zip(means, heights(part["min"]), strict=True)]
        above = [v - m for m, v in zip(means, heights(part["max"]), strict=True)]
        # Side by side, so that equal counts do not hide each other.
        shift = 0.12 * (k - (len(ways) - 1) / 2)
        places = [shapes.index(shape) + shift for shape in part["architecture"]]
        colour = COUNT_COLOURS[k % len(COUNT_COLOURS)]
        axes.errorbar(
            places,
            means,
            yerr=[below, above],
            color=colour,
            marker="o",
            markersize=4,
            linewidth=1.4,
            linestyle="none",
            capsize=3,
            label=_way_label(way, len(ways), max(part["networks"])),
            zorder=3,
        )
        stopped = [e < n for n, e in zip(part["networks"], part["exact"], strict=True)]
        if len(ways) == 1:
            # Only counts are joined: a proved lower end lies on no curve.
            joined = [nan if s else m for m, s in zip(means, stopped, strict=True)]
            axes.plot(places, joined, color=colour, linewidth=1.4, zorder=3)
        _mark_stopped(axes, part, places, colour, means)
    count_axis(axes)
    split_ticks(axes, shapes)
    legend_beside(axes)
    return figure


def _mark_stopped(
    axes: Axes, part: pd.DataFrame, places: Sequence[float], colour: str, means: Sequence[float]
) -> None:
    """Make the markers of proved lower ends hollow; add crosses for the estimates."""
    stopped = [
        k for k, (n, e) in enumerate(zip(part["networks"], part["exact"], strict=True)) if e < n
    ]
    if not stopped:
        return
    axes.plot(
        [places[k] for k in stopped],
        [means[k] for k in stopped],
        color=colour,
        marker="o",
        markersize=4,
        markerfacecolor="white",
        linestyle="none",
        label="stopped: proved lower end",
        zorder=4,
    )
    if "estimate" in part:
        axes.plot(
            [places[k] for k in stopped],
            heights([part["estimate"].iloc[k] for k in stopped]),
            color=colour,
            marker="x",
            markersize=5,
            linestyle="none",
            label="stopped: estimate",
            zorder=4,
        )


def draw_bounds(
    axes: Axes, table: pd.DataFrame, bounds: Sequence[str], shapes: Sequence[str]
) -> None:
    """Draw the bounds in a table by architecture, a line each."""
    several = max(table["networks"]) > 1
    for k, name in enumerate(name for name in bounds if table[name].notna().any()):
        # Of the ways of counting the weakest bound: with outputs there are more units.
        colour, marker, dash = BOUND_STYLES[name]
        tops = [max(heights(table[table["architecture"] == s][name])) for s in shapes]
        axes.plot(
            range(len(shapes)),
            tops,
            color=colour,
            # Bounds are often equal: hollow markers that shrink, and dashes, let all be seen.
            marker=marker,
            markersize=max(3, 9 - 1.5 * k),
            markerfacecolor="none",
            linestyle=dash,
            linewidth=1.2,
            # Of several networks a bound that knows their weights has several values.
            label=BOUND_NAMES[name] + (" (largest)" if several and name == _OWN else ""),
        )


def _way_label(way: tuple[Any, ...], ways: int, networks: int) -> str:
    """Name a way of counting; its last entry says whether the outputs count."""
    if ways == 1:
        return "counted: mean, min to max" if networks > 1 else "counted"
    return f"counted: {', '.join(way[:-1])}{', with output' if way[-1] else ''}"


_MEASURES: Mapping[str, tuple[str, float]] = {
    "test_accuracy": ("test accuracy (%)", 100.0),
    "test_loss": ("test loss", 1.0),
    "train_loss": ("training loss", 1.0),
}


def counts_and(
    measure: str, records: Records, bounds: Sequence[str], title: str, *, wide: bool = False
) -> Figure:
    """Counts against what training reached, one point a network, coloured by architecture.

    Where a study counts in several ways the picture is of the first definition and units.

    Arguments:
        measure: "test_accuracy", "test_loss" or "train_loss", from the networks' metadata.
        records: stored runs.
        bounds: those of the study.
        title: above the picture.
        wide: only networks all of whose hidden layers have at least four units.
    """
    name, scale = _MEASURES[measure]
    counts = [
        r
        for r in finished_networks(counts_of(records))
        if r.get("metadata", {}).get(measure) is not None
        and not (wide and min(r["architecture"][1:-1], default=0) < _NARROW)
    ]
    # Of several questions about the same networks, the first.
    ways = [(r["definition"], r["with_output"]) for r in counts]
    counts = [r for r, way in zip(counts, ways, strict=True) if way == ways[0]]
    values = {r["network"]: scale * float(r["metadata"][measure]) for r in counts}
    if wide:
        title += f", hidden layers of {_NARROW} units or more"
    figure, axes = canvas(5.4, title)
    if counts:
        runs = runs_table(counts, bounds)
        shapes = list(dict.fromkeys(runs["architecture"]))
        for k, shape in enumerate(shapes):
            part = runs[runs["architecture"] == shape]
            axes.scatter(
                [values[network] for network in part["network"]],
                heights(part["lower"]),
                color=shade(k, len(shapes)),
                # Hollow where counting was stopped: the point belongs higher.
                facecolors=[shade(k, len(shapes)) if exact else "none" for exact in part["exact"]],
                s=14 if len(shapes) > _MANY else 22,
                linewidths=0.8,
                label=hidden(shape),
            )
        if len(shapes) > _MANY:
            _colour_bar(axes, [hidden(shape) for shape in shapes])
        else:
            legend_beside(axes, "hidden units")
        _say_stopped(axes, counts)
    count_axis(axes)
    axes.set_xlabel(name)
    return figure


def _say_stopped(axes: Axes, counts: Sequence[Record]) -> None:
    if any(not r["exact"] for r in counts):
        axes.annotate(
            "hollow: stopped, proved lower end",
            (0.02, 0.02),
            xycoords="axes fraction",
            fontsize=7,
            color="#444444",
        )


def _colour_bar(axes: Axes, names: Sequence[str]) -> None:
    """Colours of many architectures, a field each, every other one named."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    of = len(names)
    colours = ListedColormap([shade(k, of) for k in range(of)])
    norm = BoundaryNorm([k - 0.5 for k in range(of + 1)], of)
    bar = axes.figure.colorbar(ScalarMappable(norm, colours), ax=axes, pad=0.02)
    step = 1 if of <= 2 * _MANY else 2
    bar.set_ticks(list(range(0, of, step)), labels=list(names[::step]))
    bar.ax.tick_params(labelsize=8, length=0)
    bar.ax.minorticks_off()
    bar.set_label("hidden units", fontsize=9)
