"""An analytic bound by depth: the same units in one layer or in several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milpcount.study.figures.style import (
    BOUND_NAMES,
    DASHES,
    heights,
    plain_axes,
    require_matplotlib,
    shade,
)
from milpcount.study.tables.depth_table import DepthBounds, bounds_by_depth
from milpcount.support.escaping import mathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_bounds_by_depth", "missing_depths"]


def draw_bounds_by_depth(settings: DepthBounds, title: str) -> Figure:
    """One column a total of units: the bound at every depth by the number of inputs.

    Below, each depth relative to the best at the same number of inputs, which tells apart the
    curves that lie close together above.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    values = bounds_by_depth(settings)
    inputs = settings.input_numbers()
    totals = settings.units
    figure = Figure(figsize=(max(5.4, 1.6 + 3.2 * len(totals)), 5.6), layout="constrained")
    panels = figure.subplots(2, len(totals), sharex=True, squeeze=False, height_ratios=(3, 2))
    for column, total in enumerate(totals):
        upper: Axes = panels[0][column]
        lower: Axes = panels[1][column]
        depths = settings.depths(total)
        best = {n: max(values[total, depth, n] for depth in depths) for n in inputs}
        for depth in depths:
            k = settings.layers.index(depth)
            style = {
                "color": shade(k, len(settings.layers)),
                "linestyle": DASHES[k % len(DASHES)],
                "linewidth": 1.5,
            }
            tops = [values[total, depth, n] for n in inputs]
            upper.plot(inputs, heights(tops), label=_name(depth), **style)
            shares = [top / best[n] for top, n in zip(tops, inputs, strict=True)]
            lower.plot(inputs, shares, **style)
        for axes in (upper, lower):
            plain_axes(axes)
        upper.set_yscale("log")
        upper.set_title(f"{total} units{missing_depths(settings, total)}", fontsize=9)
        lower.set_ylim(0, 1.05)
        lower.set_xlabel("inputs")
        # Depths that only another total has are missing here: each panel names its own.
        upper.legend(frameon=False, fontsize=8, loc="lower right")
    panels[0][0].set_ylabel(f"bound ({BOUND_NAMES[settings.bound]})")
    panels[1][0].set_ylabel("relative to the best depth")
    figure.suptitle(mathtext(title), fontsize=10)
    figure.align_ylabels()
    return figure


def missing_depths(settings: DepthBounds, total: int) -> str:
    """Which depths a panel lacks, after its title: those that do not share the units equally."""
    lacking = [str(d) for d in settings.layers if d not in settings.depths(total)]
    return f" ({' or '.join(lacking)} layers do not divide them)" if lacking else ""


def _name(depth: int) -> str:
    return "1 layer" if depth == 1 else f"{depth} layers"
