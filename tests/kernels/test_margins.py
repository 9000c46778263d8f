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
from milpcount.exact.prefix import Prefix
from milpcount.kernels import native
from milpcount.search.frames.frame import zonotope_frame
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.machine import Machine
from tests.shared import random_net

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


def test_points_that_rounding_puts_beside_a_polytope() -> None:
    rng = np.random.default_rng(0)
    inside, on = 0, np.ones(1, np.uint8)
    for _ in range(200):
        row, x = rng.uniform(-1, 1, size=4), rng.uniform(-1, 1, size=3)
        row[3] = -((row[0] * x[0] + row[1] * x[1]) + row[2] * x[2])
        ends = np.full(3, -1.0), np.full(3, 1.0)
        # The domain is row . x + row[3] >= 0, the unit is active everywhere.
        domain = -row[None, :3], row[3:]
        width, slope = np.ones(1, np.int64), np.zeros(1)
        chain = native.Chain(width, np.ones(3) / 4, np.ones(1), slope, *ends, *domain)
        computed = ((row[3] + row[0] * x[0]) + row[1] * x[1]) + row[2] * x[2]
        wrong = computed > 0 >= exact(row, x)
        inside += wrong
        assert not (wrong and chain.proves(np.zeros(1, np.uint8), on, 0, x))
        domain[1][0] += 1e-12
        chain = native.Chain(width, np.ones(3) / 4, np.ones(1), slope, *ends, *domain)
        assert chain.proves(np.zeros(1, np.uint8), on, 0, x)
    assert inside >= 10


def test_forms_that_skip_a_stage() -> None:
    """The third stage reads the first alone: of weights whose sums round."""
    rng = np.random.default_rng(0)
    first = rng.integers(-999, 1000, size=(6, 3)) / 1024  # the frame's forms are exact
    gate = mc.ReLUGate(np.zeros(6))
    stages = [
        mc.Stage((0,), (first,), np.zeros(6), gate),
        mc.Stage((1,), (np.zeros((2, 6)),), np.ones(2), mc.ReLUGate(np.zeros(2))),
        mc.Stage((1, 2), (rng.normal(size=(5, 6)), np.zeros((5, 2))), np.zeros(5), gate),
    ]
    stages[2] = mc.Stage(stages[2].reads, stages[2].weights, np.zeros(5), mc.ReLUGate(np.zeros(5)))
    output = mc.Stage((3,), (np.ones((1, 5)),), np.zeros(1), mc.LinearGate(1))
    problem = CountProblem.of(mc.ReLUNetwork.of_stages(stages, output), mc.Box(-1, 1))
    frame = problem_frames(problem)[0]
    assert frame is not None
    layers, active, rounded = problem_stages(problem), [1, 1, 0, 1, 1, 1], 0
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    signs = np.where([*active, 1, 1, *[0] * 5], 2, -2)
    signs[8:] = 0
    assert machine.start(signs.astype(np.int8))
    machine.run(5)  # the third stage is entered
    stored = machine._search.forms(2)
    forms = Prefix.root(layers, frame.exact).push(active).push([1, 1]).forms
    assert forms.one is not None
    unit = forms.one[-1] << forms.shift
    for k in range(5):
        true = [Fraction(int(forms.matrix[k, c]), unit) for c in range(4)]
        off = sum(abs(Fraction(float(v)) - t) for v, t in zip(stored[:4, k], true, strict=True))
        assert off <= Fraction(float(stored[4, k]))
        rounded += off > 0
    assert rounded >= 3


class Relaxed:
    """The checks of a search over two units of ``inputs`` inputs; its zonotope, exactly.

    The units' values in units of their reach are ``z = 1/2 + V u / 2``, u in ``[-1, 1]^inputs``.
    """

    def __init__(self, rng: np.random.Generator, inputs: int) -> None:
        weights = rng.uniform(-1, 1, size=(2, inputs))
        network = mc.ReLUNetwork(
            [weights, np.ones((3, 2)), np.ones((1, 3))], [np.zeros(2), np.zeros(3), np.zeros(1)]
        )
        problem = CountProblem.of(network, mc.Box(-1, 1))
        ends = [Fraction(-1)] * inputs, [Fraction(1)] * inputs
        self.frame = zonotope_frame(problem_stages(problem)[0], *ends, open_last=False)
        self.machine = Machine(self.frame, problem.stages, closed=False, emit=False)
        rows = [[Fraction(v) for v in row] for row in weights.tolist()]
        self.v = [[x / sum(map(abs, row)) for x in row] for row in rows]

    def check(self, row: Floats, error: float) -> int:
        """1 for a cell with an input, 0 for none, -1 for unknown."""
        return self.machine._search.check_cell(row[None], np.array([error]))[0]

    def face(self, rows: Floats, errors: list[float], steps: Floats) -> int:
        """The same of a cell where the first rows, as many as steps, are to vanish and cross."""
        return self.machine._search.check_face(rows, np.array(errors), steps)[0]

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


def test_faces_that_errors_outweigh() -> None:
    """Two forms vanish at the centre of the zonotope, inside of a constraint."""
    rng = np.random.default_rng(3)
    cells = Relaxed(rng, 6)
    steps = np.eye(2)
    rows = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [1.0, 1.0, -0.99]])
    assert cells.face(rows, [0.0, 0.0, 0.0], steps) == 1
    assert cells.face(rows, [1e-12, 1e-12, 1e-4], steps) == 1
    # The first form may have its zero anywhere.
    assert cells.face(rows, [1.0, 0.0, 0.0], steps) == -1
    # The constraint may be negative there.
    assert cells.face(rows, [0.0, 0.0, 0.02], steps) == -1
    # The forms vanish up to 1e-9 away, where the constraint may be negative.
    assert cells.face(rows, [1e-9, 0.0, 0.01 - 1e-12], steps) == -1
    # The directions are not those along which the forms change.
    assert cells.face(rows, [0.0, 0.0, 0.0], steps[::-1].copy()) == -1


def test_faces_near_the_end_of_the_zonotope() -> None:
    """Forms that vanish close to it, if they do: their zeros may be beyond."""
    for seed in range(4):
        cells = Relaxed(np.random.default_rng(seed), 6)
        top = float(cells.largest(np.array([1.0, 0.0, 0.0])))
        # The other coordinate where the first one is largest.
        signs = [1 if x > 0 else -1 for x in cells.v[0]]
        other = 0.5 + 0.5 * float(sum(s * y for s, y in zip(signs, cells.v[1], strict=True)))
        rows = np.array([[1.0, 0.0, -(top - 1e-4)], [0.0, 1.0, -other]])
        assert cells.face(rows, [0.0, 0.0], np.eye(2)) in (1, -1)
        assert cells.face(rows, [1e-3, 0.0], np.eye(2)) == -1
        rows[0, 2] = -(top + 1e-4)
        assert cells.face(rows, [0.0, 0.0], np.eye(2)) == 0


def test_contradictions_use_the_side_that_a_unit_has() -> None:
    """With a constraint's other side a combination proves nothing, and cells are not counted."""
    for seed, widths in ((103, [24, 6, 6, 6, 1]), (5, [20, 4, 8, 8, 1])):
        network = random_net(np.random.default_rng(seed), widths)
        found = mc.count(network, mc.Box(-1, 1), engine="tree")
        assert found.statistics["regions_by_flats"] > 0.85 * found.lower
