"""Affine maps and half-spaces of many regions of one network, quickly and to stated accuracy.

The network's map on a region is ``F B x + b`` with ``F`` of few columns (:mod:`.space`).  Floats
give it with a bound on the error of every entry; entries that they do not give to
:data:`ACCURACY` are computed in integers and rounded once.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, WholeSpace
from milpcount.core.problem import CountProblem
from milpcount.exact.feasibility import Row
from milpcount.geometry.float_forms import ROUNDOFF, WIDE_ROUNDOFF
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Wall

__all__ = ["ACCURACY", "Maps", "unit_length"]

ACCURACY = 2.0**-40

Bits = NDArray[np.bool_]
Float = NDArray[np.float64]


class Maps:
    """The network of a problem, prepared for maps."""

    def __init__(self, problem: CountProblem) -> None:
        self._problem = problem

    @cached_property
    def _inputs(self) -> Space:
        """All inputs, hidden units and outputs: the outputs are the last forms."""
        return Space(CountProblem.of(self._problem.network, WholeSpace(), with_output=True))

    @cached_property
    def _domain(self) -> Space:
        """The problem's own coordinates that vary, without sides where it is a box."""
        problem = self._problem
        box = problem.domain
        if isinstance(box, Box):
            vary = box.lo < box.hi
            lo, hi = np.where(vary, -np.inf, box.lo), np.where(vary, np.inf, box.hi)
            problem = replace(problem, domain=Box(lo, hi))
        return Space(problem)

    def affine_map(self, bits: Bits) -> tuple[Float, Float]:
        """``(A, b)`` of the region with these bits."""
        space, net = self._inputs, self._problem.network
        outputs = net.output_dimension
        states = space.index.n_units - outputs
        pattern = np.concatenate([bits[:states], np.zeros(outputs, dtype=bool)])
        full = space.index.spread(pattern.astype(np.uint8))
        forms = space.float_forms(full)
        values, errors = forms.values[-outputs:], forms.errors[-outputs:]
        constants = values[:, -1].copy()
        with np.errstate(all="ignore"):
            if space.reduced:
                sizes = errors[:, :-1] + (space.d + 2) * ROUNDOFF * np.abs(values[:, :-1])
                matrix, blur = values[:, :-1] @ space.lift, 1.001 * (sizes @ space.lift_size)
            else:
                matrix, blur = values[:, :-1].copy(), errors[:, :-1]
            wrong = np.argwhere(~(blur <= ACCURACY * np.abs(matrix)))
            wrong_constants = np.flatnonzero(~(errors[:, -1] <= ACCURACY * np.abs(constants)))
        if wrong.size or wrong_constants.size:
            self._correct(matrix, constants, wrong, wrong_constants, full)
        return matrix, constants

    def _correct(
        self,
        matrix: Float,
        constants: Float,
        wrong: NDArray[np.intp],
        wrong_constants: NDArray[np.intp],
        bits: NDArray[np.uint8],
    ) -> None:
        """Put in entries that floats do not give: from wider floats, else from integers."""
        space = self._inputs
        if space.reduced and wrong.size:
            wrong = self._widely(matrix, wrong, bits)
        if not (wrong.size or wrong_constants.size):
            return
        last = space.exact_forms(bits)[-1]
        common = 1 if last.one is None else last.one[-1]
        rows = {*wrong[:, 0].tolist(), *wrong_constants.tolist()}
        entries = {i: [int(last.matrix[i, j]) for j in range(space.d + 1)] for i in rows}
        for i in wrong_constants.tolist():
            constants[i] = _quotient(entries[i][-1], common << last.shift)
        if not space.reduced:
            for i, j in wrong.tolist():
                matrix[i, j] = _quotient(entries[i][j], common << last.shift)
            return
        shift = last.shift + space.exact_lift[1]
        columns = self._lift_columns
        for i, j in wrong.tolist():
            value = sum(a * b for a, b in zip(entries[i], columns[j], strict=False))
            matrix[i, j] = _quotient(value, common << shift)

    def _widely(
        self, matrix: Float, wrong: NDArray[np.intp], bits: NDArray[np.uint8]
    ) -> NDArray[np.intp]:
        """Put in what the widest floats of the machine give; returns what they do not either."""
        if WIDE_ROUNDOFF >= ROUNDOFF:
            return wrong
        space = self._inputs
        outputs = len(matrix)
        with np.errstate(all="ignore"):
            values, errors = space.floats.wide_forms(bits)
            rows = values[-outputs:, :-1][wrong[:, 0]]
            sizes = errors[-outputs:, :-1][wrong[:, 0]]
            sizes = sizes + (space.d + 2) * WIDE_ROUNDOFF * np.abs(rows).astype(np.float64)
            columns = space.lift.T[wrong[:, 1]]
            found = (rows * columns).sum(axis=1).astype(np.float64)
            blur = 1.001 * (sizes * np.abs(columns)).sum(axis=1) + ROUNDOFF * np.abs(found)
            good = blur <= ACCURACY * np.abs(found)
        matrix[wrong[good, 0], wrong[good, 1]] = found[good]
        return np.asarray(wrong[~good])

    @cached_property
    def _lift_columns(self) -> list[list[int]]:
        """Columns of ``B`` in integers."""
        lift, _ = self._inputs.exact_lift
        rows = [[int(v) for v in row] for row in lift.tolist()]
        return [list(column) for column in zip(*rows, strict=True)]

    def halfspaces(self, bits: Bits) -> tuple[Float, Float]:
        """``(A, c)`` of the region with these bits."""
        space = self._domain
        spread_bits = space.index.spread(bits.astype(np.uint8))
        forms = space.float_forms(spread_bits)
        slopes, spread = forms.values[:, :-1], forms.errors[:, :-1]
        rows = np.flatnonzero(
            ~space.index.linear & (np.any(slopes, axis=1) | np.any(spread, axis=1))
        )
        sign = np.where(spread_bits[rows], -1.0, 1.0)
        slopes, spread = sign[:, None] * slopes[rows], spread[rows]
        offset, doubt = -sign * forms.values[rows, -1], forms.errors[rows, -1]
        with np.errstate(all="ignore"):
            if space.reduced:
                # The length of e |B| is at most the sum of e_k |B_k| over the rows of B.
                spread = spread + (space.d + 2) * ROUNDOFF * np.abs(slopes)
                blur = 1.001 * (spread @ self._lift_lengths) + doubt
                matrix = slopes @ space.lift
            else:
                matrix, blur = slopes, np.linalg.norm(spread, axis=1) + doubt
            length = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
            unsure = np.flatnonzero(~(blur <= ACCURACY * length))
        constant = []
        for i in unsure.tolist():
            unit = int(rows[i])
            exact = space.on_inputs(Row(space.exact_row(spread_bits, unit), True)).coefficients
            if not any(exact[:-1]):
                constant.append(i)
                length[i] = 1.0
                continue
            top = max(abs(c) for c in exact[:-1])
            row = sign[i] * np.array([_quotient(c, top) for c in exact])
            matrix[i], offset[i] = row[:-1], -row[-1]
            length[i] = np.linalg.norm(row[:-1])
        matrix /= length[:, None]
        offset /= length
        if constant:
            matrix, offset = np.delete(matrix, constant, axis=0), np.delete(offset, constant)
        first, right = self._polytope
        if space.n < self._problem.dimension:
            wide = np.zeros((len(matrix), self._problem.dimension))
            wide[:, list(space.free)] = matrix
            matrix = wide
        if len(right):
            return np.vstack([first, matrix]), np.concatenate([right, offset])
        return matrix, offset

    @cached_property
    def _lift_lengths(self) -> Float:
        """Lengths of the rows of ``B``."""
        return np.asarray(1.001 * np.linalg.norm(self._domain.lift, axis=1))

    @cached_property
    def _polytope(self) -> tuple[Float, Float]:
        """The rows of the polytope, of unit length."""
        matrix, right = self._problem.rows
        length = np.linalg.norm(matrix, axis=1)
        keep = length > 0
        return matrix[keep] / length[keep, None], right[keep] / length[keep]


