"""Every engine on networks of stages: skips, linear units, late readers of the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.exact import extent
from tests.proof import second_checker
from tests.proof.tools import read
from tests.staged import oracle, random_stages, save_stages

FULL = ("brute", "tree-highs", "tree", "subdivision", "cpsat")
NONEMPTY = ("brute", "tree-highs", "tree", "cpsat")


def _domain(kind: str, n: int) -> Domain:
    if kind == "box":
        return mc.Box(-1, 1)
    if kind == "space":
        return mc.WholeSpace()
    if kind == "polytope":
        return mc.Polytope(np.vstack([-np.eye(n), np.ones(n)]), [*np.zeros(n), 1])
    points = np.random.default_rng(n).integers(-3, 4, size=(2, n)).astype(float)
    points[1] += 8
    return mc.Slice(points, -1, 1)


# Seed, inputs, widths, kind of numbers, domain: image search comes with 9 inputs.
CASES = [
    (1, 2, (3, 3, 2), "dyadic", "box"),
    (2, 2, (3, 2, 2), "integer", "box"),
    (3, 3, (3, 3), "dyadic", "polytope"),
    (4, 2, (4, 2, 2), "integer", "space"),
    (5, 9, (3, 3, 2), "dyadic", "box"),
    (6, 9, (3, 2, 2), "integer", "slice"),
    (7, 1, (2, 2, 2, 2), "dyadic", "box"),
]


def _case(number: int) -> tuple[mc.ReLUNetwork, Domain]:
    seed, inputs, widths, kind, domain = CASES[number]
    net = random_stages(
        np.random.default_rng(seed), inputs, widths, kind=kind, sparse=seed % 3 == 0
    )
    assert not net.is_chain
    return net, _domain(domain, inputs)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_patterns_are_those_of_the_oracle(number: int) -> None:
    net, domain = _case(number)
    for definition, engines in (("full", FULL), ("nonempty", NONEMPTY)):
        for with_output in (False, True):
            options: dict[str, Any] = {"definition": definition, "with_output": with_output}
            expected = oracle(net, domain, **options)
            for engine in engines:
                regions = list(mc.enumerate_regions(net, domain, engine=engine, **options))
                found = {tuple(r.pattern.bits.astype(int).tolist()) for r in regions}
                assert found == expected, (engine, options)
                assert len(regions) == len(found)
                counted = mc.count(net, domain, engine=engine, **options)
                assert (counted.lower, counted.exact) == (len(expected), True), (engine, options)


@pytest.mark.parametrize("engine", FULL)
def test_regions_know_their_maps(engine: str) -> None:
    net, domain = _case(0)
    for region in mc.enumerate_regions(net, domain, engine=engine):
        assert net.pattern(region.witness) == region.pattern
        slope, constant = region.affine_map()
        assert np.allclose(slope @ region.witness + constant, net.forward(region.witness))
        rows, right = region.halfspaces()
        assert np.all(rows @ region.witness <= right + 1e-12)


@pytest.mark.parametrize("number", range(len(CASES)))
@pytest.mark.parametrize("engine", ["tree", "tree-highs"])
def test_certificates(tmp_path: Path, engine: str, number: int) -> None:
    net, domain = _case(number)
    path, archive = tmp_path / "c", tmp_path / "net.npz"
    save_stages(net, archive)
    for definition in ("full", "nonempty"):
        expected = len(oracle(net, domain, definition))
        counted = mc.count(net, domain, engine=engine, definition=definition, certificate=path)
        proved = mc.verify(path, net, domain, definition=definition)
        assert counted.lower == proved.regions == expected
        assert proved.header.relation == "=="
        assert second_checker.check(path, archive) == ("==", expected, expected)


def test_linear_units_prove_nothing(tmp_path: Path) -> None:
    net, domain = _case(0)
    path, archive = tmp_path / "c", tmp_path / "net.npz"
    save_stages(net, archive)
    mc.count(net, domain, engine="tree-highs", certificate=path)
    linear = CountProblem.of(net, domain).index.linear
    certificate = read(path, 2, net.widths[0], len(linear))
    sums = [step for step in certificate.steps if step.code == 8]
    assert linear.any()
    assert sums
    sums[0].terms[0][0] = int(np.flatnonzero(linear)[0])
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="has no sign"):
        mc.verify(path, net)
    with pytest.raises(second_checker.RefusedError, match="without a sign"):
        second_checker.check(path, archive)


@pytest.mark.parametrize("marked", [False, True])
def test_nodes_mark_the_linear_units(tmp_path: Path, marked: bool) -> None:
    net, domain = _case(0)
    path, archive = tmp_path / "c", tmp_path / "net.npz"
    save_stages(net, archive)
    mc.count(net, domain, engine="tree-highs", certificate=path)
    linear = CountProblem.of(net, domain).index.linear
    certificate = read(path, 2, net.widths[0], len(linear))
    (node,), _ = certificate.segments[0]
    unit = int(np.flatnonzero(linear != marked)[0])
    changed = bytearray(node)
    changed[unit // 4] ^= 3 << 2 * (unit % 4)
    certificate.segments[0][0][0] = bytes(changed)
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="no signs"):
        mc.verify(path, net)
    with pytest.raises(second_checker.RefusedError, match="not open"):
        second_checker.check(path, archive)


@pytest.mark.parametrize("engine", ["tree", "subdivision"])
@pytest.mark.usefixtures("short_portions")
def test_work_is_shared_and_resumed(tmp_path: Path, engine: str) -> None:
    net = random_stages(np.random.default_rng(8), 3, (20, 16, 12))
    other = "subdivision" if engine == "tree" else "tree"
    expected = mc.count(net, mc.Box(-1, 1), engine=other).lower
    assert mc.count(net, mc.Box(-1, 1), engine=engine, workers=2).lower == expected
    options: dict[str, Any] = {"engine": engine, "resume": tmp_path / "count"}
    lower = 0
    for _ in range(3):
        part = mc.count(net, mc.Box(-1, 1), budget=mc.Budget(regions=lower + 9), **options)
        assert lower < part.lower < expected
        lower = part.lower
    whole = mc.count(net, mc.Box(-1, 1), **options)
    assert (whole.lower, whole.exact) == (expected, True)


def test_limits() -> None:
    net = random_stages(np.random.default_rng(8), 3, (6, 5, 4))
    for engine in ("tree", "subdivision", "tree-highs", "cpsat"):
        part = mc.count(net, mc.Box(-1, 1), engine=engine, budget=mc.Budget(regions=3))
        assert not part.exact
        assert part.lower >= 3


def test_no_states_one_region() -> None:
    linear = mc.Stage((0,), (np.array([[1.0], [2.0]]),), np.zeros(2), mc.LinearGate(2))
    output = mc.Stage((1,), (np.ones((1, 2)),), np.zeros(1), mc.LinearGate(1))
    net = mc.ReLUNetwork.of_stages([linear], output)
    for engine in FULL:
        assert mc.count(net, mc.Box(-1, 1), engine=engine).lower == 1
        assert mc.count(net, mc.Box(-1, 1), engine=engine, with_output=True).lower == 2
    (region,) = mc.enumerate_regions(net, mc.Box(-1, 1))
    assert region.affine_map()[0].tolist() == [[3.0]]


def test_no_states_in_many_inputs_have_a_certificate(tmp_path: Path) -> None:
    net = mc.ReLUNetwork([np.ones((2, 9))], [np.zeros(2)])
    for engine in ("tree", "tree-highs"):
        path = tmp_path / engine
        assert mc.count(net, mc.Box(-1, 1), engine=engine, certificate=path).lower == 1
        assert mc.verify(path, net, mc.Box(-1, 1), expect=1).regions == 1


@pytest.mark.parametrize("method", ["tree-sample", "hash-tree", "cpsat"])
def test_estimates_hold(method: str) -> None:
    net = random_stages(np.random.default_rng(8), 3, (6, 5, 4))
    exact = mc.count(net, mc.Box(-1, 1), engine="tree-highs").lower
    for seed in range(2):
        result = mc.estimate(net, mc.Box(-1, 1), method=method, seed=seed, confidence=0.9999)
        assert 1 <= result.lower <= exact


def test_a_certified_count_over_a_polytope_computes_its_ranges_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    solve = extent.feasible_dictionary

    def counted(*args: Any) -> Any:
        calls.append(args)
        return solve(*args)

    monkeypatch.setattr(extent, "feasible_dictionary", counted)
    net, domain = _case(2)
    mc.count(net, domain, engine="tree", certificate=tmp_path / "c")
    assert len(calls) == 1
