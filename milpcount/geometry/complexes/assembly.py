"""From cells as the search hands them out to the faces of a complex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.geometry.complexes.face_sets import Corners, FaceSet

if TYPE_CHECKING:
    from milpcount.search.cell_complex import CellComplex

__all__ = ["Assembled", "assemble"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Assembled:
    """The faces of a domain.

    Attributes:
        complete: whether the search came to its end.
        is_bounded: whether no face is unbounded.
        vertices: in the problem's coordinates.
        faces: by dimension.
    """

    complete: bool
    is_bounded: bool
    vertices: Float
    faces: tuple[FaceSet, ...]


def assemble(problem: CountProblem, watch: Watch) -> Assembled:
    """All faces of a problem.

    Raises:
        UnsupportedError: too many inputs vary, or a cell has too many vertices or facets.
    """
    from milpcount.search.cell_complex import cell_complex

    cells = cell_complex(problem, watch, watch.budget.regions)
    return Assembled(cells.complete, True, cells.vertices, _faces(problem, cells))


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
