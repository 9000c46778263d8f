"""The polyhedral complex of a network over its domain."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from milpcount.arguments import budget_of, problem_of, require_flag, watched
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget, Limit, ProgressCallback, Termination, TerminationReason
from milpcount.core.run import Watch
from milpcount.errors import InputError, InvariantError, UnsupportedError
from milpcount.geometry.complexes.assembly import Assembled, assemble
from milpcount.geometry.complexes.cell_pairs import facet_cells, joined_cells
from milpcount.geometry.complexes.cuts import Cut, cut_of, require_no_plateau, vanishes
from milpcount.geometry.complexes.domain_faces import domain_sides, euler_characteristics
from milpcount.geometry.complexes.exact_points import ExactPoints
from milpcount.geometry.complexes.face_complex import FaceComplex
from milpcount.geometry.complexes.face_sets import FaceSet
from milpcount.geometry.complexes.simplices import exact_volumes
from milpcount.geometry.complexes.subcomplex import SubComplex
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.region_graph import RegionGraph, Regions

__all__ = ["PolyhedralComplex", "polyhedral_complex"]

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Signs = NDArray[np.int8]


def polyhedral_complex(
    net: Any,
    domain: Domain | None = None,
    *,
    with_output: bool = False,
    budget: Budget | float | None = None,
    progress: ProgressCallback | bool | None = None,
    skeleton: bool = False,
) -> PolyhedralComplex:
    """All faces of a network, of all dimensions, in the closed domain.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads.
        domain: as for :func:`milpcount.count`, with one to five inputs that vary: a box, a
            polytope, a slice (of a network with any number of inputs), the whole space.
        with_output: whether the units of the last affine layer cut too.
        budget: limits of time and regions; a number is one of seconds.
        progress: called with :class:`~milpcount.core.result.Progress`; True shows a bar.
        skeleton: whether vertices, edges and cells alone are wanted, which takes a third of the
            time; over bounded domains.

    A limit or Ctrl-C gives a complex that is not ``complete`` and holds true faces.

    Raises:
        DomainError: no domain, or one with empty interior.
        UnsupportedError: too many inputs vary, or a domain that is not served.
    """
    limits = budget_of(budget)
    require_flag("skeleton", skeleton)
    problem = problem_of(net, domain, "full", with_output)
    with watched(progress) as shown:
        watch = Watch(limits, shown)
        return _made(problem, None, watch, skeleton)


def _made(
    problem: CountProblem, cut: Cut | None, watch: Watch, skeleton: bool = False
) -> PolyhedralComplex:
    found = assemble(problem, watch, cut, skeleton)
    termination = Termination.complete()
    if not found.complete:
        limit = f"{watch.budget.regions} regions"
        termination = watch.stopped or watch.stop(Limit.REGIONS, limit)
    made = PolyhedralComplex(problem, found, termination, watch.seconds, cut, skeleton)
    made.check_euler()
    return made


class PolyhedralComplex(FaceComplex):
    """The faces of a network in the closed domain, by dimension.

    Faces are named by sign vectors: a face is the set of the points at which all pre-activations
    have given signs in {-1, 0, 1} and which lie on given sides of the domain.  This holds for
    degenerate networks: a unit may vanish on a whole cell, several on one facet.  All incidences
    are exact; only coordinates are rounded.

    Attributes:
        problem: the counting problem; coordinates are its own (inputs, or those of the slice).
        sides: the sides of the domain, in the order of the columns of ``faces(k).sides``.
        cut: the function that refines the complex, None where there is none.  The columns of
            ``faces(k).signs`` that follow those of the units are its signs.
        assembled: what the search found.
        termination: complete, or the limit that ended the search.
        seconds: time that it took.
        skeleton: whether only vertices, edges and cells are there.
    """

    def __init__(
        self,
        problem: CountProblem,
        found: Assembled,
        termination: Termination,
        seconds: float,
        cut: Cut | None = None,
        skeleton: bool = False,
    ) -> None:
        self.skeleton = skeleton and len(found.faces) > 3
        self.problem, self.termination, self.seconds = problem, termination, seconds
        self.cut, self.assembled = cut, found
        self.sides = domain_sides(problem)
        self._prepared = Prepared(problem)
        same = found.problem is problem
        searched = self._prepared if same else Prepared(found.problem)
        self._points = ExactPoints(searched, found.corners.signs, found.corners.sides, self.sides)
        self._cuts: dict[Cut, PolyhedralComplex] = {}
        free = np.flatnonzero(problem.box.lo < problem.box.hi)
        super().__init__(
            len(found.faces) - 1,
            tuple(free.tolist()),
            found.vertices,
            found.faces,
            found.is_bounded,
        )

    @property
    def vertex_errors(self) -> Float:
        """Proved bounds on the errors of ``vertices``; most are a hundred times as large as these.

        As parts of the width of a bounded domain, else of each vertex's greatest coordinate.
        """
        return self.assembled.errors

    @property
    def exact_vertices(self) -> ExactPoints:
        """The vertices as fractions, worked out from their sign vectors when they are asked for."""
        return self._points

    @property
    def complete(self) -> bool:
        """Whether nothing was left to search."""
        return self.termination.reason is TerminationReason.COMPLETE

    def __len__(self) -> int:
        return len(self._faces[-1])

    def __repr__(self) -> str:
        counts = ", ".join(str(len(part)) if len(part) else "?" for part in self._faces)
        if not self.skeleton:
            counts = ", ".join(map(str, self.f_vector))
        what = f"; refined by {self.cut}" if self.cut is not None else ""
        state = "" if self.complete else f"; stopped by {self.termination.limit}"
        return f"PolyhedralComplex({self.problem.network.name}; f-vector {counts}{what}{state})"

    def _repr_html_(self) -> str:
        from milpcount.draw.thumbnails import complex_card

        return complex_card(self)

    def faces(self, k: int) -> FaceSet:
        """The faces of dimension ``k``.

        Raises:
            InputError: no such dimension, or a skeleton that has none of these.
        """
        found = super().faces(k)
        if self.skeleton and 1 < k < self.dimension:
            self._require_all()
        return found

    @property
    def f_vector(self) -> tuple[int, ...]:
        """Number of faces of dimension 0 to ``dimension``, those on the domain's sides included.

        Raises:
            InputError: only a skeleton was made.
        """
        self._require_all()
        return super().f_vector

    def _require_all(self) -> None:
        if self.skeleton:
            raise InputError(
                "only vertices, edges and cells were made; leave skeleton=True out for all faces"
            )

    def check_euler(self) -> None:
        """Check the alternating sum of the f-vector of a complete complex.

        A closed box or polytope has 1, the whole of ``R^d`` has ``(-1)^d``.

        Raises:
            InvariantError: it is another number.
        """
        if not self.complete or self.skeleton:
            return
        expected = euler_characteristics(self.problem, self.is_bounded)
        if self.euler_characteristic not in expected:
            raise InvariantError(
                f"the Euler characteristic of {self!r} is {self.euler_characteristic}, "
                f"not {expected[0]}; this is a defect of milpcount, please report it"
            )

    def save(self, path: str | Path) -> None:
        """Write complex and network to an ``.npz`` file for :func:`milpcount.load_complex`.

        Raises:
            InputError: another ending, or a folder that is not there.
            UnsupportedError: it is too large.
            OutputError: the file cannot be written.
        """
        from milpcount.geometry.complexes.complex_file import save_complex

        self._require_all()
        save_complex(self, Path(path))

    # Cells as regions.

    @cached_property
    def patterns(self) -> NDArray[np.uint8]:
        """Shape ``(cells, units)``, 0/1: the activation pattern of every cell."""
        signs = self._faces[-1].signs[:, : self.problem.n_units]
        return (signs > 0).astype(np.uint8)

    @cached_property
    def regions(self) -> Regions:
        """The cells as regions, in the order of ``faces(dimension)``; made when asked for.

        In a refined complex, the region that each cell is a part of.
        """
        return Regions(self._prepared, self.patterns, ())

    @cached_property
    def facet_cells(self) -> Ints:
        """Shape ``(facets, 2)``: the cells on both sides of each facet, -1 for none."""
        self._require_all()
        return facet_cells(self._faces[-1], len(self._faces[-2]))

    def dual_graph(self) -> RegionGraph:
        """The cells, joined where they share a facet; numbered as :attr:`regions`.

        Raises:
            InputError: the complex is refined, so that several cells are parts of one region.
        """
        if self.cut is not None:
            raise InputError("a refined complex has no dual graph of regions; ask the original")
        pairs, whole = joined_cells(self.facet_cells, self._faces[-2].is_inner, len(self))
        unknown = np.zeros(0, dtype=np.int64)
        expanded = np.ones(len(self), dtype=bool) if self.complete else whole
        graph = RegionGraph(
            self._prepared, self.patterns, pairs, unknown, expanded, self.termination, self.seconds
        )
        graph.depth = graph.distances(0)
        return graph

    @overload
    def volumes(self, exact: Literal[False] = False) -> Float: ...
    @overload
    def volumes(self, exact: Literal[True]) -> tuple[Fraction, ...]: ...
    def volumes(self, exact: bool = False) -> Float | tuple[Fraction, ...]:
        """The volume of every cell, in the coordinates that vary: floats, infinite where it is.

        With ``exact`` as fractions, from the exact vertices.

        Raises:
            UnsupportedError: exact volumes, and some cell is unbounded.
        """
        self._require_all()
        if not exact:
            return self.measures_of(self.dimension)
        if not self.is_bounded:
            raise UnsupportedError(
                "some cells are unbounded and have no finite volume; give a bounded domain, or "
                "take volumes() in floats"
            )
        points = [tuple(p[j] for j in self.free) for p in self.exact_vertices]
        return exact_volumes(self._faces, points)

    # Functions of the outputs.

    def refine(
        self,
        output: int = 0,
        level: float = 0.0,
        *,
        outputs: tuple[int, int] | None = None,
        argmax: bool = False,
    ) -> PolyhedralComplex:
        """The complex cut where a function of the outputs changes sign.

        Arguments:
            output: with ``level``: the function ``f_output - level``.
            level: a number.
            outputs: ``(i, j)`` for ``f_i - f_j`` instead.
            argmax: where the greatest output changes instead; the columns of signs that follow
                those of the units are one for each output: 0 where it is the greatest, else -1.

        Raises:
            InputError: no such output, or arguments that exclude each other.
        """
        return self._refined(cut_of(self.problem.network, output, level, outputs, argmax))

    @property
    def classes(self) -> Ints:
        """Which output is the greatest on every cell of ``refine(argmax=True)``.

        Raises:
            InputError: the complex is not refined so.
        """
        if self.cut is None or self.cut.kind != "argmax":
            raise InputError("a cell may have several classes; ask refine(argmax=True).classes")
        return np.asarray(np.argmax(self._faces[-1].signs[:, self.problem.n_units :], axis=1))

    def _refined(self, cut: Cut) -> PolyhedralComplex:
        self._require_all()
        if self.cut is not None:
            raise InputError(f"the complex is refined by {self.cut} already; ask the original")
        if cut not in self._cuts:
            self._cuts[cut] = _made(self.problem, cut, Watch())
        return self._cuts[cut]

    def _signed(self, cut: Cut) -> tuple[PolyhedralComplex, int]:
        """A complex with the signs of a function, and their column, the first one of argmax."""
        if cut == self.cut:
            return self, self.problem.n_units
        if self.problem.with_output and cut.kind == "level" and cut.level == 0:
            count = self.problem.network.output_dimension
            return self, self.problem.n_units - count + cut.outputs[0]
        return self._refined(cut), self.problem.n_units

    def boundary(
        self,
        output: int = 0,
        level: float = 0.0,
        *,
        outputs: tuple[int, int] | None = None,
        argmax: bool = False,
    ) -> SubComplex:
        """The faces on which a function of the outputs vanishes; arguments as of :meth:`refine`.

        With ``argmax`` the decision boundary: where two outputs or more are the greatest.

        Raises:
            InputError: no such output, or arguments that exclude each other.
            DomainError: the function vanishes on whole cells, a plateau.
        """
        self._require_all()
        cut = cut_of(self.problem.network, output, level, outputs, argmax)
        whole, column = self._signed(cut)
        chosen = [vanishes(faces, cut, column) for faces in whole._faces]
        require_no_plateau(chosen[-1], cut)
        known = None if argmax else column
        return SubComplex(whole, chosen, self.dimension - 1, f"boundary, {cut}", known)

    def sublevel(
        self, output: int = 0, level: float = 0.0, *, outputs: tuple[int, int] | None = None
    ) -> SubComplex:
        """The closed set where a function is at most 0; arguments as of :meth:`refine`."""
        return self._half(output, level, outputs, -1, "sublevel set")

    def superlevel(
        self, output: int = 0, level: float = 0.0, *, outputs: tuple[int, int] | None = None
    ) -> SubComplex:
        """The closed set where a function is at least 0; arguments as of :meth:`refine`."""
        return self._half(output, level, outputs, 1, "superlevel set")

    def _half(
        self, output: int, level: float, outputs: tuple[int, int] | None, side: int, name: str
    ) -> SubComplex:
        self._require_all()
        cut = cut_of(self.problem.network, output, level, outputs)
        whole, column = self._signed(cut)
        chosen: list[Bools] = [side * faces.sign_of(column) >= 0 for faces in whole._faces]
        return SubComplex(whole, chosen, self.dimension, f"{name}, {cut}")
