"""The definition ``linear`` through the façade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.engines.registry import ENGINES
from tests.shared import data_folder, hand_cases, random_net


@pytest.mark.parametrize("engine", [name for name, spec in ENGINES.items() if spec.lists])
def test_engines_that_list_serve_linear(engine: str) -> None:
    network = random_net(np.random.default_rng(8), [2, 4, 3, 1], "integer")
    counts = {
        d: mc.count(network, mc.Box(-1, 1), engine=engine, definition=d).lower
        for d in ("linear", "full")
    }
    assert counts["linear"] <= counts["full"]
    reference = mc.count(network, mc.Box(-1, 1), engine="brute", definition="linear")
    assert (counts["linear"], reference.exact) == (reference.lower, True)


def test_by_hand() -> None:
    # The fold |x| has two pieces, whatever the second layer's dead unit does.
    fold = mc.ReLUNetwork([[[1.0], [-1.0], [1.0]], [[1.0, 1.0, 0.0]]], [[0.0, 0.0, 0.5], [0.0]])
    assert mc.count(fold, mc.Box(-1, 1)).lower == 3
    linear = mc.count(fold, mc.Box(-1, 1), definition="linear")
    assert (linear.lower, linear.definition) == (2, mc.Definition.LINEAR)
    for case in hand_cases():
        # Their outputs are zero: one piece.
        result = mc.count(case.net, case.domain, definition="linear")
        assert result.lower == min(case.full, 1) or case.name == "affine"


def test_a_limit_gives_an_interval() -> None:
    network = random_net(np.random.default_rng(1), [3, 8, 4, 1])
    exact = mc.count(network, mc.Box(-1, 1), definition="linear").lower
    part = mc.count(network, mc.Box(-1, 1), definition="linear", budget=mc.Budget(regions=5))
    assert part.upper is not None
    assert part.lower <= exact <= part.upper
    assert part.termination.limit is mc.Limit.REGIONS


def test_a_finished_run_is_not_done_again(tmp_path: Path) -> None:
    one = random_net(np.random.default_rng(3), [2, 5, 3, 2], "integer")
    box, file = mc.Box(-1, 1), tmp_path / "run.jsonl"
    first = mc.count(one, box, engine="tree", definition="linear", resume=file)
    again = mc.count(one, box, engine="tree", definition="linear", resume=file)
    assert first.lower == again.lower == mc.count(one, box, definition="linear").lower > 1
    assert first.exact
    assert again.exact


def test_a_published_network() -> None:
    network = mc.load_network(data_folder() / "networks" / "gol_demo_8_nodes.npz")
    result = mc.count(network, mc.WholeSpace(), definition="linear")
    # 30 regions with 28 different maps; two regions with one map lie apart.
    assert (result.lower, result.statistics["full_regions"]) == (29, 30)