def unit_length(space: Space, bits: NDArray[np.uint8], wall: Wall) -> tuple[Float, float]:
    """Outer normal of unit length and offset of a wall, in the problem's coordinates."""
    if wall.side is not None and wall.side.kind != "row":
        normal = np.zeros(space.problem.dimension)
        j, lower = wall.side.index, wall.side.kind == "lower"
        normal[j] = -1.0 if lower else 1.0
        box = space.problem.box
        return normal, float(-box.lo[j] if lower else box.hi[j])
    if wall.side is not None:
        row = space.side_row(wall.side)
    else:
        form = space.exact_row(bits, wall.units[0])
        sign = 1 if bits[wall.units[0]] else -1
        row = tuple(sign * c for c in form)
        if space.reduced:
            top = max(abs(c) for c in row[:-1])
            normal = np.array([-c / top for c in row[:-1]]) @ space.lift
            length = float(np.linalg.norm(normal))
            wide = np.zeros(space.problem.dimension)
            wide[list(space.free)] = normal / length
            return wide, _quotient(row[-1], top) / length
    top = max(abs(c) for c in row[:-1])
    normal = np.zeros(space.problem.dimension)
    normal[list(space.free)] = [-c / top for c in row[:-1]]
    length = float(np.linalg.norm(normal))
    return normal / length, _quotient(row[-1], top) / length


def _quotient(a: int, b: int) -> float:
    try:
        return a / b
    except OverflowError:
        return float("inf") if a > 0 else float("-inf")
