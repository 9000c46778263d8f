"""Every witness of every engine, evaluated again in fractions, without the package's arithmetic."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.matrix import dense
from milpcount.engines.registry import ENGINES
from tests.shared import hand_cases, net, random_net
from tests.staged import oracle, random_stages

Vector = list[Fraction]

# (-1, -1 + 2^-60) is a region without a float inside; 11 has the end 1 as a point of its closure.
THIN = net(([[1]], [1]), ([[1]], [-(2.0**-60)]))
AT_THE_END = net(([[-1], [1]], [1, -0.5]))
# What an engine declares; those that only count have no witnesses.
LISTS = {name: spec for name, spec in ENGINES.items() if spec.lists}
SERVE_NONEMPTY = [n for n, spec in LISTS.items() if mc.Definition.NONEMPTY in spec.definitions]
SERVE_UNBOUNDED = [n for n, spec in LISTS.items() if "unbounded box" in spec.domains]
SERVE_SLICES = [n for n, spec in LISTS.items() if "slice" in spec.domains]
LISTING = list(LISTS)


def _fractions(values: object) -> list[Fraction]:
    return [Fraction(float(v)) for v in np.asarray(values).ravel()]


class Evaluated:
    """Pre-activations of units with a state, and their gradients along some directions."""

    def __init__(self, network: mc.ReLUNetwork, x: Vector, directions: list[Vector]) -> None:
        self.values: Vector = []
        self.gradients: list[Vector] = []
        # Of each stage, the input first: values, and one list of steps a direction.
        outputs, steps = [x], [directions]
        for stage in network.stages:
            g = _fractions(stage.bias)
            along = [[Fraction()] * stage.width for _ in directions]
            for source, weight in zip(stage.reads, stage.weights, strict=True):
                rows = [_fractions(row) for row in dense(weight)]
                g = [v + _dot(row, outputs[source]) for v, row in zip(g, rows, strict=True)]
                along = [
                    [v + _dot(row, step) for v, row in zip(total, rows, strict=True)]
                    for total, step in zip(along, steps[source], strict=True)
                ]
            for i in np.flatnonzero(~stage.linear).tolist():
                self.values.append(g[i])
                self.gradients.append([step[i] for step in along])
            slopes = _fractions(stage.slope)
            factor = [Fraction(1) if v > 0 else s for v, s in zip(g, slopes, strict=True)]
            outputs.append([f * v for f, v in zip(factor, g, strict=True)])
            steps.append([[f * v for f, v in zip(factor, step, strict=True)] for step in along])


def _dot(a: Vector, b: Vector) -> Fraction:
    return sum((v * w for v, w in zip(a, b, strict=True)), Fraction())


def _check(region: mc.Region, network: mc.ReLUNetwork, domain: mc.Domain, full: bool) -> None:
    """The witness has the region's pattern, and of full regions lies inside."""
    bits = region.pattern.bits.tolist()
    for exact in (region.exact_witness, region.witness):
        if exact is None:
            continue
        x = [Fraction(v) for v in exact]
        n = network.input_dimension
        free = [True] * n
        if isinstance(domain, mc.Polytope):
            slack = [
                c - sum(a * v for a, v in zip(_fractions(row), x, strict=True))
                for row, c in zip(domain.A, _fractions(domain.c), strict=True)
            ]
            assert all(s > 0 if full else s >= 0 for s in slack)
        else:
            box = domain.resolve(n)
            assert isinstance(box, mc.Box)
            for j, (v, lo, hi) in enumerate(zip(x, box.lo, box.hi, strict=True)):
                free[j] = bool(lo < hi)
                assert lo < v < hi if full and free[j] else lo <= v <= hi
        units = np.eye(n)[free]
        at = Evaluated(network, x, [_fractions(unit) for unit in units])
        assert [v > 0 for v in at.values] == bits
        if full:
            # 0 only where the form is constant: then the pattern is the same all around.
            pairs = zip(at.values, at.gradients, strict=True)
            assert not any(v == 0 and any(gradient) for v, gradient in pairs)


@pytest.mark.parametrize("engine", LISTING)
def test_a_point_of_the_closure_is_replaced(engine: str) -> None:
    regions = {
        str(r.pattern): r for r in mc.enumerate_regions(AT_THE_END, mc.Box(0, 1), engine=engine)
    }
    assert sorted(regions) == ["10", "11"]
    assert Fraction(1, 2) < regions["11"].exact_witness[0] < 1


