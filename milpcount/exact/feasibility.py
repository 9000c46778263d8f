"""Is a system of strict and weak linear inequalities feasible over a box?  Exactly, with proof.

The system is ``row . (x, 1) > 0`` for strict rows, ``>= 0`` for weak ones, ``x`` in a box.
Either a rational point of it is returned, or multipliers ``y >= 0`` such that
``phi(x) = sum_i y_i row_i . (x, 1)`` has ``sup phi < 0`` over the box, or ``sup phi = 0`` with
``y_i > 0`` for some strict row: no point of the box can then satisfy all rows (Motzkin's
transposition theorem; the converse is the theorem, the direction used here is immediate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.point import Point, scaled_integers
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.simplex import Dictionary

__all__ = [
    "Decision",
    "Row",
    "check_point",
    "check_refutation",
    "decide",
    "deepest_point",
    "feasible_dictionary",
]


@dataclass(frozen=True, slots=True)
class Row:
    """The inequality ``coefficients[:n] . x + coefficients[n] > 0`` (``>= 0`` if not strict)."""

    coefficients: tuple[int, ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Exactly one of a witness and the multipliers of a refutation (one integer a row)."""

    witness: Point | None
    multipliers: tuple[int, ...] | None

    @property
    def feasible(self) -> bool:
        """Whether the system has a solution."""
        return self.witness is not None


def check_point(rows: Sequence[Row], box: ExactBox, point: Point) -> bool:
    """Whether the point satisfies every row and lies in the box, in exact arithmetic."""
    if not box.contains(point):
        return False
    x, d = point.numerators, point.denominator
    for row in rows:
        c = row.coefficients
        value = sum(a * b for a, b in zip(c, x, strict=False) if a) + c[-1] * d
        if value < 0 or (row.strict and value == 0):
            return False
    return True


def check_refutation(
    rows: Sequence[Row], box: ExactBox, multipliers: Sequence[int] | NDArray[np.float64]
) -> bool:
    """Whether the multipliers prove the system infeasible, in exact arithmetic.

    Floats are taken as the rational numbers that they are; negative ones refute nothing.
    """
    if isinstance(multipliers, np.ndarray):
        if not np.all(np.isfinite(multipliers)):
            return False
        multipliers = scaled_integers(multipliers)[0]
    if any(y < 0 for y in multipliers):
        return False
    used = [(y, row) for y, row in zip(multipliers, rows, strict=True) if y]
    if not used:
        return False
    width = box.dimension + 1
    stacked = fmpz_mat(len(used), width, [c for _, row in used for c in row.coefficients])
    combined = fmpz_mat(1, len(used), [y for y, _ in used]) * stacked
    top = box.supremum([int(v) for v in combined.entries()])
    if top is None:
        return False
    return top < 0 or (top == 0 and any(row.strict for _, row in used))


def decide(rows: Sequence[Row], box: ExactBox) -> Decision:
    """Decide the system by two linear programmes in one exact dictionary.

    First the largest ``t1 <= 0`` with ``row . (x, 1) >= w t1`` for every row: below 0 the weak
    system is infeasible.  Then, with ``t1 = 0``, the largest ``t2`` in [0, 1] with
    ``row . (x, 1) >= w t2`` for the strict rows: 0 means that no point is strict in all of them.
    The weights ``w`` (a power of two near the largest coefficient) make ``t2`` a length.
    """
    n, m = box.dimension, len(rows)
    lp = _dictionary(rows, box)
    t1, t2 = n, n + 1
    lp.optimize(t1)
    if lp.value(t1)[0] < 0:
        return Decision(None, _multipliers(lp, t1, n, m))
    lp.set_ends(t1, 0, 0)
    if any(row.strict for row in rows):
        lp.set_ends(t2, 0, lp.scale)
        lp.optimize(t2, stop=lambda: lp.value(t2)[0] > 0)
        if lp.value(t2)[0] == 0:
            return Decision(None, _multipliers(lp, t2, n, m))
    return Decision(_point(lp, n), None)


def deepest_point(rows: Sequence[Row], box: ExactBox) -> Point:
    """The point with the largest ``t2`` of :func:`decide`: about as far as can be from all rows.

    Raises:
        InvariantError: the system is infeasible.
    """
    lp = _dictionary(rows, box)
    n = box.dimension
    lp.optimize(n)
    if lp.value(n)[0] < 0:
        raise InvariantError("the deepest point of an infeasible system was asked for")
    lp.set_ends(n, 0, 0)
    lp.set_ends(n + 1, 0, lp.scale)
    lp.optimize(n + 1)
    return _point(lp, n)


def feasible_dictionary(rows: Sequence[Row], box: ExactBox) -> Dictionary | None:
    """Return a feasible dictionary of the weak system, ready to optimise; None if infeasible.

    Its variables are the coordinates, two that stay 0, and the slacks.
    """
    lp = _dictionary(rows, box)
    t1 = box.dimension
    lp.optimize(t1)
    if lp.value(t1)[0] < 0:
        return None
    lp.set_ends(t1, 0, 0)
    return lp


def _dictionary(rows: Sequence[Row], box: ExactBox) -> Dictionary:
    """The rows with ``t1`` (low enough for all to hold, at most 0) and ``t2`` (fixed at 0)."""
    n = box.dimension
    table, weights = [], []
    for row in rows:
        weight = 1 << max(map(abs, row.coefficients)).bit_length()
        strict = -weight if row.strict else 0
        table.append((*row.coefficients[:n], -weight, strict, row.coefficients[n]))
        weights.append(weight)
    lp = Dictionary(table, [*box.lo, None, 0], [*box.hi, 0, 0], box.denominator)
    # The largest t1 with w t1 <= row(x) for every row, at the point where the dictionary stands.
    lp.move(n, min(0, *(v // w for v, w in zip(lp.values, weights, strict=True)), 0))
    return lp


def _point(lp: Dictionary, n: int) -> Point:
    """The values of the first ``n`` structural variables."""
    numerators = [0] * n
    for variable, at in zip(lp.nonbasic, lp.at, strict=True):
        if variable < n:
            numerators[variable] = at * lp.denominator
    for variable, value in zip(lp.basic, lp.values, strict=True):
        if variable < n:
            numerators[variable] = value
    return Point(tuple(numerators), lp.scale * lp.denominator)


def _multipliers(lp: Dictionary, target: int, n: int, m: int) -> tuple[int, ...]:
    """Minus the reduced costs of the slacks: the refutation that an optimum carries."""
    out = [0] * m
    for variable, cost in zip(lp.nonbasic, lp.reduced_costs(target), strict=True):
        if variable >= n + 2:
            out[variable - n - 2] = -cost
    return tuple(out)
