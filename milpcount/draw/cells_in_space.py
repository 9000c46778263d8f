"""The cells of a complex with three inputs that vary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Domain
from milpcount.draw.colouring import neighbour_colours
from milpcount.draw.palette import TINTS, cycled
from milpcount.draw.plane import complex_of
from milpcount.draw.solid import Solid, show_solid
from milpcount.errors import InputError
from milpcount.geometry.complexes.face_sets import rows_of
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex

__all__ = ["complex3d"]

MAX_CELLS = 20_000


def complex3d(
    net_or_complex: Any,
    domain: Domain | None = None,
    cells: Iterable[int] | None = None,
    explode: float = 0.0,
    backend: str = "plotly",
    ax: Any = None,
    *,
    seed: int = 0,
    max_polygons: int = MAX_CELLS,
) -> Any:
    """Draw cells in space; cells that share a facet have different colours.

    Arguments:
        net_or_complex: a network with three inputs that vary, or its complex.
        domain: where; the network's own box when None.
        cells: which cells, as numbers of ``K.regions``; all when None.
        explode: how far cells are moved apart: 0.5 moves each outwards by half of its distance
            to the centre of the domain.
        backend: "plotly" for a figure to turn, "matplotlib" for paper.
        ax: three-dimensional axes of Matplotlib; a figure is made when None.
        seed: of the colours.
        max_polygons: refuse pictures of more cells.

    Returns a Plotly figure, or the axes.

    Raises:
        InputError: as :func:`~milpcount.draw.regions`, no such cell, a negative ``explode``.
        MissingDependencyError: the backend is not installed.
    """
    found = complex_of(net_or_complex, domain, 3, max_polygons)
    if not (np.isfinite(explode) and explode >= 0):
        raise InputError(f"explode must be a number of at least 0, not {explode}")
    chosen = _chosen(found, cells)
    both = found.facet_cells
    colours = neighbour_colours(len(found), both[np.all(both >= 0, axis=1)], seed)
    # One polygon for each facet of each cell, its corners moved with the cell.
    starts, facets = rows_of(found.faces(3).facet_begin, found.faces(3).facets, chosen)
    cell_of_facet = np.repeat(np.arange(len(chosen)), np.diff(starts))
    begin, corners = found.polygons()
    part, vertices = rows_of(begin, corners, facets)
    points = found.vertices[:, list(found.free)]
    own, own_vertices = rows_of(found.faces(3).begin, found.faces(3).vertices, chosen)
    centres = np.add.reduceat(points[own_vertices], own[:-1], axis=0) / np.diff(own)[:, None]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    vertices = _outwards(points, part, vertices, centres[cell_of_facet])
    shift = explode * (centres - middle)
    owner = np.repeat(cell_of_facet, np.diff(part))  # the cell of each corner
    moved = points[vertices] + shift[owner]
    after = np.arange(1, len(moved) + 1)
    after[part[1:] - 1] = part[:-1]
    # An edge of a cell lies in two of its facets, and is drawn once.
    ends = np.sort(np.stack([vertices, vertices[after]], axis=1), axis=1)
    _, once = np.unique(np.column_stack([owner, ends]), axis=0, return_index=True)
    names = tuple(f"$x_{{{j + 1}}}$" for j in found.free)
    solid = Solid(
        moved,
        part,
        np.arange(len(moved)),
        cycled(TINTS, colours[chosen])[cell_of_facet],
        None,
        np.stack([moved[once], moved[after[once]]], axis=1),
        np.zeros((0, 2, 3)),
        (names[0], names[1], names[2]),
        cube=True,
    )
    return show_solid(solid, backend, ax)


def _outwards(
    points: NDArray[np.float64],
    begin: NDArray[np.int64],
    corners: NDArray[np.int64],
    inside: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The corners of polygons, anticlockwise as seen from outside: light falls on that side."""
    sizes = np.diff(begin)
    first = points[corners[begin[:-1]]]
    about = points[corners] - np.repeat(first, sizes, axis=0)
    turned = np.roll(about, -1, axis=0)
    turned[begin[1:] - 1] = 0.0  # the first corner again
    normal = np.add.reduceat(np.cross(about, turned), begin[:-1], axis=0)
    inwards = np.repeat(np.einsum("pk,pk->p", normal, first - inside) < 0, sizes)
    place = np.arange(len(corners))
    mirrored = np.repeat(begin[:-1] + begin[1:] - 1, sizes) - place
    return corners[np.where(inwards, mirrored, place)]


def _chosen(found: PolyhedralComplex, cells: Iterable[int] | None) -> NDArray[np.int64]:
    if cells is None:
        return np.arange(len(found))
    try:
        chosen = np.array(list(cells))
    except TypeError as error:
        raise InputError(f"cells: give a list of numbers, not {cells!r}") from error
    if not chosen.size or chosen.dtype.kind not in "iu" or chosen.ndim != 1:
        raise InputError("cells: give the numbers of one cell or more")
    wrong = chosen[(chosen < 0) | (chosen >= len(found))]
    if wrong.size:
        raise InputError(f"there is no cell {wrong[0]} among {len(found)}")
    return chosen.astype(np.int64)
