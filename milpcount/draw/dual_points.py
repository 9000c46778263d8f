"""Affine maps as points: what a network with two inputs computes on its regions.

The map ``w . x + b`` of one output on a region is the point ``(w, b)``.  The picture shows ``w`` as
the place and ``b`` as the colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.arguments import network_of
from milpcount.core.domain import Box, Domain
from milpcount.core.problem import CountProblem
from milpcount.draw.canvas import new_axes, small_axes
from milpcount.draw.fills import require_output
from milpcount.draw.map_table import frame_of, lifted
from milpcount.draw.palette import INK, sequential
from milpcount.draw.plane import MAX_POLYGONS, plane_of
from milpcount.draw.scene import Marks, marks_of
from milpcount.errors import InputError
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
from milpcount.geometry.local_maps.around_points import local_maps as maps_at
from milpcount.importers.torch.module import is_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["local_maps"]

Float = NDArray[np.float64]

GRID = 101
# Maps of floats that agree to this part of the largest are drawn as one.
_ONE = 1e-7


@dataclass(frozen=True, eq=False)
class _Cloud:
    """Maps as points.

    Attributes:
        maps: shape ``(n, 3)``: two slopes, then the constant.
        shares: the area of the regions, or the number of grid points, of each.
        links: pairs of maps of regions that share an edge.
        marked: the maps of a data set, and their classes; None for none.
        names: of the two axes.
    """

    maps: Float
    shares: Float
    links: NDArray[np.int64]
    marked: tuple[Float, Marks] | None
    names: tuple[str, str]


def local_maps(
    net_or_complex: Any,
    domain: Domain | None = None,
    ax: Axes | None = None,
    points: Any = None,
    *,
    output: int = 0,
    grid: int | None = None,
    max_polygons: int = MAX_POLYGONS,
) -> Axes:
    """Draw the affine maps ``w . x + b`` of the regions as points ``(w, b)``.

    The place is ``w``, in the coordinates that vary; the colour is ``b``; the area of a point is
    that of its region.  Regions that share an edge are joined: their maps differ in a multiple of
    the normal of that edge.  On a grid the maps are those at its points, whatever PyTorch module
    computes them, and the area of a point is the number of grid points that have its map.

    Arguments:
        net_or_complex: a network with two inputs that vary, or its complex; on a grid also any
            piecewise linear PyTorch module with two inputs.
        domain: where; the network's own box when None.  A network without a box, and a module, is
            drawn on the grid of 101 x 101 points of the square [-1, 1]^2.
        ax: axes to draw on; a figure is made when None.
        points: a data set, as for :func:`~milpcount.draw.regions`, whose maps are marked.
        output: which output of the network.
        grid: how many points on a side, instead of all regions.
        max_polygons: refuse pictures of more.

    Raises:
        InputError: as :func:`~milpcount.draw.regions`, another number of inputs, or a grid of
            less than two points on a side.
    """
    axes = new_axes(3.9) if ax is None else ax
    whole = isinstance(net_or_complex, PolyhedralComplex)
    if grid is None and not whole and domain is None:
        net = net_or_complex if is_module(net_or_complex) else network_of(net_or_complex)
        if is_module(net) or net.input_box is None:
            grid, domain = GRID, Box([-1.0, -1.0], [1.0, 1.0])
    if grid is None:
        cloud = _of_regions(net_or_complex, domain, points, output, max_polygons)
    else:
        if whole:
            raise InputError("a complex has its regions; give the network to draw a grid")
        cloud = _of_grid(net_or_complex, domain, points, output, grid)
    _paint(axes, cloud)
    return axes


def _of_regions(
    source: Any, domain: Domain | None, points: Any, output: int, max_polygons: int
) -> _Cloud:
    plane = plane_of(source, domain, max_polygons)
    require_output(plane, output)
    slopes, constants = plane.maps
    maps = np.column_stack([slopes[:, output], constants[:, output]])
    problem, marks = plane.problem, marks_of(plane, points)
    marked = None
    if marks is not None:
        fixed = np.where(np.isfinite(problem.box.lo), problem.box.lo, 0.0)
        whole = np.tile(fixed, (len(marks.points), 1))
        whole[:, plane.vary] = marks.points
        found = maps_at(problem.network, lifted(problem, whole), outputs=[output])[0]
        marked = (_in_frame(np.asarray(found), problem, plane.vary), marks)
    letter = "x" if problem.slice is None else "t"
    i, j = (int(k) + 1 for k in plane.vary)
    names = (f"slope in ${letter}_{{{i}}}$", f"slope in ${letter}_{{{j}}}$")
    return _Cloud(maps, plane.areas, plane.sides[plane.inner], marked, names)


def _in_frame(maps: Float, problem: CountProblem, vary: NDArray[np.intp]) -> Float:
    """Maps of the network's inputs in the coordinates that vary."""
    frame = frame_of(problem, vary)
    out = maps[:, :-1] @ frame
    out[:, -1] += maps[:, -1]
    return out


