"""Linear pieces against an oracle, by hand, and under limits."""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.linear import LinearPieces, merge, merge_linear
from tests.linear.oracle import oracle_pieces
from tests.linear.problems import full_regions, random_problem
from tests.shared import Case, data_folder, hand_cases, net, random_net, whole_space_cases


def _pieces(problem: CountProblem, outcome: Outcome | None = None) -> LinearPieces:
    return merge_linear(problem, full_regions(problem), Watch(), outcome or Outcome())


def _numbered(labels: list[int]) -> list[int]:
    """Labels in the order of first appearance."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


def _check(problem: CountProblem) -> LinearPieces:
    bits = full_regions(problem)
    pieces = merge_linear(problem, bits, Watch(), Outcome())
    labels, maps = oracle_pieces(problem, bits)
    assert pieces.finished
    assert pieces.labels.tolist() == _numbered(labels)
    assert pieces.maps == maps
    assert pieces.lower == pieces.upper == pieces.count == len(set(labels))
    return pieces


@pytest.mark.parametrize("with_output", [False, True])
@pytest.mark.parametrize("case", hand_cases(), ids=str)
def test_oracle_on_hand_cases(case: Case, with_output: bool) -> None:
    _check(CountProblem.of(case.net, case.domain, with_output=with_output))


@pytest.mark.parametrize("rays", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_oracle_on_random_networks(seed: int, rays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With rays the floating-point proofs do what they can; without, linear programmes do all."""
    monkeypatch.setattr(merge, "_MANY", 2 if rays else 10**9)
    rng = np.random.default_rng((seed, 20))
    merged = 0
    tried = 0
    for _ in range(25):
        problem = random_problem(rng)
        if len(full_regions(problem)) > 45:  # the oracle looks at all pairs
            continue
        pieces = _check(problem)
        tried += 1
        merged += len(pieces.labels) > pieces.count
    assert tried >= 15
    assert merged >= 5


@pytest.mark.parametrize("case", hand_cases() + whole_space_cases(), ids=str)
def test_a_constant_function_has_one_piece(case: Case) -> None:
    """The output weights are 0; the regions of a convex set hang together by facets."""
    if not case.net.depth:
        return
    pieces = _pieces(CountProblem.of(case.net, case.domain))
    assert (pieces.count, pieces.maps) == (1, 1)
    assert len(pieces.labels) == case.full


def test_equal_maps_that_do_not_touch() -> None:
    """relu(1 - |x|): zero on both sides, two slopes; with a ReLU on the output nothing changes."""
    hat = net(([[1], [-1]], [0, 0]), ([[-1, -1]], [1]), ([[1]], [0]), output=True)
    for with_output in (False, True):
        pieces = _pieces(CountProblem.of(hat, mc.Box(-3, 3), with_output=with_output))
        assert (pieces.count, pieces.maps) == (4, 3)


def test_one_unit_apart_and_no_neighbours() -> None:
    """1 - |x| = 1 + (x + 9) - 9 - 2 relu(x) after a ReLU: both zero pieces differ in one unit."""
    hat = net(([[1], [1]], [9, 0]), ([[1, -2]], [-8]), ([[1]], [0]), output=True)
    problem = CountProblem.of(hat, mc.Box(-3, 3))
    assert full_regions(problem)[:, [0, 2]].tolist().count([1, 0]) == 2
    outcome = Outcome()
    pieces = _pieces(problem, outcome)
    assert (pieces.count, pieces.maps) == (4, 3)
    assert outcome.statistics["facet_tests"] == 1


