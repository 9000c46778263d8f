"""One panel a layer: where its units turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Domain
from milpcount.draw.canvas import COLUMN, paint
from milpcount.draw.fills import fill_of
from milpcount.draw.palette import INK
from milpcount.draw.plane import MAX_POLYGONS, Plane, plane_of
from milpcount.draw.scene import Lines, Marks, Scene, edge_lines, marks_of, outline
from milpcount.draw.zero_lines import boundary_segments
from milpcount.errors import InputError
from milpcount.support.backends import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["layer_scenes", "layers"]

_GREY = "#BBBBBB"
_ROW = 4  # panels beside each other


def layers(
    net_or_complex: Any,
    domain: Domain | None = None,
    ax: Sequence[Axes] | None = None,
    points: Any = None,
    *,
    max_polygons: int = MAX_POLYGONS,
) -> NDArray[Any]:
    """Draw a panel for each layer: its zero lines coloured by unit, earlier ones grey.

    The last panel shows the decision boundary over all of them.

    Arguments:
        net_or_complex: a network with two inputs that vary, or its complex.
        domain: where; the network's own box when None.
        ax: as many axes as there are layers with states, and one; a figure is made when None.
        points: a data set, as for :func:`~milpcount.draw.regions`; in the last panel.
        max_polygons: refuse pictures of more.

    Returns the axes, one a panel.

    Raises:
        InputError: as :func:`~milpcount.draw.regions`, or too few axes.
    """
    require_matplotlib()
    plane = plane_of(net_or_complex, domain, max_polygons)
    scenes = layer_scenes(plane, marks_of(plane, points))
    axes = _panels(len(scenes)) if ax is None else np.ravel(np.asarray(ax, dtype=object))
    if len(axes) < len(scenes):
        raise InputError(f"layers needs {len(scenes)} axes here, not {len(axes)}")
    for panel, scene in zip(axes, scenes, strict=False):
        paint(panel, scene, legend=False)
    for k, panel in enumerate(axes[: len(scenes)]):
        if ax is None and k % _ROW:
            panel.set_ylabel("")
            panel.set_yticklabels([])
    return np.asarray(axes[: len(scenes)])


def layer_scenes(plane: Plane, marks: Marks | None = None) -> list[Scene]:
    """The panels as scenes."""
    stages = np.where(np.all(plane.sides >= 0, axis=1), plane.stages, -1)
    zero = boundary_segments(plane)
    scenes = []
    for k, (name, _) in enumerate(plane.layers):
        lines = [
            outline(plane),
            Lines.plain(plane.segments[(stages >= 0) & (stages < k)], _GREY, 0.5),
            edge_lines(plane, np.flatnonzero(stages == k), "unit", 1.0),
        ]
        scenes.append(Scene(plane, None, tuple(lines), None, name))
    whole = Lines.plain(plane.segments[stages >= 0], _GREY, 0.5)
    border = Lines.plain(zero, INK, 1.7, "decision boundary", halo=True)
    fill = fill_of(plane, "class")
    scenes.append(Scene(plane, fill, (outline(plane), whole, border), marks, "decision boundary"))
    return scenes


def _panels(count: int) -> NDArray[Any]:
    from matplotlib.figure import Figure

    columns = min(count, _ROW)
    rows = -(-count // columns)
    size = (2 * COLUMN * columns / _ROW + 0.4, (2 * COLUMN / _ROW + 0.25) * rows + 0.2)
    axes = Figure(figsize=size, layout="constrained").subplots(rows, columns, squeeze=False)
    flat = np.ravel(axes)
    for panel in flat[count:]:
        panel.set_axis_off()
    return flat[:count]
