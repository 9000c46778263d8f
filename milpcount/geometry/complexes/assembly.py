"""From cells as the search hands them out to the faces of a complex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.errors import UnsupportedError
from milpcount.geometry.beyond import charts
from milpcount.geometry.complexes.coarse import Part, joined
from milpcount.geometry.complexes.cuts import Cut, leaders, refined
from milpcount.geometry.complexes.face_sets import Corners, FaceSet

if TYPE_CHECKING:
    from milpcount.search.cell_complex import CellComplex

__all__ = ["Assembled", "assemble"]

Float = NDArray[np.float64]
Signs = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Assembled:
    """The faces of a domain.

    Attributes:
        problem: that was searched, with the units that a cut appends.
        complete: whether the search came to its end.
        is_bounded: whether the domain is bounded.
        vertices: in the problem's coordinates.
        corners: signs of the units of ``problem`` at the vertices, and their sides.
        faces: by dimension.
    """

    problem: CountProblem
    complete: bool
    is_bounded: bool
    vertices: Float
    corners: Corners
    faces: tuple[FaceSet, ...]


def assemble(problem: CountProblem, watch: Watch, cut: Cut | None = None) -> Assembled:
    """All faces of a problem, refined by a function of the outputs if one is given.

    Raises:
        UnsupportedError: too many inputs vary, a domain that is not served, or a cell with too
            many vertices or facets.
    """
    whole = problem if cut is None else refined(problem, cut)
    tournament = cut is not None and cut.kind == "argmax"
    base = problem.n_units
    if problem.box.is_bounded or len(problem.rows[1]):
        cells, faces = _search(whole, watch)
        if not tournament:
            return Assembled(whole, cells.complete, True, cells.vertices, _at(faces), faces)
        names = [Corners(_led(f.signs, base), f.sides) for f in faces]
        real = [np.ones(len(f), dtype=bool) for f in faces]
        part = Part(cells.vertices, cells.errors, faces, names, real)
        found = joined([part])
        return Assembled(whole, cells.complete, True, *found)
    if problem.slice is not None or np.isfinite(problem.box.lo).any():
        raise UnsupportedError("the domain is neither bounded nor the whole space")
    parts = []
    complete = True
    for chart in charts(whole):
        cells, faces = _search(chart.problem, watch)
        names = []
        for f in faces:
            signs = _led(f.signs, base) if tournament else f.signs
            names.append(Corners(signs, np.zeros((len(f), 0), dtype=bool)))
        side = chart.infinity
        real = [np.ones(len(f), dtype=bool) if side is None else ~f.sides[:, side] for f in faces]
        parts.append(Part(chart.points(cells.vertices), cells.errors, faces, names, real))
        complete &= cells.complete
        if not complete:
            break
    return Assembled(whole, complete, False, *joined(parts))


def _at(faces: tuple[FaceSet, ...]) -> Corners:
    return Corners(faces[0].signs, faces[0].sides)


def _search(problem: CountProblem, watch: Watch) -> tuple[CellComplex, tuple[FaceSet, ...]]:
    from milpcount.search.cell_complex import cell_complex

    cells = cell_complex(problem, watch, watch.budget.regions)
    return cells, _faces(problem, cells)


def _led(signs: Signs, base: int) -> Signs:
    """Signs whose last columns say which outputs are the greatest."""
    return np.hstack([signs[:, :base], leaders(signs[:, base:])])


def _faces(problem: CountProblem, cells: CellComplex) -> tuple[FaceSet, ...]:
    sides = cells.vertex_sides
    # Of a polytope the cube around it is no part.
    rows = len(problem.rows[1])
    sides = sides[:, 2 * cells.n :] if rows else sides[:, : 2 * cells.n]
    signs = cells.vertex_signs
    index = problem.index
    if index.n_units != index.n_positions:
        signs = signs[:, index.positions]
    corners = Corners(signs, sides)
    return tuple(
        FaceSet(k, part.begin, part.vertices, part.facet_begin, part.facets, corners)
        for k, part in enumerate(cells.faces)
    )
