"""Affine maps and half-spaces of many regions of one network, quickly and to stated accuracy.

The network's map on a region is ``F B x + b`` with ``F`` of few columns (:mod:`.space`).  Floats
give it with a bound on the error of every entry; entries that they do not give to
:data:`ACCURACY` are computed in integers and rounded once.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import WholeSpace
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox, to_float
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import ExactLayer, domain_rows, pattern_rows, problem_layers
from milpcount.geometry.space import ROUNDOFF, Space
from milpcount.geometry.walls import Wall

__all__ = ["ACCURACY", "Maps", "unit_length"]

ACCURACY = 2.0**-42

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
        """The problem's own coordinates, without ends."""
        problem = self._problem
        if problem.slice is None:
            whole = WholeSpace()
            return Space(CountProblem.of(problem.network, whole, with_output=problem.with_output))
        return Space(problem)

    def affine_map(self, bits: Bits) -> tuple[Float, Float]:
        """``(A, b)`` of the region with these bits."""
        space, net = self._inputs, self._problem.network
        outputs = net.output_dimension
        full = np.zeros(space.n_units, dtype=np.uint8)
        hidden = space.n_units - outputs
        full[:hidden] = bits[:hidden]
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
        problem = self._problem
        if len(problem.rows[1]) or not bits.size or np.any(problem.box.lo == problem.box.hi):
            return self._halfspaces_exactly(bits)
        space = self._domain
        forms = space.float_forms(bits.astype(np.uint8))
        sign = np.where(bits, -1.0, 1.0)[:, None]
        values = sign * forms.values
        lift = np.abs(space.lift)
        with np.errstate(all="ignore"):
            table = values[:, :-1] @ space.lift if space.reduced else values[:, :-1]
            blur = forms.errors[:, :-1]
            if space.reduced:
                blur = (blur + (space.d + 2) * ROUNDOFF * np.abs(values[:, :-1])) @ lift
            length = np.linalg.norm(table, axis=1)
            sure = np.linalg.norm(blur, axis=1) + forms.errors[:, -1] <= ACCURACY * length
        dead = ~np.any(values[:, :-1], axis=1) & ~np.any(forms.errors[:, :-1], axis=1)
        if not np.all(sure | dead):
            return self._halfspaces_exactly(bits)
        keep = ~dead
        return table[keep] / length[keep, None], -values[keep, -1] / length[keep]

    def _halfspaces_exactly(self, bits: Bits) -> tuple[Float, Float]:
        problem = self._problem
        box = ExactBox.of(problem.box)
        if not bits.size:
            rows: list[Row] = list(domain_rows(problem))
        else:
            rows = pattern_rows(problem, self._layers, box, bits.astype(int).tolist()) or []
        n = problem.dimension
        stacked = np.array([to_float(row.coefficients)[0] for row in rows]).reshape(-1, n + 1)
        top = np.max(np.abs(stacked[:, :n]), axis=1, keepdims=True, initial=0.0)
        stacked = stacked / np.where(top > 0, top, 1.0)
        length = np.linalg.norm(stacked[:, :n], axis=1, keepdims=True)
        stacked = stacked / np.where(length > 0, length, 1.0)
        return -stacked[:, :n], stacked[:, n]

    @cached_property
    def _layers(self) -> tuple[ExactLayer, ...]:
        return problem_layers(self._problem)


def unit_length(space: Space, bits: NDArray[np.uint8], wall: Wall) -> tuple[Float, float]:
    """Outer normal of unit length and offset of a wall, in the problem's coordinates."""
    if wall.side is not None:
        row = space.side_row(wall.side)
    else:
        form = space.exact_row(bits, wall.units[0])
        sign = 1 if bits[wall.units[0]] else -1
        row = tuple(sign * c for c in form)
        if space.reduced:
            lift, shift = space.exact_lift
            moved = (fmpz_mat(1, space.d, list(row[:-1])) * lift).entries()
            row = (*(int(v) for v in moved), row[-1] << shift)
    top = max(abs(c) for c in row[:-1])
    normal = np.zeros(space.problem.dimension)
    normal[list(space.circuit.free)] = [-c / top for c in row[:-1]]
    length = float(np.linalg.norm(normal))
    return normal / length, _quotient(row[-1], top) / length


def _quotient(a: int, b: int) -> float:
    try:
        return a / b
    except OverflowError:
        return float("inf") if a > 0 else float("-inf")
