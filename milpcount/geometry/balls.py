"""Largest balls in regions: floating-point linear programmes, certified, and exact ones.

The largest ``t`` with ``r_v(x) >= |a_v| t`` for all rows ``r_v(x) = a_v . x + b_v`` is the
inradius; ``|a_v|`` is the length of the row's gradient in the inputs that vary.  The sides of the
domain are rows too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.exact.simplex import Dictionary
from milpcount.geometry.float_forms import ROUNDOFF, FloatForms
from milpcount.geometry.space import Space
from milpcount.support.highs import make_highs

__all__ = ["Ball", "exact_ball", "float_ball", "gap", "inner_point"]

Float = NDArray[np.float64]
_BITS = 100  # to which lengths of rows are taken


@dataclass(frozen=True, eq=False)
class Ball:
    """Centre (in the carrier), radius, and the multipliers of the rows and of the sides."""

    centre: Float
    radius: float
    duals: Float


def inner_point(space: Space, forms: FloatForms) -> Float | None:
    """A point of the carrier that seems to lie well inside; None if there is no such point."""
    ball = float_ball(space, forms, most=1.0)
    return None if ball is None or not ball.radius > 0 else ball.centre


def float_ball(space: Space, forms: FloatForms, most: float = math.inf) -> Ball | None:
    """Solve for the largest ball of radius up to ``most``; None where HiGHS finds no optimum."""
    values = forms.values
    if not np.all(np.isfinite(values)):
        return None
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(values[:, :-1] @ space.lift, axis=1)
        lengths = np.where(lengths > 0, lengths, 1.0)
        rows, constants = values[:, :-1] / lengths[:, None], values[:, -1] / lengths
    if not (np.all(np.isfinite(rows)) and np.all(np.isfinite(constants))):
        return None
    d, n, m = space.d, space.n, len(rows)
    linked = space.reduced and space.bounded_sides
    sided = space.bounded_sides or not space.reduced
    infinity = highspy.kHighsInf
    highs = make_highs()
    y = np.full(d, infinity)
    highs.addVars(d, -y, y)
    if linked:
        x = np.full(n, infinity)
        highs.addVars(n, -x, x)
        _add(highs, np.hstack([-np.eye(d), space.lift]), np.zeros(d), np.zeros(d))
    start, radius = (d if linked else 0), d + (n if linked else 0)
    highs.addVar(-infinity, most if math.isfinite(most) else infinity)
    table = np.zeros((m, radius + 1))
    table[:, :d] = rows
    table[:, radius] = -1.0
    _add(highs, table, -constants, np.full(m, infinity))
    if sided:
        for ends, sign in ((space.lo, 1.0), (space.hi, -1.0)):
            for j in np.flatnonzero(np.isfinite(ends)).tolist():
                columns = np.array([start + j, radius], dtype=np.int32)
                highs.addRow(sign * ends[j], infinity, 2, columns, np.array([sign, -1.0]))
    highs.changeColCost(radius, 1.0)
    highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = highs.getSolution()
    columns_at = np.array(solution.col_value)
    duals = np.abs(np.array(solution.row_dual)[d if linked else 0 :])[:m] / lengths
    return Ball(columns_at[start:radius], float(columns_at[radius]), duals)


def gap(space: Space, forms: FloatForms, ball: Ball) -> tuple[float, float]:
    """A proved lower and a proved upper bound on the inradius, from a solution over a bounded box.

    The lower one is the least distance of the centre.  For multipliers ``l >= 0`` of the rows,
    ``psi = sum_v l_v r_v``, and a ball of radius ``t`` with centre ``c``: the coefficient ``p_j``
    of ``psi`` is made up for by the side that it points to, whose distance is at least ``t``, so
    ``t (sum_v l_v |a_v| + sum_j |p_j|) <= sup of psi over the box``.
    """
    x = ball.centre[:, None]
    y, blur = space.reduce(x)
    values, errors = forms.at(y, blur)
    lift = np.abs(space.lift)
    gradients = forms.values[:, :-1] @ space.lift
    spread = (forms.errors[:, :-1] + (space.d + 2) * ROUNDOFF * np.abs(forms.values[:, :-1])) @ lift
    lengths = np.linalg.norm(gradients, axis=1)
    blurs = np.linalg.norm(spread, axis=1) + (space.n + 4) * ROUNDOFF * lengths
    rows = ((values - errors)[:, 0] / (lengths + blurs)).min(initial=np.inf)
    sides = np.minimum(ball.centre - space.lo, space.hi - ball.centre).min(initial=np.inf)
    lower = float(min(rows, sides)) * (1 - 4 * ROUNDOFF)
    weight = ball.duals
    psi = weight @ gradients
    total = weight @ forms.values[:, -1] + np.maximum(psi * space.lo, psi * space.hi).sum()
    size = np.maximum(np.abs(space.lo), np.abs(space.hi))
    terms = len(weight) + space.n + 6
    error = (weight @ (spread + terms * ROUNDOFF * np.abs(gradients))) @ size
    error += weight @ (forms.errors[:, -1] + terms * ROUNDOFF * np.abs(forms.values[:, -1]))
    unit = weight @ np.maximum(lengths - blurs, 0.0)
    unit += np.maximum(np.abs(psi) - weight @ spread, 0.0).sum() * (1 - terms * ROUNDOFF)
    upper = float((total + 1.001 * error) / unit) if unit > 0 else math.inf
    return lower, upper


def exact_ball(
    n: int, rows: Sequence[tuple[int, ...]], squares: Sequence[int]
) -> tuple[Point, float] | None:
    """The largest ball for integer rows with squared lengths; None if there is no largest one.

    Lengths are taken to some 100 bits, so the radius is right to almost as many.  The domain's
    sides are among the rows, and there is a point strictly inside all of them.
    """
    table = []
    starts = []
    for row, square in zip(rows, squares, strict=True):
        length = math.isqrt(square << 2 * _BITS)
        table.append([*(c << _BITS for c in row[:-1]), -length, row[-1] << _BITS])
        starts.append((row[-1] << _BITS) // length)
    free: list[int | None] = [None] * (n + 1)
    lp = Dictionary(table, free, free, 1)
    lp.move(n, min([0, *starts]))
    if not lp.optimize(n):
        return None
    coordinates = [lp.value(j) for j in range(n + 1)]
    common = math.lcm(*(den for _, den in coordinates))
    numerators = tuple(num * (common // den) for num, den in coordinates)
    return Point(numerators[:-1], common), numerators[-1] / common


def _add(highs: highspy.Highs, table: Float, lower: Float, upper: Float) -> None:
    count, width = table.shape
    if count:
        starts = np.arange(0, count * width, width, dtype=np.int32)
        indices = np.tile(np.arange(width, dtype=np.int32), count)
        flat = np.ascontiguousarray(table).ravel()
        highs.addRows(count, lower, upper, count * width, starts, indices, flat)
