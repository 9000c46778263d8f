"""The regions of a network with two inputs that vary, as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Domain
from milpcount.draw.canvas import (
    add_boundary,
    add_fill,
    add_legend,
    add_lines,
    add_scale,
    new_axes,
    plane_axes,
    thin,
)
from milpcount.draw.fills import Fill, fill_of
from milpcount.draw.palette import INK, LAYERS, UNITS, cycled
from milpcount.draw.plane import MAX_POLYGONS, Plane, plane_of
from milpcount.errors import InputError
from milpcount.support.text import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EDGES", "edge_colours", "regions"]

Float = NDArray[np.float64]

EDGES = ("layer", "unit", "none")


def regions(
    source: Any,
    domain: Domain | None = None,
    ax: Axes | None = None,
    color: str = "random",
    edges: str = "layer",
    boundary: bool = True,
    points: Any = None,
    *,
    output: int = 0,
    seed: int = 0,
    max_polygons: int = MAX_POLYGONS,
) -> Axes:
    """Draw the regions.
    """
    axes = new_axes() if ax is None else ax
    plane = plane_of(source, domain, max_polygons)
    fill = fill_of(plane, color, output, seed)
    add_fill(axes, fill)
    entries: list[tuple[str, Any]] = _class_entries(fill)
    entries += _add_edges(axes, plane, fill, edges)
    plane_axes(axes, plane)
    add_scale(axes, fill)
    add_legend(axes, entries)
    return axes


def _class_entries(fill: Fill) -> list[tuple[str, Any]]:
    from matplotlib.patches import Patch

    return [(label, Patch(facecolor=colour)) for label, colour in fill.legend]


def _add_edges(axes: Axes, plane: Plane, fill: Fill, edges: str) -> list[tuple[str, Any]]:
    """Edges between polygons; returns names of their colours for the legend."""
    from matplotlib.lines import Line2D

    if edges not in EDGES:
        raise InputError(f"no edges {edges!r}; {nearest(edges, EDGES)}")
    if edges == "none":
        return []
    inner = plane.inner if fill.joined is None else plane.inner[~fill.joined[plane.inner]]
    width = thin(len(plane))
    stages = plane.stages[inner]
    # Later layers are thinner: told apart without colours.
    widths = width * np.maximum(0.55, 1.25 - 0.25 * np.maximum(stages, 0))
    add_lines(axes, plane.segments[inner], edge_colours(plane, edges)[inner], widths)
    shown = np.unique(stages[stages >= 0]).tolist()
    if edges == "unit" or len(shown) < 2:
        return []
    return [
        (f"layer {k + 1}", Line2D([], [], color=LAYERS[k % len(LAYERS)], linewidth=1.4 - 0.2 * min(k, 4)))
        for k in shown
    ]


def edge_colours(plane: Plane, edges: str) -> Float:
    """One colour an edge, by the layer or the unit that turns there."""
    if edges == "unit":
        return cycled(UNITS, np.maximum(plane.units, 0))
    return cycled(LAYERS, np.maximum(plane.stages, 0))
