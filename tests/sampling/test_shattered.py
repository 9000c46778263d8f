"""Units that take all combinations of their states, against exact counts of patterns."""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.sampling.shattered import shattered_units
from tests.shared import net, random_net

BOX = mc.Box(-1, 1)


@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("seed", range(12))
def test_no_more_than_there_are(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    network = random_net(rng, [n, width, 3, 1], kind)
    for definition in ("full", "nonempty"):
        units = shattered_units(CountProblem.of(network, BOX, definition=Definition(definition)))
        exact = mc.count(network, BOX, engine="brute", definition=definition)
        assert 1 << units <= exact.lower
        assert units <= min(n, width)


def test_as_many_as_inputs() -> None:
    """Planes in general position through one inner point shatter it; beside the box they do not."""
    rng = np.random.default_rng(1)
    weights, point = rng.normal(size=(6, 4)), np.array([0.2, -0.1, 0.4, 0.3])
    for inside, most in ((True, 4), (False, 3)):
        at = point if inside else 30 * point
        network = net((weights, -weights @ at), (np.ones((1, 6)), [0.0]))
        units = shattered_units(CountProblem.of(network, BOX))
        assert units == 4 if inside else units <= most


def test_duplicates_and_nothing() -> None:
    twice = net(([[1.0, 0.5], [1.0, 0.5]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0]))
    assert shattered_units(CountProblem.of(twice, BOX)) == 1
    never = net(([[1.0, 0.5]], [7.0]), ([[1.0]], [0.0]))
    assert shattered_units(CountProblem.of(never, BOX)) == 0
    whole = CountProblem.of(twice, mc.WholeSpace())
    assert shattered_units(whole) == 0


def test_a_stopped_estimate_states_it() -> None:
    """Interrupted before anything was found, a method states what needs no run."""
    rng = np.random.default_rng(2)
    network = random_net(rng, [60, 40, 40, 1])

    def interrupt(snapshot: mc.Progress) -> None:
        raise KeyboardInterrupt

    result = mc.estimate(network, BOX, method="mipbound", progress=interrupt, seed=0)
    assert result.termination.limit == "interrupt"
    assert result.lower == 2 ** shattered_units(CountProblem.of(network, BOX))
    assert result.lower >= 2**30
    assert "take all combinations" in result.guarantee.statement
    assert result.estimate is None
