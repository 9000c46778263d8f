"""The tree search's boundary, its stops, and its certificates' steps across processors."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError
from milpcount.kernels import native
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.machine import Machine
from milpcount.search.native_net import native_net
from tests.shared import random_net


def _net(widths: list[int]) -> native.Net:
    problem = CountProblem.of(random_net(np.random.default_rng(0), widths), mc.Box(-1, 1))
    frame = problem_frames(problem)[0]
    assert frame is not None
    return native_net(frame, problem.stages, closed=False)


def test_wrong_arguments_are_refused() -> None:
    net = _net([3, 4, 2, 1])
    search = native.TreeSearch(net, None, emit=False, record=False)
    with pytest.raises(InvariantError, match="signs"):
        search.start(np.zeros(5, np.int8), 1.0)
    with pytest.raises(InvariantError, match="signs"):
        search.start(np.full(6, 3, np.int8), 1.0)
    with pytest.raises(InvariantError, match="int8"):
        search.start(np.zeros(6), 1.0)  # type: ignore[arg-type]
    with pytest.raises(InvariantError, match="slot"):
        search.open_node(0)
    with pytest.raises(InvariantError, match="slot"):
        search.drop_node()
    with pytest.raises(InvariantError, match="verdict"):
        search.answer(7)
    with pytest.raises(InvariantError, match="relaxation"):
        search.check_cell(np.zeros((1, 4)), np.zeros(1))
    with pytest.raises(InvariantError, match="relaxation"):
        search.check_face(np.zeros((1, 4)), np.zeros(1), np.zeros((1, 3)))
    with pytest.raises(InvariantError, match="generators"):
        native.TreeSearch(net, np.full((3, 5), 2.0), emit=False, record=False)
    with pytest.raises(InvariantError, match="shape"):
        native.TreeSearch(net, np.zeros((2, 5)), emit=False, record=False)
    with pytest.raises(InvariantError, match="another network"):
        search.run_sample(native.Sample(np.zeros((1, 2), np.int64), 2, 1), 1, False)
    with pytest.raises(InvariantError, match="class_of"):
        native.Sample(np.full((1, 2), 2, np.int64), 2, 1)
    with pytest.raises(InvariantError, match="odd"):
        native.Parity(np.zeros((1, 1), np.uint64), np.full(1, 2, np.uint8))
    with pytest.raises(InvariantError, match="another network"):
        search.run_parity(native.Parity(np.zeros((1, 2), np.uint64), np.zeros(1, np.uint8)), 1, 1)


def test_kernels_of_linear_pieces_refuse_what_does_not_fit() -> None:
    parts = native.Partition(3)
    with pytest.raises(InvariantError, match="partition"):
        parts.unite(np.array([0]), np.array([3]))
    none = np.zeros(0, np.int64)
    with pytest.raises(InvariantError, match="residue"):
        native.Residues(np.array([1]), np.array([7]), none, none, np.array([0]), 7)
    one, zero = np.ones(1), np.zeros(1)
    with pytest.raises(InvariantError, match="weights"):
        native.Chain(np.array([2]), one, one, one, zero, one, np.zeros((0, 1)), np.zeros(0))


def test_a_run_stops_when_it_is_told_to() -> None:
    problem = CountProblem.of(random_net(np.random.default_rng(1), [12, 40, 40, 1]), mc.Box(-1, 1))
    frame = problem_frames(problem)[0]
    assert frame is not None
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    assert machine.start(np.zeros(problem.n_units, np.int8))
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(machine.run(2**60)))
    thread.start()
    # The interpreter is free meanwhile.
    machine._search.stop()
    thread.join()
    assert codes == [native.Stop.STEPS]
    assert machine.open_nodes()


def test_signs_from_the_start_stay_in_all_nodes() -> None:
    """Units of later layers that are given a sign are never branched on."""
    problem = CountProblem.of(random_net(np.random.default_rng(2), [3, 6, 5, 1]), mc.Box(-1, 1))
    frame = problem_frames(problem)[0]
    assert frame is not None
    machine = Machine(frame, problem.stages, closed=False, emit=True)
    signs = np.zeros(problem.n_units, np.int8)
    signs[6:] = 2
    assert machine.start(signs)
    assert machine.run(10**6) == native.Stop.DONE
    bits, _ = machine.take_leaves()
    assert (bits[:, 6:] == 1).all()
    first = mc.ReLUNetwork(
        [problem.stages[0].weight, np.ones((1, 6))], [problem.stages[0].bias, np.zeros(1)]
    )
    assert machine.regions == mc.count(first, mc.Box(-1, 1), engine="brute").lower
