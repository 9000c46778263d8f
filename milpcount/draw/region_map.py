"""The regions of a network with two inputs that vary, as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milpcount.core.domain import Domain
from milpcount.draw.canvas import new_axes, paint
from milpcount.draw.plane import MAX_POLYGONS, plane_of
from milpcount.draw.scene import map_scene, marks_of
from milpcount.draw.zero_lines import boundary_segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["regions"]


def regions(
    net_or_complex: Any,
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
    """Draw the regions."""
    axes = new_axes() if ax is None else ax
    plane = plane_of(net_or_complex, domain, max_polygons)
    zero = boundary_segments(plane) if boundary else None
    scene = map_scene(plane, color, edges, zero, marks_of(plane, points), output, seed)
    paint(axes, scene)
    return axes