@pytest.mark.parametrize("engine", LISTING)
def test_where_no_float_is_inside_the_witness_is_none(engine: str) -> None:
    regions = {str(r.pattern): r for r in mc.enumerate_regions(THIN, mc.Box(-1, 1), engine=engine)}
    assert sorted(regions) == ["1|0", "1|1"]
    assert -1 < regions["1|0"].exact_witness[0] < -1 + Fraction(1, 2**60)
    assert regions["1|0"].witness is None
    assert regions["1|0"].coordinates is None
    assert regions["1|1"].witness is not None


@pytest.mark.parametrize("engine", LISTING)
def test_hand_cases(engine: str) -> None:
    # CP-SAT takes a second a count.
    for case in hand_cases()[:: 4 if engine == "cpsat" else 1]:
        for definition in ("full", "nonempty") if engine in SERVE_NONEMPTY else ("full",):
            if sum(case.net.widths) > 14 and engine == "brute":
                continue
            for region in mc.enumerate_regions(
                case.net, case.domain, engine=engine, definition=definition
            ):
                _check(region, case.net, case.domain, definition == "full")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    engine=st.sampled_from(LISTING),
    kind=st.sampled_from(["integer", "sparse", "normal"]),
    slopes=st.sampled_from([None, [0.5, -1.0]]),
    where=st.sampled_from(["box", "polytope", "space"]),
    definition=st.sampled_from(["full", "nonempty"]),
)
def test_random_degenerate_networks(
    seed: int, engine: str, kind: str, slopes: list[float] | None, where: str, definition: str
) -> None:
    if engine not in SERVE_NONEMPTY:
        definition = "full"
    if engine not in SERVE_UNBOUNDED and where == "space":
        where = "box"
    network = random_net(np.random.default_rng(seed), [2, 3, 3, 1], kind, slopes)
    domains: dict[str, mc.Domain] = {
        "box": mc.Box(-1, 1),
        # Cut through zeros of units, and with a corner at the origin.
        "polytope": mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 2]),
        "space": mc.WholeSpace(),
    }
    for region in mc.enumerate_regions(
        network, domains[where], engine=engine, definition=definition
    ):
        _check(region, network, domains[where], definition == "full")


@pytest.mark.parametrize("engine", SERVE_SLICES)
def test_on_a_slice_the_float_witness_has_the_pattern(engine: str) -> None:
    network = random_net(np.random.default_rng(5), [4, 4, 3, 1], "integer")
    piece = mc.Slice.plane([0, 0, 0, 0], [1, 1, 0, 0.3], [0, 0.7, 1, 1], lo=-1, hi=1)
    for region in mc.enumerate_regions(network, piece, engine=engine):
        for x in (region.exact_witness, region.witness):
            if x is not None:
                at = Evaluated(network, [Fraction(v) for v in x], [])
                assert [v > 0 for v in at.values] == region.pattern.bits.tolist()
        s = region.exact_coordinates
        assert all(-1 < v < 1 for v in s)


@pytest.mark.parametrize("engine", LISTING)
@pytest.mark.parametrize("network", [THIN, AT_THE_END], ids=["thin", "at-the-end"])
def test_certificates_take_inner_points(
    engine: str, network: mc.ReLUNetwork, tmp_path: Path
) -> None:
    """Closed and listed: points of the closure made certificates that the checker refused."""
    path = tmp_path / "count.cert"
    for budget, statement in ((None, "== 2"), (mc.Budget(regions=2), None)):
        mc.count(network, mc.Box(-1, 1) if network is THIN else mc.Box(0, 1), engine=engine,
                 certificate=path, budget=budget)  # fmt: skip
        proved = mc.verify(path, network)
        assert proved.header.count == 2
        assert statement in (None, proved.statement)


@pytest.mark.parametrize("engine", LISTING)
def test_networks_with_skips(engine: str) -> None:
    for seed in range(3):
        network = random_stages(np.random.default_rng(seed), 2, [3, 2, 2], kind="integer")
        regions = list(mc.enumerate_regions(network, mc.Box(-1, 1), engine=engine))
        assert {tuple(r.pattern.bits) for r in regions} == oracle(network, mc.Box(-1, 1))
        for region in regions:
            _check(region, network, mc.Box(-1, 1), True)


@pytest.mark.parametrize("engine", LISTING)
def test_lists_of_witnesses_lie_inside_of_a_polytope(engine: str, tmp_path: Path) -> None:
    """Engines name corners; the list of a stopped count would prove nothing with them."""
    path = tmp_path / "count.cert"
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 2])
    for seed in (0, 2, 3):
        network = random_net(np.random.default_rng(seed), [2, 3, 3, 1], "integer")
        for budget in (None, mc.Budget(regions=2)):
            found = mc.count(network, triangle, engine=engine, certificate=path, budget=budget)
            assert mc.verify(path, network).header.count >= min(2, found.lower)
