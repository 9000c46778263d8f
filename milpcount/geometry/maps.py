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
from milpcount.geometry.space import ROUNDOFF, Space
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
        lift = space.lift
        matrix = values[:, :-1] @ lift if space.reduced else values[:, :-1].copy()
        with np.errstate(all="ignore"):
            blur = errors[:, :-1] @ np.abs(lift) if space.reduced else errors[:, :-1]
            if space.reduced:
                blur = blur + (space.d + 2) * ROUNDOFF * (np.abs(values[:, :-1]) @ np.abs(lift))
        table = np.hstack([matrix, values[:, -1:]])
        doubt = np.hstack([blur, errors[:, -1:]])
        wrong = np.argwhere(~(doubt <= ACCURACY * np.abs(table)))
        if wrong.size:
            self._correct(table, wrong, full)
        return table[:, :-1], table[:, -1]

    def _correct(self, table: Float, wrong: NDArray[np.intp], bits: NDArray[np.uint8]) -> None:
        """Put in entries that floats do not give, from integers."""
        space = self._inputs
        last = space.exact_forms(bits)[-1]
        common = 1 if last.one is None else last.one[-1]
        rows = {int(i) for i in wrong[:, 0]}
        entries = {i: [int(last.matrix[i, j]) for j in range(space.d + 1)] for i in rows}
        constants = wrong[:, 1] == space.n
        for i in wrong[constants, 0].tolist():
            table[i, -1] = _quotient(entries[i][-1], common << last.shift)
        if not space.reduced:
            for i, j in wrong[~constants].tolist():
                table[i, j] = _quotient(entries[i][j], common << last.shift)
            return
        shift = last.shift + space.exact_lift[1]
        columns = self._lift_columns
        for i, j in wrong[~constants].tolist():
            value = sum(a * b for a, b in zip(entries[i], columns[j], strict=False))
            table[i, j] = _quotient(value, common << shift)

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
        sign = np.where(spread_bits, -1.0, 1.0)[:, None]
        values, errors = sign * forms.values, forms.errors
        lift = np.abs(space.lift)
        with np.errstate(all="ignore"):
            table, blur = values[:, :-1], errors[:, :-1]
            if space.reduced:
                blur = (blur + (space.d + 2) * ROUNDOFF * np.abs(table)) @ lift
                table = table @ space.lift
            length = np.linalg.norm(table, axis=1)
            sure = np.linalg.norm(blur, axis=1) + errors[:, -1] <= ACCURACY * length
        table = np.hstack([table, values[:, -1:]])
        keep = ~space.index.linear & ~(~np.any(table[:, :-1], axis=1) & ~np.any(blur, axis=1))
        for unit in np.flatnonzero(keep & ~sure).tolist():
            exact = space.on_inputs(Row(space.exact_row(spread_bits, unit), True)).coefficients
            keep[unit] = any(exact[:-1])
            if keep[unit]:
                top = max(abs(c) for c in exact[:-1])
                row = np.array([_quotient(c, top) for c in exact])
                table[unit] = -row if spread_bits[unit] else row
                length[unit] = np.linalg.norm(row[:-1])
        matrix, offset = table[keep, :-1] / length[keep, None], -table[keep, -1] / length[keep]
        first, right = self._polytope
        wide = np.zeros((len(matrix), self._problem.dimension))
        wide[:, list(space.free)] = matrix
        return np.vstack([first, wide]), np.concatenate([right, offset])

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
