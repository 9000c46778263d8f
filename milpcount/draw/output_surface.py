"""The output over a plane domain, as a surface of flat pieces."""

from __future__ import annotations

from typing import Any

import numpy as np

from milpcount.core.domain import Domain
from milpcount.draw.fills import fill_of
from milpcount.draw.plane import MAX_POLYGONS, plane_of
from milpcount.draw.solid import Solid, show_solid
from milpcount.draw.zero_lines import level_segments
from milpcount.support.backends import require_matplotlib

__all__ = ["surface"]


def surface(
    net_or_complex: Any,
    domain: Domain | None = None,
    backend: str = "plotly",
    ax: Any = None,
    *,
    output: int = 0,
    level: float = 0.0,
    max_polygons: int = MAX_POLYGONS,
) -> Any:
    """Draw an output over a domain in the plane: its creases, and where it has a level.

    Arguments:
        net_or_complex: a network with two inputs that vary, or its complex.
        domain: where; the network's own box when None.
        backend: "plotly" for a figure to turn, "matplotlib" for paper.
        ax: three-dimensional axes of Matplotlib; a figure is made when None.
        output: which output of the network.
        level: of the thick line.
        max_polygons: refuse pictures of more.

    Returns a Plotly figure, or the axes.

    Raises:
        InputError: as :func:`~milpcount.draw.regions`, or no such backend.
        DomainError: the output has the level on whole polygons.
        MissingDependencyError: the backend is not installed.
    """
    require_matplotlib()
    plane = plane_of(net_or_complex, domain, max_polygons)
    fill = fill_of(plane, "output", output)
    heights = plane.values[:, output]
    points = np.column_stack([plane.points, heights])
    zero = level_segments(plane, output, level)
    flat = np.full((*zero.shape[:2], 1), level)
    name = "output" if plane.problem.network.output_dimension == 1 else f"output {output}"
    solid = Solid(
        points,
        plane.begin,
        plane.corners,
        fill.colours,
        heights,
        points[plane.ends],
        np.concatenate([zero, flat], axis=2),
        (*plane.axis_names, name),
        cube=False,
    )
    return show_solid(solid, backend, ax)
