"""The activation-based bound: against its recurrence, against counts, against Theorem 1."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds import bound_activation_based, bound_serra2018
from milpcount.bounds.activation import layer_activity
from milpcount.bounds.coverage import max_coverage
from milpcount.bounds.ranks import exact_rank
from milpcount.cli.app import run
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.core.stage import Stage
from milpcount.engines.registry import run_engine
from milpcount.importers.npz import save_npz
from milpcount.preactivation import compute_preactivation_bounds
from tests.shared import hand_cases, net, random_net, whole_space_cases

SHAPES = [[2, 4, 3, 1], [1, 5, 4, 1], [3, 3, 3, 2, 1], [2, 2, 4, 3, 1], [2, 5, 1, 3, 1]]
KINDS = ["normal", "integer", "sparse"]


def _recurrence(layers: Sequence[Stage], dimension: int, ranks: Sequence[int] | None) -> int:
    """R(1, n_0, n_0), as it is written."""
    activity = layer_activity(layers)

    def value(k: int, active: int, d: int) -> int:
        if k == len(layers):
            return 1
        here = activity[k]
        on = here.on[min(active, len(here.on) - 1)]
        both = here.both[min(active, len(here.both) - 1)]
        if ranks is not None:
            d = min(d, ranks[k])
        return sum(
            math.comb(both, j) * value(k + 1, on - j, min(d, on - j))
            for j in range(min(d, both) + 1)
        )

    return value(0, dimension, dimension)


@pytest.mark.parametrize("seed", range(60))
def test_coverage_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = rng.random(rng.integers(1, 9, size=2)) < rng.random()
    for k, found in enumerate(max_coverage(sets, len(sets) + 1)):
        chosen = itertools.combinations(range(len(sets)), min(k, len(sets)))
        assert found == max(int(sets[list(c)].any(axis=0).sum()) for c in chosen)


@pytest.mark.parametrize("seed", range(45))
def test_value_of_the_recurrence(seed: int) -> None:
    widths = SHAPES[seed % len(SHAPES)]
    network = random_net(np.random.default_rng(seed), widths, KINDS[seed % 3])
    layers = network.counted_stages()
    ranks = [exact_rank(layer.weight) for layer in layers]
    plain, sharp = bound_activation_based(layers), bound_activation_based(layers, ranks)
    assert plain == _recurrence(layers, widths[0], None)
    assert sharp == _recurrence(layers, widths[0], ranks)
    assert sharp <= plain <= bound_serra2018(widths[:-1])
    assert sharp <= bound_serra2018(widths[:-1], ranks) == mc.bound(network).upper["serra2018"]
    assert sharp == mc.bound(network).upper["activation_based"]


def _regions(problem: CountProblem) -> int:
    # Plain counting costs least with the compiled tree.
    found = run_engine("tree", problem, Watch(), Outcome(keep=False), {})
    return sum(some.count for some in found)


@pytest.mark.parametrize("block", range(3))
def test_no_count_is_above_it(block: int) -> None:
    sharper = narrower = 0
    for seed in range(100):
        rng = np.random.default_rng([block, seed])
        widths = SHAPES[seed % len(SHAPES)]
        network = random_net(rng, widths, KINDS[block])
        definition = ("full", "nonempty")[seed // 5 % 2]
        box = mc.Box(-0.5, 1)
        anywhere = mc.bound(network).upper
        here = mc.bound(network, box).upper
        assert here["activation_based"] <= anywhere["activation_based"] <= anywhere["serra2018"]
        problem = CountProblem.of(network, box, definition)
        assert _regions(problem) <= here["activation_based"]
        if seed % 4 == 0:
            whole = CountProblem.of(network, mc.WholeSpace(), definition)
            assert _regions(whole) <= anywhere["activation_based"]
        sharper += anywhere["activation_based"] < anywhere["serra2018"]
        narrower += here["activation_based"] < anywhere["activation_based"]
    assert sharper > 40
    assert narrower > 20


@pytest.mark.parametrize("case", [*hand_cases(), *whole_space_cases()], ids=str)
def test_networks_counted_by_hand(case: object) -> None:
    network, domain = case.net, case.domain  # type: ignore[attr-defined]
    upper = mc.bound(network, domain).upper
    if network.is_leaky:
        assert "activation_based" not in upper
        assert "leaky" in mc.bound(network).reasons["activation_based"]
        return
    assert max(case.full, case.nonempty) <= min(upper.values())  # type: ignore[attr-defined]


def test_dead_and_fixed_units_do_not_count() -> None:
    # Behind relu(x), relu(-x), x - 3 dead on the box: -h - 1 never on; h1 - h2 + 1 always may be.
    network = net(([[1], [-1], [1]], [0, 0, -3]), ([[-1, -1, 1], [1, -1, 0]], [-1, 1]))
    layers = network.counted_stages()
    anywhere = layer_activity(layers)
    assert (anywhere[0].on, anywhere[0].both) == ((3,), (3,))
    # Unit 2 is on by its bias; unit 1 needs the third unit before, and unit 2 goes off by the 2nd.
    assert anywhere[1].on == (1, 2, 2, 2)
    assert anywhere[1].both == (0, 1, 2, 2)
    problem = CountProblem.of(network, mc.Box(-1, 1))
    bounds = compute_preactivation_bounds(problem, "interval")
    here = layer_activity(layers, bounds)
    assert (here[0].on, here[0].both) == ((2,), (2,))
    # h1 - h2 + 1 is 0 or more on the box, and 0 at its end.
    assert here[1].on == (1, 1, 1, 1)
    assert here[1].both == (0, 1, 1, 1)


def test_fixed_inputs_have_no_dimension() -> None:
    network = random_net(np.random.default_rng(0), [3, 6, 1])
    line = mc.Box([-9, 0, 0], [9, 0, 0])
    assert mc.bound(network, line).upper["activation_based"] <= 7
    assert mc.bound(network).upper["activation_based"] == 1 + 6 + 15 + 20


def test_wide_layers_take_no_time() -> None:
    rng = np.random.default_rng(1)
    network = random_net(rng, [30, 400, 400, 400, 1])
    layers = network.counted_stages()
    assert bound_activation_based(layers) <= bound_serra2018([30, 400, 400, 400])


def test_leaky_layers_are_refused() -> None:
    network = random_net(np.random.default_rng(0), [2, 3, 3, 1], slopes=[0.0, 0.5])
    with pytest.raises(mc.InputError, match="leaky"):
        bound_activation_based(network.counted_stages())


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = random_net(np.random.default_rng(0), [3, 6, 4, 1])
    path = tmp_path / "net.npz"
    save_npz(network, path)

    def value(*options: str) -> int:
        assert run(["bound", str(path), *options, "--json"]) == 0
        return int(json.loads(capsys.readouterr().out)["upper"]["activation_based"])

    # The file's own box is not taken unasked: the bounds of a file hold everywhere.
    assert value() == mc.bound(network).upper["activation_based"]
    box = mc.Box(-0.25, 0.25)
    assert value("--box", "-0.25", "0.25") == mc.bound(network, box).upper["activation_based"]
    assert value("--box", "-0.25", "0.25") < value("--whole-space") == value()
    assert run(["bound", "3", "6", "--box", "0", "1"]) == 2
    assert "goes with a network file" in capsys.readouterr().err
