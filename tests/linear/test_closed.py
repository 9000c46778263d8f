"""Closed pieces and affine maps: by hand, against two oracles, and under limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.linear import LinearPieces, closed, merge_closed, merge_linear
from milpcount.linear.facet_slices import FacetSlices
from milpcount.linear.vertex_slices import VertexSlices
from tests.linear.oracle import oracle_closed
from tests.linear.pieces_on_a_line import numbers_on_a_line
from tests.linear.problems import full_regions
from tests.shared import net

# max(-h, min(h, y)) with h = max(1 - |x|, 0): zero where |x| >= 1, and on the segment between.
BOW = net(
    ([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0]),
    ([[-1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [1, 0, 0]),
    ([[1, -1, 1], [1, 0, 0]], [0, 0]),
    ([[-1, 2], [0, 1]], [0, 0]),
    ([[1, -1]], [0]),
    output=True,
)
# max(min(x, y), 0) - max(min(-x, -y), 0): the maps 0, x and y, each on two cones that touch in 0.
QUADRANTS = net(
    ([[1, 0], [-1, 0], [1, -1], [-1, 1]], [0, 0, 0, 0]),
    ([[1, -1, -1, 0], [-1, 1, 0, -1]], [0, 0]),
    ([[1, -1]], [0]),
    output=True,
)
# max(1 - |x|, 0): zero on both sides.
HAT = net(([[1], [-1]], [0, 0]), ([[-1, -1]], [1]), ([[1]], [0]), output=True)


def _numbers(network: mc.ReLUNetwork, domain: Domain) -> list[int]:
    return [mc.count(network, domain, definition=d).lower for d in ("linear", "closed", "affine")]


@pytest.mark.parametrize("whole", [False, True])
def test_by_hand(whole: bool) -> None:
    domain = mc.WholeSpace() if whole else mc.Box(-3, 3)
    assert _numbers(BOW, domain) == [7, 6, 6]
    assert _numbers(HAT, domain) == [4, 4, 3]
    assert _numbers(QUADRANTS, domain) == [6, 3, 3]


def test_the_domain_may_take_the_connection_away() -> None:
    """Below the segment nothing connects the two zero sets."""
    assert _numbers(BOW, mc.Box([-3, -3], [3, -0.5])) == [5, 5, 4]
    assert _numbers(BOW, mc.Box([-3, -3], [3, 0])) == [5, 4, 4]
    assert _numbers(BOW, mc.Box([-np.inf, -3], [3, 0])) == [5, 4, 4]


def test_slices_polytopes_and_fixed_inputs() -> None:
    plane = mc.Slice.plane([-3, -3], [3, -3], [-3, 3])
    assert _numbers(BOW, plane) == [7, 6, 6]
    octagon = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]])
    assert _numbers(BOW, mc.Polytope(octagon, [3.0] * 4 + [4.0] * 4)) == [7, 6, 6]
    fixed = mc.Box([-3, 0.5], [3, 0.5])
    assert _numbers(BOW, fixed) == [5, 5, 4]


def test_several_outputs_meet_only_where_all_do() -> None:
    """The second output tells the two zero sets of the bow apart, or leaves them one."""
    weight = BOW.output.weight
    stages = list(zip(BOW.weights[:-1], BOW.biases[:-1], strict=True))
    same = net(*stages, (np.vstack([weight, 2 * weight]), [0, 1]), output=True)
    assert _numbers(same, mc.Box(-3, 3)) == _numbers(same, mc.WholeSpace()) == [7, 6, 6]
    # |x| + |y| beside it: on the segment it is not what it is outside.
    first = np.vstack([np.eye(2), -np.eye(2)])
    other = net((first, [0] * 4), ([[1, 1, 1, 1], [0, 1, 0, 1]], [0, 0]), output=True)
    assert _numbers(other, mc.Box(-1, 1)) == [4, 4, 4]


def test_stages_that_read_older_ones() -> None:
    """The bow with y as a linear unit that two later stages read."""
    one, zero = np.ones((1, 1)), np.zeros(1)
    relu = mc.ReLUGate(np.zeros(1))
    first = mc.Stage(
        (0,), (np.eye(2),), np.zeros(2), mc.ReLUGate(np.array([-1.0, 1.0]), np.array([False, True]))
    )
    height = mc.Stage((1,), (np.array([[-1.0, 0.0]]),), np.ones(1), relu)
    below = mc.Stage((1, 2), (np.array([[0.0, -1.0]]), one), zero, relu)
    above = mc.Stage((2, 3), (2 * one, -one), zero, relu)
    bow = mc.ReLUNetwork.of_stages(
        [first, height, below, above], mc.Stage((2, 4), (-one, one), zero, mc.LinearGate(1))
    )
    for domain in (mc.Box(-3, 3), mc.WholeSpace()):
        assert _numbers(bow, domain) == [7, 6, 6]
        _both_ways(CountProblem.of(bow, domain))


def test_two_outputs_that_meet_inside_a_facet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bows in (x, y) and in (x, z): both are zero on a segment that meets no edge of a region."""
    one, zero, relu = np.ones((1, 1)), np.zeros(2), mc.ReLUGate(np.zeros(2))
    gate = mc.ReLUGate(np.array([-1.0, 1.0, 1.0]), np.array([False, True, True]))
    first = mc.Stage((0,), (np.eye(3),), np.zeros(3), gate)
    height = mc.Stage((1,), (np.array([[-1.0, 0, 0]]),), np.ones(1), mc.ReLUGate(np.zeros(1)))
    below = mc.Stage((1, 2), (-np.eye(3)[1:], np.vstack([one, one])), zero, relu)
    above = mc.Stage((2, 3), (2 * np.vstack([one, one]), -np.eye(2)), zero, relu)
    output = mc.Stage((2, 4), (-np.vstack([one, one]), np.eye(2)), zero, mc.LinearGate(2))
    bows = mc.ReLUNetwork.of_stages([first, height, below, above], output)
    found: list[bool] = []
    holds_zero = VertexSlices._holds_zero

    def recorded(slices: VertexSlices, facet: int, affine: object) -> bool:
        found.append(holds_zero(slices, facet, affine))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(VertexSlices, "_holds_zero", recorded)
    linear, closed, affine = _numbers(bows, mc.Box(-3, 3))
    # Zero on both sides; else x < 0 or x > 0, and three parts of each bow but for both middles.
    assert (linear, closed, affine) == (2 + 2 * 8 + 1, 1 + 2 * 8 + 1, 1 + 2 * 8 + 1)
    assert any(found)
    _both_ways(CountProblem.of(bows, mc.WholeSpace()))


