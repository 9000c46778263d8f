"""Networks, domains, patterns and results as values."""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import InvariantError
from milpcount.support.decimal_text import from_decimal, to_decimal


def test_forward_and_patterns() -> None:
    net = mc.ReLUNetwork([[[1, 0], [0, -2]], [[1, 1]]], [[0, 1], [0.5]])
    assert net.architecture == (2, 2, 1)
    assert net.forward([1.0, 1.0]).tolist() == [1.5]
    assert net.forward([[1.0, 1.0], [-1.0, 0.0]]).tolist() == [[1.5], [1.5]]
    assert str(net.pattern([1.0, 1.0])) == "10"
    assert str(net.pattern([1.0, 0.0], with_output=True)) == "11|1"


def test_leaky_units() -> None:
    net = mc.ReLUNetwork([[[1], [1]], [[1, 1]]], [[0, 0], [0]], slopes=[[0.5, -1]])
    assert net.is_leaky
    assert net.forward([-2.0]).tolist() == [1.0]
    assert str(net.pattern([-2.0])) == "00"


def test_content_hash() -> None:
    a = mc.ReLUNetwork([[[0.5]], [[1]]], [[0.0], [1]])
    same = mc.ReLUNetwork(
        [np.array([[0.5]], dtype=np.float32), [[1.0]]], [[-0.0], [1]], name="other"
    )
    assert a.sha256 == same.sha256
    assert a.sha256 != mc.ReLUNetwork([[[0.5]], [[1]]], [[0.0], [2]]).sha256
    assert a.sha256 != mc.ReLUNetwork([[[0.5]], [[1]]], [[0.0], [1]], slopes=[0.1]).sha256


def test_subnetworks() -> None:
    rng = np.random.default_rng(0)
    net = mc.ReLUNetwork(
        [rng.normal(size=(3, 2)), rng.normal(size=(4, 3)), rng.normal(size=(1, 4))],
        [rng.normal(size=3), rng.normal(size=4), rng.normal(size=1)],
    )
    x = rng.normal(size=2)
    hidden = np.maximum(net.preactivations(x)[0], 0)
    assert np.array_equal(net.subnetwork(1, 2).forward(hidden), net.forward(x))
    assert net.subnetwork(0, 2).sha256 == net.sha256
    with pytest.raises(mc.NetworkError):
        net.subnetwork(1, 3)


@pytest.mark.parametrize(
    ("weights", "biases", "slopes", "message"),
    [
        ([], [], None, "at least one"),
        ([[[1.0]]], [[1.0], [2.0]], None, "1 weight arrays but 2"),
        ([[[1.0]]], [[1.0, 2.0]], None, "2 entries"),
        ([[[1.0, 2.0]], [[1.0, 2.0]]], [[0.0], [0.0]], None, "takes 2 inputs"),
        ([[[np.inf]]], [[0.0]], None, "NaN or infinite"),
        ([[[0.0]]], [[np.nan]], None, "NaN or infinite"),
        ([[["a"]]], [[0.0]], None, "real numbers"),
        ([[1.0]], [[0.0]], None, "dimension"),
        ([np.zeros((0, 2))], [[]], None, "empty shape"),
        ([[[2**60 + 1]]], [[0]], None, "exactly"),
        ([[[1.0]], [[1.0]]], [[0.0], [0.0]], [0.0, 0.0], "2 slopes"),
        ([[[1.0]], [[1.0]]], [[0.0], [0.0]], [[0.0, 0.1]], "slope0"),
    ],
)
def test_bad_networks(weights: object, biases: object, slopes: object, message: str) -> None:
    with pytest.raises(mc.NetworkError, match=message):
        mc.ReLUNetwork(weights, biases, slopes)  # type: ignore[arg-type]


def test_arrays_cannot_be_changed() -> None:
    source = np.ones((1, 1))
    net = mc.ReLUNetwork([source], [[0.0]])
    source[0, 0] = 5.0
    assert net.weights[0][0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 2.0


def test_boxes() -> None:
    assert mc.Box(0, 1).dimension is None
    assert mc.Box(0, 1).resolve(3).lo.tolist() == [0, 0, 0]
    box = mc.Box.around([0.0, 1.0], 0.25, lo=0)
    assert box.lo.tolist() == [0, 0.75]
    assert box.hi.tolist() == [0.25, 1.25]
    assert box.contains([0.25, 1.25])
    assert not box.contains([0.26, 1.0])
    assert not mc.WholeSpace().resolve(2).is_bounded
    for bad in (
        lambda: mc.Box(1, 0),
        lambda: mc.Box([0, 0], [1, 1, 1]),
        lambda: mc.Box(np.nan, 1),
        lambda: mc.Box(np.inf, np.inf),
        lambda: mc.Box("a", 1),
        lambda: mc.Box.around([0.0], -1),
        lambda: mc.Box.around([np.inf], 1),
        lambda: mc.Box([0, 0], [1, 1]).resolve(3),
        lambda: mc.Polytope([[1, 0]], [1, 2]),
        lambda: mc.Polytope([[np.nan, 0]], [1]),
        lambda: mc.Polytope([[1, 0]], [1]).resolve(3),
    ):
        with pytest.raises(mc.DomainError):
            bad()


def test_patterns() -> None:
    pattern = mc.ActivationPattern.from_layers([[1, 0, 1], [0, 1]])
    assert str(pattern) == "101|01"
    assert pattern == mc.ActivationPattern.from_bits([1, 0, 1, 0, 1], (3, 2))
    assert hash(pattern) == hash(mc.ActivationPattern.from_bits([1, 0, 1, 0, 1], (3, 2)))
    assert pattern.hamming(mc.ActivationPattern.from_layers([[1, 1, 1], [0, 0]])) == 2
    assert [layer.tolist() for layer in pattern.layers] == [[True, False, True], [False, True]]
    with pytest.raises(mc.InputError):
        mc.ActivationPattern.from_bits([1, 0], (3,))
    with pytest.raises(mc.InputError):
        pattern.hamming(mc.ActivationPattern.from_layers([[1, 1, 1, 0, 0]]))


def test_results_cannot_contradict_themselves() -> None:
    def result(lower: int, upper: int | None, end: mc.Termination) -> mc.CountResult:
        return mc.CountResult(lower, upper, "brute", mc.Definition.FULL, False, end, 0.0, "")

    huge = 2**400
    assert result(huge, huge, mc.Termination.complete()).to_json()["lower"] == str(huge)
    assert not result(1, None, mc.Termination.stopped(mc.Limit.TIME)).exact
    with pytest.raises(InvariantError):
        result(3, 2, mc.Termination.stopped(mc.Limit.TIME))
    with pytest.raises(InvariantError):
        result(2, 3, mc.Termination.complete())
    with pytest.raises(InvariantError):
        mc.Termination(mc.TerminationReason.COMPLETE, mc.Limit.TIME)
    for bad in ({"seconds": 0}, {"seconds": -1.0}, {"regions": 0}):
        with pytest.raises(mc.InputError):
            mc.Budget(**bad)


@pytest.mark.parametrize("digits", [1, 3999, 4000, 4300, 5000, 60000])
def test_decimals_of_any_size(digits: int) -> None:
    value = 7 * 10 ** (digits - 1) + 12
    text = to_decimal(value)
    assert len(text) == digits if digits > 2 else text == "19"
    assert from_decimal(text) == value


def test_the_docstring_example() -> None:
    import doctest

    assert doctest.testmod(mc).failed == 0
