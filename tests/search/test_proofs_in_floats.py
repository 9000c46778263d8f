"""The bounds on rounding errors that all proofs in floats rest on, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import exact_stages, problem_stages, signs_at
from milpcount.exact.prefix import Prefix
from milpcount.kernels import native
from milpcount.search.frames.frame import box_frame, rounded_forms, zonotope_frame
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.machine import Machine
from tests.shared import random_net


def value(row: list[Fraction], z: np.ndarray) -> Fraction:
    return row[-1] + sum(a * Fraction(float(v)) for a, v in zip(row[:-1], z, strict=True))


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    denominator=st.sampled_from([1, 3, 7 * 2**40, 2**80, 10**30]),
    size=st.sampled_from([10, 10**9, 10**25]),
)
def test_rounded_forms(seed: int, denominator: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [[int(v * size) for v in rng.normal(size=4)] for _ in range(3)]
    out = rounded_forms(rows, denominator)
    for u, row in enumerate(rows):
        exact = [Fraction(v, denominator) for v in row]
        for _ in range(5):
            z = rng.uniform(0, 1, size=3)
            stored = value([Fraction(float(v)) for v in out[:4, u]], z)
            assert abs(stored - value(exact, z)) <= Fraction(float(out[4, u]))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1.0, 1e-9, 1e12]))
def test_forms_of_later_layers(seed: int, scale: float) -> None:
    # Built unit by unit in the compiled code; the same in exact arithmetic.
    rng = np.random.default_rng(seed)
    network = random_net(rng, [3, 6, 5, 1], slopes=[0.25, 0.0])
    w = list(network.weights)
    network = mc.ReLUNetwork([w[0], w[1] * scale, w[2]], network.biases, [0.25, 0.0])
    problem = CountProblem.of(network, mc.Box([-1, 0, 2], [0.1, 1, 7]))
    frame = problem_frames(problem)[0]
    assert frame is not None
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    active = rng.integers(0, 2, size=6)
    signs = np.zeros(problem.n_units, np.int8)
    signs[:6] = np.where(active, 2, -2)
    assert machine.start(signs)
    # Enter the first layer, leave it, enter the second.
    machine.run(3)
    partial = machine._search.forms(1)
    ranges = native.cube_ranges(partial)
    layers = problem_stages(problem)
    exact = Prefix.root(layers, frame.exact).push(active.tolist()).forms
    assert exact.one is not None
    unit = exact.one[-1] << exact.shift
    for k in range(5):
        true = [Fraction(int(exact.matrix[k, c]), unit) for c in range(4)]
        for _ in range(4):
            z = rng.uniform(0, 1, size=3)
            stored = value([Fraction(float(v)) for v in partial[:4, k]], z)
            assert abs(stored - value(true, z)) <= Fraction(float(partial[4, k]))
        low, high = ranges[0][k], ranges[1][k]
        ends = [
            true[3] + sum(min(t, 0) for t in true[:3]),
            true[3] + sum(max(t, 0) for t in true[:3]),
        ]
        assert Fraction(float(low)) <= ends[0]
        assert Fraction(float(high)) >= ends[1]


def test_ranges_that_touch_zero_are_exact() -> None:
    # x - 1 on [-1, 1]: the form 2 z - 2 ends at 0 exactly, and so does -x + 1 at 0.
    face = mc.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[-1.0, 1.0], [0.0]])
    frame = problem_frames(CountProblem.of(face, mc.Box(-1, 1)))[0]
    assert frame is not None
    low, high = native.cube_ranges(np.ascontiguousarray(frame.first))
    assert low.tolist() == [-2.0, 0.0]
    assert high.tolist() == [0.0, 2.0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["normal", "integer"]))
def test_the_check_of_leaves(seed: int, kind: str) -> None:
    # Whatever it says of a random cell is true: witnesses satisfy the rows, separations hold.
    rng = np.random.default_rng(seed)
    network = random_net(rng, [9, 3, 1], kind)
    problem = CountProblem.of(network, mc.Box(-1, 1))
    layers = problem_stages(problem)
    ends = [Fraction(-1)] * 9, [Fraction(1)] * 9
    frame = zonotope_frame(layers[0], *ends, open_last=False)
    if frame.n == 0:
        return
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    rows = [[Fraction(float(v)) for v in rng.normal(size=frame.n)] for _ in range(3)]
    for row in rows:
        row.append(Fraction(float(rng.normal() * 0.3)) - sum(row) / 2)
    stored = np.array([[float(v) for v in row] for row in rows])
    errors = [float(sum(abs(Fraction(float(v)) - v) for v in row)) * 2 for row in rows]
    code, witness = machine._search.check_cell(stored, np.maximum(errors, 1e-300))
    # The true generators, rational.
    first = layers[0]
    chosen = [i for i in range(3) if any(int(first.weights[0][i, j]) for j in range(9))]
    v = []
    for i in chosen:
        weights = [int(first.weights[0][i, j]) for j in range(9)]
        reach = sum(abs(x) for x in weights)
        v.append([Fraction(x, reach) for x in weights])
    assert len(v) == frame.n
    if code == 1:
        u = [Fraction(float(t)) for t in witness]
        assert all(abs(t) <= 1 for t in u)
        z = [Fraction(1, 2) + sum(a * t for a, t in zip(g, u, strict=True)) / 2 for g in v]
        for row in rows:
            assert row[-1] + sum(a * t for a, t in zip(row, z, strict=False)) > 0
        # The same point, as the problem sees it.
        point = frame.point(witness)
        assert all(abs(n) <= point.denominator for n in point.numerators)
    elif code == 0:
        # No corner of the cube of u, sampled or extreme, satisfies the rows.
        for _ in range(200):
            u = [Fraction(float(t)) for t in rng.uniform(-1, 1, size=9).round(3)]
            z = [Fraction(1, 2) + sum(a * t for a, t in zip(g, u, strict=True)) / 2 for g in v]
            assert any(
                row[-1] + sum(a * t for a, t in zip(row, z, strict=False)) <= 0 for row in rows
            )


def test_points_of_frames_lie_where_they_should() -> None:
    network = random_net(np.random.default_rng(3), [3, 4, 3, 1])
    domains: list[mc.Domain] = [
        mc.Box([-1, 2, 0.5], [1, 2, 3]),
        mc.WholeSpace(),
        mc.Box([0, 0, 0], [np.inf, 1, np.inf]),
        mc.Polytope([[1.0, 1.0, 1.0]], [1.0]),
    ]
    for domain in domains:
        for region in mc.enumerate_regions(network, domain, engine="tree"):
            point = region._leaf.witness
            signs = signs_at(exact_stages(network.counted_stages()), point)
            assert [s > 0 for layer in signs for s in layer] == region.pattern.bits.tolist()
            assert all(s != 0 for layer in signs for s in layer)


def test_most_decisions_are_made_in_floats() -> None:
    network = random_net(np.random.default_rng(0), [4, 12, 8, 1])
    for engine in ("tree", "subdivision"):
        result = mc.count(network, mc.Box(-1, 1), engine=engine)
        assert result.statistics.get("doubts", 0) == 0
        assert result.statistics.get("signs_by_exact_vertices", 0) == 0
    assert mc.count(network, mc.Box(-1, 1), engine="tree").statistics["decided_by_multipliers"] > 0


def test_box_frame_of_a_slice_of_huge_numbers() -> None:
    # Beyond the range of floats the frame gives up, and exact search takes over.
    layers = exact_stages(random_net(np.random.default_rng(0), [2, 3, 1]).counted_stages())
    far = [Fraction(10) ** 320] * 2
    with pytest.raises(mc.UnsupportedError, match="range of floats"):
        box_frame(layers[0], [], [Fraction(0)] * 2, far)