def _both_ways(problem: CountProblem) -> tuple[LinearPieces, LinearPieces]:
    """Open and closed pieces; the latter by vertices (where they can be had) and by programmes."""
    bits = full_regions(problem)
    pieces = merge_linear(problem, bits, Watch(), Outcome())
    got = merge_closed(problem, bits, pieces, Watch(), Outcome())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            closed,
            "_slices",
            lambda p, circuit, b, watch, outcome: FacetSlices(circuit, b, outcome),
        )
        again = merge_closed(problem, bits, pieces, Watch(), Outcome())
    assert got.finished
    assert again.finished
    assert again.labels.tolist() == got.labels.tolist()
    return pieces, got


def _folded(rng: np.random.Generator) -> CountProblem:
    """Small integers and absolute values: maps that come back elsewhere, zeros that touch."""
    n, depth = int(rng.choice([1, 2, 2, 3])), int(rng.integers(2, 4))
    outputs = int(rng.choice([1, 1, 2]))
    widths = [n, *rng.integers(2, 5, size=depth).tolist(), outputs]
    weights = [
        rng.integers(-1 - (k == 1), 2 + (k == 1), size=(b, a)).astype(float)
        for k, (a, b) in enumerate(itertools.pairwise(widths))
    ]
    biased = rng.random() < 0.5
    biases = [(rng.integers(-1, 2, size=b) * biased).astype(float) for b in widths[1:]]
    biases[-2] = rng.integers(-2, 2, size=widths[-2]).astype(float)
    slopes = [np.full(widths[1], -1.0), *[np.zeros(w) for w in widths[2:-1]]]
    sides = np.vstack([np.eye(n), -np.eye(n), rng.integers(-2, 3, size=(2, n))])
    right = np.concatenate([np.full(2 * n, 2.0), rng.integers(1, 3, size=2)])
    domains: list[Domain] = [
        mc.WholeSpace(),
        mc.Box(-2, 2),
        mc.Box([-np.inf, *[-1.0] * (n - 1)], [2.0] * n),
        mc.Polytope(sides, right),
    ]
    domain = domains[int(rng.integers(4))]
    network = mc.ReLUNetwork(weights, biases, slopes)
    return CountProblem.of(network, domain, with_output=bool(rng.random() < 0.3))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_oracle_on_degenerate_networks(seed: int) -> None:
    problem = _folded(np.random.default_rng(seed))
    if mc.count(problem.network, problem.domain, with_output=problem.with_output).lower > 16:
        return
    pieces, got = _both_ways(problem)
    roots = oracle_closed(problem, full_regions(problem))
    order = {root: k for k, root in enumerate(dict.fromkeys(roots))}
    assert got.labels.tolist() == [order[root] for root in roots]
    assert pieces.maps == got.maps <= got.count <= pieces.count


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_oracle_on_a_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = [
        1,
        *rng.integers(2, 6, size=int(rng.integers(1, 4))).tolist(),
        int(rng.integers(1, 3)),
    ]
    weights = [rng.integers(-2, 3, size=(b, a)) for a, b in itertools.pairwise(widths)]
    biases = [rng.integers(-2, 3, size=b) for b in widths[1:]]
    slopes = [rng.choice([0, 0, -1], size=w) for w in widths[1:-1]]
    network = mc.ReLUNetwork(weights, biases, slopes)
    want = numbers_on_a_line(network, -3, 3)
    for definition, number in want.items():
        assert mc.count(network, mc.Box(-3, 3), definition=definition).lower == number


