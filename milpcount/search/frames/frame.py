"""Frames: coordinates ``z`` in the unit cube ``[0, 1]^n`` in which the compiled searches run.

Whatever the domain, the search sees a cube, perhaps cut by a few rows, and the first layer as
affine forms on it.  The forms are computed exactly and rounded once, each with a bound on what
the rounding changes anywhere in the cube; all proofs in floats rest on these bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.errors import UnsupportedError
from milpcount.exact.forms import ExactStage, Forms

__all__ = ["Frame", "box_frame", "integer_rows", "rounded_forms", "zonotope_frame"]

Float = NDArray[np.float64]

_EXACT = 2**53  # integers up to here are floats
_ROUNDOFF = 2.0**-53
_SMALL = 1e-290  # results below may have lost bits to underflow


def rounded_forms(rows: Sequence[Sequence[int]], denominator: int) -> Float:
    """Forms ``rows[u] / denominator``, columns first, with the error bound as last column.

    Arguments:
        rows: integer coefficients and constant, one row a form.
        denominator: common to all.

    Raises:
        UnsupportedError: a number beyond the range of floats.
    """
    width = len(rows[0]) if rows else 1
    out = np.zeros((width + 1, len(rows)))
    power = denominator & (denominator - 1) == 0
    for u, row in enumerate(rows):
        error = 0.0
        for c, value in enumerate(row):
            if not value:
                continue
            try:
                number = value / denominator
            except OverflowError:
                raise UnsupportedError(
                    "a pre-activation is beyond the range of floats; use engine tree-highs"
                ) from None
            out[c, u] = number
            spare = (value & -value).bit_length() - 1
            if not (power and abs(value) >> spare < _EXACT and abs(number) > _SMALL):
                error += 1.01 * _ROUNDOFF * abs(number) + _SMALL
        out[width, u] = error
    return out


def integer_rows(rows: Sequence[Sequence[int]], width: int) -> fmpz_mat:
    """The rows as a matrix."""
    return fmpz_mat(len(rows), width, [v for row in rows for v in row])


@dataclass(frozen=True, eq=False)
class Frame:
    """A cube, and the problem on it.

    Attributes:
        n: number of coordinates.
        first: forms of the first layer, of shape ``(n + 2, width)``.
        one: the form that biases multiply, of shape ``(n + 1,)``.
        domain: forms that are positive inside the domain, of shape ``(n + 2, rows)``.
        point: the point of the problem at ``z``, exactly.
        exact: the forms of the first layer, exactly.
        exact_domain: the forms of the domain up to positive factors, exactly.
        signs: units of the first layer whose sign the frame itself fixes, with that sign.
        generators: where the cube is only a relaxation (:func:`zonotope_frame`): the matrix ``V``
            of shape ``(n, N)`` with ``z = 1/2 + V u / 2`` for some ``u`` in ``[-1, 1]^N``; then
            ``point`` takes ``u``.
        spans: of such a frame, whether no form but 0 vanishes all over the domain.
    """

    n: int
    first: Float
    one: Float
    domain: Float
    point: Callable[[Float], Point]
    exact: Forms
    exact_domain: tuple[tuple[int, ...], ...]
    signs: dict[int, int] = field(default_factory=dict)
    generators: Float | None = None
    spans: Callable[[], bool] = lambda: True

    @property
    def point_size(self) -> int:
        """Length of what ``point`` takes."""
        return self.n if self.generators is None else int(self.generators.shape[1])


def box_frame(
    first: ExactStage,
    rows: Sequence[Sequence[int]],
    lo: Sequence[Fraction],
    hi: Sequence[Fraction],
    every: bool = False,
) -> Frame:
    """The frame of a bounded box, cut by the rows ``row . (x, 1) >= 0`` of a polytope.

    ``x_j = lo_j + (hi_j - lo_j) z_c`` for the coordinates that vary and on which anything
    depends (or ``every`` one that varies); the others stay in the middle.
    """
    n0 = len(lo)
    scale = 1
    for end in (*lo, *hi):
        scale = math.lcm(scale, end.denominator)
    scale *= 2
    weight = [[int(v) for v in row] for row in first.weights[0].tolist()]
    depends = [every or any(row[j] for row in (*weight, *rows)) for j in range(n0)]
    origin = [
        int((a if d else (a + b) / 2) * scale) for a, b, d in zip(lo, hi, depends, strict=True)
    ]
    length = [int((b - a) * scale) for a, b in zip(lo, hi, strict=True)]
    used = [j for j in range(n0) if length[j] and depends[j]]

    def on_cube(row: Sequence[int], constant: int) -> list[int]:
        """``scale`` times the form, in the cube's coordinates."""
        moved = constant * scale + sum(w * o for w, o in zip(row, origin, strict=False) if w)
        return [*(row[j] * length[j] for j in used), moved]

    forms = [on_cube(row, b) for row, b in zip(weight, first.bias, strict=True)]
    cuts = [on_cube(row, row[-1]) for row in rows]
    n = len(used)
    one = np.zeros(n + 1)
    one[n] = 1.0

    def point(z: Float) -> Point:
        ratios = [v.as_integer_ratio() for v in z.tolist()]
        common = max((d for _, d in ratios), default=1)
        at = [o * common for o in origin]
        for j, (a, d) in zip(used, ratios, strict=True):
            at[j] += length[j] * a * (common // d)
        return Point(tuple(at), scale * common)

    return Frame(
        n,
        rounded_forms(forms, scale << first.shift),
        one,
        rounded_forms(cuts, scale) if cuts else np.zeros((n + 2, 0)),
        point,
        Forms(integer_rows(forms, n + 1), first.shift, (*[0] * n, scale)),
        tuple(tuple(row) for row in cuts),
    )


def zonotope_frame(
    first: ExactStage, lo: Sequence[Fraction], hi: Sequence[Fraction], open_last: bool
) -> Frame:
    """The frame of a bounded box with more inputs than the first layer has units.

    Coordinate ``c`` is the pre-activation of a unit, moved to ``[0, 1]`` by its exact range over
    the box.  Units that are never active pass nothing on and get no coordinate; nor do units that
    are always active if no layer follows and full regions are counted (``open_last``).  The true
    range of ``z`` is a zonotope in the cube.
    """
    weight = first.weights[0]
    scale = math.lcm(*(end.denominator for end in (*lo, *hi)))
    start = [int(a * scale) for a in lo]
    length = [int((b - a) * scale) for a, b in zip(lo, hi, strict=True)]
    used = [j for j, step in enumerate(length) if step]
    forms: list[dict[int, int]] = []
    constants: list[int] = []
    generators: list[list[float]] = []
    directions: list[int] = []
    for i, bias in enumerate(first.bias):
        row = [int(weight[i, j]) for j in range(len(lo))]
        steps = [row[j] * length[j] for j in used]
        reach = sum(abs(s) for s in steps)
        low = bias * scale + sum(w * o for w, o in zip(row, start, strict=True) if w)
        low += sum(s for s in steps if s < 0)
        high = low + reach
        if high <= 0 and first.slopes[i] == 0:
            forms.append({})
            constants.append(high)
        elif reach == 0 or (low > 0 and open_last):
            forms.append({})
            constants.append(low)
        else:
            forms.append({len(generators): reach})
            constants.append(low)
            generators.append([s / reach for s in steps])
            directions += steps
    n = len(generators)
    rows = [
        [*(form.get(c, 0) for c in range(n)), constant]
        for form, constant in zip(forms, constants, strict=True)
    ]
    one = np.zeros(n + 1)
    one[n] = 1.0

    def point(u: Float) -> Point:
        ratios = [v.as_integer_ratio() for v in u.tolist()]
        common = max((d for _, d in ratios), default=1)
        at = [2 * o * common for o in start]
        for j, (a, d) in zip(used, ratios, strict=True):
            at[j] += length[j] * (common + a * (common // d))
        return Point(tuple(at), 2 * scale * common)

    return Frame(
        n,
        rounded_forms(rows, scale << first.shift),
        one,
        np.zeros((n + 2, 0)),
        point,
        Forms(integer_rows(rows, n + 1), first.shift, (*[0] * n, scale)),
        (),
        generators=np.array(generators).reshape(n, len(used)),
        spans=lambda: int(fmpz_mat(n, len(used), directions).rank()) == n,
    )
