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

from milpcount.errors import UnsupportedError
from milpcount.exact.forms import ExactLayer, Forms
from milpcount.point import Point

__all__ = ["Frame", "box_frame", "integer_rows", "rounded_forms"]

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
    """

    n: int
    first: Float
    one: Float
    domain: Float
    point: Callable[[Float], Point]
    exact: Forms
    exact_domain: tuple[tuple[int, ...], ...]
    signs: dict[int, int] = field(default_factory=dict)


def box_frame(
    layers: Sequence[ExactLayer],
    rows: Sequence[Sequence[int]],
    lo: Sequence[Fraction],
    hi: Sequence[Fraction],
) -> Frame:
    """The frame of a bounded box, cut by the rows ``row . (x, 1) >= 0`` of a polytope.

    ``x_j = lo_j + (hi_j - lo_j) z_c`` for the coordinates that vary and on which anything
    depends; the others stay in the middle.
    """
    first = layers[0]
    n0 = len(lo)
    scale = 1
    for end in (*lo, *hi):
        scale = math.lcm(scale, end.denominator)
    scale *= 2
    weight = [[int(v) for v in row] for row in first.weight.tolist()]
    depends = [any(row[j] for row in (*weight, *rows)) for j in range(n0)]
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
