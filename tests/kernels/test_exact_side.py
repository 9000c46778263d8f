"""Sides that only touch a cell, decided natively: against rational linear programming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from flint import fmpz
from numpy.typing import NDArray

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.exact.feasibility import decide
from milpcount.exact.forms import exact_box
from milpcount.exact.tree import ExactTree
from milpcount.kernels import native
from milpcount.search.frames.problem_frames import problem_frames, root_signs, sign_walls
from milpcount.search.long_frame import long_frame
from milpcount.search.machine import Machine
from tests.shared import random_net

Float = NDArray[np.float64]


def test_residues_are_modulo_primes() -> None:
    primes = [int(p) for p in native.residue_primes()]
    assert len(set(primes)) == 64
    assert all(2**61.999 < p < 2**62 and fmpz(p).is_prime() for p in primes)


def is_empty(problem: CountProblem, signs: NDArray[np.int8]) -> bool:
    """Whether a cell is, by the rational simplex alone."""
    tree = ExactTree(problem, Watch(), Outcome())
    node = tree.node(signs)
    rows = [named.row for named in node.rows]
    return decide(rows, exact_box(problem)).witness is None


def verdicts(problem: CountProblem) -> Iterator[tuple[bool, bool]]:
    """Of every side in doubt: whether it is empty, and whether the kernel says so in integers.

    The search begins anew for each of them, and the sides before are settled in rationals.
    """
    frames = problem_frames(problem)
    closed = problem.definition is Definition.NONEMPTY
    for frame in range(len(frames)):
        walls = frames.walls(frame)
        answers: list[native.Verdict] = []
        while True:
            built = frames[frame]
            assert built is not None
            machine = Machine(built, problem.stages, closed, emit=False)
            assert machine.start(root_signs(problem, walls))
            for answer in answers:
                while machine.run(10**6) == native.Stop.DOUBT_NODE:
                    machine.pop_node()
                machine.answer(answer)
            while (code := machine.run(10**6)) == native.Stop.DOUBT_NODE:
                machine.pop_node()
            if code == native.Stop.DONE:
                break
            side = machine.doubt()
            empty = is_empty(problem, sign_walls(walls, side.copy()))
            answers.append(native.Verdict.EMPTY if empty else native.Verdict.SETTLED)
            assert machine.prove_exactly()
            same = machine.run(1) == native.Stop.DOUBT_SIDE and (machine.doubt() == side).all()
            yield empty, not same


def touching(kind: str, seed: int, definition: str) -> CountProblem:
    """A network whose hyperplanes touch cells, or pass them by less than floats can tell."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, size=(3, 2)).astype(float)
    right = rng.integers(-1, 2, size=3).astype(float)
    mixed = rng.integers(-2, 3, size=(3, 3)).astype(float)
    if kind == "small":
        rows += 2.0**-40 * rng.integers(-1, 2, size=rows.shape)
        right += 2.0**-40 * rng.integers(-1, 2, size=3)
    elif kind == "near":
        right += 2.0**-60 * rng.integers(-1, 2, size=3)
        mixed[:, 0] /= 3
    factor = {"copies": 3.0, "thirds": 1 / 3, "small": 2.0**-40, "near": 1.0}[kind]
    weights = [np.vstack([rows, factor * rows]), np.hstack([mixed, -mixed]), np.ones((1, 3))]
    biases = [np.hstack([right, factor * right]), rng.integers(-1, 2, size=3), np.zeros(1)]
    network = mc.ReLUNetwork(weights, [np.asarray(b, dtype=float) for b in biases])
    return CountProblem.of(network, mc.Box(-1, 1), definition=definition)


@pytest.mark.parametrize("kind", ["copies", "thirds"])
def test_of_full_sides_all_that_are_empty_are_found(kind: str) -> None:
    found = [v for seed in range(4) for v in verdicts(touching(kind, seed, "full"))]
    assert found
    assert all(empty == native_says for empty, native_says in found)


@pytest.mark.parametrize(
    ("kind", "definition"),
    [("copies", "nonempty"), ("small", "full"), ("small", "nonempty"), ("near", "nonempty")],
)
def test_no_side_with_a_point_is_said_to_be_empty(kind: str, definition: str) -> None:
    found = [v for seed in range(5) for v in verdicts(touching(kind, seed, definition))]
    assert any(says for _, says in found)
    assert any(not empty for empty, _ in found)
    assert all(empty for empty, says in found if says)


