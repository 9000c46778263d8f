"""Exact forms along a prefix of states.

A prefix fixes the states of all units of some first stages.  Each of these stages, and the next
one, is then an affine map of the input: the sum over what it reads of weights times the forms
read, each times 1 where its unit is active or linear and times the unit's slope elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import fmpz_mat

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import (
    ExactStage,
    Forms,
    constraint,
    domain_rows,
    exact_box,
    problem_stages,
    signs_at,
)

__all__ = ["Prefix", "PrefixMemory", "pattern_forms", "pattern_rows", "state_signs"]

States = tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """Forms of stages ``1..k + 1`` where the units of stages ``1..k`` have given states.

    Attributes:
        stages: all stages.
        path: pre-activations of the stages that are entered; the last is the present stage's.
        states: which units are active, of every stage that is complete; the states of linear
            units mean nothing.
    """

    stages: tuple[ExactStage, ...]
    path: tuple[Forms, ...]
    states: tuple[States, ...]

    @classmethod
    def root(cls, stages: Sequence[ExactStage], first: Forms | None = None) -> Prefix:
        """No state fixed; ``first`` is the first stage on other coordinates, if it is on others."""
        stages = tuple(stages)
        if stages and first is None:
            first = Forms.first(stages[0])
        return cls(stages, () if first is None else (first,), ())

    @property
    def stage(self) -> int:
        """Number of complete stages: the present stage, counted from 0."""
        return len(self.states)

    @property
    def is_complete(self) -> bool:
        """Whether all stages are."""
        return len(self.states) == len(self.stages)

    @property
    def forms(self) -> Forms:
        """Pre-activations of the present stage; of the last one when all are complete."""
        return self.path[-1]

    def row(self, place: int) -> tuple[int, ...]:
        """The form of a unit of the present stage."""
        return self.path[-1].row(place)

    def push(self, states: Sequence[int | bool]) -> Prefix:
        """The prefix with the present stage complete: its units have these states."""
        more = (*self.states, tuple(bool(s) for s in states))
        done = Prefix(self.stages, self.path, more)
        if done.is_complete:
            return done
        return Prefix(self.stages, (*self.path, done.enter(self.stages[len(more)])), more)

    def enter(self, stage: ExactStage) -> Forms:
        """Pre-activations of a stage that reads complete ones: the next, or the output."""
        parts = []
        for k, weight in zip(stage.reads, stage.weights, strict=True):
            before, forms = self.stages[k - 1], self.path[k - 1]
            one = 1 << before.slope_shift
            pairs = zip(self.states[k - 1], before.slopes, strict=True)
            factors = [one if active else slope for active, slope in pairs]
            matrix = forms.matrix
            if any(f != 1 for f in factors):
                # Scale columns of the weights or rows of the forms: whichever are shorter.
                if stage.width < matrix.ncols():
                    weight = _scaled(weight, (1,) * stage.width, factors)
                else:
                    matrix = _scaled(matrix, factors, (1,) * matrix.ncols())
            parts.append((weight * matrix, forms.shift + before.slope_shift))
        lift = max(shift for _, shift in parts)
        matrix, shift = parts[0]
        if shift != lift:
            matrix = matrix * (1 << (lift - shift))
        for more, shift in parts[1:]:
            matrix = matrix + (more if shift == lift else more * (1 << (lift - shift)))
        constant = self.path[0].one
        if constant is not None:
            column = fmpz_mat(stage.width, 1, [b << lift for b in stage.bias])
            matrix = matrix + column * fmpz_mat(1, len(constant), constant)
        else:
            last = matrix.ncols() - 1
            for i, b in enumerate(stage.bias):
                if b:
                    matrix[i, last] = matrix[i, last] + (b << lift)
        return Forms(matrix, lift + stage.shift, constant)


def _scaled(matrix: fmpz_mat, rows: Sequence[int], columns: Sequence[int]) -> fmpz_mat:
    """The matrix with its rows and columns multiplied by these factors."""
    out = fmpz_mat(matrix.nrows(), matrix.ncols())
    kept = [(j, f) for j, f in enumerate(columns) if f]
    for i, factor in enumerate(rows):
        if factor:
            for j, f in kept:
                out[i, j] = matrix[i, j] * (factor * f)
    return out


class PrefixMemory:
    """Prefixes of one pattern after another; what two in a row share is kept."""

    def __init__(self, stages: Sequence[ExactStage], first: Forms | None = None) -> None:
        """As for :meth:`Prefix.root`."""
        self._path = [Prefix.root(stages, first)]
        starts = np.cumsum([0, *(stage.width for stage in stages)]).tolist()
        self._spans = [slice(a, b) for a, b in pairwise(starts)]

    def at(self, states: Sequence[int | bool], stage: int) -> Prefix:
        """The prefix whose present stage (from 0) is this one.

        ``states`` has one entry a unit, linear ones among them; those of earlier stages are read.
        """
        for k in range(stage):
            wanted = tuple(bool(s) for s in states[self._spans[k]])
            if len(self._path) > k + 1 and self._path[k + 1].states[k] == wanted:
                continue
            del self._path[k + 1 :]
            self._path.append(self._path[k].push(wanted))
        return self._path[stage]


def pattern_forms(
    stages: Sequence[ExactStage], states: Sequence[int]
) -> Iterator[tuple[Forms, Sequence[int]]]:
    """Pre-activations of each stage on the region of a pattern, with the stage's states.

    ``states`` has one entry a unit, linear ones among them.
    """
    prefix = Prefix.root(stages)
    start = 0
    for stage in stages:
        here = states[start : start + stage.width]
        yield prefix.forms, here
        prefix = prefix.push(here)
        start += stage.width


def pattern_rows(problem: CountProblem, bits: Sequence[int]) -> list[Row] | None:
    """The system whose solutions are the region of a pattern; None if a constant form forbids it.

    The domain's own rows come first.
    """
    rows = list(domain_rows(problem))
    stages, box = problem_stages(problem), exact_box(problem)
    states = problem.index.spread(np.array(bits, dtype=np.uint8)).tolist()
    for stage, (forms, here) in zip(stages, pattern_forms(stages, states), strict=True):
        for i, active in enumerate(here):
            if stage.linear[i]:
                continue
            wanted = constraint(forms.row(i), bool(active), problem.definition, box)
            if wanted is False:
                return None
            if wanted is not True:
                rows.append(wanted)
    return rows


def state_signs(problem: CountProblem, point: Point) -> list[int]:
    """Proved signs (-1, 0, 1) of the units with a state at a rational point of the problem."""
    stages = problem_stages(problem)
    pairs = zip(stages, signs_at(stages, point), strict=True)
    return [
        s for stage, signs in pairs for s, skip in zip(signs, stage.linear, strict=True) if not skip
    ]
