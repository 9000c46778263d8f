"""The table of methods and the function that users call."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.sampling.methods import METHODS
from milpcount.sampling.shattered import shattered_units
from tests.shared import random_net

BOX = mc.Box(-1, 1)
NET = random_net(np.random.default_rng(0), [3, 6, 4, 1])


@pytest.mark.parametrize("name", METHODS)
def test_methods_have_one_signature(name: str) -> None:
    parameters = inspect.signature(METHODS[name].load()).parameters
    assert list(parameters)[:2] == ["problem", "watch"]
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in list(parameters.values())[2:])
    assert {"confidence", "seed"} <= set(parameters)
    required = [k for k, p in parameters.items() if p.default is inspect.Parameter.empty]
    assert required == ["problem", "watch", "confidence", "seed"]


@pytest.mark.parametrize("name", ["tree-sample", "hash-tree"])
def test_results_say_what_they_claim(name: str) -> None:
    result = mc.estimate(NET, BOX, method=name, confidence=0.9, seed=3)
    assert isinstance(result, mc.EstimateResult)
    assert (result.method, result.confidence, result.seed) == (name, 0.9, 3)
    assert isinstance(result.guarantee, mc.Guarantee)
    assert result.guarantee.statement
    assert 1 <= result.lower <= mc.count(NET, BOX).lower
    json.dumps(result.to_json(), allow_nan=False)


def test_unknown_names() -> None:
    with pytest.raises(mc.UnsupportedError, match="did you mean hash-tree"):
        mc.estimate(NET, BOX, method="hash-three")
    with pytest.raises(mc.UnsupportedError, match="no option 'leafs'; its options are runs, "):
        mc.estimate(NET, BOX, leafs=3)
    with pytest.raises(mc.InputError, match="confidence"):
        mc.estimate(NET, BOX, confidence=95)
    with pytest.raises(mc.InputError, match="seed"):
        mc.estimate(NET, BOX, seed=-1)


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        (name, phase)
        for name, runs in (("tree-sample", "sampling"), ("hash-tree", "counting"))
        for phase in ("loading", "pilot", runs)
    ],
)
def test_interrupts_keep_the_runs_done(name: str, phase: str) -> None:
    def interrupt(snapshot: mc.Progress) -> None:
        if snapshot.phase.startswith(phase):
            raise KeyboardInterrupt

    network = random_net(np.random.default_rng(1), [4, 24, 16, 1])
    result = mc.estimate(network, BOX, method=name, progress=interrupt, runs=2_000)
    json.dumps(result.to_json(), allow_nan=False)
    assert result.termination.limit is mc.Limit.INTERRUPT
    if phase in ("loading", "pilot"):
        # What needs no runs is claimed all the same.
        certain = 1 << shattered_units(CountProblem.of(network, BOX))
        assert (result.lower, result.runs, result.estimate) == (certain, 0, None)
        assert "take all combinations" in result.guarantee.statement
    else:
        assert 1 <= result.runs < 2_000
        assert 1 <= result.lower <= mc.count(network, BOX).lower
