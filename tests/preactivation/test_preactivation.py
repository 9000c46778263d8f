"""Bounds on pre-activations hold, and get tighter from method to method."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.bounds import bound_network
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.preactivation import METHODS, PreactivationBounds, compute_preactivation_bounds
from milpcount.preactivation.outward import affine_range
from milpcount.preactivation.proved_lp import LinearRow, ProvedLP
from tests.preactivation.oracle import exact_ranges, random_problem
from tests.shared import net, random_net
from tests.staged import random_stages, stage_values


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


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_ranges_hold_exactly_and_those_by_milp_are_close(seed: int) -> None:
    problem = random_problem(np.random.default_rng(seed))
    for method in METHODS:
        found = compute_preactivation_bounds(problem, method)
        exact = exact_ranges(problem, mc.Box(found.x_lo, found.x_hi))
        for lows, highs, layer in zip(found.lo, found.hi, exact, strict=True):
            size = max(abs(end) for ends in layer for end in ends)
            for lo, hi, (low, high) in zip(lows.tolist(), highs.tolist(), layer, strict=True):
                assert Fraction(lo) <= low
                assert Fraction(hi) >= high
                if method == "milp" and low <= 0 < high:
                    assert Fraction(hi) - Fraction(lo) <= high - low + size / 10**6


def test_a_milp_bound_below_the_range() -> None:
    """A solver's dual bound plus a safety of 1e-6 said -0.0980012; at 1 it is -0.098002."""
    network = net(([[-100], [-0.01]], [0.0001, 10]), ([[0.002, 0.0002]], [-0.1]))
    bounds = _bounds(network, mc.Box(-1, 1), "milp")
    assert bounds.lo[1][0] <= network.preactivations([1.0])[1][0] <= bounds.lo[1][0] + 1e-9


def test_an_upper_bound_below_the_count() -> None:
    """A wrong range of the third layer made its second unit stable, and 3 regions at most 2."""
    network = net(
        ([[1e-4, 1e4], [2e-4, -1e-3]], [-0.00125, -0.0175]),
        ([[0, 0], [-1e4, -2e-4], [-2e-4, -0.04], [200, 0.02]], [0, 0, 0, 200]),
        ([[-0.2, -0.2, 0.01, -0.2], [-0.004, -4000, 20000, -0.4]], [1e4, 2e4]),
    )
    problem = CountProblem.of(network, mc.Box([-1, 0], [-0.7, 2]))
    count = mc.count(network, problem.domain, engine="brute").lower
    assert count == 3
    for method in METHODS:
        upper = bound_network(network, problem=problem, preactivation=method).upper
        assert min(upper.values()) >= count


def test_no_time_left_leaves_a_proved_range() -> None:
    network = random_net(np.random.default_rng(3), [3, 6, 5, 4, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    short = compute_preactivation_bounds(problem, "milp", seconds_per_unit=0.0)
    loose = compute_preactivation_bounds(problem, "lp")
    tight = compute_preactivation_bounds(problem, "milp")
    assert all(np.all(a <= b + 1e-9) for a, b in zip(short.hi, loose.hi, strict=True))
    assert all(np.all(a >= b - 1e-6) for a, b in zip(short.hi, tight.hi, strict=True))


class TestProvedLP:
    """Bounds hold for any multipliers; an empty system is proved empty."""

    rows = (
        LinearRow(np.array([0, 1], np.int32), np.array([1.0, 1.0]), -np.inf, 1.0),
        LinearRow(np.array([0, 1], np.int32), np.array([1.0, -1.0]), 0.0, 0.0),
    )

    def lp(self) -> ProvedLP:
        lp = ProvedLP(self.rows, np.zeros(2), np.ones(2))
        lp.set_cost(np.array([1.0, 2.0]))
        return lp

    def test_the_optimum(self) -> None:
        solution = self.lp().maximize()
        assert 1.5 <= solution.bound <= 1.5 + 1e-12
        assert solution.point is not None
        assert solution.point == pytest.approx([0.5, 0.5])

    @pytest.mark.parametrize("y", [(0, 0), (1.5, 0.5), (-1, 3), (5, -7), (1e300, 1e300)])
    def test_any_multipliers_bound_it(self, y: tuple[float, float]) -> None:
        lp = self.lp()
        assert lp.bound(np.array(y, dtype=float), lp.lo, lp.hi) >= 1.5

    def test_an_empty_box_is_proved_empty(self) -> None:
        lp = self.lp()
        empty = lp.maximize(np.array([0.8, 0.0]), np.array([1.0, 1.0]))
        assert empty.bound == -np.inf
        assert empty.point is None
        # And what was infeasible does not spoil the next solve.
        assert lp.maximize().bound == pytest.approx(1.5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["dyadic", "integer"]),
    sparse=st.booleans(),
    cut=st.booleans(),
)
def test_ranges_of_stages_hold_exactly(seed: int, kind: str, sparse: bool, cut: bool) -> None:
    """Skips, sums, late readers of the input and linear units: at points, in fractions."""
    rng = np.random.default_rng(seed)
    network = random_stages(rng, 2, [3, 2, 3], kind=kind, sparse=sparse)
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [1, 1, 0.5])
    problem = CountProblem.of(network, triangle if cut else mc.Box(-1, 1), with_output=True)
    found = [compute_preactivation_bounds(problem, method) for method in METHODS]
    points = [rng.integers(-8, 9, size=2) / 8 for _ in range(25)]
    points += [np.array(p) for p in ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (0.0, 0.0))]
    for point in points:
        if cut and point.sum() > 0.5:
            continue
        values = stage_values(network, [Fraction(v) for v in point.tolist()])
        for bounds in found:
            for lows, highs, stage in zip(bounds.lo, bounds.hi, values, strict=True):
                for lo, hi, g in zip(lows.tolist(), highs.tolist(), stage, strict=True):
                    assert Fraction(lo) <= g <= Fraction(hi)
    for wide, tight in pairwise(found):
        ends = zip(wide.lo, tight.lo, tight.hi, wide.hi, tight.linear, strict=True)
        for low, lo, hi, high, linear in ends:
            # The ranges of stable units are left as they are when they are seen to be stable.
            kept = linear | ((lo <= 0) & (hi > 0))
            slack = 1e-9 * (1 + abs(low) + abs(high))
            assert np.all((low <= lo + slack) & (hi <= high + slack) | ~kept)
    assert sum(map(len, found[0].stable_active)) == sum(problem.widths)
    assert len(found[0].states) == problem.n_units


