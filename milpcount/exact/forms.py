"""Stages in integers, and pre-activations as exact affine forms.

Once the states of all units of the stages that it reads are fixed, every unit of a stage is one
affine function of the input (on a slice: of the slice's coordinates).  Its coefficients are dyadic
rationals, held as integers up to a common power of two; the power never matters for a sign.
:mod:`milpcount.exact.prefix` follows them from stage to stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat

from milpcount.core.matrix import dense
from milpcount.core.point import Point, scaled_integers
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.stage import Stage
from milpcount.exact.dyadic import ExactBox, column, integer_matrix
from milpcount.exact.feasibility import Row
from milpcount.exact.float_products import exact_products

__all__ = [
    "ExactStage",
    "Forms",
    "constraint",
    "domain_rows",
    "exact_box",
    "exact_stages",
    "first_stage",
    "problem_stages",
    "signs_at",
]


@dataclass(frozen=True, eq=False)
class ExactStage:
    """A stage in integers.

    Attributes:
        reads: as of :class:`~milpcount.core.stage.Stage`: 0 the input, ``k`` stage ``k``.
        weights: one matrix a read, ``width x inputs``, times ``2**shift``.
        bias: times ``2**shift``.
        slopes: one integer a unit, times ``2**slope_shift``; of linear units 1.
        linear: which units have no state.
    """

    reads: tuple[int, ...]
    weights: tuple[fmpz_mat, ...]
    bias: tuple[int, ...]
    shift: int
    slopes: tuple[int, ...]
    slope_shift: int
    linear: tuple[bool, ...]

    @classmethod
    def of(cls, stage: Stage) -> ExactStage:
        """The stage, exactly."""
        matrices = [integer_matrix(dense(weight)) for weight in stage.weights]
        bias, b_shift = scaled_integers(stage.bias)
        shift = max(b_shift, *(s for _, s in matrices))
        slopes, slope_shift = scaled_integers(stage.slope)
        return cls(
            stage.reads,
            tuple(weight * (1 << (shift - s)) for weight, s in matrices),
            tuple(b << (shift - b_shift) for b in bias),
            shift,
            tuple(slopes),
            slope_shift,
            tuple(stage.linear.tolist()),
        )

    @property
    def width(self) -> int:
        """Number of units."""
        return len(self.bias)

    def moved(self, weight: fmpz_mat, bias: Sequence[int], lift: int) -> ExactStage:
        """The first stage on other coordinates, its numbers times ``2**lift`` more."""
        return ExactStage(
            self.reads,
            (weight,),
            tuple(bias),
            self.shift + lift,
            self.slopes,
            self.slope_shift,
            self.linear,
        )


def exact_stages(stages: Sequence[Stage]) -> tuple[ExactStage, ...]:
    """All stages, exactly; for those of a problem use :func:`problem_stages`."""
    return tuple(ExactStage.of(stage) for stage in stages)


def problem_stages(problem: CountProblem) -> tuple[ExactStage, ...]:
    """The counted stages as functions of the problem's own coordinates, exactly.

    On a slice ``x = p_0 + D t`` the first stage ``W x + b`` becomes ``(W D) t + (W p_0 + b)``.
    Differences and products of dyadic numbers are dyadic, so nothing is rounded.
    """
    return problem.once(_problem_stages)


def first_stage(problem: CountProblem) -> ExactStage:
    """The first of :func:`problem_stages`, without the work for the others."""
    return problem.once(_first_stage)


def _problem_stages(problem: CountProblem) -> tuple[ExactStage, ...]:
    if not problem.stages:
        return ()
    return (first_stage(problem), *exact_stages(problem.stages[1:]))


def _first_stage(problem: CountProblem) -> ExactStage:
    first = problem.stages[0]
    if problem.slice is None:
        return ExactStage.of(first)
    origin, directions, shift = problem.slice.frame()
    # The first stage itself, which may be wide, does not become integers.
    products, scale = exact_products(dense(first.weights[0]), (*directions, origin))
    bias, b_shift = scaled_integers(first.bias)
    top = max(scale + shift, b_shift)
    lift = top - scale - shift
    weight = [v << lift for row in zip(*products[:-1], strict=True) for v in row]
    slopes, slope_shift = scaled_integers(first.slope)
    return ExactStage(
        first.reads,
        (fmpz_mat(first.width, len(directions), weight),),
        tuple(
            (p << lift) + (b << (top - b_shift)) for p, b in zip(products[-1], bias, strict=True)
        ),
        top,
        tuple(slopes),
        slope_shift,
        tuple(first.linear.tolist()),
    )


def exact_box(problem: CountProblem) -> ExactBox:
    """The problem's box in integers."""
    return problem.once(_exact_box)


