"""Margins of proofs in floats, where rounding alone would decide: exact arithmetic is the judge.

Each test is what notices that a margin is left out (``benchmarks/kernel_faults.py``).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import problem_stages
from milpcount.kernels import native
from milpcount.search.frames.frame import zonotope_frame
from milpcount.search.machine import Machine

Floats = NDArray[np.float64]


def exact(row: Floats, x: Floats) -> Fraction:
    """The form ``row`` at x, its last entry the constant."""
    terms = (Fraction(a) * Fraction(b) for a, b in zip(row.tolist(), x.tolist(), strict=False))
    return Fraction(float(row[-1])) + sum(terms)


def test_points_that_rounding_puts_beyond_a_facet() -> None:
    rng = np.random.default_rng(0)
    rounded_up, on = 0, np.ones(1, np.uint8)
    for _ in range(200):
        row, x = rng.uniform(-1, 1, size=4), rng.uniform(-1, 1, size=3)
        row[3] = -(row[0] * x[0] + row[1] * x[1] + row[2] * x[2])
        ends = np.full(3, -1.0), np.full(3, 1.0)
        width, slope, no_rows = np.ones(1, np.int64), np.zeros(1), np.zeros((0, 3))
        chain = native.Chain(width, row[:3], row[3:], slope, *ends, no_rows, np.zeros(0))
        computed = ((row[3] + row[0] * x[0]) + row[1] * x[1]) + row[2] * x[2]
        wrong = computed > 0 >= exact(row, x)
        rounded_up += wrong
        # Unit 0 is inactive, and the point is to be where it is active.
        assert not (wrong and chain.proves(np.zeros(1, np.uint8), on, 0, x))
    assert rounded_up >= 10


class Relaxed:
    """The check of cells of a search over two units of ``inputs`` inputs; its zonotope, exactly.

    The units' values in units of their reach are ``z = 1/2 + V u / 2``, u in ``[-1, 1]^inputs``.
    """

    def __init__(self, rng: np.random.Generator, inputs: int) -> None:
        weights = rng.uniform(-1, 1, size=(2, inputs))
        network = mc.ReLUNetwork([weights, np.ones((1, 2))], [np.zeros(2), np.zeros(1)])
        problem = CountProblem.of(network, mc.Box(-1, 1))
        ends = [Fraction(-1)] * inputs, [Fraction(1)] * inputs
        self.frame = zonotope_frame(problem_stages(problem)[0], *ends, open_last=False)
        self.machine = Machine(self.frame, problem.stages, closed=False, emit=False)
        rows = [[Fraction(v) for v in row] for row in weights.tolist()]
        self.v = [[x / sum(map(abs, row)) for x in row] for row in rows]

    def check(self, row: Floats, error: float) -> int:
        """1 for a cell with an input, 0 for none, -1 for unknown."""
        return self.machine._search.check_cell(row[None], np.array([error]))[0]

    def largest(self, row: Floats) -> Fraction:
        """The maximum of a form over the zonotope."""
        a, b, constant = map(Fraction, row.tolist())
        spread = sum(abs(a * x + b * y) for x, y in zip(*self.v, strict=True))
        return constant + (a + b + spread) / 2


def test_cells_that_touch_the_zonotope() -> None:
    rng = np.random.default_rng(1)
    relaxed = [Relaxed(rng, inputs) for inputs in (5, 12, 40)]
    empty = touching = 0
    for _ in range(120):
        for cells in relaxed:
            row = np.append(rng.uniform(-1, 1, size=2), 0.0)
            row[2] = -float(cells.largest(row)) + rng.integers(-2, 3) * 2.0**-53
            found = cells.check(row, 0.0)
            largest = cells.largest(row)
            touching += largest >= 0
            assert found != (0 if largest > 0 else 1), largest
            row[2] -= 1e-9
            empty += cells.check(row, 0.0) == 0
    assert touching >= 100
    assert empty == 360


def test_rows_that_errors_outweigh() -> None:
    rng = np.random.default_rng(2)
    cells = Relaxed(rng, 6)
    for _ in range(20):
        row = np.append(rng.uniform(-1, 1, size=2), 0.0)
        row[2] = 0.01 - float(cells.largest(row))
        assert cells.check(row, 0.0) == 1
        # The form's true values may all be negative.
        assert cells.check(row, 0.02) == -1
