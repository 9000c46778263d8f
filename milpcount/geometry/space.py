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
from typing import TYPE_CHECKING, Literal

import numpy as np
from flint import fmpq_mat, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import Forms, domain_rows
from milpcount.linear.circuit import Circuit

if TYPE_CHECKING:
    from milpcount.geometry.programme import Programme

__all__ = ["FloatForms", "Side", "Space"]

Float = NDArray[np.float64]
Bits = NDArray[np.uint8]

ROUNDOFF = 2.0**-53
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
        g, e = self.values, self.errors
        size = np.abs(y)
        if blur is not None:
            size = size + blur
        value = g[:, :-1] @ y + g[:, -1:]
        spread = e + (g.shape[1] + 2) * 1.01 * ROUNDOFF * np.abs(g)
        error = spread[:, :-1] @ size + spread[:, -1:]
        if blur is not None:
            error = error + np.abs(g[:, :-1]) @ blur
        return value, 1.001 * error + _TINY


class Space:
    """The prepared problem.

    Attributes:
        problem: what is prepared.
        circuit: its layers in integers, on the coordinates that vary.
        n: number of coordinates that vary.
        d: number of coordinates ``y``.
        reduced: whether ``y`` is not ``x``.
        bounded_sides: whether the domain has a finite side or a row.
    """

    def __init__(self, problem: CountProblem) -> None:
        self.problem = problem
        self.circuit = circuit = Circuit.of(problem) if problem.layers else _without_units(problem)
        self.n = len(circuit.free)
        self.lo, self.hi = circuit.box.lo, circuit.box.hi
        self.exact_box = ExactBox.of(circuit.box)
        self.bounded_sides = bool(
            np.isfinite(self.lo).any() or np.isfinite(self.hi).any() or circuit.domain
        )
        self._basis: list[int] | None = None
        if not circuit.layers:
            self.first = Forms(fmpz_mat(0, self.n + 1), 0)
        else:
            self.first = Forms.first(circuit.layers[0])
        if circuit.layers and self.n > FEW and not circuit.domain and problem.slice is None:
            self._reduce()
        self.reduced = self._basis is not None
        self.d = self.n if self._basis is None else len(self._basis)
        self._ends: list[int] = np.cumsum(circuit.widths).tolist()
        self.n_units = sum(circuit.widths)
        self._last: tuple[bytes, list[Forms]] | None = None

    def _reduce(self) -> None:
        """Choose rows of the first stage as coordinates, if they are fewer than the inputs."""
        weight = self.circuit.layers[0].weight
        chosen = _independent(weight)
        d, width = len(chosen), weight.nrows()
        if d >= self.n:
            return
        self._basis = chosen
        layer = self.circuit.layers[0]
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
        for j, a, b in zip(self.circuit.free, self.lo.tolist(), self.hi.tolist(), strict=True):
            if np.isfinite(a):
                out.append(Side("lower", j))
            if np.isfinite(b):
                out.append(Side("upper", j))
        return (*out, *(Side("row", k) for k in self.row_places))

    @cached_property
    def row_places(self) -> list[int]:
        """Which rows of the polytope are not constant; the circuit holds these alone."""
        return [k for k, row in enumerate(self.problem.rows[0]) if row.any()]

    def side_row(self, side: Side) -> tuple[int, ...]:
        """The side as an integer row in the coordinates that vary, positive inside."""
        if side.kind == "row":
            return self.circuit.domain[self.row_places.index(side.index)].coefficients
        box = self.exact_box
        j = self.circuit.free.index(side.index)
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
        free = list(self.circuit.free)
        return np.ascontiguousarray(self.problem.layers[0].weight[self._basis][:, free])

    @cached_property
    def pull(self) -> Float:
        """A right inverse of ``B``, of shape ``(n, d)``, rounded."""
        return np.asarray(np.linalg.pinv(self.lift) if self.reduced else np.eye(self.n))

    @cached_property
    def exact_lift(self) -> tuple[fmpz_mat, int]:
        """``B`` in integers, times ``2**shift``."""
        layer = self.circuit.layers[0]
        rows = layer.weight.tolist()
        basis = self._basis or []
        return fmpz_mat(len(basis), self.n, [v for i in basis for v in rows[i]]), layer.shift

    def reduce(self, x: Float) -> tuple[Float, Float | None]:
        """``y`` at the columns of ``x``, and bounds on its errors (None where it has none)."""
        if not self.reduced:
            return x, None
        blur = (self.n + 2) * 1.01 * ROUNDOFF * (np.abs(self.lift) @ np.abs(x)) + _TINY
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

    def exact_forms(self, bits: Bits) -> list[Forms]:
        """Pre-activations of every stage on the region, in ``y``; a common prefix is kept."""
        key = bits.tobytes()
        layers = self.circuit.layers
        forms = [self.first]
        if self._last is not None:
            old, kept = self._last
            for k in range(1, len(layers)):
                if old[: self._ends[k - 1]] != key[: self._ends[k - 1]]:
                    break
                forms.append(kept[k])
        for k in range(len(forms), len(layers)):
            start = self._ends[k - 1] - layers[k - 1].width
            active = bits[start : self._ends[k - 1]].tolist()
            forms.append(forms[-1].next(layers[k - 1], active, layers[k]))
        self._last = (key, forms)
        return forms

    def exact_row(self, bits: Bits, unit: int) -> tuple[int, ...]:
        """The form of one unit on the region, in ``y``."""
        k = int(np.searchsorted(self._ends, unit, side="right"))
        start = self._ends[k] - self.circuit.layers[k].width
        return self.exact_forms(bits)[k].row(unit - start)

    @cached_property
    def _float_first(self) -> FloatForms:
        first = self.first
        common = 1 if first.one is None else first.one[-1]
        values, errors = _rounded(first.matrix, common << first.shift)
        return FloatForms(values, errors)

    def float_forms(self, bits: Bits) -> FloatForms:
        """Pre-activations of all units on the region, in ``y``, with bounds on their errors."""
        g, e = self._float_first.values, self._float_first.errors
        values, errors = [g], [e]
        start = 0
        with np.errstate(all="ignore"):
            for before, layer in zip(self.problem.layers, self.problem.layers[1:], strict=False):
                active = bits[start : start + before.width].astype(bool)
                start += before.width
                weight = layer.weight
                if before.is_leaky:
                    factor = np.where(active, 1.0, before.slope)[:, None]
                    h = factor * g
                    spread = np.abs(factor) * e + ROUNDOFF * np.abs(h)
                else:
                    h, spread, weight = g[active], e[active], weight[:, active]
                terms = weight.shape[1] + 3
                g = weight @ h
                e = np.abs(weight) @ (spread + terms * 1.01 * ROUNDOFF * np.abs(h))
                e[:, -1] += terms * 1.01 * ROUNDOFF * np.abs(layer.bias)
                g[:, -1] += layer.bias
                e = 1.001 * e
                values.append(g)
                errors.append(e)
        return FloatForms(np.concatenate(values), np.concatenate(errors))

    def values_at(self, x: Float) -> tuple[Float, Float]:
        """Pre-activations of all units at the columns of ``x``, and bounds on their errors."""
        y, blur = self.reduce(x)
        with np.errstate(all="ignore"):
            g, e = self._float_first.at(y, blur)
            values, errors = [g], [e]
            for before, layer in zip(self.problem.layers, self.problem.layers[1:], strict=False):
                slope = before.slope[:, None]
                h = np.where(g > 0, g, slope * g)
                # A unit of doubtful sign is wrong by at most its error, times the steeper side.
                e = e * np.maximum(1.0, np.abs(slope)) + ROUNDOFF * np.abs(h)
                terms = layer.weight.shape[1] + 3
                g = layer.weight @ h + layer.bias[:, None]
                e = np.abs(layer.weight) @ (e + terms * 1.01 * ROUNDOFF * np.abs(h))
                e = 1.001 * (e + terms * 1.01 * ROUNDOFF * np.abs(layer.bias[:, None]))
                values.append(g)
                errors.append(e)
        return np.concatenate(values), np.concatenate(errors)

    def across(self, bits: Bits, turning: list[int], row: tuple[int, ...]) -> Bits:
        """The pattern across a facet that lies in ``{row = 0}`` and on which ``turning`` vanish.

        ``row`` is positive inside the region, ``turning`` are all units whose forms vanish on the
        facet.  See :mod:`milpcount.linear.facet_test` for the proof.
        """
        moved = fmpz_mat(self.d + 1, 1, [*(-c for c in row[:-1]), 0])
        out = bits.copy()
        changing = set(turning)
        unit = 0
        layers = self.circuit.layers
        for k, layer in enumerate(layers):
            product = (self.first.matrix if k == 0 else layer.weight) * moved
            change = [int(v) for v in product.entries()]
            for i, value in enumerate(change):
                if unit in changing:
                    out[unit] = value > 0
                change[i] = value << layer.slope_shift if out[unit] else value * layer.slopes[i]
                unit += 1
            moved = fmpz_mat(layer.width, 1, change)
        return out


def _without_units(problem: CountProblem) -> Circuit:
    """The domain alone."""
    free = ExactBox.of(problem.box).free
    picked = list(free)
    rows = [Row(r.coefficients, True) for r in domain_rows(problem) if any(r.coefficients[:-1])]
    box = Box(problem.box.lo[picked], problem.box.hi[picked])
    return Circuit((), None, box, tuple(rows), free)


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