def _exact_box(problem: CountProblem) -> ExactBox:
    return ExactBox.of(problem.box)


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
    def first(cls, stage: ExactStage) -> Forms:
        """Pre-activations of the first stage."""
        rows = stage.weights[0].tolist()
        flat = [c for row, b in zip(rows, stage.bias, strict=True) for c in (*row, b)]
        return cls(fmpz_mat(stage.width, stage.weights[0].ncols() + 1, flat), stage.shift)

    def row(self, i: int) -> tuple[int, ...]:
        """The form of unit ``i``: coefficients and constant, without their common power of two."""
        return self.scaled_row(i)[0]

    def scaled_row(self, i: int) -> tuple[tuple[int, ...], int]:
        """The row, and the ``shift`` (maybe negative) with ``row = 2**shift`` times the form."""
        return self._scaled([int(self.matrix[i, j]) for j in range(self.matrix.ncols())])

    def scaled_rows(self) -> list[tuple[tuple[int, ...], int]]:
        """All of them: sooner than one after the other."""
        wide = self.matrix.ncols()
        flat = list(map(int, self.matrix.entries()))
        return [self._scaled(flat[k : k + wide]) for k in range(0, len(flat), wide)]

    def _scaled(self, entries: list[int]) -> tuple[tuple[int, ...], int]:
        union = 0
        for v in entries:
            union |= v  # the lowest bit of a number is that of its negative
        spare = (union & -union).bit_length() - 1 if union else 0
        row = tuple([v >> spare for v in entries]) if spare else tuple(entries)
        return row, self.shift - spare

    def signs(self, point: Point) -> list[int]:
        """Signs of all forms at a point."""
        values = (self.matrix * column(point)).entries()
        return [(v > 0) - (v < 0) for v in values]


def signs_at(stages: Sequence[ExactStage], point: Point) -> list[list[int]]:
    """Proved signs (-1, 0, 1) of every pre-activation at a rational input, stage by stage."""
    # Outputs of what was read so far: integers over the point's denominator times 2**shift.
    outputs = [(fmpz_mat(len(point.numerators), 1, list(point.numerators)), 0)]
    out = []
    for stage in stages:
        lift = max(outputs[k][1] for k in stage.reads)
        values = [b * point.denominator << lift for b in stage.bias]
        for k, weight in zip(stage.reads, stage.weights, strict=True):
            h, shift = outputs[k]
            more = (weight * h).entries()
            values = [v + (int(m) << (lift - shift)) for v, m in zip(values, more, strict=True)]
        out.append([(v > 0) - (v < 0) for v in values])
        one = 1 << stage.slope_shift
        passed = [v * (one if v > 0 else s) for v, s in zip(values, stage.slopes, strict=True)]
        h = fmpz_mat(stage.width, 1, passed)
        outputs.append((h, lift + stage.shift + stage.slope_shift))
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
    return problem.once(_domain_rows)


def _domain_rows(problem: CountProblem) -> tuple[Row, ...]:
    matrix, right = problem.rows
    rows = []
    for a, c in zip(matrix, right, strict=True):
        integers, _ = scaled_integers(np.append(-a, c))
        rows.append(Row(tuple(integers), False))
    return tuple(rows)
