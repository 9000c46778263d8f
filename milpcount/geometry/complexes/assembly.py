"""From cells as the search hands them out to the faces of a complex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.errors import UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.geometry.beyond import charts
from milpcount.geometry.complexes.coarse import Part, joined
from milpcount.geometry.complexes.cuts import EVERYWHERE, Cut, leading, refined
from milpcount.geometry.complexes.face_sets import Corners, FaceSet
from milpcount.geometry.prepared import MOST_VERTEX_INPUTS
from milpcount.search.frames.problem_frames import is_bounded

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
        errors: bound on the error of every vertex, as a part of the width of a bounded domain, of
            the greatest coordinate in an unbounded one.
        corners: signs of the units of ``problem`` at the vertices, and their sides.
        faces: by dimension.
    """

    problem: CountProblem
    complete: bool
    is_bounded: bool
    vertices: Float
    errors: Float
    corners: Corners
    faces: tuple[FaceSet, ...]


def assemble(
    problem: CountProblem, watch: Watch, cut: Cut | None = None, skeleton: bool = False
) -> Assembled:
    """All faces of a problem, refined by a function of the outputs if one is given.

    With ``skeleton`` vertices, edges and cells alone, of a bounded domain.

    Raises:
        UnsupportedError: too many inputs vary, or a cell has too many vertices or facets.
    """
    vary = int((problem.box.lo < problem.box.hi).sum())
    if vary > MOST_VERTEX_INPUTS:
        raise UnsupportedError(
            f"a complex has up to {MOST_VERTEX_INPUTS} inputs that vary, here are {vary}: take a "
            "slice, mc.Slice.plane(a, b, c) through three inputs, say"
        )
    require_full_dimensional(problem)
    whole = problem if cut is None else refined(problem, cut)
    tournament = cut is not None and cut.kind == "argmax"
    if not whole.stages:
        # No unit has a state: search with one that is positive everywhere, and forget it.
        found = assemble(problem, watch, EVERYWHERE, skeleton)
        return _without_units(problem, found)

    if is_bounded(problem):
        which: Literal["all", "edges"] = "edges" if skeleton and vary > 2 else "all"
        cells, faces = _search(whole, watch, which)
        if not tournament:
            at = cells.vertices
            return Assembled(whole, cells.complete, True, at, cells.errors, _at(faces), faces)
        return _led(whole, cells, faces, problem.n_units)
    if skeleton:
        raise UnsupportedError("a skeleton alone is made over bounded domains; leave skeleton out")
    parts, inner = [], []
    complete = True
    for chart in charts(whole):
        cells, faces = _search(chart.problem, watch, "all")
        far = chart.infinity
        real = [np.ones(len(f), dtype=bool) if far is None else ~f.sides[:, far] for f in faces]
        vertices = chart.points(cells.vertices)
        names = []
        for f in faces:
            signs = leading(f.signs, problem.n_units) if tournament else f.signs
            names.append(Corners(signs, f.sides[:, list(chart.sides)]))
        corners = Corners(faces[0].signs, names[0].sides)
        errors = chart.errors(cells.vertices, cells.errors)
        parts.append(Part(vertices, errors, corners, faces, names, real))
        walls = np.ones(faces[0].sides.shape[1], dtype=bool)
        walls[[*chart.sides, *([] if far is None else [far])]] = False
        inner.append([~f.sides[:, walls].any(axis=1) for f in faces])
        complete &= cells.complete
        if not complete:
            break
    if not complete:
        # Of a face that meets a part in its walls alone the dimension is not known.
        parts = [
            replace(part, real=[a & b for a, b in zip(part.real, off, strict=True)])
            for part, off in zip(parts, inner, strict=True)
        ]
    return Assembled(whole, complete, False, *joined(parts))


def _search(
    problem: CountProblem, watch: Watch, which: Literal["all", "edges"]
) -> tuple[CellComplex, tuple[FaceSet, ...]]:
    from milpcount.search.cell_complex import cell_complex

    cells = cell_complex(problem, watch, watch.budget.regions, which)
    return cells, _faces(problem, cells)


def _led(
    whole: CountProblem, cells: CellComplex, faces: tuple[FaceSet, ...], base: int
) -> Assembled:
    """The faces of a bounded domain that a tournament has cut, joined again.

    Most units of a large network have one sign all over the domain and are left out of the names.
    """
    corners = _at(faces)
    varies = (corners.signs != corners.signs[:1]).any(axis=0)
    varies[base:] = True
    few = Corners(corners.signs[:, varies], corners.sides)
    kept = int(np.count_nonzero(varies[:base]))
    names = []
    for f in faces:
        short = replace(f, corners=few)
        names.append(Corners(leading(short.signs, kept), short.sides))
    real = [np.ones(len(f), dtype=bool) for f in faces]
    part = Part(cells.vertices, cells.errors, corners, faces, names, real)
    vertices, errors, exact, made = joined([part])
    # A bounded face has the signs of its vertices, joined.
    named = Corners(leading(exact.signs, base), exact.sides)
    made = tuple(replace(f, corners=named, given=None) for f in made)
    return Assembled(whole, cells.complete, True, vertices, errors, exact, made)


def _without_units(problem: CountProblem, found: Assembled) -> Assembled:
    def bare(of: Corners) -> Corners:
        return Corners(of.signs[:, :0], of.sides)

    corners = bare(found.corners)
    faces = tuple(
        replace(f, corners=bare(f.corners), given=None if f.given is None else bare(f.given))
        for f in found.faces
    )
    return replace(found, problem=problem, corners=corners, faces=faces)


def _at(faces: tuple[FaceSet, ...]) -> Corners:
    return Corners(faces[0].signs, faces[0].sides)


def _faces(problem: CountProblem, cells: CellComplex) -> tuple[FaceSet, ...]:
    sides = cells.vertex_sides
    matrix, right = problem.rows
    if len(right):
        # Of a polytope the cube around it is no part; rows 0 <= 0 are no sides.
        sides = sides[:, 2 * cells.n :] & matrix.any(axis=1)
    signs = cells.vertex_signs
    index = problem.index
    if index.n_units != index.n_positions:
        signs = signs[:, index.positions]
    corners = Corners(signs, sides)
    return tuple(
        FaceSet(k, part.begin, part.vertices, part.facet_begin, part.facets, corners)
        for k, part in enumerate(cells.faces)
    )