def _of_grid(source: Any, domain: Domain | None, points: Any, output: int, grid: int) -> _Cloud:
    if isinstance(grid, bool) or not isinstance(grid, int) or grid < 2:
        raise InputError(f"grid: points on a side, at least 2, not {grid!r}")
    net = source if is_module(source) else network_of(source)
    box = domain if domain is not None or is_module(net) else net.input_box
    box = box.resolve(2) if isinstance(box, Box) and box.dimension in (None, 2) else None
    if box is None or not box.is_bounded:
        raise InputError("a grid is drawn over a box of two inputs; give Box([0, 0], [1, 1]), say")
    sides = [np.linspace(a, b, grid) for a, b in zip(box.lo, box.hi, strict=True)]
    at = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    marks = None if points is None else _marks(points)
    every = at if marks is None else np.concatenate([at, marks.points])
    dtype = "float64" if is_module(net) else None
    found = np.asarray(maps_at(net, every, outputs=[output], dtype=dtype)[0])
    step = _ONE * max(float(np.abs(found).max()), 1e-300)
    _, first, counts = np.unique(
        np.round(found[: len(at)] / step), axis=0, return_index=True, return_counts=True
    )
    marked = None if marks is None else (found[len(at) :], marks)
    names = ("slope in $x_{1}$", "slope in $x_{2}$")
    links = np.zeros((0, 2), dtype=np.int64)
    return _Cloud(found[first], counts.astype(np.float64), links, marked, names)


def _marks(points: Any) -> Marks:
    """A data set in the plane: an array, or a pair of one and labels."""
    pair = isinstance(points, tuple) and len(points) == 2 and np.ndim(points[0]) == 2
    x, y = points if pair else (points, None)
    at = np.asarray(x, dtype=np.float64)
    labels = np.zeros(len(at), dtype=np.int64)
    if y is not None:
        labels = np.unique(np.asarray(y).reshape(-1), return_inverse=True)[1].astype(np.int64)
    if at.ndim != 2 or at.shape[1] != 2 or len(labels) != len(at):
        raise InputError(
            "points: give an array of shape (points, 2), or a pair with as many labels, not shapes "
            f"{at.shape} and {labels.shape}"
        )
    return Marks(at, labels)


def _paint(axes: Axes, cloud: _Cloud) -> None:
    from matplotlib.collections import LineCollection

    maps = cloud.maps
    if len(cloud.links):
        links = LineCollection(
            list(maps[cloud.links][..., :2]), colors="#999999", linewidths=0.35, zorder=1
        )
        axes.add_collection(links)
    dots = axes.scatter(
        maps[:, 0],
        maps[:, 1],
        c=maps[:, 2],
        s=4 + 90 * cloud.shares / cloud.shares.max(),
        cmap=sequential(),
        edgecolors=INK,
        linewidths=0.35,
        zorder=2,
        rasterized=len(maps) > 20_000,
    )
    if cloud.marked is not None:
        found, marks = cloud.marked
        for label in np.unique(marks.labels).tolist():
            mine = found[marks.labels == label]
            axes.scatter(
                mine[:, 0],
                mine[:, 1],
                marker=Marks.shape(label),
                s=60,
                facecolors="none",
                edgecolors="#D55E00",
                linewidths=1.2,
                zorder=4,
                label=f"data, class {label}" if marks.labels.any() else "data",
            )
        axes.legend(fontsize=7, frameon=False, loc="best")
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    small_axes(axes, *cloud.names)
    figure: Any = axes.figure
    bar = figure.colorbar(dots, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("constant $b$", fontsize=8)
    bar.ax.tick_params(labelsize=7, length=2.5, width=0.6)
