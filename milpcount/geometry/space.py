"""A counting problem prepared for geometry: integers once, then forms of one region after another.

Let ``x`` be the coordinates of the domain that vary.  Everything that a network does depends on
``x`` through the pre-activations of its first stage.  Where these are fewer than the coordinates,
regions are described in

    y = B x,    B a maximal independent set of rows of the first stage's weights,

of which there are ``d <= n``; otherwise ``y = x``.  Every unit is then, on a region, an affine form
in ``y``, given by ``d + 1`` numbers.  In the whole space ``y`` takes every value in ``R^d``; over
a box its values make a zonotope.

Two kinds of forms: exact ones (integers up to a common positive factor), and floats with a bound
on the error of every coefficient, for decisions that floats can prove.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox, column
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import ExactStage, Forms, domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix, PrefixMemory
from milpcount.geometry.float_forms import ROUNDOFF, TINY, FloatForms, FloatStages
from milpcount.geometry.row_basis import chosen_rows, forms_in_rows
from milpcount.geometry.walls import Side
from milpcount.linear.circuit import restricted

if TYPE_CHECKING:
    from milpcount.geometry.programme import Programme

__all__ = ["Space"]

Float = NDArray[np.float64]
Bits = NDArray[np.uint8]

FEW = 6  # coordinates up to which nothing is reduced


class Space:
    """The prepared problem.

    Attributes:
        problem: what is prepared.
        index: where its units stand; arrays of signs have one entry a position.
        free: the coordinates that vary among the problem's.
        n: how many they are.
        lo, hi, exact_box: their ends.
        rows: of the polytope, those that are not constant: strict, positive inside.
        d: number of coordinates ``y``.
        reduced: whether ``y`` is not ``x``.
        integer_stages: its stages in integers.
        bounded_sides: whether the domain has a finite side or a row.
        is_bounded: whether all ends of its box are finite.
    """

    def __init__(self, problem: CountProblem) -> None:
        self.problem = problem
        self.index = problem.index
        self.exact_box = ExactBox.of(problem.box)
        self.free = self.exact_box.free
        self.n = len(self.free)
        picked = list(self.free)
        self.lo, self.hi = problem.box.lo[picked], problem.box.hi[picked]
        self.exact_box = ExactBox.of(Box(self.lo, self.hi))
        # Only polytopes have rows, and they fix no coordinate.
        self.rows = tuple(
            Row(r.coefficients, True) for r in domain_rows(problem) if any(r.coefficients[:-1])
        )
        self.bounded_sides = bool(
            np.isfinite(self.lo).any() or np.isfinite(self.hi).any() or self.rows
        )
        self.is_bounded = bool(np.isfinite(self.lo).all() and np.isfinite(self.hi).all())
        self.n_units = self.index.n_positions
        self._basis: list[int] | None = None
        self.first = Forms(fmpz_mat(0, self.n + 1), 0)
        self.integer_stages: list[ExactStage] = []
        if problem.stages:
            first, *others = problem_stages(problem)
            first = restricted(first, exact_box(problem))
            self._weight = first
            self.first = Forms.first(first)
            self.integer_stages = [first, *others]
            if self.n > FEW and not self.rows and problem.slice is None:
                # Rows of the first stage as coordinates, if they are fewer than the inputs.
                chosen = chosen_rows(first.weights[0])
                if len(chosen) < self.n:
                    self._basis, self.first = chosen, forms_in_rows(first, chosen)
        self.reduced = self._basis is not None
        self.d = self.n if self._basis is None else len(self._basis)

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """The sides of the domain: finite ends of the coordinates that vary, then rows."""
        out = []
        for j, a, b in zip(self.free, self.lo.tolist(), self.hi.tolist(), strict=True):
            if np.isfinite(a):
                out.append(Side("lower", j))
            if np.isfinite(b):
                out.append(Side("upper", j))
        return (*out, *(Side("row", k) for k in self.row_places))

    @cached_property
    def row_places(self) -> list[int]:
        """Which rows of the polytope are not constant; the circuit holds these alone."""
        return [k for k, row in enumerate(self.problem.rows[0]) if row.any()]

    @cached_property
    def place_of(self) -> dict[int, int]:
        """For each coordinate that varies its place among these."""
        return {j: k for k, j in enumerate(self.free)}

    def side_row(self, side: Side) -> tuple[int, ...]:
        """The side as an integer row in the coordinates that vary, positive inside."""
        if side.kind == "row":
            return self.rows[self.row_places.index(side.index)].coefficients
        box = self.exact_box
        j = self.place_of[side.index]
        row = [0] * (self.n + 1)
        if side.kind == "lower":
            row[j], row[-1] = box.denominator, -(box.lo[j] or 0)
        else:
            row[j], row[-1] = -box.denominator, box.hi[j] or 0
        return tuple(row)

    @cached_property
    def programme(self) -> Programme:
        """The linear programme that regions take turns in."""
        from milpcount.geometry.programme import Programme

        return Programme(self)

    # Maps between coordinates.

    @cached_property
    def lift(self) -> Float:
        """``B``, of shape ``(d, n)``: exact floats; the identity where nothing is reduced."""
        if self._basis is None:
            return np.eye(self.n)
        free = list(self.free)
        return np.ascontiguousarray(self.problem.stages[0].weight[self._basis][:, free])

    @cached_property
    def lift_size(self) -> Float:
        """Absolute values of :attr:`lift`."""
        return np.abs(self.lift)

    @cached_property
    def metric(self) -> Float:
        """``B B'``, rounded."""
        return np.asarray(self.lift @ self.lift.T if self.reduced else np.eye(self.d))

    @cached_property
    def pull(self) -> Float:
        """A right inverse of ``B``, of shape ``(n, d)``, rounded."""
        return np.asarray(np.linalg.pinv(self.lift) if self.reduced else np.eye(self.n))

    @cached_property
    def exact_lift(self) -> tuple[fmpz_mat, int]:
        """``B`` in integers, times ``2**shift``."""
        layer = self._weight
        rows = layer.weights[0].tolist()
        basis = self._basis or []
        return fmpz_mat(len(basis), self.n, [v for i in basis for v in rows[i]]), layer.shift

    def reduce(self, x: Float) -> tuple[Float, Float | None]:
        """``y`` at the columns of ``x``, and bounds on its errors (None where it has none)."""
        if not self.reduced:
            return x, None
        blur = (self.n + 2) * 1.01 * ROUNDOFF * (self.lift_size @ np.abs(x)) + TINY
        return self.lift @ x, blur

    def on_inputs(self, row: Row) -> Row:
        """A row in ``y`` as one in ``x``, up to a positive factor."""
        if not self.reduced:
            return row
        lift, shift = self.exact_lift
        moved = fmpz_mat(1, self.d, list(row.coefficients[:-1])) * lift
        entries = [int(v) for v in moved.entries()]
        return Row((*entries, row.coefficients[-1] << shift), row.strict)

    # Forms on a region.

    @cached_property
    def _memory(self) -> PrefixMemory:
        return PrefixMemory(self.integer_stages, self.first)

    def exact_forms(self, bits: Bits) -> tuple[Forms, ...]:
        """Pre-activations of every stage on the region, in ``y``."""
        if not self.integer_stages:
            return ()
        return self._memory.at(bits.tolist(), len(self.integer_stages) - 1).path

    def exact_row(self, bits: Bits, unit: int) -> tuple[int, ...]:
        """The form of one unit on the region, in ``y``."""
        stage, place = self.index.place(unit)
        return self.exact_forms(bits)[stage].row(place)

    @cached_property
    def floats(self) -> FloatStages:
        """The stages in floats."""
        return FloatStages(self.problem.stages, self.index.starts, self.first)

    def float_forms(self, bits: Bits) -> FloatForms:
        """Pre-activations of all units on the region, in ``y``, with bounds on their errors."""
        return self.floats.forms(bits)

    def values_at(self, x: Float) -> tuple[Float, Float]:
        """Pre-activations of all units at the columns of ``x``, and bounds on their errors."""
        return self.floats.at(*self.reduce(x))

    def signs_at(self, x: Float) -> NDArray[np.int8]:
        """Signs (-1, 0, 1) of all pre-activations at a point of the coordinates that vary.

        Floats prove them, or integers.
        """
        if not self.n_units:
            return np.zeros(0, dtype=np.int8)
        values, errors = self.values_at(x[:, None])
        signs = np.sign(values[:, 0]).astype(np.int8)
        if np.all(np.abs(values) > errors):
            return signs
        point = Point.of_floats(x)
        if self.reduced:
            lift, shift = self.exact_lift
            moved = (lift * fmpz_mat(self.n, 1, list(point.numerators))).entries()
            point = Point(tuple(int(v) for v in moved), point.denominator << shift)
        return np.array(self._exact_signs(point), dtype=np.int8)

    def _exact_signs(self, y: Point) -> list[int]:
        """Signs of all pre-activations at a rational ``y``."""
        at = column(y)
        common = y.denominator if self.first.one is None else self.first.one[-1] * y.denominator
        first = Forms(self.first.matrix * at, self.first.shift, (common,))
        prefix = Prefix.root(self.integer_stages, first)
        while not prefix.is_complete:
            prefix = prefix.push([v > 0 for v in prefix.forms.matrix.entries()])
        return [(v > 0) - (v < 0) for form in prefix.path for v in form.matrix.entries()]

    def across(self, bits: Bits, turning: list[int], row: tuple[int, ...]) -> Bits:
        """The pattern across a facet that lies in ``{row = 0}`` and on which ``turning`` vanish.

        ``row`` is positive inside the region, ``turning`` are all units whose forms vanish on the
        facet.  See :mod:`milpcount.linear.facet_test` for the proof.
        """
        moved = fmpz_mat(self.d + 1, 1, [*(-c for c in row[:-1]), 0])
        out = bits.copy()
        changing = set(turning)
        prefix = Prefix.root(
            self.integer_stages, Forms(self.first.matrix * moved, self.first.shift, (0,))
        )
        unit = 0
        while not prefix.is_complete:
            slopes = prefix.forms.matrix.entries()
            for value in slopes:
                if unit in changing:
                    out[unit] = value > 0
                unit += 1
            prefix = prefix.push(out[unit - len(slopes) : unit].tolist())
        return out
