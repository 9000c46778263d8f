"""Walks: fixed values, floats against integers, folding, CantorNet."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.geometry.walk import Walker
from tests.geometry.expected import expected, network
from tests.shared import net as network_of
from tests.shared import random_net
from tests.staged import random_stages, stage_values


def _segments() -> list[dict[str, Any]]:
    try:
        return list(expected()["segments"])
    except pytest.skip.Exception:
        return []


@pytest.mark.parametrize("case", _segments(), ids=lambda c: c["network"])
def test_fixed_values(case: dict[str, Any]) -> None:
    a, b = case["segment"]["from"], case["segment"]["to"]
    found = mc.walk(network(case["network"]), a, b)
    assert len(found) == case["pieces"]
    assert found.t == pytest.approx(case["breakpoints"], abs=1e-12)
    assert [float(v) for v in found.breakpoints] == pytest.approx(case["breakpoints"], abs=1e-15)
    assert list(found.hamming_steps) == case["hamming_steps"]
    assert list(found.hamming_to_start) == case["hamming_to_start"]
    assert str(found.patterns[0]).replace("|", "") == case["first_pattern"]
    assert str(found.patterns[-1]).replace("|", "") == case["last_pattern"]
    folding = found.folding()
    assert (folding.r1, folding.r2) == (case["r1"], case["r2"])
    assert folding.chi == Fraction(case["chi"])
    for part in case["by_layer"]:
        one = found.folding(layers=part["layer"])
        upto = found.folding(layers=range(1, part["layer"] + 1))
        assert (one.r1, one.r2) == (part["r1"], part["r2"])
        assert (upto.r1, upto.r2) == (part["r1_up_to"], part["r2_up_to"])


@pytest.mark.parametrize("depth", range(1, 9))
def test_cantornet(depth: int) -> None:
    net = mc.cantornet(depth)
    found = mc.walk(net, [0, 0.75], [1, 0.75], with_output=True)
    assert len(found) == 3 * 2**depth - 1
    folding = found.folding()
    assert (folding.r1, folding.r2) == (2 * depth + 1, 5 * 2**depth - 4)
    hidden = mc.walk(net, [0, 0.75], [1, 0.75]).folding()
    assert (hidden.r1, hidden.r2) == (2 * depth, 4 * (2**depth - 1))
    assert found.folding(layers=1).chi == 0
    three = found.folding(layers=range(1, 2 * depth + 1, 2))
    assert (three.r1, three.r2) == (2 * depth, 2 * (2**depth - 1))
    if depth <= 3:
        want = expected()["cantornet"][depth - 1]["breakpoints"]
        assert [str(v) for v in found.breakpoints] == want


def test_layers_add_up_to_chi() -> None:
    rng = np.random.default_rng(4)
    folded = 0
    for widths in ([3, 5, 1], [2, 6, 5, 1], [4, 5, 4, 4, 2]):
        network = random_net(rng, widths)
        for _ in range(5):
            found = mc.walk(network, *rng.uniform(-3, 3, size=(2, widths[0])), with_output=True)
            parts = found.chi_by_layer()
            assert len(parts) == len(widths) - 1
            assert sum(parts) == found.folding().chi
            assert min(parts) >= 0
            folded += sum(parts) > 0
    assert folded
    # At depth 1 the farthest piece is the middle one: both layers go there and back.
    walk = mc.walk(mc.cantornet(1), [0, 0.75], [1, 0.75], with_output=True)
    far = max(range(len(walk)), key=lambda i: walk.hamming_to_start[i])
    layers = [walk.bits[:, a:b] for a, b in ((0, 3), (3, 5), (5, 6))]
    for part, bits in zip(walk.chi_by_layer(), layers, strict=True):
        steps = np.count_nonzero(bits[1:] != bits[:-1])
        assert part == Fraction(int(steps - np.count_nonzero(bits[far] != bits[0])), 6)
    still = mc.walk(mc.cantornet(2), [0, 1], [0.01, 1])
    assert set(still.chi_by_layer()) == {Fraction(0)}


def test_cantornet_sampled_as_its_authors_do() -> None:
    want = ["1/2", "11/16", "3/4", "13/16", "33/40"]
    for depth, chi in enumerate(want, 1):
        net = mc.cantornet(depth)
        bits = [net.pattern([i / 10, 0.75], with_output=True).bits for i in range(11)]
        r1 = max(int((b != bits[0]).sum()) for b in bits)
        r2 = sum(int((b != c).sum()) for b, c in itertools.pairwise(bits))
        assert 1 - Fraction(r1, r2) == Fraction(chi)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_walks_against_exact_evaluation(seed: int) -> None:
    """On each piece the pattern is that of its middle, in fractions; neighbours differ."""
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 3, [3, 2, 3], kind="integer" if seed % 2 else "dyadic")
    a, b = rng.integers(-2, 3, size=(2, 3)) / 2.0 if seed % 3 else rng.normal(size=(2, 3))
    if np.array_equal(a, b):
        b = a + 1
    found = mc.walk(net, a, b)
    ends = [Fraction(0), *found.breakpoints, Fraction(1)]
    assert all(x < y for x, y in itertools.pairwise(ends))
    start = [Fraction(v) for v in a.tolist()]
    step = [Fraction(v) - u for u, v in zip(start, b.tolist(), strict=True)]
    last = net.counted_stages()
    for k, bits in enumerate(found.bits.tolist()):
        t = (ends[k] + ends[k + 1]) / 2
        values = stage_values(net, [u + t * v for u, v in zip(start, step, strict=True)])
        want = [
            int(v > 0)
            for stage, row in zip(last, values, strict=False)
            for v, linear in zip(row, stage.linear, strict=True)
            if not linear
        ]
        assert bits == want
    assert np.all(np.any(found.bits[1:] != found.bits[:-1], axis=1))
    assert found.t == pytest.approx([float(v) for v in found.breakpoints], abs=1e-12)


def test_floats_and_integers_walk_alike() -> None:
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=s) / np.sqrt(s[1]) for s in ((40, 30), (40, 40), (5, 40))]
    net = mc.ReLUNetwork(weights, [0.1 * rng.normal(size=len(w)) for w in weights])
    walker = Walker(net)
    a, b = rng.normal(size=(2, 30))
    quick = walker._in_floats(a, b)
    assert quick is not None
    bits, breaks = walker._line(a, b).walk()
    assert np.array_equal(quick[0], bits)
    errors = np.abs(quick[1] - np.array([float(v) for v in breaks]))
    assert np.all(errors <= quick[2])
    assert walker.breakpoints(a, b, bits) == breaks


def test_a_unit_that_is_zero_along_a_piece_is_inactive() -> None:
    net = network_of(([[0, 1], [1, 0], [-2, 0]], [0, -0.5, 1]))
    found = mc.walk(net, [0, 0], [1, 0])
    assert found.bits.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert found.breakpoints == (Fraction(1, 2),)
    assert found.hamming_steps == (2,)


def test_segments_of_a_survey_are_walks() -> None:
    net = network("random_c")
    points = np.random.default_rng(1).uniform(-1, 1, size=(5, 3))
    walks = mc.survey(net, points)
    counts = mc.survey(net, points, engine="subdivision")
    assert [row.lower for row in walks.rows] == [row.lower for row in counts.rows]
    assert {row.result.engine for row in walks.rows} == {"walk"}


def test_max_folding() -> None:
    net = mc.cantornet(3)
    points = np.array([[0, 0.75], [1, 0.75], [0.5, 0.1], [0.2, 0.9]])
    best = mc.max_folding(net, points, with_output=True)
    every = {
        (i, j): mc.walk(net, points[i], points[j], with_output=True).folding().chi
        for i in range(4)
        for j in range(4)
        if i != j
    }
    assert best.chi == max(every.values()) == every[best.pair]
    assert best.walk.folding().chi == best.chi
    assert mc.max_folding(net, points, pairs=2, seed=1).walks == 2
    with pytest.raises(mc.DomainError, match="points 0 and 1"):
        mc.max_folding(net, [[0, 0], [0, 0]])
    with pytest.raises(mc.InputError, match="no choice of pairs"):
        mc.max_folding(net, points, pairs="some")


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0, 0], [0, 0], "equal"),
        ([0], [0, 1], "first end point has shape"),
        ([0, 0], [0, np.nan], "second end point is not finite in coordinate 1"),
    ],
)
def test_bad_ends(a: Any, b: Any, message: str) -> None:
    with pytest.raises(mc.DomainError, match=message):
        mc.walk(mc.cantornet(1), a, b)


def test_bad_choices() -> None:
    found = mc.walk(mc.cantornet(1), [0, 0], [1, 0])
    with pytest.raises(mc.InputError, match="no layer 3: counted are layers 1 to 2"):
        found.folding(layers=3)
    with pytest.raises(mc.InputError, match="no unit 9"):
        found.folding(units=[9])
    with pytest.raises(mc.InputError, match="not both"):
        found.folding(layers=1, units=[0])
    with pytest.raises(mc.InputError, match="at least 1"):
        mc.cantornet(0)
