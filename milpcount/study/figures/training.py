"""Counts through the epochs of training."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from milpcount.study.figures.style import (
    COUNT_COLOURS,
    count_axis,
    heights,
    hidden,
    plain_axes,
    require_matplotlib,
)
from milpcount.study.records import Records
from milpcount.study.tables.comparison import epochs_table
from milpcount.study.tables.marks import AtLeast
from milpcount.support.escaping import mathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["counts_by_epoch"]

# Counts this close are told apart on a linear scale.
_NEAR = 20


def counts_by_epoch(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Counts of the networks kept during training, by epoch; below, their test accuracy.

    Epoch 0 is before training.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    table = epochs_table(records, bounds)
    figure = Figure(figsize=(5.4, 4.6), layout="constrained")
    upper: Axes
    lower: Axes
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    series = [] if table.empty else list(table.groupby(["architecture", "seed"], sort=False))
    for k, ((shape, seed), part) in enumerate(series):
        colour = COUNT_COLOURS[k % len(COUNT_COLOURS)]
        epochs = [int(v) for v in part["epoch"]]
        name = f"{hidden(str(shape))}, seed {seed}" if len(series) > 1 else hidden(str(shape))
        style: dict[str, Any] = {"color": colour, "marker": "o", "markersize": 4, "linewidth": 1.4}
        stopped = [isinstance(v, AtLeast) for v in part["count"]]
        # Only counts are joined: a proved lower end lies on no curve.
        joined = [None if s else v for v, s in zip(part["count"], stopped, strict=True)]
        upper.plot(epochs, heights(joined), label=f"hidden units {name}", **style)
        if any(stopped):
            places = [e for e, s in zip(epochs, stopped, strict=True) if s]
            ends = heights([v for v in part["count"] if isinstance(v, AtLeast)])
            hollow = {**style, "linestyle": "none", "markerfacecolor": "white"}
            upper.plot(places, ends, label="stopped: proved lower end", zorder=3, **hollow)
        accuracy = [None if v is None else 100 * float(v) for v in part["test_accuracy"]]
        lower.plot(epochs, heights(accuracy), **style)
    for axes in (upper, lower):
        plain_axes(axes)
    counts = [v for v in heights(table["count"] if series else []) if not isnan(v)]
    if counts and max(counts) < _NEAR * min(counts):
        upper.set_ylabel("activation regions")
        upper.set_ylim(0, 1.12 * max(counts))
        upper.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    else:
        count_axis(upper)
    lower.set_ylabel("test accuracy (%)")
    lower.set_xlabel("epochs of training")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    upper.set_title(mathtext(title), fontsize=10)
    if series:
        upper.legend(frameon=False, fontsize=8)
    figure.align_ylabels()
    return figure
