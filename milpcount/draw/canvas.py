"""Axes for pictures in the plane, and what is put on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.backends import require_matplotlib
from milpcount.draw.fills import Fill
from milpcount.draw.palette import INK, sequential
from milpcount.draw.plane import Plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["add_boundary", "add_fill", "add_legend", "add_lines", "new_axes", "plane_axes", "thin"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIDE = 3.3  # inches: a column of a paper


def new_axes(width: float = _SIDE, height: float = _SIDE) -> Axes:
    """One panel on a figure of its own, which no list of open figures knows.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    axes: Axes = Figure(figsize=(width, height), layout="constrained").add_subplot()
    return axes


def plane_axes(axes: Axes, plane: Plane) -> None:
    """Equal units on both axes, the domain and nothing else in view."""
    low, high = plane.extent
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    across, up = plane.axis_names
    axes.set_xlabel(across, fontsize=8, labelpad=2)
    axes.set_ylabel(up, fontsize=8, labelpad=2)
    axes.tick_params(labelsize=7, length=2.5, width=0.6)
    axes.locator_params(nbins=5)
    for spine in axes.spines.values():
        spine.set_linewidth(0.6)


def thin(count: int) -> float:
    """A width for lines in a picture of so many polygons, in points."""
    return float(np.clip(0.9 * (150 / max(count, 1)) ** 0.33, 0.04, 0.9))


def polygon_arrays(points: Float, begin: Ints, corners: Ints) -> list[Float]:
    """The corners of each polygon."""
    return np.split(points[corners], begin[1:-1])


def add_fill(axes: Axes, fill: Fill, alpha: float = 1.0) -> None:
    """Polygons in their colours; shaded within where the fill is smooth."""
    from matplotlib.collections import PolyCollection

    if fill.smooth is not None and fill.scale is not None:
        triangles = fan(fill.begin, fill.corners)
        axes.tripcolor(
            *fill.points.T,
            triangles,
            fill.smooth,
            shading="gouraud",
            cmap=sequential(),
            norm=fill.scale.norm,
            rasterized=True,
            zorder=1,
        )
        return
    polygons = PolyCollection(
        polygon_arrays(fill.points, fill.begin, fill.corners),
        facecolors=np.asarray(fill.colours),
        # A hair of the same colour, else the paper shows between neighbours.
        edgecolors="face",
        linewidths=0.2 if len(fill.colours) < 20_000 else 0.0,
        antialiaseds=len(fill.colours) < 20_000,
        alpha=alpha,
        zorder=1,
        rasterized=len(fill.colours) > 20_000,
    )
    axes.add_collection(polygons, autolim=False)


def fan(begin: Ints, corners: Ints) -> Ints:
    """Convex polygons cut into triangles about their first corners, shape ``(T, 3)``."""
    sizes = np.diff(begin)
    owner = np.repeat(np.arange(len(sizes)), sizes - 2)
    starts = np.cumsum(sizes - 2) - (sizes - 2)
    k = np.arange(len(owner)) - starts[owner]
    base = begin[owner]
    return np.stack([corners[base], corners[base + k + 1], corners[base + k + 2]], axis=1)


def add_lines(
    axes: Axes, segments: Float, colours: Any, width: float | Float, zorder: float = 2
) -> None:
    """Segments, shape ``(S, 2, 2)``, in one colour or one each."""
    from matplotlib.collections import LineCollection

    if len(segments):
        lines = LineCollection(
            list(segments),
            colors=colours,
            linewidths=width,
            capstyle="round",
            zorder=zorder,
            rasterized=len(segments) > 20_000,
        )
        axes.add_collection(lines, autolim=False)


def add_boundary(axes: Axes, segments: Float) -> None:
    """The decision boundary: black on white, seen on every colour."""
    add_lines(axes, segments, "white", 3.2, zorder=4)
    add_lines(axes, segments, INK, 1.7, zorder=5)


def add_legend(axes: Axes, entries: Sequence[tuple[str, Any]]) -> None:
    """Names below the picture, where they hide nothing; ``entries`` are labels and handles."""
    if entries:
        axes.legend(
            [handle for _, handle in entries],
            [label for label, _ in entries],
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            ncols=min(len(entries), 3),
            frameon=False,
            fontsize=7,
            handlelength=1.4,
            columnspacing=1.2,
        )


def add_scale(axes: Axes, fill: Fill) -> None:
    """The scale of a continuous colour, beside the picture."""
    from matplotlib.cm import ScalarMappable

    if fill.scale is None:
        return
    mappable = ScalarMappable(fill.scale.norm, sequential())
    figure: Any = axes.figure
    bar = figure.colorbar(mappable, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(fill.scale.label, fontsize=8)
    bar.ax.tick_params(labelsize=7, length=2.5, width=0.6)
    bar.outline.set_linewidth(0.6)
