"""Where the function equals an affine map, from the values at the vertices of all regions.

On the closure ``F`` of a facet the difference ``g = f - a`` of the function and an affine map is
affine, so its values there are the convex combinations of its values at the vertices.  ``F`` meets
``Z`` (:mod:`milpcount.linear.closed`) if and only if 0 lies in the convex hull of these.  For a
function with one output the signs of the values tell; with several ones they tell "no" most of the
time, and a rational linear programme decides the rest.

Signs are exact.  The function is evaluated in floats with bounds on all errors, along the signs of
the vertex, which are exact: what a unit that is zero there passes on is 0.  A difference smaller
than its bound is computed in integers, from the vertex as the solution of its equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import Polytope
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget
from milpcount.core.run import Watch
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.extent import coordinate_ranges
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import ExactStage, domain_rows
from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.index import Components
from milpcount.search.cell_complex import CellComplex, cell_complex
from milpcount.search.native_cells import MAX_DIMENSION

__all__ = ["VertexSlices", "has_vertices"]

ROUNDOFF = 2.0**-53
_TINY = 2.0**-1000  # covers what is rounded among the smallest floats, times ROUNDOFF

Float = NDArray[np.float64]
Ints = NDArray[np.int64]
Signs = NDArray[np.int8]


def has_vertices(problem: CountProblem) -> bool:
    """Whether all cells can be had with their vertices: a bounded domain, few varying inputs."""
    if not problem.stages:
        return False
    if isinstance(problem.domain, Polytope):
        bounded = coordinate_ranges(problem) is not None
    else:
        bounded = problem.box.is_bounded
    vary = int(np.count_nonzero(problem.box.lo < problem.box.hi))
    return bounded and 1 <= vary <= MAX_DIMENSION


@dataclass(frozen=True, eq=False)
class _Values:
    """Numbers with bounds on their errors."""

    near: Float
    error: Float


class VertexSlices:
    """The vertices of all regions, the values of the function there, and the facets."""

    def __init__(
        self, problem: CountProblem, circuit: Circuit, cells: CellComplex, rows: Ints
    ) -> None:
        """Take all cells; ``rows`` has the number of each among the regions."""
        self._problem, self._circuit, self._cells, self._rows = problem, circuit, cells, rows
        self._prefixes = Prefixes(circuit)
        facets = cells.faces[cells.n - 1]
        inner = np.flatnonzero(np.all(cells.facet_cells >= 0, axis=1))
        sizes = np.diff(facets.begin)[inner]
        self._begin = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        offsets = np.repeat(facets.begin[:-1][inner] - self._begin[:-1], sizes)
        self._corners = facets.vertices[np.arange(self._begin[-1]) + offsets]
        self._sides = rows[cells.facet_cells[inner]]
        # Of every cell its vertices, of every vertex one of its cells.
        whole = cells.faces[cells.n]
        self._cell_begin, self._cell_vertices = whole.begin, whole.vertices
        self._cell_at = np.zeros(len(cells.vertices), dtype=np.int64)
        self._cell_at[whole.vertices] = np.repeat(np.arange(len(whole)), np.diff(whole.begin))
        self._bits = problem.index.states(cells.cell_signs)
        self._cell_of_row = np.empty_like(rows)
        self._cell_of_row[rows] = np.arange(len(rows))
        with np.errstate(all="ignore"):
            self._points = self._located()
            self._values = self._evaluated()
        self._exact: dict[int, tuple[list[int], list[int]]] = {}

    @classmethod
    def of(
        cls, problem: CountProblem, circuit: Circuit, bits: NDArray[np.uint8], watch: Watch
    ) -> VertexSlices | None:
        """Search the domain once more, for cells; None if the time is over before the end.

        Raises:
            UnsupportedError: a cell has too many vertices.
            InvariantError: the cells found are not the regions with these patterns.
        """
        left = watch.remaining
        if left == 0.0:
            watch.exceeded()
            return None
        cells = cell_complex(problem, Watch(Budget(seconds=left)), faces="facets")
        if not cells.complete:
            watch.exceeded()
            return None
        return cls(problem, circuit, cells, _matched(problem.index.states(cells.cell_signs), bits))

    def components(self, rows: Ints, affine: fmpz_mat, watch: Watch) -> Ints | None:
        """A number for each of the rows, all regions with this map; None if a limit stopped it."""
        signs = self._signs(rows, affine)
        corners = signs[self._corners]
        starts = self._begin[:-1]
        parts = Components(len(self._rows))
        if not len(starts):
            return parts.roots()[rows]
        low = np.minimum.reduceat(corners, starts, axis=0)
        high = np.maximum.reduceat(corners, starts, axis=0)
        meets = np.all((low <= 0) & (high >= 0), axis=1)
        if signs.shape[1] == 1:
            sure = meets
        else:
            sure = meets & np.logical_or.reduceat(~np.any(corners, axis=1), starts)
        pairs = self._sides[sure]
        parts.unite(pairs[:, 0], pairs[:, 1])
        for facet in np.flatnonzero(meets & ~sure).tolist():
            if watch.exceeded() is not None:
                return None
            pair = self._sides[facet]
            if not parts.together(*pair.tolist()) and self._holds_zero(facet, affine):
                parts.unite(pair[:1], pair[1:])
        return parts.roots()[rows]

    def _signs(self, rows: Ints, affine: fmpz_mat) -> Signs:
        """Exact signs of ``f - a`` at all vertices, one column an output."""
        at = _rounded(affine, self._shift)
        with np.errstate(all="ignore"):
            n = self._points.near.shape[1]
            there = _product(at[:, :n], at[:, n], self._points)
            gap = self._values.near - there.near
            bound = 1.001 * (self._values.error + there.error + ROUNDOFF * np.abs(gap))
            known = np.abs(gap) > bound
            signs = np.where(known, np.sign(gap), 0).astype(np.int8)
        # Where a region with the map has a vertex, the difference is 0.
        cells = self._cell_of_row[rows]
        sizes = np.diff(self._cell_begin)[cells]
        ends = np.cumsum(sizes)
        offsets = np.repeat(self._cell_begin[cells] - (ends - sizes), sizes)
        mine = self._cell_vertices[np.arange(ends[-1]) + offsets]
        signs[mine], known[mine] = 0, True
        for v in np.flatnonzero(~np.all(known, axis=1)).tolist():
            signs[v] = [(g > 0) - (g < 0) for g in self._difference(v, affine)]
        return signs

    def _difference(self, v: int, affine: fmpz_mat) -> list[int]:
        """A positive multiple of ``f - a`` at a vertex, exactly."""
        if v not in self._exact:
            self._exact[v] = self._solved(v)
        point, value = self._exact[v]
        there = affine * fmpz_mat(len(point), 1, point)
        return [y - int(z) for y, z in zip(value, there.entries(), strict=True)]

    def _holds_zero(self, facet: int, affine: fmpz_mat) -> bool:
        """Whether 0 is a convex combination of the differences at the vertices of a facet."""
        corners = self._corners[self._begin[facet] : self._begin[facet + 1]]
        columns = [self._difference(v, affine) for v in corners.tolist()]
        m = len(columns)
        rows = [Row((*(1,) * m, -1), False)]
        for line in zip(*columns, strict=True):
            rows += [Row((*line, 0), False), Row((*(-c for c in line), 0), False)]
        return decide(rows, ExactBox((0,) * m, (1,) * m, 1)).feasible

    def _solved(self, v: int) -> tuple[list[int], list[int]]:
        """A vertex ``(x, 1)`` and the function there, both times a positive integer.

        In the closure of a cell a vertex is the one point in which the forms of the units that are
        zero there vanish, and that lies on the sides of the domain on which it lies.
        """
        bits = self._circuit.spread(self._bits[self._cell_at[v]])
        zero = self._zero(self._cells.vertex_signs[v])
        equations: list[list[int]] = []
        unit = 0
        for forms in self._prefixes.forms(bits):
            for i in range(forms.matrix.nrows()):
                if zero[unit]:
                    equations.append([int(c) for c in forms.row(i)])
                unit += 1
        equations += self._side_equations(self._cells.vertex_sides[v])
        n = self._cells.n
        system = fmpz_mat(len(equations), n + 1, [c for row in equations for c in row])
        reduced, scale, rank = system.rref()
        if rank != n:
            raise InvariantError(f"a vertex is the solution of equations of rank {rank}, not {n}")
        sign = 1 if scale > 0 else -1
        point = [*(-sign * int(reduced[j, n]) for j in range(n)), sign * int(scale)]
        value = self._prefixes.affine_map(bits) * fmpz_mat(n + 1, 1, point)
        return point, [int(c) for c in value.entries()]

    def _side_equations(self, sides: NDArray[np.bool_]) -> list[list[int]]:
        n = self._cells.n
        box = ExactBox.of(self._circuit.box)
        out = []
        for side in np.flatnonzero(sides).tolist():
            if side >= 2 * n:
                out.append(list(domain_rows(self._problem)[side - 2 * n].coefficients))
                continue
            j, upper = divmod(side, 2)
            end = (box.hi if upper else box.lo)[j]
            if end is None:
                continue  # of the box around a polytope, whose own rows meet here
            out.append([*(box.denominator * int(i == j) for i in range(n)), -end])
        return out

    def _zero(self, signs: Signs) -> NDArray[np.bool_]:
        """Which units of the circuit are zero at a vertex or at many, by the signs there."""
        problem, circuit = self._problem, self._circuit
        counted = signs[..., problem.index.positions] == 0
        out = np.zeros((*counted.shape[:-1], circuit.n_units), dtype=bool)
        out[..., ~circuit.linear] = counted
        return out

    def _located(self) -> _Values:
        """The free coordinates of the vertices."""
        problem = self._problem
        free = list(self._circuit.free)
        ranges = coordinate_ranges(problem) if isinstance(problem.domain, Polytope) else None
        if ranges is None:
            lo, hi = problem.box.lo, problem.box.hi
        else:
            lo, hi = (np.array([float(end) for end in ends]) for ends in zip(*ranges, strict=True))
        lo, hi = lo[free], hi[free]
        width = hi - lo
        near = self._cells.vertices[:, free]
        error = self._cells.errors[:, None] * width * (1 + 4 * ROUNDOFF)
        error = error + 16 * ROUNDOFF * (np.abs(lo) + np.abs(hi) + width)
        return _Values(near, error)

    def _evaluated(self) -> _Values:
        """The function at the vertices, along their signs."""
        circuit = self._circuit
        at = self._cells.vertex_signs
        active = circuit.spread(self._problem.index.states(at)) != 0
        zero = self._zero(at)
        h = self._points
        start = 0
        for layer in circuit.layers:
            h = _affine(layer, h)
            units = slice(start, start + layer.width)
            slope = np.array([_quotient(s, layer.slope_shift) for s in layer.slopes])
            factor = np.where(zero[:, units], 0.0, np.where(active[:, units], 1.0, slope))
            size = np.abs(factor)
            h = _Values(
                factor * h.near, size * h.error + 2 * ROUNDOFF * size * (np.abs(h.near) + h.error)
            )
            start += layer.width
        if circuit.output is not None:
            h = _affine(circuit.output, h)
        self._shift = self._prefixes.affine_forms(circuit.spread(self._bits[0])).shift
        return h


def _affine(layer: ExactStage, h: _Values) -> _Values:
    """An affine stage of the chain."""
    bias = np.array([_quotient(int(b), layer.shift) for b in layer.bias])
    return _product(_rounded(layer.weights[0], layer.shift), bias, h)


def _product(weight: Float, bias: Float, h: _Values) -> _Values:
    """``weight . h + bias``, where weight and bias are rounded numbers, with all errors."""
    size = np.abs(weight).T + _TINY
    near = h.near @ weight.T + bias
    terms = (np.abs(h.near) + h.error) @ size + np.abs(bias) + _TINY
    return _Values(near, 1.001 * (h.error @ size + (len(size) + 4) * ROUNDOFF * terms))


def _rounded(matrix: fmpz_mat, shift: int) -> Float:
    """``matrix / 2**shift``."""
    rows = [[_quotient(int(c), shift) for c in row] for row in matrix.tolist()]
    return np.array(rows, dtype=np.float64).reshape(matrix.nrows(), matrix.ncols())


def _quotient(number: int, shift: int) -> float:
    """``number / 2**shift``, rounded once; infinite beyond the range of floats."""
    try:
        return number / (1 << shift) if shift >= 0 else float(number << -shift)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _matched(cells: NDArray[np.uint8], bits: NDArray[np.uint8]) -> Ints:
    """The row of ``bits`` that each row of ``cells`` equals: both hold the same rows, each once."""
    packed = [np.ascontiguousarray(np.packbits(a, axis=1)) for a in (cells, bits)]
    kind = np.dtype((np.void, packed[0].shape[1]))
    mine, theirs = (a.view(kind).ravel() for a in packed)
    order, other = np.argsort(mine, kind="stable"), np.argsort(theirs, kind="stable")
    if len(mine) != len(theirs) or not np.array_equal(mine[order], theirs[other]):
        raise InvariantError("the cells of the domain are not the regions that were found")
    out = np.empty(len(mine), dtype=np.int64)
    out[order] = other
    return out
