"""Scenes on Matplotlib's axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.bundles import joined_polygons, joined_segments
from milpcount.draw.fills import Fill
from milpcount.draw.palette import INK, sequential
from milpcount.draw.plane import Plane, fan
from milpcount.draw.scene import Lines, Marks, Scene, legend_of
from milpcount.support.backends import require_matplotlib
from milpcount.support.escaping import mathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLUMN", "new_axes", "paint", "plane_axes"]

Float = NDArray[np.float64]

COLUMN = 3.3  # inches: the width of a column of a paper
_MANY = 20_000  # polygons from which on they are drawn in bundles, and vector files hold pixels


def new_axes(width: float = COLUMN, height: float = COLUMN) -> Axes:
    """One panel on a figure of its own, which no list of open figures knows.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    axes: Axes = Figure(figsize=(width, height), layout="constrained").add_subplot()
    return axes


def paint(axes: Axes, scene: Scene, legend: bool = True) -> None:
    """Put a scene on axes: names below the picture and the scale beside it, nothing on top."""
    if scene.fill is not None:
        _add_fill(axes, scene.fill)
    for k, lines in enumerate(scene.lines):
        _add_lines(axes, lines, 2 + k)
    if scene.marks is not None:
        _add_marks(axes, scene.marks)
    plane_axes(axes, scene.plane)
    if scene.title:
        axes.set_title(mathtext(scene.title), fontsize=9)
    if legend and scene.fill is not None:
        _add_scale(axes, scene.fill)
    if legend:
        _add_legend(axes, scene)


def plane_axes(axes: Axes, plane: Plane) -> None:
    """Equal units on both axes, the domain and nothing else in view."""
    low, high = plane.extent
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.locator_params(nbins=5)
    across, up = plane.axis_names
    small_axes(axes, across, up)


def small_axes(axes: Axes, across: str, up: str) -> None:
    """Names and ticks in the size of a column."""
    axes.set_xlabel(across, fontsize=8, labelpad=2)
    axes.set_ylabel(up, fontsize=8, labelpad=2)
    axes.tick_params(labelsize=7, length=2.5, width=0.6)
    for spine in axes.spines.values():
        spine.set_linewidth(0.6)


def _add_fill(axes: Axes, fill: Fill) -> None:
    """Polygons in their colours; shaded within where the fill is smooth."""
    from matplotlib.collections import PathCollection, PolyCollection

    if fill.smooth is not None and fill.scale is not None:
        axes.tripcolor(
            *fill.points.T,
            fan(fill.begin, fill.corners)[0],
            fill.smooth,
            shading="gouraud",
            cmap=sequential(),
            norm=fill.scale.norm,
            rasterized=True,
            zorder=1,
        )
        return
    if len(fill.colours) < _MANY:
        polygons: Any = PolyCollection(
            np.split(fill.points[fill.corners], fill.begin[1:-1]),
            facecolors=np.asarray(fill.colours),
            # A hair of the same colour, else the paper shows between neighbours.
            edgecolors="face",
            linewidths=0.2,
            zorder=1,
        )
    else:
        paths, colours = joined_polygons(fill)
        polygons = PathCollection(
            paths, facecolors=colours, linewidths=0.0, antialiaseds=False, zorder=1, rasterized=True
        )
    axes.add_collection(polygons, autolim=False)


def _add_lines(axes: Axes, lines: Lines, zorder: float) -> None:
    from matplotlib.collections import LineCollection, PathCollection

    if not len(lines.segments):
        return
    if not np.ptp(lines.segments, axis=1).any():
        # Dots: segments without length, of which the renderer draws nothing.
        x, y = lines.segments[:, 0].T
        axes.scatter(x, y, s=lines.widths**2, c=lines.colours, linewidths=0, zorder=zorder)
        return
    # What has no halo is cut at the ends of the picture, what has is drawn on its frame too.
    looks: list[tuple[Any, Any, float]] = [(lines.colours, lines.widths, 0.0)]
    if lines.halo:
        looks.insert(0, ("white", lines.widths + 1.5, -0.5))
    for colours, widths, lift in looks:
        if len(lines.segments) < _MANY:
            collection: Any = LineCollection(
                list(lines.segments),
                colors=colours,
                linewidths=widths,
                capstyle="round",
                zorder=zorder + lift,
            )
        else:
            paths, edgecolors, wide = joined_segments(lines)
            collection = PathCollection(
                paths,
                facecolors="none",
                edgecolors=edgecolors if colours is lines.colours else colours,
                linewidths=wide if widths is lines.widths else wide + 1.5,
                zorder=zorder + lift,
                rasterized=True,
            )
        axes.add_collection(collection, autolim=False)


def _add_marks(axes: Axes, marks: Marks) -> None:
    for label in np.unique(marks.labels).tolist():
        own = marks.points[marks.labels == label]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=9,
            marker=marks.shape(label),
            facecolors="white" if label % 2 == 0 else INK,
            edgecolors=INK if label % 2 == 0 else "white",
            linewidths=0.5,
            zorder=20,
        )


def _add_legend(axes: Axes, scene: Scene) -> None:
    """Names below the picture, where they hide nothing."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.transforms import offset_copy

    entries = legend_of([scene])
    if not entries:
        return
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor=INK, linewidth=0.4)
        if width is None
        else Line2D([], [], color=colour, linewidth=width)
        for _, colour, width in entries
    ]
    figure: Any = axes.figure
    axes.legend(
        handles,
        [label for label, _, _ in entries],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        # Below the names of the axis, however large the panel is.
        bbox_transform=offset_copy(axes.transAxes, figure, 0.0, -25.0, "points"),
        borderaxespad=0.0,
        ncols=min(len(entries), 3),
        frameon=False,
        fontsize=7,
        handlelength=1.4,
        columnspacing=1.2,
    )


def _add_scale(axes: Axes, fill: Fill) -> None:
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