def test_the_two_ways_agree_where_much_is_joined() -> None:
    joined = 0
    rng = np.random.default_rng(5)
    for _ in range(12):
        problem = _folded(rng)
        if mc.count(problem.network, problem.domain, with_output=problem.with_output).lower < 60:
            pieces, got = _both_ways(problem)
            joined += got.count < pieces.count
    assert joined >= 1


def test_limits_give_intervals() -> None:
    box = mc.Box(-3, 3)
    for definition in ("closed", "affine"):
        part = mc.count(BOW, box, definition=definition, budget=mc.Budget(regions=5))
        assert part.lower <= 6 <= (part.upper or 6)
        assert not part.exact
    problem = CountProblem.of(BOW, box)
    bits = full_regions(problem)
    pieces = merge_linear(problem, bits, Watch(), Outcome())
    watch = Watch(mc.Budget(seconds=1e-9))
    stopped = merge_closed(problem, bits, pieces, watch, Outcome())
    assert (stopped.lower, stopped.upper, stopped.finished) == (6, 7, False)


def test_regions_that_are_not_all_are_refused() -> None:
    problem = CountProblem.of(QUADRANTS, mc.Box(-1, 1))
    bits = full_regions(problem)
    pieces = merge_linear(problem, bits, Watch(), Outcome())
    wrong = bits.copy()
    wrong[0] = 1 - wrong[0]
    with pytest.raises(InvariantError, match="not the regions"):
        merge_closed(problem, wrong, pieces, Watch(), Outcome())
