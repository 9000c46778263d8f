"""The last layer counted without branching, against the enumeration of its regions."""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.kernels import native
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.machine import Machine
from tests.shared import random_net

CASES = [
    # Few inputs, many inputs; layers that are wide, narrow, of one unit.
    [4, 6, 3, 1],
    [6, 8, 5, 1],
    [24, 6, 4, 1],
    [24, 4, 3, 5, 1],
    [3, 5, 1, 9, 1],
    [20, 6, 1, 9, 1],
]


def enumerated(network: mc.ReLUNetwork, domain: mc.Domain, definition: str) -> int:
    """The regions one by one: nothing is left out where the regions themselves are wanted."""
    found = mc.enumerate_regions(network, domain, engine="tree", definition=definition)
    return sum(1 for _ in found)


@pytest.mark.parametrize("widths", CASES, ids=str)
@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_as_many_as_are_enumerated(widths: list[int], kind: str, definition: str) -> None:
    for seed in range(2):
        network = random_net(np.random.default_rng(seed), widths, kind)
        result = mc.count(network, mc.Box(-1, 1), engine="tree", definition=definition)
        assert result.exact
        assert result.lower == enumerated(network, mc.Box(-1, 1), definition)


@pytest.mark.parametrize("widths", [c for c in CASES if c != [3, 5, 1, 9, 1]], ids=str)
def test_most_regions_are_counted_together(widths: list[int]) -> None:
    network = random_net(np.random.default_rng(1), widths)
    result = mc.count(network, mc.Box(-1, 1), engine="tree")
    assert result.statistics["regions_by_flats"] > result.lower / 3


def test_units_through_one_line_are_not_in_general_position() -> None:
    """Three planes through a line meet in a point of the cell and have six regions, not eight."""
    weight = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    network = mc.ReLUNetwork([weight, np.ones((1, 3))], [np.zeros(3), np.zeros(1)])
    assert mc.count(network, mc.Box(-1, 1), engine="tree").lower == 6


def test_equal_breakpoints_on_a_line() -> None:
    """Units with one breakpoint count once; a hair apart they make a region between them."""
    counts = []
    for gap in (0.0, 2.0**-50):
        network = mc.ReLUNetwork(
            [
                np.array([[1.0, 1.0], [1.0, -1.0]]),
                np.array([[1.0, 0.0]]),
                np.ones((3, 1)),
                np.ones((1, 3)),
            ],
            [np.zeros(2), np.zeros(1), np.array([-0.5, -0.5 + gap, -3.0]), np.zeros(1)],
        )
        full = mc.count(network, mc.Box(-1, 1), engine="tree")
        assert full.lower == mc.count(network, mc.Box(-1, 1), engine="brute").lower
        counts.append(full.lower)
    assert counts == [6, 8]


def test_flats_need_fewer_proofs_than_regions() -> None:
    """Many inputs: faces are counted, and only the largest of them have a witness."""
    for seed, widths in enumerate(([30, 7, 5, 6, 1], [40, 9, 8, 1], [25, 6, 3, 4, 4, 1])):
        network = random_net(np.random.default_rng(seed), widths)
        result = mc.count(network, mc.Box(-1, 1), engine="tree")
        counted, proofs = (
            result.statistics[k] for k in ("regions_by_flats", "flats_with_a_witness")
        )
        assert counted > result.lower / 2
        assert 0 < proofs < 0.7 * counted
        assert result.lower == enumerated(network, mc.Box(-1, 1), "full")


def test_flats_behind_leaky_units() -> None:
    """Inactive units pass something on, of either sign."""
    for seed, slopes in enumerate(([0.5, 0.25, 0.0], [-0.5, 0.1, 0.3], [0.0, -1.0, 0.5])):
        network = random_net(np.random.default_rng(seed), [24, 5, 4, 5, 1], "normal", slopes)
        result = mc.count(network, mc.Box(-1, 1), engine="tree")
        assert result.statistics["regions_by_flats"] > 0
        assert result.lower == enumerated(network, mc.Box(-1, 1), "full")


def test_flats_with_dependent_normals_are_not_counted() -> None:
    """Three units of the second layer through one line, two equal ones, two parallel ones."""
    first = np.random.default_rng(2).uniform(0.5, 1.0, size=(3, 12))
    first[:, 1::2] *= -1.0
    for rows, bias in (
        ([[1, -1, 0], [0, 1, -1], [1, 0, -1]], [0, 0, 0]),
        ([[1, -1, 1], [2, -2, 2], [1, 0, -1]], [0.25, 0.5, 0]),
        ([[1, -1, 1], [1, -1, 1], [1, 0, -1]], [0.25, 0.5, 0]),
    ):
        network = mc.ReLUNetwork(
            [first, np.array(rows, dtype=float), np.ones((1, 3))],
            [np.zeros(3), np.array(bias), np.zeros(1)],
        )
        counted = mc.count(network, mc.Box(-1, 1), engine="tree").lower
        assert counted == mc.count(network, mc.Box(-1, 1), engine="brute").lower


def finish(machine: Machine, limit: int) -> None:
    """Search on in portions."""
    while (code := machine.run(limit)) != native.Stop.DONE:
        assert code == native.Stop.STEPS


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_stops_on_the_way_change_nothing(limit: int) -> None:
    """What is known of a cell is of no use in the next, also after a stop in the middle."""
    network = random_net(np.random.default_rng(5), [30, 6, 4, 5, 1])
    truth = mc.count(network, mc.Box(-1, 1), engine="tree").lower
    problem = CountProblem.of(network, mc.Box(-1, 1))
    frame = problem_frames(problem)[0]
    assert frame is not None
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    assert machine.start(np.zeros(problem.n_units, np.int8))
    finish(machine, limit)
    assert machine.regions == truth
    # Again, with the memory that it has, from the nodes that an interrupted search leaves.
    assert machine.start(np.zeros(problem.n_units, np.int8))
    before = machine.regions
    machine.run(100 * limit)
    nodes = machine.open_nodes()
    for signs, share in nodes:
        assert machine.start(signs, share)
        finish(machine, limit)
    assert machine.regions - before == truth
