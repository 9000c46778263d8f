"""Networks of stages as values: functions, canonical form, hash, errors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from tests.staged import random_stages, stage_values


def _stage(reads: tuple[int, ...], *weights: object, linear: bool = False) -> mc.Stage:
    arrays = tuple(np.array(w, dtype=float) for w in weights)
    units = len(arrays[0])
    gate = mc.LinearGate(units) if linear else mc.ReLUGate(np.zeros(units))
    return mc.Stage(reads, arrays, np.zeros(units), gate)


def test_a_residual_block() -> None:
    # y = relu(relu(x) - 2 relu(-x)) + x
    net = mc.ReLUNetwork.of_stages(
        [_stage((0,), [[1], [-1]]), _stage((1,), [[1, -2]])],
        _stage((0, 2), [[1]], [[1]], linear=True),
    )
    assert net.forward([[3.0], [-3.0]]).tolist() == [[6.0], [-3.0]]
    assert not net.is_chain
    # The output reads x by a linear unit of stage 1, which has no place in the pattern.
    assert net.widths == (3, 1)
    assert net.counted_widths == (2, 1)
    assert [stage.reads for stage in (*net.stages, net.output)] == [(0,), (1,), (1, 2)]
    assert str(net.pattern([3.0])) == "10|1"
    assert str(net.pattern([3.0], with_output=True)) == "10|1|1"
    with pytest.raises(mc.NetworkError, match="chain"):
        _ = net.weights


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sparse", [False, True])
def test_values_and_patterns_are_those_of_fractions(seed: int, sparse: bool) -> None:
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 3, [4, 3, 3], sparse=sparse)
    x = np.round(rng.normal(size=3) * 8) / 8
    exact = stage_values(net, [Fraction(v) for v in x.tolist()])
    for computed, wanted in zip(net.preactivations(x, with_output=True), exact, strict=True):
        assert np.allclose(computed, [float(v) for v in wanted], atol=1e-12)
    assert np.array_equal(net.forward(x), net.preactivations(x, with_output=True)[-1])
    assert np.allclose(net.forward(np.array([x, 2 * x]))[0], net.forward(x))
    problem = CountProblem.of(net, mc.Box(-1, 1))
    signs = np.array([v > 0 for values in exact[:-1] for v in values])
    kept = signs[: problem.index.n_positions]
    bits = problem.index.states(np.where(kept, 1, -1).astype(np.int8))
    assert net.pattern(x).bits.tolist() == bits.astype(bool).tolist()
    assert problem.n_units == sum(problem.counted_widths) == len(bits)
    spread = problem.index.spread(bits)
    assert np.array_equal(spread[problem.index.positions], bits)
    assert spread[problem.index.linear].all()


def test_rows_of_the_input_are_shared() -> None:
    # Three readers of the input, two distinct rows: two linear units.
    first = _stage((0,), np.eye(4)[:1])
    second = _stage((0, 1), [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]], [[1], [2], [3]])
    output = _stage((0, 2), [[0, 1, 0, 0]], [[1, 1, 1]], linear=True)
    net = mc.ReLUNetwork.of_stages([first, second], output)
    assert net.stages[0].linear.tolist() == [False, True, True]
    # More rows than inputs: the inputs themselves.
    wide = _stage((0,), [[1, 0], [1, 1], [1, 2], [2, 1]])
    net = mc.ReLUNetwork.of_stages(
        [_stage((0,), [[1, 1]]), _stage((0, 1), wide.weights[0], np.ones((4, 1)))],
        _stage((2,), [[1, 1, 1, 1]], linear=True),
    )
    assert net.stages[0].width == 3
    assert net.forward([1.0, 1.0]).tolist() == [2 + 1 + 2 + 3 + 3 + 6.0]


def test_hashes_tell_networks_apart() -> None:
    chain = mc.ReLUNetwork([[[1.0], [2.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    same = mc.ReLUNetwork.of_stages([_stage((0,), [[1], [2]])], _stage((1,), [[1, 1]], linear=True))
    assert same.is_chain
    assert same.sha256 == chain.sha256
    sparse = mc.SparseMatrix.of(np.array([[1.0], [2.0]]))
    held = mc.Stage((0,), (sparse,), np.zeros(2), mc.ReLUGate(np.zeros(2)))
    assert mc.ReLUNetwork.of_stages([held], chain.output).sha256 == chain.sha256
    # Slope 1 is a unit with a state; a linear unit is not: other patterns, another hash.
    one = mc.ReLUGate(np.array([0.0, 1.0]))
    linear = mc.ReLUGate(np.array([0.0, 1.0]), np.array([False, True]))
    a, b = (
        mc.ReLUNetwork.of_stages(
            [mc.Stage((0,), (np.array([[1.0], [2.0]]),), np.zeros(2), gate)], chain.output
        )
        for gate in (one, linear)
    )
    assert a.is_chain
    assert not b.is_chain
    skip = [_stage((0,), [[1]]), _stage((1,), [[1]])]
    outputs = [_stage((1,), [[1]], linear=True), _stage((2,), [[1]], linear=True)]
    hashes = {n.sha256 for n in (a, b, chain)}
    hashes |= {mc.ReLUNetwork.of_stages(skip, output).sha256 for output in outputs}
    assert len(hashes) == 5


def test_sparse_and_dense_stages_have_one_hash() -> None:
    dense, sparse = (
        random_stages(np.random.default_rng(5), 3, [4, 3], sparse=flag) for flag in (False, True)
    )
    assert not dense.is_chain
    assert dense.sha256 == sparse.sha256


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (_stage((), np.zeros((2, 0))), "stage 2 reads nothing"),
        (_stage((2,), np.zeros((2, 2))), "stage 2 reads itself"),
        (_stage((3,), np.zeros((2, 2))), "stage 2 reads stage 3"),
        (_stage((1,), np.zeros((2, 5))), "stage 2 has 2 units and reads stage 1 of width 3"),
        (_stage((1, 1), np.zeros((2, 3)), np.zeros((2, 3))), "once, ascending"),
        (_stage((0, 1), np.zeros((2, 3))), "with 1 matrices"),
        (_stage((1,), np.full((2, 3), np.nan)), "NaN"),
        (
            mc.Stage((1,), (np.zeros((2, 3)),), np.zeros(2), mc.ReLUGate(np.zeros(3))),
            "a gate of another width",
        ),
        (
            mc.Stage(
                (1,),
                (mc.SparseMatrix((2, 3), np.array([0, 1, 2]), np.array([0, 7]), np.ones(2)),),
                np.zeros(2),
                mc.LinearGate(2),
            ),
            "sparse rows",
        ),
    ],
)
def test_bad_stages_are_named(second: mc.Stage, message: str) -> None:
    first = _stage((0,), np.ones((3, 2)))
    with pytest.raises(mc.NetworkError, match=message):
        mc.ReLUNetwork.of_stages([first, second], _stage((2,), [[1, 1]], linear=True))


def test_outputs_have_no_states() -> None:
    with pytest.raises(mc.NetworkError, match="the output has units with a state"):
        mc.ReLUNetwork.of_stages([], _stage((0,), [[1]]))
    with pytest.raises(mc.NetworkError, match="no input"):
        mc.ReLUNetwork.of_stages([_stage((1,), [[1]])], _stage((1,), [[1]], linear=True))