def test_a_residual_block_needs_its_skip_for_the_range() -> None:
    # g2 = relu(x) - x over [-1, 1], through a linear unit: [0, 1], where intervals say [-1, 2].
    gate = mc.ReLUGate(np.zeros(2), np.array([False, True]))
    first = mc.Stage((0,), (np.array([[1.0], [1.0]]),), np.zeros(2), gate)
    second = mc.Stage((1,), (np.array([[1.0, -1.0]]),), np.zeros(1), mc.ReLUGate(np.zeros(1)))
    output = mc.Stage((2,), (np.ones((1, 1)),), np.zeros(1), mc.LinearGate(1))
    problem = CountProblem.of(mc.ReLUNetwork.of_stages([first, second], output), mc.Box(-1, 1))
    interval, lp, milp = (compute_preactivation_bounds(problem, m) for m in METHODS)
    assert (interval.lo[1][0], interval.hi[1][0]) == pytest.approx((-1, 2))
    assert lp.hi[1][0] == pytest.approx(1)
    assert milp.lo[1][0] == pytest.approx(0, abs=1e-9)
    assert milp.states.tolist() == [-1, -1]
    assert milp.stable_active[0].tolist() == [False, False]


def test_sparse_stages_as_dense_ones() -> None:
    for seed in range(5):
        dense, sparse = (
            random_stages(np.random.default_rng(seed), 3, [4, 3, 4], sparse=stored)
            for stored in (False, True)
        )
        for method in ("interval", "lp"):
            a, b = (_bounds(network, mc.Box(-1, 1), method) for network in (dense, sparse))
            for x, y in zip((*a.lo, *a.hi), (*b.lo, *b.hi), strict=True):
                assert np.allclose(x, y, rtol=1e-12, atol=1e-12)


def test_sums_that_cancel_are_bounded_with_their_rounding() -> None:
    """1e16 + 1 - 1e16 is 1; floats say 0 or 2, in whatever order but one."""
    weight, bias = np.array([[1e16, 1.0, -1e16]]), np.array([0.0])
    for order in ([0, 1, 2], [1, 0, 2], [0, 2, 1]):
        low, high = affine_range([weight[:, order]], bias, [np.ones(3)], [np.ones(3)])
        assert low[0] <= 1 <= high[0]
        # The same with a constant so large that no end is near 0: nothing is recomputed exactly.
        low, high = affine_range([weight[:, order]], bias + 3e16, [np.ones(3)], [np.full(3, 1.0)])
        assert Fraction(float(low[0])) <= 3 * 10**16 + 1 <= Fraction(float(high[0]))
        lp = ProvedLP([], np.ones(3), np.ones(3))
        lp.set_cost(weight[0, order])
        assert lp.bound(np.zeros(0), lp.lo, lp.hi) >= 1


def test_small_terms_beside_a_large_one_are_not_lost() -> None:
    """2^53 + 4000: adding 1 at a time to 2^53 changes nothing in floats."""
    for place in (0, 1999, 4000):
        weight = np.ones((1, 4001))
        weight[0, place] = 2.0**53
        ones = np.ones(4001)
        for matrix in (weight, mc.SparseMatrix.of(weight)):
            low, high = affine_range([matrix], np.zeros(1), [ones], [ones])
            assert Fraction(float(low[0])) <= 2**53 + 4000 <= Fraction(float(high[0]))


def test_multipliers_that_cancel_are_bounded_with_their_rounding() -> None:
    # Rows x <= 1 with multipliers of 1e16, -1e16: the reduced cost 1 is lost in floats.
    row = [LinearRow(np.array([0], np.int32), np.array([v]), 0.0, 0.0) for v in (1e16, 1.0, -1e16)]
    lp = ProvedLP(row, np.zeros(1), np.ones(1))
    lp.set_cost(np.array([2.0]))
    # cost - y A = 2 - (1e16 + 1 - 1e16) = 1, so the bound is 1 + 0.
    for y in ([1.0, 1.0, 1.0], [1.0, -1.0, 1.0]):
        true = 2 - (Fraction(10**16) + Fraction(y[1]) - 10**16)
        assert Fraction(lp.bound(np.array(y), lp.lo, lp.hi)) >= true
