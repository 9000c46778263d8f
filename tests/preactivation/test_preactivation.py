"""Bounds on pre-activations hold, and get tighter from method to method."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.preactivation import METHODS, PreactivationBounds, compute_preactivation_bounds
from tests.shared import net, random_net


def _bounds(network: mc.ReLUNetwork, domain: mc.Domain, method: str) -> PreactivationBounds:
    return compute_preactivation_bounds(CountProblem.of(network, domain), method)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["normal", "integer"]),
    slopes=st.sampled_from([None, [0.1, 0.3], [-1.0, 2.0]]),
    method=st.sampled_from(METHODS),
)
def test_no_input_leaves_the_bounds(
    seed: int, kind: str, slopes: list[float] | None, method: str
) -> None:
    rng = np.random.default_rng(seed)
    network = random_net(rng, [3, 4, 3, 1], kind, slopes)
    bounds = _bounds(network, mc.Box(-1, 1), method)
    points = rng.uniform(-1, 1, size=(400, 3))
    points[:50] = np.sign(points[:50])
    for g, lo, hi in zip(network.preactivations(points), bounds.lo, bounds.hi, strict=True):
        assert np.all(g >= lo - 1e-12)
        assert np.all(g <= hi + 1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_each_method_is_at_least_as_tight(seed: int) -> None:
    network = random_net(np.random.default_rng(seed), [3, 6, 5, 4, 1])
    widths = []
    for method in METHODS:
        bounds = _bounds(network, mc.Box(-1, 1), method)
        widths.append(
            sum(float(np.sum(h - lo)) for lo, h in zip(bounds.lo, bounds.hi, strict=True))
        )
    assert widths[0] > widths[1] > widths[2]


def test_milp_bounds_are_the_ranges() -> None:
    # g2 = relu(x) - relu(-x) + 1/4 = x + 1/4 on [-1, 1]; intervals say [-3/4, 5/4] too wide.
    network = net(([[1], [-1]], [0, 0]), ([[1, -1]], [0.25]))
    assert _bounds(network, mc.Box(-1, 1), "interval").hi[1][0] == pytest.approx(1.25)
    tight = net(([[1], [1]], [0, 0]), ([[1, -1]], [0.25]))  # relu(x) - relu(x) + 1/4
    assert _bounds(tight, mc.Box(-1, 1), "interval").lo[1][0] == pytest.approx(-0.75)
    exact = _bounds(tight, mc.Box(-1, 1), "milp")
    assert exact.lo[1][0] == pytest.approx(0.25, abs=1e-5)
    assert exact.stable_active[1].tolist() == [True]


def test_first_layer_intervals_are_outward_and_close() -> None:
    rng = np.random.default_rng(7)
    network = random_net(rng, [5, 8, 1])
    bounds = _bounds(network, mc.Box(-1, 1), "interval")
    for row, b, lo, hi in zip(
        network.weights[0].tolist(), network.biases[0].tolist(), bounds.lo[0], bounds.hi[0],
        strict=True,
    ):  # fmt: skip
        reach = sum(abs(Fraction(w)) for w in row)
        assert Fraction(float(lo)) <= Fraction(b) - reach
        assert Fraction(float(hi)) >= Fraction(b) + reach
        assert float(hi) - float(Fraction(b) + reach) < 1e-13


def test_units_that_touch_zero_are_stable() -> None:
    network = net(([[1.0], [1.0], [0.0]], [-1.0, 1.0, 0.0]))
    bounds = _bounds(network, mc.Box(-1, 1), "interval")
    assert bounds.stable_inactive[0].tolist() == [True, False, True]
    assert bounds.stable_active[0].tolist() == [False, False, False]


def test_polytopes() -> None:
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    network = net(([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [-3]))
    bounds = _bounds(network, triangle, "lp")
    assert bounds.x_lo.tolist() == [0, 0]
    assert bounds.x_hi.tolist() == [1, 1]
    assert bounds.hi[0][0] == pytest.approx(1, abs=1e-9)
    assert bounds.stable_inactive[1].tolist() == [True]
    with pytest.raises(mc.DomainError, match="unbounded"):
        _bounds(network, mc.Polytope([[-1, 0], [0, -1]], [0, 0]), "lp")


def test_unbounded_boxes_are_refused() -> None:
    network = net(([[1]], [0]))
    for domain in (mc.WholeSpace(), mc.Box(0, np.inf)):
        with pytest.raises(mc.DomainError, match="no big-M"):
            _bounds(network, domain, "interval")
    with pytest.raises(mc.InputError, match="interval, lp, milp"):
        _bounds(network, mc.Box(0, 1), "sdp")


def test_a_spent_watch_leaves_interval_bounds() -> None:
    network = random_net(np.random.default_rng(0), [3, 6, 5, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    watch = Watch(mc.Budget(seconds=1e-9))
    late = compute_preactivation_bounds(problem, "milp", watch=watch)
    plain = compute_preactivation_bounds(problem, "interval")
    assert np.array_equal(late.hi[1], plain.hi[1])
