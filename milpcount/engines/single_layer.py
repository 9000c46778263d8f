"""Networks whose regions are those of hyperplanes, told from their numbers at a glance."""

from __future__ import annotations

import math

import numpy as np

from milpcount.core.domain import Box
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import dense, nonzeros
from milpcount.core.network import ReLUNetwork
from milpcount.core.point import scaled_integers
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage

__all__ = ["has_short_minors", "is_arrangement", "is_single_layer"]

_MOST_INPUTS, _MOST_UNITS = 10, 128
_BITS = 20


def is_single_layer(problem: CountProblem) -> bool:
    """Whether every unit with a state is an affine function of the input.

    So is one that reads the input and linear units alone, in whatever stage they stand; units of
    slope 1 pass on what they compute as linear ones do.
    """
    return problem.network.once(_is_single_layer, problem.stages)


def _is_single_layer(net: ReLUNetwork, stages: tuple[Stage, ...]) -> bool:
    # Of the input and of each stage: which outputs are affine functions of the input.
    affine = [np.ones(net.input_dimension, dtype=bool)]
    for stage in stages:
        if type(stage.gate) not in (ReLUGate, LinearGate):
            return False
        here = np.ones(stage.width, dtype=bool)
        for k, weight in zip(stage.reads, stage.weights, strict=True):
            if not affine[k].all():
                rows, columns, _ = nonzeros(weight)
                here[rows[~affine[k][columns]]] = False
        if not here[~stage.linear].all():
            return False
        affine.append(here & (stage.linear | (stage.slope == 1)))
    return True


def is_arrangement(problem: CountProblem) -> bool:
    """Whether the regions are evidently those of an arrangement over all of R^n.

    A single layer over the whole space; or one whose hyperplanes all pass through the origin,
    over a domain with the origin inside.
    """
    return is_single_layer(problem) and (_is_everything(problem) or _is_central(problem))


def _is_everything(problem: CountProblem) -> bool:
    ends = np.concatenate([problem.box.lo, problem.box.hi])
    return isinstance(problem.domain, Box) and not bool(np.isfinite(ends).any())


def _is_central(problem: CountProblem) -> bool:
    around = bool(np.all(problem.box.lo < 0) and np.all(problem.box.hi > 0))
    _, right = problem.rows
    biases = any(np.any(stage.bias) for stage in problem.stages)
    return around and bool(np.all(right > 0)) and not biases and problem.slice is None


def has_short_minors(problem: CountProblem) -> bool:
    """Whether a single layer over a box of 5 to 10 inputs has small numbers, as degenerate ones do.

    Minors of hyperplanes and sides have at most 20 bits, by Hadamard's bound.  Then sections of
    cones in integers were found faster than subdivision and tree, up to a thousandfold.
    """
    box = problem.domain
    if not isinstance(box, Box) or problem.slice is not None or len(problem.stages) != 1:
        return False
    stage, n = problem.stages[0], problem.dimension
    if not 5 <= n <= _MOST_INPUTS or stage.width > _MOST_UNITS or not is_single_layer(problem):
        return False
    if np.any(box.lo == box.hi):
        return False
    rows = [[*row, b] for row, b in zip(dense(stage.weights[0]), stage.bias, strict=True)]
    for ends, sign in ((box.lo, 1.0), (box.hi, -1.0)):
        for j in np.flatnonzero(np.isfinite(ends)).tolist():
            side = np.zeros(n + 1)
            side[j], side[n] = sign, -sign * ends[j]
            rows.append(side.tolist())
    squares = [1]
    for row in rows:
        integers, _ = scaled_integers(np.array(row))
        common = math.gcd(*integers) or 1
        squares.append(sum((v // common) ** 2 for v in integers))
    largest = math.prod(sorted(squares)[-n - 1 :])
    return largest.bit_length() <= 2 * _BITS
