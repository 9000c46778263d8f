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

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from flint import fmpq_mat, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.matrix import dense
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox, column
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import ExactStage, Forms, domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix, PrefixMemory
from milpcount.linear.circuit import restricted

if TYPE_CHECKING:
    from milpcount.geometry.programme import Programme

__all__ = ["FloatForms", "Side", "Space"]

Float = NDArray[np.float64]
Bits = NDArray[np.uint8]
_Kind = TypeVar("_Kind", np.float64, np.longdouble)

ROUNDOFF = 2.0**-53
# That of the widest floats, where these are IEEE ones with more digits (80 or 128 bits).
_WIDE = np.finfo(np.longdouble)
WIDE_ROUNDOFF = float(_WIDE.eps) / 2 if _WIDE.nmant in (63, 112) else ROUNDOFF
_TINY = 1e-290  # results below may have lost bits to underflow
_PRIME = (1 << 61) - 1
FEW = 6  # coordinates up to which nothing is reduced


@dataclass(frozen=True, slots=True)
class Side:
    """A side of the domain.

    Attributes:
        kind: "lower" or "upper" end of a coordinate, or a "row" of the polytope.
        index: of the coordinate, or of the row.
    """

    kind: Literal["lower", "upper", "row"]
    index: int

    def __str__(self) -> str:
        if self.kind == "row":
            return f"row {self.index}"
        return f"x{self.index} {'>= lo' if self.kind == 'lower' else '<= hi'}"


@dataclass(frozen=True, eq=False)
class FloatForms:
    """Forms of all units on a region: ``values[u] . (y, 1)``, each number within its ``errors``."""

    values: Float
    errors: Float

    def at(self, y: Float, blur: Float | None = None) -> tuple[Float, Float]:
        """Values at the columns of ``y`` of shape ``(d, k)``, and bounds on their errors.

        ``blur`` bounds the errors of the coordinates themselves.
        """
        g, (spread, sizes) = self.values, self._spread
        size = np.abs(y)
        if blur is not None:
            size += blur
        value = g[:, :-1] @ y
        value += g[:, -1:]
        error = spread[:, :-1] @ size
        error += spread[:, -1:]
        if blur is not None:
            error += sizes @ blur
        return value, 1.001 * error + _TINY

    @cached_property
    def _spread(self) -> tuple[Float, Float]:
        """Errors with those of evaluation in each coefficient, and absolute slopes."""
        sizes = np.abs(self.values)
        spread = self.errors + (sizes.shape[1] + 2) * 1.01 * ROUNDOFF * sizes
        return spread, sizes[:, :-1]


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
                self._reduce()
        self.reduced = self._basis is not None
        self.d = self.n if self._basis is None else len(self._basis)

    def _reduce(self) -> None:
        """Choose rows of the first stage as coordinates, if they are fewer than the inputs."""
        weight = self._weight.weights[0]
        chosen = _independent(weight)
        d, width = len(chosen), weight.nrows()
        if d >= self.n:
            return
        self._basis = chosen
        layer = self._weight
        if d == width:
            rows = [
                [(1 << layer.shift) if k == i else 0 for k in range(d)] + [layer.bias[i]]
                for i in range(width)
            ]
            self.first = Forms(
                fmpz_mat(width, d + 1, [v for row in rows for v in row]), layer.shift
            )
            return
        coefficients, common = _combinations(weight, chosen)
        table = [
            [int(coefficients[i, k]) << layer.shift for k in range(d)] + [common * layer.bias[i]]
            for i in range(width)
        ]
        flat = [v for row in table for v in row]
        self.first = Forms(fmpz_mat(width, d + 1, flat), layer.shift, (*[0] * d, common))

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
        blur = (self.n + 2) * 1.01 * ROUNDOFF * (self.lift_size @ np.abs(x)) + _TINY
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
    def _float_first(self) -> FloatForms:
        first = self.first
        common = 1 if first.one is None else first.one[-1]
        values, errors = _rounded(first.matrix, common << first.shift)
        return FloatForms(values, errors)

    def float_forms(self, bits: Bits) -> FloatForms:
        """Pre-activations of all units on the region, in ``y``, with bounds on their errors."""
        return FloatForms(*self._composed(bits, self._float_first.values, ROUNDOFF))

    def wide_forms(self, bits: Bits) -> tuple[NDArray[np.longdouble], Float]:
        """As :meth:`float_forms`, in the widest floats of the machine: values and bounds."""
        first = self._float_first.values.astype(np.longdouble)
        return self._composed(bits, first, WIDE_ROUNDOFF)

    def _composed(
        self, bits: Bits, first: NDArray[_Kind], unit: float
    ) -> tuple[NDArray[_Kind], Float]:
        """Forms of all units from those of the first stage, in floats of this unit roundoff."""
        stages, starts, leaky = self.problem.stages, self.index.starts, self._leaky
        values, errors = [first], [self._float_first.errors]
        with np.errstate(all="ignore"):
            for stage in stages[1:]:
                matrices, sizes, terms = self._weights[stage]
                roundoff = 1.01 * terms * unit
                g = np.zeros((stage.width, self.d + 1), dtype=first.dtype)
                e = np.zeros((stage.width, self.d + 1))
                g[:, -1], e[:, -1] = stage.bias, roundoff * np.abs(stage.bias)
                for k, weight, size in zip(stage.reads, matrices, sizes, strict=True):
                    active = bits[starts[k - 1] : starts[k]].astype(bool)
                    h, spread = values[k - 1], errors[k - 1]
                    if leaky[k - 1]:
                        factor = np.where(active, 1.0, stages[k - 1].slope)[:, None]
                        h = factor * h
                        spread = np.abs(factor) * spread + unit * np.abs(h).astype(np.float64)
                    else:
                        h, spread = h[active], spread[active]
                        weight, size = weight[:, active], size[:, active]
                    g += weight @ h
                    e += size @ (spread + roundoff * np.abs(h).astype(np.float64))
                values.append(g)
                errors.append(1.001 * e)
        return np.concatenate(values), np.concatenate(errors)

    @cached_property
    def _leaky(self) -> list[bool]:
        """Which stages pass something on where their units are inactive."""
        return [stage.is_leaky for stage in self.problem.stages]

    @cached_property
    def _weights(self) -> dict[Stage, tuple[list[Float], list[Float], int]]:
        """Of each stage after the first: dense matrices, absolute values, and a count of roundings.

        The last bounds how many an entry of the sum of their products goes through.
        """
        found = {}
        for stage in self.problem.stages[1:]:
            matrices = [dense(weight) for weight in stage.weights]
            terms = len(matrices) + 3 + sum(matrix.shape[1] for matrix in matrices)
            found[stage] = (matrices, [np.abs(matrix) for matrix in matrices], terms)
        return found

    def values_at(self, x: Float) -> tuple[Float, Float]:
        """Pre-activations of all units at the columns of ``x``, and bounds on their errors."""
        y, blur = self.reduce(x)
        stages = self.problem.stages
        with np.errstate(all="ignore"):
            found = [self._float_first.at(y, blur)]
            for stage in stages[1:]:
                matrices, sizes, terms = self._weights[stage]
                g = np.repeat(stage.bias[:, None], x.shape[1], axis=1)
                e, size = np.zeros_like(g), np.abs(g)
                for k, weight, magnitude in zip(stage.reads, matrices, sizes, strict=True):
                    before, spread = found[k - 1]
                    slope = stages[k - 1].slope[:, None]
                    h = np.where(before > 0, before, slope * before)
                    # A unit of doubtful sign is off by its error times the steeper side.
                    spread = spread * np.maximum(1.0, np.abs(slope)) + ROUNDOFF * np.abs(h)
                    g += weight @ h
                    e += magnitude @ spread
                    size += magnitude @ np.abs(h)
                found.append((g, 1.001 * (e + terms * 1.01 * ROUNDOFF * size)))
        return (
            np.concatenate([value for value, _ in found]),
            np.concatenate([error for _, error in found]),
        )

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


