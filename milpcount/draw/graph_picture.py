"""The dual graph in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Domain
from milpcount.draw.canvas import new_axes, paint
from milpcount.draw.palette import INK
from milpcount.draw.plane import MAX_POLYGONS, Plane, plane_of
from milpcount.draw.scene import Lines, Scene, outline, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["dual_graph", "graph_scene"]

Float = NDArray[np.float64]

_GREY = "#C4C4C4"
_LINK = "#0072B2"


def dual_graph(
    net_or_complex: Any,
    domain: Domain | None = None,
    ax: Axes | None = None,
    *,
    max_polygons: int = MAX_POLYGONS,
) -> Axes:
    """Draw the graph of regions that share an edge, over the regions.

    A vertex stands inside its region; an edge runs from there through the middle of the common
    edge of the two regions, so that it lies within them.

    Arguments:
        net_or_complex: a network with two inputs that vary, or its complex.
        domain: where; the network's own box when None.
        ax: axes to draw on; a figure is made when None.
        max_polygons: refuse pictures of more.

    Raises:
        InputError: as :func:`~milpcount.draw.regions`.
    """
    axes = new_axes() if ax is None else ax
    plane = plane_of(net_or_complex, domain, max_polygons)
    paint(axes, graph_scene(plane))
    return axes


def _dot(count: int) -> float:
    """The diameter of a vertex, in points."""
    return float(np.clip(2.6 * (100 / max(count, 1)) ** 0.4, 0.3, 3.2))


def graph_scene(plane: Plane) -> Scene:
    """Regions in grey lines, the graph on top."""
    inner = plane.inner
    a, b = plane.sides[inner].T
    middle = plane.segments[inner].mean(axis=1)
    links = np.concatenate(
        [np.stack([plane.centres[a], middle], 1), np.stack([middle, plane.centres[b]], 1)]
    )
    width = 1.6 * thin(len(plane))
    dots = np.stack([plane.centres, plane.centres], axis=1)
    lines = (
        outline(plane),
        Lines.plain(plane.segments[inner], _GREY, thin(len(plane))),
        Lines.plain(links, _LINK, width),
        # Segments without length: their round ends are dots.
        Lines.plain(dots, INK, _dot(len(plane))),
    )
    return Scene(plane, None, lines)
