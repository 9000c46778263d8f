"""Searches over R^n and other unbounded domains: charts, their walls, and what lies at infinity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError
from milpcount.importers.npz import save_npz
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.recording.chart_steps import Branch, Never, Spot, read_steps
from milpcount.search.recording.transcript import orthant_segments
from tests.proof import second_checker
from tests.shared import net, random_net
from tests.staged import random_stages, save_stages

BEYOND_FLOATS = net(
    ([[1e300, 0], [0, 1e-300], [1e300, 1e300], [1e-300, 1e-300]], [1e300, 1, -1e-300, 1e300]),
    ([[1e200, -1e-200, 1, 1]], [1e308]),
)


def _domain(which: int, n: int, rng: np.random.Generator) -> mc.Domain:
    """Unbounded ones: with ends, rows, and none."""
    cone = np.vstack([-np.eye(n), rng.integers(-1, 2, (1, n))])
    return (
        mc.WholeSpace(),
        mc.Box([0.0] * n, [np.inf] * n),
        mc.Box([-np.inf, *[-1.0] * (n - 1)], [2, *[1.5] * (n - 1)]),
        mc.Box([-np.inf] * n, [*[0.75] * (n - 1), np.inf]),
        mc.Polytope(rng.integers(-2, 3, (1, n)), [1]),
        mc.Polytope(cone, [*np.zeros(n), 1]),
    )[which]


def _network(rng: np.random.Generator, n: int, kind: str) -> mc.ReLUNetwork:
    widths = rng.integers(1, 4, int(rng.integers(1, 4))).tolist()
    if kind == "stages":
        return random_stages(rng, n, widths, kind="integer")
    return random_net(rng, [n, *widths, 1], kind)


@pytest.mark.parametrize("engine", ["tree", "subdivision"])
def test_charts_beyond_floats_are_searched_once(engine: Any) -> None:
    """An orthant that floats do not reach is searched exactly, and no other with it."""
    expected = mc.count(BEYOND_FLOATS, mc.WholeSpace(), engine="brute").lower
    found = mc.count(BEYOND_FLOATS, mc.WholeSpace(), engine=engine)
    assert found.exact
    assert found.lower == expected == 13


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 3),
    kind=st.sampled_from(["normal", "integer", "sparse", "stages"]),
    which=st.integers(0, 5),
    definition=st.sampled_from(["full", "nonempty"]),
    with_output=st.booleans(),
)
def test_charts_find_what_brute_finds(
    tmp_path: Path,
    seed: int,
    n: int,
    kind: str,
    which: int,
    definition: str,
    with_output: bool,
) -> None:
    """The number, the regions, and a certificate that two checkers accept."""
    rng = np.random.default_rng(seed)
    network = _network(rng, n, kind)
    domain = _domain(which, n, rng)
    options: Mapping[str, Any] = {"definition": definition, "with_output": with_output}
    expected = mc.count(network, domain, engine="brute", **options).lower
    regions = list(mc.enumerate_regions(network, domain, engine="tree", **options))
    assert len({region.pattern for region in regions}) == len(regions) == expected
    path, file = tmp_path / "c", tmp_path / "net.npz"
    assert mc.count(network, domain, engine="tree", certificate=path, **options).lower == expected
    assert mc.verify(path, network, domain).statement == f"== {expected}"
    (save_npz if network.is_chain else save_stages)(network, file)
    assert second_checker.check(path, file) == ("==", expected, expected)


def test_patterns_on_a_wall_and_at_infinity() -> None:
    """Nonempty patterns that no orthant has inside, and one that only infinity would have."""
    # Units x, y, -x, -y: the walls x = 0 and y = 0 are patterns of their own.
    walls = net(([[1, 0], [0, 1], [-1, 0], [0, -1]], [0, 0, 0, 0]))
    assert mc.count(walls, mc.WholeSpace(), definition="nonempty").lower == 9
    # A dead layer: its unit is the constant -1, or 1, which vanishes at infinity in a chart.
    for bias in (-1.0, 0.0, 1.0):
        dead = net(([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [bias]))
        for definition in ("full", "nonempty"):
            expected = mc.count(dead, mc.WholeSpace(), definition=definition, engine="brute")
            found = mc.count(dead, mc.WholeSpace(), definition=definition, engine="tree")
            assert found.lower == expected.lower


def test_generic_patterns_are_searched_as_full_regions_are() -> None:
    """By the compiled search, where sides touch cells on the walls alone and at infinity."""
    network = random_net(np.random.default_rng(3), [4, 8, 6, 1])
    full, nonempty = (
        mc.count(network, mc.WholeSpace(), definition=definition, engine="tree")
        for definition in ("full", "nonempty")
    )
    assert full.lower == nonempty.lower == 1635
    touching = [r.statistics["decided_by_exact_multipliers"] for r in (full, nonempty)]
    left = [r.statistics.get("doubts", 0) for r in (full, nonempty)]
    assert left[0] == 0 < touching[0] < 1635 / 5
    assert left[1] + touching[1] == touching[0]
    assert left[1] < touching[0] / 50
    assert nonempty.statistics["decided_by_point"] > 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_certificates_of_charts(tmp_path: Path, definition: str, workers: int) -> None:
    """Written by the compiled search, whole or cut short by a limit."""
    network = random_net(np.random.default_rng(5), [3, 8, 7, 1])
    path = tmp_path / "c"
    options: Mapping[str, Any] = {"definition": definition, "workers": workers}
    whole = mc.count(network, mc.WholeSpace(), certificate=path, **options)
    assert mc.verify(path, network).statement == f"== {whole.lower}"
    assert "decided_by_known_pattern" not in whole.statistics
    cut = mc.count(
        network, mc.WholeSpace(), certificate=path, budget=mc.Budget(regions=50), **options
    )
    proved = mc.verify(path, network)
    assert proved.header.relation == ("==" if cut.exact else ">=")
    assert cut.lower >= proved.header.count >= 50


def test_segments_lead_to_every_orthant() -> None:
    network = random_net(np.random.default_rng(1), [4, 7, 1])
    problem = CountProblem.of(network, mc.WholeSpace())
    frames = problem_frames(problem)
    assert frames.atlas is not None
    nodes = {problem.index.open_signs().tobytes()}
    for signs, steps in orthant_segments(frames.atlas, problem.index.open_signs()):
        nodes.remove(signs.tobytes())
        for step in read_steps(steps, 4):
            assert isinstance(step, Branch)
            other = signs.copy()
            signs = signs.copy()
            signs[step.place], other[step.place] = step.sign, -step.sign
            nodes.add(other.tobytes())
        nodes.add(signs.tobytes())
    assert len(nodes) == len(frames) == 16
    orthants = [frames.walls(k) for k in range(16)]
    for node in nodes:
        signs = np.frombuffer(node, dtype=np.int8)
        assert {int(u): int(signs[u]) for u in np.flatnonzero(signs)} in orthants


def test_steps_are_read() -> None:
    raw = bytes([0, 2, 1, 1, 255, 0, 4, 200, 1, 7, 3, 0, 6, 2, 1, 2, 5, 3, 1, 1, 5, 0])
    assert list(read_steps(raw, 2)) == [
        Spot([515, 511], 17),
        Branch(200, 1),
        Never(3, -1, []),
        Never(2, 1, [(5, 257, -2)]),
        Branch(0, -1),
    ]
    with pytest.raises(InvariantError, match="step 8"):
        list(read_steps(bytes([8, 0]), 2))
