"""The regions of a network with two inputs that vary, as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milpcount.core.domain import Domain
from milpcount.draw.canvas import new_axes, paint
from milpcount.draw.plane import MAX_POLYGONS, plane_of
from milpcount.draw.scene import Scene, map_scene, marks_of
from milpcount.draw.zero_lines import boundary_segments
from milpcount.support.backends import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["region_scene", "regions"]


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
    """Draw the regions of a network with two inputs that vary.

    Arguments:
        net_or_complex: the network (or what :func:`milpcount.load_network` reads), or its
            complex, ``K``.
        domain: a bounded box, polytope or slice; the network's own box when None, and for ``K``.
        ax: axes to draw on; a figure of one column's width is made when None.
        color: what the colour of a region says:
            "random" nothing, but regions that share an edge differ;
            "pattern" the activation pattern: patterns that differ in few units look alike;
            "gradient" the length of the gradient of the output;
            "output" the output, shaded;
            "class" the greatest output, of a single one the sign;
            "volume" the area;
            "distance" how many edges lead there from the region in the centre;
            "linear" nothing, but regions with one affine map that share an edge are one.
        edges: "layer" colours edges by the layer whose unit turns there, "unit" by the unit,
            "none" leaves them out.
        boundary: whether to draw where the output is 0, or where the class changes.
        points: a data set, ``X`` or ``(X, y)``: in the domain's coordinates, on a slice also in
            those of the network, which are projected.
        output: which output, for "gradient" and "output".
        seed: of the random colours; the same seed gives the same picture.
        max_polygons: refuse pictures of more.

    Returns the axes; ``axes.figure.savefig("regions.pdf")`` writes them.

    Raises:
        InputError: an argument that is none, more than ``max_polygons`` polygons, a domain that
            is unbounded or in which not two inputs vary.
        DomainError: the decision boundary is full-dimensional.
        MissingDependencyError: matplotlib is not installed (extra ``plots``).
    """
    require_matplotlib()
    scene = region_scene(
        net_or_complex, domain, color, edges, boundary, points, output, seed, max_polygons
    )
    axes = new_axes() if ax is None else ax
    paint(axes, scene)
    return axes


def region_scene(
    net_or_complex: Any,
    domain: Domain | None = None,
    color: str = "random",
    edges: str = "layer",
    boundary: bool = True,
    points: Any = None,
    output: int = 0,
    seed: int = 0,
    max_polygons: int = MAX_POLYGONS,
) -> Scene:
    """The picture of :func:`regions` before it is drawn."""
    plane = plane_of(net_or_complex, domain, max_polygons)
    marks = marks_of(plane, points)
    zero = boundary_segments(plane) if boundary else None
    return map_scene(plane, color, edges, zero, marks, output, seed)
