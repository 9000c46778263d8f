"""Pre-activations as exact affine forms of the input, pattern prefix by pattern prefix.

Once the signs of all units of the layers before are fixed, every unit of a layer is one affine
function of the input (on a slice: of the slice's coordinates).  Its coefficients are dyadic
rationals, held as integers up to a common power of two; the power never matters for a sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat

from milpcount.core.point import Point, scaled_integers
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.stage import Stage
from milpcount.exact.dyadic import ExactBox, column, integer_matrix
from milpcount.exact.feasibility import Row

__all__ = [
    "ExactStage",
    "Forms",
    "constraint",
    "domain_rows",
    "exact_stages",
    "pattern_forms",
    "pattern_rows",
    "problem_stages",
    "signs_at",
]


@dataclass(frozen=True, eq=False)
class ExactStage:
    """A layer in integers.

    Attributes:
        weight, bias: ``width x inputs`` and ``width x 1``, both times ``2**shift``.
        slopes: one integer a unit, times ``2**slope_shift``.
    """

    weight: fmpz_mat
    bias: tuple[int, ...]
    shift: int
    slopes: tuple[int, ...]
    slope_shift: int

    @classmethod
    def of(cls, layer: Stage) -> ExactStage:
        """The layer, exactly."""
        weight, w_shift = integer_matrix(layer.weight)
        bias, b_shift = scaled_integers(layer.bias)
        shift = max(w_shift, b_shift)
        slopes, slope_shift = scaled_integers(layer.slope)
        return cls(
            weight * (1 << (shift - w_shift)),
            tuple(b << (shift - b_shift) for b in bias),
            shift,
            tuple(slopes),
            slope_shift,
        )

    @property
    def width(self) -> int:
        """Number of units."""
        return int(self.weight.nrows())


def exact_stages(layers: Sequence[Stage]) -> tuple[ExactStage, ...]:
    """All layers, exactly; for those of a problem use :func:`problem_stages`."""
    return tuple(ExactStage.of(layer) for layer in layers)


def problem_stages(problem: CountProblem) -> tuple[ExactStage, ...]:
    """The counted layers as functions of the problem's own coordinates, exactly.

    On a slice ``x = p_0 + D t`` the first layer ``W x + b`` becomes ``(W D) t + (W p_0 + b)``.
    Differences and products of dyadic numbers are dyadic, so nothing is rounded.
    """
    layers = exact_stages(problem.stages)
    if problem.slice is None or not layers:
        return layers
    first = layers[0]
    origin, directions, shift = problem.slice.frame()
    # Columns: the directions, then the origin.
    frame = fmpz_mat(
        len(directions) + 1, len(origin), [v for p in (*directions, origin) for v in p]
    )
    product = first.weight * frame.transpose()
    k = len(directions)
    moved = ExactStage(
        fmpz_mat(first.width, k, [product[i, j] for i in range(first.width) for j in range(k)]),
        tuple(int(product[i, k]) + (b << shift) for i, b in enumerate(first.bias)),
        first.shift + shift,
        first.slopes,
        first.slope_shift,
    )
    return (moved, *layers[1:])


@dataclass(frozen=True, eq=False)
class Forms:
    """Pre-activations of one layer: row ``i`` is ``2**shift`` times its form on ``(x, 1)``.

    In other coordinates, reached by a rational map, a common factor may remain, and the constant
    1 may be a form of its own: ``one`` is then that factor times this form.
    """

    matrix: fmpz_mat
    shift: int
    one: tuple[int, ...] | None = None

    @classmethod
    def first(cls, layer: ExactStage) -> Forms:
        """Pre-activations of the first layer."""
        rows = layer.weight.tolist()
        flat = [c for row, b in zip(rows, layer.bias, strict=True) for c in (*row, b)]
        return cls(fmpz_mat(layer.width, layer.weight.ncols() + 1, flat), layer.shift)

    def next(self, before: ExactStage, active: Sequence[bool | int], layer: ExactStage) -> Forms:
        """Pre-activations of ``layer`` where the units of ``before`` have the signs ``active``."""
        one = 1 << before.slope_shift
        factor = [one if a else s for a, s in zip(active, before.slopes, strict=True)]
        weight = fmpz_mat(layer.weight)
        for k, f in enumerate(factor):
            if f != 1:
                for i in range(layer.width):
                    weight[i, k] = weight[i, k] * f
        matrix = weight * self.matrix
        last = matrix.ncols() - 1
        lift = self.shift + before.slope_shift
        for i, b in enumerate(layer.bias):
            if self.one is None:
                matrix[i, last] = matrix[i, last] + (b << lift)
            elif b:
                for j, v in enumerate(self.one):
                    matrix[i, j] = matrix[i, j] + (b << lift) * v
        return Forms(matrix, lift + layer.shift, self.one)

    def row(self, i: int) -> tuple[int, ...]:
        """The form of unit ``i``: coefficients and constant, without their common power of two."""
        entries = [int(self.matrix[i, j]) for j in range(self.matrix.ncols())]
        union = 0
        for v in entries:
            union |= abs(v)
        spare = (union & -union).bit_length() - 1 if union else 0
        return tuple(v >> spare for v in entries) if spare else tuple(entries)

    def signs(self, point: Point) -> list[int]:
        """Signs of all forms at a point."""
        values = (self.matrix * column(point)).entries()
        return [(v > 0) - (v < 0) for v in values]


def signs_at(layers: Sequence[ExactStage], point: Point) -> list[list[int]]:
    """Proved signs (-1, 0, 1) of every pre-activation at a rational input, layer by layer."""
    numerators = fmpz_mat(len(point.numerators), 1, list(point.numerators))
    denominator = point.denominator
    out = []
    for layer in layers:
        g = layer.weight * numerators
        values = [int(v) + b * denominator for v, b in zip(g.entries(), layer.bias, strict=True)]
        out.append([(v > 0) - (v < 0) for v in values])
        one = 1 << layer.slope_shift
        h = [v * (one if v > 0 else s) for v, s in zip(values, layer.slopes, strict=True)]
        numerators = fmpz_mat(layer.width, 1, h)
        denominator <<= layer.shift + layer.slope_shift
    return out


def constraint(
    row: tuple[int, ...], active: bool, definition: Definition, box: ExactBox
) -> Row | bool:
    """What it means for a unit with this form to be active or not.

    A form that is constant on the box decides at once (True or False).  Else, counting full
    regions, both signs are strict: where the form is not constant, its zero set is thin.
    Counting non-empty patterns, the inactive side keeps its boundary.
    """
    if not any(row[j] for j in box.free):
        value = row[-1] * box.denominator + sum(
            c * a for c, a in zip(row, box.lo, strict=False) if c and a is not None
        )
        return (value > 0) == active
    if active:
        return Row(row, True)
    return Row(tuple(-c for c in row), definition is Definition.FULL)


def domain_rows(problem: CountProblem) -> tuple[Row, ...]:
    """The polytope's rows ``c - A x >= 0``, none for a box."""
    matrix, right = problem.rows
    rows = []
    for a, c in zip(matrix, right, strict=True):
        integers, _ = scaled_integers(np.append(-a, c))
        rows.append(Row(tuple(integers), False))
    return tuple(rows)


def pattern_rows(
    problem: CountProblem, layers: Sequence[ExactStage], box: ExactBox, bits: Sequence[int]
) -> list[Row] | None:
    """The system whose solutions are the region of a pattern; None if a constant form forbids it.

    The domain's own rows come first.
    """
    rows = list(domain_rows(problem))
    for forms, active in pattern_forms(layers, bits):
        for i, bit in enumerate(active):
            wanted = constraint(forms.row(i), bool(bit), problem.definition, box)
            if wanted is False:
                return None
            if wanted is not True:
                rows.append(wanted)
    return rows


def pattern_forms(
    layers: Sequence[ExactStage], bits: Sequence[int]
) -> Iterator[tuple[Forms, Sequence[int]]]:
    """Pre-activations of each layer on the region of a pattern, with the layer's bits."""
    forms: Forms | None = None
    start = 0
    for k, layer in enumerate(layers):
        if forms is None:
            forms = Forms.first(layer)
        else:
            before = layers[k - 1]
            forms = forms.next(before, bits[start - before.width : start], layer)
        yield forms, bits[start : start + layer.width]
        start += layer.width
