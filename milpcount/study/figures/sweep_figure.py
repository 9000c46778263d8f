"""The figure of a sweep: mean counts against the number of units, one panel an input dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.bounds import estimate_hanin_rolnick2019
from milpcount.study.figures.style import (
    BOUND_NAMES,
    BOUND_STYLES,
    MARKERS,
    OTHER_COLOURS,
    heights,
    plain_axes,
    require_matplotlib,
)
from milpcount.study.records import Records
from milpcount.study.tables.sweep_table import sweep_table
from milpcount.support.escaping import mathtext
from milpcount.support.text import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["initialisation", "sweep"]

_COLOURS = ("#0072B2", *OTHER_COLOURS)
_DEPTHS = ("o", *MARKERS)
_HIGHEST = 1e250
_COLUMNS = 4


def sweep(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Mean counts by units, input dimension (panel), initialisation (colour) and depth (marker).

    Beside them Hanin and Rolnick's polynomial at ``T = 1`` and the analytic bounds, one line a
    depth: the largest over the architectures with the same depth and number of units.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    table = sweep_table(records, bounds)
    inputs = list(dict.fromkeys(table["inputs"])) if len(table) else []
    columns = max(1, min(_COLUMNS, len(inputs)))
    rows = max(1, -(-len(inputs) // columns))
    figure = Figure(figsize=(2.9 * columns + 1.9, 3.1 * rows + 0.3), layout="constrained")
    figure.suptitle(mathtext(title), fontsize=10)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = list(grid.flat)
    kinds = list(dict.fromkeys(initialisation(row) for _, row in table.iterrows()))
    depths = list(dict.fromkeys(sorted(table["depth"]))) if len(table) else []
    for axes, n in zip(panels, inputs, strict=False):
        _draw_panel(axes, table[table["inputs"] == n], n, kinds, depths, bounds)
    for axes in panels[len(inputs) :]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_ylabel("activation regions")
    handles = [
        Line2D([], [], color="black", linewidth=1.2, label="$N^{n_0}/n_0!$ (Hanin & Rolnick)"),
        *(
            Line2D(
                [],
                [],
                color=BOUND_STYLES[name][0],
                linestyle="--",
                linewidth=1.2,
                label=BOUND_NAMES.get(name, name),
            )
            for name in bounds
        ),
        *(
            Line2D([], [], color=_pick(_COLOURS, k), marker="o", linestyle="none", label=kind)
            for k, kind in enumerate(kinds)
        ),
        *(
            Line2D(
                *([], []),
                color="black",
                marker=_pick(_DEPTHS, k),
                markerfacecolor="none",
                linestyle="none",
                label=f"{depth} hidden layer{'s' if depth > 1 else ''}",
            )
            for k, depth in enumerate(depths)
        ),
    ]
    figure.legend(handles=handles, frameon=False, fontsize=8, loc="outside right center")
    return figure


def initialisation(row: Mapping[str, Any] | pd.Series[Any]) -> str:
    """Words for the initialisation in a row of the sweep's table."""
    weights, scale = row.get("weights"), row.get("bias_scale")
    if weights is None:
        return "counted"
    words = mathtext(str(weights))
    return f"{words}, biases {number_text(scale)}" if scale is not None else words


def _draw_panel(
    axes: Axes,
    part: pd.DataFrame,
    inputs: int,
    kinds: Sequence[str],
    depths: Sequence[int],
    bounds: Sequence[str],
) -> None:
    plain_axes(axes)
    axes.set_title(f"{inputs} input{'s' if inputs > 1 else ''}", fontsize=9)
    axes.set_xlabel("units N")
    units = sorted(set(part["units"]))
    curve = [estimate_hanin_rolnick2019([inputs, n]) if n else 1 for n in units]
    axes.plot(units, heights(curve), color="black", linewidth=1.2, zorder=2)
    for name in bounds:
        for depth, one in part.groupby("depth", sort=False):
            known = one[one[name].notna()].groupby("units", sort=True)[name].max()
            axes.plot(
                known.index.tolist(),
                heights(known.tolist()),
                color=BOUND_STYLES[name][0],
                linestyle="--",
                linewidth=1,
                marker=_pick(_DEPTHS, depths.index(depth)),
                markersize=3,
                zorder=1,
            )
    for _, row in part.iterrows():
        mean, low, high = heights([row["mean"], row["min"], row["max"]])
        kind, depth = kinds.index(initialisation(row)), depths.index(row["depth"])
        # Side by side, so that equal counts do not hide each other.
        place = row["units"] * (1 + 0.05 * (kind - (len(kinds) - 1) / 2))
        axes.errorbar(
            place,
            mean,
            yerr=[[mean - low], [high - mean]],
            color=_pick(_COLOURS, kind),
            marker=_pick(_DEPTHS, depth),
            markersize=4.5,
            markerfacecolor="none",
            linewidth=0.9,
            capsize=0,
            zorder=3,
        )
    # Few units and few regions: ordinary numbers serve better than powers of ten.
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _keep_counts_large(axes, part)


def _keep_counts_large(axes: Axes, part: pd.DataFrame) -> None:
    """Cut off what lies far above the counts: 2^N would leave them a line at the bottom."""
    top = max(heights(part["max"]), default=1.0)
    bottom = min(heights(part["min"]), default=1.0)
    if top == top and bottom == bottom:  # no NaN
        axes.set_ylim(bottom / 1.6, min(_HIGHEST, top * max(30.0, (top / bottom) ** 0.6)))


def _pick(choices: Sequence[str], k: int) -> str:
    return choices[k % len(choices)]