def one_layer(rows: list[list[float]], right: list[float]) -> mc.ReLUNetwork:
    width = len(rows)
    return mc.ReLUNetwork([np.array(rows), np.ones((1, width))], [np.array(right), np.zeros(1)])


@pytest.mark.parametrize(
    ("right", "regions"),
    [
        (0.0, 2),  # a copy
        (-(2.0**-70), 3),  # 0 < x - y < 2^-70
        (2.0**-70, 3),
    ],
)
def test_a_strip_below_what_floats_can_tell(right: float, regions: int) -> None:
    network = one_layer([[1.0, -1.0], [1.0, -1.0]], [0.0, right])
    result = mc.count(network, mc.Box(-1, 1), engine="tree")
    assert (result.lower, result.exact) == (regions, True)
    assert result.statistics["decided_by_exact_multipliers"] > 0
    assert (result.statistics.get("doubts", 0) > 0) == (regions == 3)


def test_multipliers_that_are_zero_and_sums_of_rows() -> None:
    # The third unit is the sum of the others: on the cell where both are positive its multipliers
    # are theirs; the fourth is zero in a corner, with multipliers of two sides of the square.
    network = one_layer([[1.0, 0.5], [0.5, 1.0], [1.5, 1.5], [1.0, 1.0]], [0.0, 0.0, 0.0, -2.0])
    for definition in ("full", "nonempty"):
        tree, brute = (
            mc.count(network, mc.Box(-1, 1), engine=engine, definition=definition)
            for engine in ("tree", "brute")
        )
        assert (tree.lower, tree.exact) == (brute.lower, True)
        assert tree.statistics["decided_by_exact_multipliers"] > 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_forms_follow_the_path(seed: int) -> None:
    network = random_net(np.random.default_rng(seed), [3, 5, 4, 4, 1], "integer")
    tree, highs = (mc.count(network, mc.Box(-1, 1), engine=e) for e in ("tree", "tree-highs"))
    assert (tree.lower, tree.exact) == (highs.lower, True)
    assert tree.statistics["decided_by_exact_multipliers"] > 10
    assert tree.statistics.get("doubts", 0) == 0


def test_units_that_are_constant_on_the_inputs_but_not_on_the_cube() -> None:
    # Two copies among the first units: in their cube the second layer's difference is no constant.
    rng = np.random.default_rng(0)
    row = rng.normal(size=12)
    first = np.vstack([row, row, rng.normal(size=12)])
    second = np.array([[1.0, -1.0, 0.0], [-3.0, 3.0, 0.0], [1.0, 1.0, -1.0]])
    network = mc.ReLUNetwork(
        [first, second, np.ones((1, 3))], [np.zeros(3), np.zeros(3), np.zeros(1)]
    )
    for definition in ("full", "nonempty"):
        patterns = [
            {
                r.pattern
                for r in mc.enumerate_regions(
                    network, mc.Box(-1, 1), engine=engine, definition=definition
                )
            }
            for engine in ("tree", "tree-highs")
        ]
        assert patterns[0] == patterns[1]


def test_what_does_not_fit_is_refused() -> None:
    problem = touching("copies", 0, "full")
    frame = problem_frames(problem)[0]
    assert frame is not None
    integers = long_frame(frame)
    assert integers is not None
    machine = Machine(frame, problem.stages, closed=False, emit=False)
    prove = machine._search.prove_exactly
    for name in ("first", "one", "domain"):
        with pytest.raises(InvariantError, match=name):
            prove(**{**integers._asdict(), name: np.zeros((9, 3, 1), np.uint64)})
        with pytest.raises(InvariantError, match=name):
            prove(**{**integers._asdict(), name: np.zeros(3)})
    with pytest.raises(InvariantError, match="factor"):
        prove(**{**integers._asdict(), "one": np.zeros_like(integers.one)})
    with pytest.raises(InvariantError, match="shift"):
        prove(**{**integers._asdict(), "shift": -1})
    prove(*integers)