def test_an_output_relu_joins_what_it_cuts_off() -> None:
    """|x| - 1 has two pieces; after a ReLU it has three, the middle one of two regions."""
    vee = net(([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), output=True)
    assert _pieces(CountProblem.of(vee, mc.Box(-3, 3))).count == 2
    pieces = _pieces(CountProblem.of(vee, mc.Box(-3, 3), with_output=True))
    assert (len(pieces.labels), pieces.count) == (4, 3)


def test_units_that_cancel() -> None:
    """relu(x) - relu(-x) = x: two regions, two keys, one map, found equal by exact arithmetic."""
    identity = net(([[1], [-1]], [0, 0]), ([[1, -1]], [0]), output=True)
    pieces = _pieces(CountProblem.of(identity, mc.WholeSpace()))
    assert pieces.labels.tolist() == [0, 0]


def test_maps_that_differ_by_a_hair_stay_apart() -> None:
    """relu(x) - (1 - 2^-52) relu(-x) is not affine."""
    bent = net(([[1], [-1]], [0, 0]), ([[1, -1 + 2.0**-52]], [0]), output=True)
    assert _pieces(CountProblem.of(bent, mc.Box(-1, 1))).count == 2


def test_maps_are_compared_on_the_fixed_coordinates() -> None:
    """relu(x + y) - relu(-x - y) + relu(y - 1) at y = 1/2: an affine function of x."""
    weights = ([[1, 1], [-1, -1], [0, 1]], [0, 0, -1])
    flat = net(weights, ([[1, -1, 1]], [0]), output=True)
    assert _pieces(CountProblem.of(flat, mc.Box([-2, 0.5], [2, 0.5]))).count == 1
    assert _pieces(CountProblem.of(flat, mc.Box([-2, 0.5], [2, 2]))).count == 2


def test_no_units_and_no_free_coordinate() -> None:
    line = mc.ReLUNetwork([[[1.0]]], [[0.0]])
    pieces = _pieces(CountProblem.of(line, mc.Box(-1, 1)))
    assert (pieces.count, pieces.maps, pieces.finished) == (1, 1, True)
    assert _pieces(CountProblem.of(line, mc.Box(-1, 1), with_output=True)).count == 2
    point = net(([[1], [1]], [0, 1]))
    with pytest.raises(mc.DomainError, match="single point"):
        _pieces(CountProblem.of(point, mc.Box(0.5, 0.5)))


def test_gol_demo() -> None:
    """30 full regions and 28 maps are published; the oracle says 29 pieces."""
    network = mc.load_network(data_folder() / "networks" / "gol_demo_8_nodes.npz")
    pieces = _check(CountProblem.of(network, mc.WholeSpace()))
    assert (len(pieces.labels), pieces.maps, pieces.count) == (30, 28, 29)


def test_large_classes_are_merged_by_rays() -> None:
    """A convex set of regions: where a ReLU cuts an affine function of one hidden layer off."""
    rng = np.random.default_rng(5)
    network = random_net(rng, [3, 9, 1])
    network = mc.ReLUNetwork(network.weights, [network.biases[0], [-100.0]])
    outcome = Outcome()
    pieces = _pieces(CountProblem.of(network, mc.Box(-1, 1), with_output=True), outcome)
    assert (pieces.count, pieces.maps) == (1, 1)
    assert outcome.statistics["merged_by_rays"] > 0.9 * (len(pieces.labels) - 1)


@pytest.mark.parametrize("checks", range(0, 60, 3))
def test_a_limit_gives_an_interval(checks: int) -> None:
    class Stopping(Watch):
        left = checks

        def exceeded(self) -> mc.Termination | None:
            self.left -= 1
            return self.stop(mc.Limit.TIME) if self.left < 0 else None

    rng = np.random.default_rng(11)
    problem = CountProblem.of(random_net(rng, [2, 6, 4, 1], "integer"), mc.Box(-2, 2))
    bits = full_regions(problem)
    exact = merge_linear(problem, bits, Watch(), Outcome())
    assert exact.count < len(bits)
    pieces = merge_linear(problem, bits, Stopping(), Outcome())
    assert 1 <= pieces.lower <= exact.count <= pieces.upper <= len(bits)
    assert pieces.count == len(set(pieces.labels.tolist()))
    if pieces.finished:
        assert pieces.labels.tolist() == exact.labels.tolist()


def test_the_order_of_the_regions_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    problem = CountProblem.of(random_net(rng, [2, 6, 4, 1], "integer"), mc.Box(-2, 2))
    bits = full_regions(problem)
    order = rng.permutation(len(bits))
    one = merge_linear(problem, bits, Watch(), Outcome()).labels[order]
    other = merge_linear(problem, bits[order], Watch(), Outcome()).labels
    assert _numbered(one.tolist()) == other.tolist()


def test_bad_lists_are_refused() -> None:
    problem = CountProblem.of(net(([[1], [1]], [0, 1])), mc.Box(-2, 2))
    bits = full_regions(problem)
    with pytest.raises(InvariantError, match="shape"):
        merge_linear(problem, bits[:, :1], Watch(), Outcome())
    with pytest.raises(InvariantError, match="twice"):
        merge_linear(problem, np.vstack([bits, bits]), Watch(), Outcome())


def test_pieces_that_touch_in_a_point_are_two() -> None:
    """Open sets are what is connected: two of the six full regions have one map, and a point."""
    network = mc.ReLUNetwork(
        [[[-1, -1], [1, 0], [0, -1]], [[-1, 1, 1]], [[1]]], [[0, 0, 0], [1], [0]]
    )
    result = mc.count(network, mc.Box(-1, 1), definition="linear")
    assert (result.lower, result.upper) == (6, 6)
    maps = set()
    for region in mc.enumerate_regions(network, mc.Box(-1, 1)):
        matrix, constant = region.affine_map()
        maps.add((*matrix.ravel().tolist(), *constant.tolist()))
    assert len(maps) == 5