def _rounded(matrix: fmpz_mat, denominator: int) -> tuple[Float, Float]:
    """``matrix / denominator`` in floats, and bounds on what rounding changed."""
    entries = [int(v) for v in matrix.entries()]
    values = np.empty(len(entries))
    errors = np.zeros(len(entries))
    power = denominator & (denominator - 1) == 0
    for k, entry in enumerate(entries):
        try:
            values[k] = entry / denominator
        except OverflowError:
            values[k] = errors[k] = np.inf
            continue
        small = entry == 0 or (abs(entry) // (entry & -entry)).bit_length() <= 53
        if not (power and small and (entry == 0 or abs(values[k]) > _TINY)):
            errors[k] = 1.01 * ROUNDOFF * abs(values[k]) + _TINY
    shape = (matrix.nrows(), matrix.ncols())
    return values.reshape(shape), errors.reshape(shape)


def _independent(weight: fmpz_mat) -> list[int]:
    """Rows that make up a maximal independent set, found modulo a prime and, if need be, exactly.

    Rows that are independent modulo a prime are independent.  Where fewer are found than there are
    rows, the exact rank says whether any is missing; the prime is then a bad one.
    """
    rows, columns = weight.nrows(), weight.ncols()
    residues = nmod_mat(
        columns, rows, [int(v) % _PRIME for v in weight.transpose().entries()], _PRIME
    )
    reduced, rank = residues.rref()
    chosen: list[int] = []
    for i in range(rank):
        j = chosen[-1] + 1 if chosen else 0
        while int(reduced[i, j]) == 0:
            j += 1
        chosen.append(j)
    if rank < rows and rank != weight.rank():
        raise InvariantError("the rank of the first stage differs modulo a prime")
    return chosen


def _combinations(weight: fmpz_mat, chosen: list[int]) -> tuple[fmpz_mat, int]:
    """All rows as combinations of independent ones: integer coefficients, common denominator."""
    rows, d = weight.tolist(), len(chosen)
    basis = fmpz_mat(d, weight.ncols(), [v for i in chosen for v in rows[i]])
    gram = fmpq_mat(basis * basis.transpose())
    right = fmpq_mat(weight * basis.transpose()).transpose()
    solved = gram.solve(right) if d else fmpq_mat(0, weight.nrows())
    numerators, common = solved.numer_denom()
    return numerators.transpose(), int(common)
