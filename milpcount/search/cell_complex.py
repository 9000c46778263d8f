"""All cells of a network with few varying inputs at once: vertices, faces and facets in arrays.

What lies on what is exact, degenerate networks included: a vertex is named by its sign vector, the
exact signs of all units' pre-activations there and the sides of the domain that it lies on, and two
vertices are the same if and only if these agree.  Cells fit together face to face, so a face is
named by its set of vertices.  Only coordinates are rounded.  The proofs stand in
``kernels/src/complex.hpp``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.errors import UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.kernels import native
from milpcount.search.frames.problem_frames import cube_frame, root_signs
from milpcount.search.native_cells import MAX_DIMENSION, NativeCells

__all__ = ["CellComplex", "Faces", "cell_complex"]

_WANTED = {
    "all": native.Wanted.ALL,
    "facets": native.Wanted.FACETS,
    "edges": native.Wanted.EDGES,
}
_STEPS = 20_000  # of the search between two looks at the clock


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of one dimension, in compressed rows.

    Attributes:
        begin: face ``f`` has the vertices ``vertices[begin[f] : begin[f + 1]]``, ascending.
        facet_begin: and the facets ``facets[facet_begin[f] : facet_begin[f + 1]]``, faces of one
            dimension less; none where these were not asked for.
    """

    begin: NDArray[np.int64]
    vertices: NDArray[np.int64]
    facet_begin: NDArray[np.int64]
    facets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin) - 1


@dataclass(frozen=True, eq=False)
class CellComplex:
    """The cells of a problem and their faces.

    Attributes:
        complete: whether nothing was left to search.
        n: dimension of the cells, the number of inputs that vary.
        vertices: of shape ``(V, dimension of the problem)``, rounded.
        errors: bound on the error of every coordinate of a vertex, as a part of the width of the
            box in that coordinate.
        vertex_signs: of shape ``(V, positions)``: exact signs of the pre-activations, as
            ``problem.index`` numbers them; 0 for linear units, which have no state.
        vertex_sides: of shape ``(V, 2 n + rows)``: whether it lies on the lower (``2 j``) or the
            upper (``2 j + 1``) end of varying input ``j``, or on row ``2 n + k`` of the polytope.
        cell_signs: of shape ``(cells, positions)``: the signs inside; 0 where a unit is zero all
            over the cell (and inactive), 1 for linear units.
        faces: by dimension, 0 to ``n``; in the order of ``cell_signs`` the last.
        facet_cells: of shape ``(facets, 2)``: the cells that a facet belongs to, -1 for none;
            empty where facets were not asked for.
    """

    complete: bool
    n: int
    vertices: NDArray[np.float64]
    errors: NDArray[np.float64]
    vertex_signs: NDArray[np.int8]
    vertex_sides: NDArray[np.bool_]
    cell_signs: NDArray[np.int8]
    faces: tuple[Faces, ...]
    facet_cells: NDArray[np.int64]


def cell_complex(
    problem: CountProblem,
    watch: Watch | None = None,
    max_cells: int | None = None,
    faces: Literal["all", "facets", "edges"] = "all",
) -> CellComplex:
    """Search a bounded domain and return all its cells, or those found until a limit.

    Arguments:
        problem: with one to six inputs that vary.
        watch: its limits stop the search; the cells found so far are true ones.
        max_cells: about how many cells are enough.
        faces: which are wanted: all; cells, their facets and vertices; or cells (without their
            facets), edges and vertices.

    Raises:
        UnsupportedError: no units, no input or too many inputs that vary, an unbounded domain, or
            a cell with too many vertices or facets.
    """
    require_full_dimensional(problem)
    if not problem.stages:
        raise UnsupportedError("a network without counted units has one cell, the domain")
    vary = np.flatnonzero(problem.box.lo < problem.box.hi)
    if not 1 <= len(vary) <= MAX_DIMENSION:
        raise UnsupportedError(
            f"cells are collected for one to {MAX_DIMENSION} inputs that vary, here are "
            f"{len(vary)}; take a slice"
        )
    watch = Watch() if watch is None else watch
    frame = cube_frame(problem)
    machine = NativeCells(frame, problem, emit=False, collect=True)
    machine.start(root_signs(problem))
    code = int(native.Stop.STEPS)
    while code == native.Stop.STEPS and watch.exceeded() is None:
        if max_cells is not None and machine.regions >= max_cells:
            break
        code = machine.run(_STEPS, None if max_cells is None else max_cells - machine.regions)
        watch.regions += machine.take_count()
        watch.report("searching", 1.0 - machine.open_share())
    if code == native.Stop.DOUBT_NODE:
        raise UnsupportedError("a cell has too many vertices or facets; use engine tree to count")
    arrays = machine.complex(_WANTED[faces])
    corner = np.array([float(v) for v in frame.point(np.zeros(frame.n)).fractions()])
    opposite = np.array([float(v) for v in frame.point(np.ones(frame.n)).fractions()])
    vertices = np.tile(corner, (len(arrays["vertices"]), 1))
    vertices[:, vary] += arrays["vertices"] * (opposite - corner)[vary]
    return CellComplex(
        complete=code == native.Stop.DONE,
        n=frame.n,
        vertices=vertices,
        errors=arrays["errors"],
        vertex_signs=arrays["vertex_signs"],
        vertex_sides=arrays["vertex_sides"].astype(np.bool_),
        cell_signs=arrays["cell_signs"],
        faces=tuple(_faces(part) for part in arrays["faces"]),
        facet_cells=arrays["facet_cells"],
    )


def _faces(part: dict[str, Any]) -> Faces:
    return Faces(part["begin"], part["vertices"], part["facet_begin"], part["facets"])
