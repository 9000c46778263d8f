"""Regions as objects: fixed values, exact vertices as an oracle, degenerate and thin ones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.geometry import shape as shapes
from milpcount.geometry.programme import Programme, Proposal
from milpcount.geometry.projection import step_in_box
from milpcount.geometry.shooting import CLOSE, Shooting
from milpcount.geometry.space import Space
from tests.geometry.expected import expected, network
from tests.shared import net as network_of
from tests.shared import random_net
from tests.staged import random_stages


def _samples() -> list[Any]:
    try:
        regions = expected()["regions"]
    except pytest.skip.Exception:
        return []
    return [
        pytest.param(part["network"], part["domain"], sample, id=f"{part['network']}-{k}")
        for part in regions
        for k, sample in enumerate(part["samples"])
    ]


@pytest.mark.parametrize("generators_first", [True, False], ids=["generators", "rays"])
@pytest.mark.parametrize(("name", "ends", "sample"), _samples())
def test_fixed_values(
    name: str,
    ends: Any,
    sample: dict[str, Any],
    generators_first: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not generators_first:
        monkeypatch.setattr(shapes, "EXACT", 0)
    net = network(name)
    region = mc.region_at(net, sample["point"], mc.Box(*ends))
    assert str(region.pattern).replace("|", "") == sample["pattern"]
    facets = sorted((f.units, (str(f.domain),) if f.domain else ()) for f in region.facets)
    assert facets == sorted((tuple(f["units"]), tuple(f["box"])) for f in sample["facets"])
    vertices = region.vertices()
    want = np.array(sorted(sample["vertices"]))
    assert np.array(sorted(vertices.tolist())) == pytest.approx(want, abs=1e-13)
    for facet in region.facets:
        slack = facet.offset - vertices @ facet.normal
        assert slack.min() > -1e-12
        assert (slack < 1e-12).sum() >= net.input_dimension
        assert np.linalg.norm(facet.normal) == pytest.approx(1.0, rel=1e-15)
    assert len(region.edges()) == sample["faces_by_dimension"][1]
    assert region.volume() == pytest.approx(sample["volume"], rel=1e-12)
    if sample["volume_exact"] is not None:
        assert region.volume(exact=True) == Fraction(sample["volume_exact"])
    assert region.inradius == pytest.approx(sample["inradius"], rel=1e-9)
    assert np.array(region.bounding_box()) == pytest.approx(np.array(sample["bounding_box"]))
    matrix, offset = region.affine_map()
    assert matrix == pytest.approx(np.array(sample["affine_A"]), rel=1e-12)
    assert offset == pytest.approx(np.array(sample["affine_b"]), rel=1e-12)
    assert region.is_bounded
    assert region.contains(sample["point"])
    assert not len(region.rays())


def test_many_coordinates() -> None:
    net = network("random_f")
    (sample,) = expected()["high_dimension"][0]["samples"]
    region = mc.region_at(net, sample["point"], net.input_box)
    assert [f.units for f in region.unit_facets] == [(u,) for u in sample["facet_units"]]
    assert region.inradius == pytest.approx(sample["inradius"], rel=1e-9)
    graph = mc.explore(net, sample["point"], net.input_box, max_distance=2)
    near = np.bincount(graph.depth).cumsum().tolist()
    assert near == sample["regions_within_facet_distance"]
    with pytest.raises(mc.UnsupportedError, match="6 inputs that vary, here are 8"):
        region.volume()
    lo, hi = region.bounding_box()
    assert np.all(lo >= -1)
    assert np.all(hi <= 1)


def test_volumes_fill_the_box() -> None:
    net = network("geo_int_3_5_5")
    regions = mc.enumerate_regions(net, mc.Box(-2, 2))
    assert sum(region.volume(exact=True) for region in regions) == 64


@pytest.mark.parametrize("kind", ["integer", "normal"])
@pytest.mark.parametrize("seed", range(4))
def test_facets_against_vertices(kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rays and programmes say what generators say, in a box with a fixed coordinate too."""
    rng = np.random.default_rng(seed)
    net = random_net(rng, [3, 4, 4, 2], kind)
    box = mc.Box([-1, -1, 0.5], [1, 2, 0.5]) if seed % 2 else mc.Box(-1, 1)
    for region in list(mc.enumerate_regions(net, box, engine="brute"))[:6]:
        few = {(f.units, f.domain) for f in region.facets}
        small = region.chebyshev()[1]
        region.__dict__.pop("_shape"), region.__dict__.pop("facets")
        with monkeypatch.context() as patch:
            patch.setattr(shapes, "EXACT", 0)
            again = mc.Region(region.pattern, region.problem, region._leaf, region._prepared)
            assert {(f.units, f.domain) for f in again.facets} == few
            assert again.chebyshev()[1] == pytest.approx(small, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_affine_maps_of_any_network(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 9, [3, 4, 2], kind="integer" if seed % 2 else "dyadic")
    x = rng.normal(size=9)
    region = mc.regions_at(net, x)[0]
    matrix, offset = region.affine_map()
    assert matrix @ x + offset == pytest.approx(net.forward(x), rel=1e-11, abs=1e-11)
    step = 1e-4 * region.inradius if np.isfinite(region.inradius) else 1e-6
    near = region.witness
    for j in range(9):
        moved = near + step * np.eye(9)[j]
        if region.contains(moved):
            rise = (net.forward(moved) - net.forward(near)) / step
            assert rise == pytest.approx(matrix[:, j], abs=1e-5)
    rows, right = region.halfspaces()
    assert np.all(rows @ region.witness < right)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)


def test_facets_are_sets_of_units() -> None:
    # The same unit, its double, and its opposite, in a second dimension's strip.
    net = network_of(([[1, 0], [2, 0], [-1, 0], [0, 1]], [0, 0, 0, 1]))
    region = mc.region_at(net, [0.5, 0.5])
    assert [f.units for f in region.facets] == [(0, 1, 2), (3,)]
    (left, below) = region.neighbours()
    assert str(left.pattern) == "0011"
    assert str(below.pattern) == "1100"
    assert left.contains([-0.5, 0.5])
    assert not region.is_bounded
    assert region.chebyshev()[1] == np.inf
    assert region.volume() == np.inf
    assert len(region.vertices()) == 1
    assert sorted(region.rays().tolist()) == [[0, 1], [1, 0]]


def test_a_facet_on_a_side_of_the_domain_is_not_crossed() -> None:
    net = network_of(([[1, 0], [0, 1]], [1, 0]))
    region = mc.region_at(net, [0.5, 0.5], mc.Box(-1, 1))
    assert {(f.units, str(f.domain)) for f in region.facets} == {
        ((0,), "x0 >= lo"),
        ((1,), "None"),
        ((), "x0 <= hi"),
        ((), "x1 <= hi"),
    }
    assert [str(r.pattern) for r in region.neighbours()] == ["10"]


def test_regions_of_strips_and_half_planes() -> None:
    # Parallel lines: no vertices, lines as rays, a finite inradius.
    net = network_of(([[1, 1], [1, 1]], [0, -2]))
    strip = mc.region_at(net, [0.5, 0.5])
    assert strip.inradius == pytest.approx(np.sqrt(0.5), rel=1e-15)
    assert strip.vertices().shape == (0, 2)
    assert len(strip.rays()) == 2
    assert strip.volume() == np.inf
    lo, hi = strip.bounding_box()
    assert np.all(lo == -np.inf)
    assert np.all(hi == np.inf)


@pytest.mark.parametrize("width", [1e-12, 2.0**-60])
def test_thin_sheets(width: float) -> None:
    for n in (2, 4, 9):
        first = np.zeros((2, n))
        first[:, 0] = 1.0
        net = mc.ReLUNetwork([first, np.ones((1, 2))], [[0.0, -width], [0.0]])
        x = np.full(n, 0.3)
        x[0] = width / 2
        sheet = mc.region_at(net, x, mc.Box(-1, 1))
        assert [f.units for f in sheet.unit_facets] == [(0,), (1,)]
        assert len(sheet.facets) == 2 + 2 * (n - 1)
        assert sheet.inradius == pytest.approx(width / 2, rel=1e-9)
        assert [str(r.pattern) for r in sheet.neighbours()] == ["00", "11"]
        around = mc.regions_at(net, np.zeros(n), mc.Box(-1, 1))
        assert [str(r.pattern) for r in around] == ["00", "10"]


def test_slices_and_polytopes() -> None:
    net = network("random_c")
    plane = mc.Slice.plane([-1, -1, -1], [1, -1, 0], [-1, 1, 1])
    region = mc.region_at(net, [0.31, 0.42], plane)
    assert region.contains([0.31, 0.42])
    total = sum(r.volume(exact=True) for r in mc.enumerate_regions(net, plane))
    assert total == 1
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    wide = network_of(([[1, 0]], [-0.5]))
    part = mc.region_at(wide, [0.75, 0.1], triangle)
    assert {(f.units, str(f.domain)) for f in part.facets} == {
        ((0,), "None"),
        ((), "row 1"),
        ((), "row 2"),
    }
    assert part.volume(exact=True) == Fraction(1, 8)


def test_boundaries() -> None:
    net = network("degenerate_zero_bias")
    with pytest.raises(mc.DomainError, match=r"16 regions.*0, 1, 2, 3, 4, 5, 6, 7"):
        mc.region_at(net, [0, 0])
    assert len(mc.regions_at(net, [0, 0])) == 16
    quarter = mc.regions_at(net, [0, 0], mc.Box(0, 1))
    assert 1 <= len(quarter) < 16
    assert all(r.contains([0, 0]) for r in quarter)
    # A unit that is 0 all around does not make a boundary.
    dead = network_of(([[1]], [-1]), ([[1]], [0]))
    assert str(mc.region_at(dead, [0.5]).pattern) == "0|0"


def test_nonempty_patterns_without_interior() -> None:
    net = network_of(([[1], [-1]], [0, 0]))
    found = mc.enumerate_regions(net, mc.Box(-1, 1), engine="brute", definition="nonempty")
    regions = {str(region.pattern): region for region in found}
    with pytest.raises(mc.UnsupportedError, match="without interior"):
        _ = regions["00"].facets
    assert [f.units for f in regions["10"].unit_facets] == [(0, 1)]


def test_networks_without_units() -> None:
    net = mc.ReLUNetwork([[[2.0, 1.0]]], [[3.0]])
    region = mc.region_at(net, [0.5, 0.5], mc.Box(0, 1))
    assert len(region.facets) == 4
    assert region.volume(exact=True) == 1
    assert region.affine_map()[0].tolist() == [[2.0, 1.0]]
    assert region.neighbours() == ()


@pytest.mark.parametrize(
    ("x", "domain", "message"),
    [
        ([0.0], None, "2 coordinates"),
        ([0.0, np.inf], None, "not finite in coordinate 1"),
        ([0.0, -1.25], mc.Box(-1, 1), "coordinate 1 is -1.25, 0.25 below the lower end -1"),
        ([0.0, 2.0], mc.Polytope([[0, 1]], [1]), "row 0 of the polytope is exceeded by 1"),
        (["a", "b"], None, "not a vector of numbers"),
    ],
)
def test_bad_points(x: Any, domain: mc.Domain | None, message: str) -> None:
    with pytest.raises(mc.DomainError, match=message):
        mc.region_at(network("degenerate_dup"), x, domain)


def test_locating_many_points() -> None:
    net = network("random_c")
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, size=(500, 3))
    points[7] = points[3]
    found = mc.locate(net, points)
    patterns = [net.pattern(x) for x in points]
    assert [found.pattern(i) for i in range(500)] == patterns
    assert len(found) == len(set(patterns))
    assert found.region[7] == found.region[3]
    assert found.counts.sum() == 500
    assert [patterns.index(p) for p in dict.fromkeys(patterns)] == found.first.tolist()
    assert not found.on_boundary.any()
    assert found.shared == sum(c for c in found.counts if c > 1)
    zero = mc.locate(network("degenerate_zero_bias"), np.zeros((2, 2)))
    assert zero.on_boundary.all()
    assert len(zero) == 1
    with pytest.raises(mc.DomainError, match="row 1 is not finite in coordinate 2"):
        mc.locate(net, [[0, 0, 0], [0, 0, np.nan]])


def test_neighbourhoods_of_data_points() -> None:
    net = network("random_c")
    points = np.random.default_rng(1).uniform(-1, 1, size=(4, 3))
    found = mc.survey(net, points, "neighbourhoods", distance=1, lo=-1, hi=1)
    assert found.exact
    for row, x in zip(found.rows, points, strict=True):
        region = mc.region_at(net, x, mc.Box(-1, 1))
        assert row.facets == len(region.unit_facets)
        assert row.regions == 1 + len(region.neighbours())
        assert row.inradius == region.inradius
        assert 0 < row.same_class <= 1
    assert found.to_json()["rows"][0]["regions"] == str(found.rows[0].regions)
    with pytest.raises(mc.InputError, match="at least 0"):
        mc.survey(net, points, "neighbourhoods", distance=-1)
    with pytest.raises(mc.InputError, match="goes with neighbourhoods"):
        mc.survey(net, points, "segments", distance=1)


def test_problem_is_that_of_the_count() -> None:
    net = network("random_c")
    region = mc.region_at(net, [0.1, 0.2, 0.3], with_output=True)
    assert region.problem.with_output
    assert region.pattern.widths == CountProblem.of(net, mc.WholeSpace(), with_output=True).widths


@pytest.mark.parametrize("seed", range(3))
def test_bounding_boxes_are_proved(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a box of many inputs: between rational ends and 1e-9 of the box's width beyond."""
    rng = np.random.default_rng(seed)
    net = random_net(rng, [8, 9 if seed % 2 else 4, 3, 2])
    box = mc.Box(np.full(8, -1.0), np.arange(8) + 1.0)
    x = rng.uniform(-0.5, 0.5, size=8)
    lo, hi = mc.region_at(net, x, box).bounding_box()
    monkeypatch.setattr(Shooting, "least_coordinate", lambda *_: None)
    low, high = mc.region_at(net, x, box).bounding_box()
    width = box.hi - box.lo
    assert np.any((low > box.lo) | (high < box.hi))
    assert np.all((lo <= low) & (low - lo <= CLOSE * width))
    assert np.all((hi >= high) & (hi - high <= CLOSE * width))


def test_a_wrong_optimum_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network_of((np.eye(8)[:2], [-0.25, 0.25]))
    x = np.full(8, 0.5)
    real = Programme.least_coordinate

    def wrong(self: Programme, j: int, sign: float, slack: float) -> Proposal | None:
        found = real(self, j, sign, slack)
        return None if found is None else replace(found, value=0.0, duals=0 * found.duals)

    monkeypatch.setattr(Programme, "least_coordinate", wrong)
    lo, hi = mc.region_at(net, x, mc.Box(-1, 1)).bounding_box()
    assert lo.tolist() == [0.25, -0.25, *[-1.0] * 6]
    assert hi.tolist() == [1.0] * 8


def test_corner_rays_and_projections_in_a_box() -> None:
    """Facets in a box far from cubic, against one rational programme a wall."""
    rng = np.random.default_rng(4)
    net = random_net(rng, [9, 4, 6, 2])
    box = mc.Box(-np.logspace(-3, 1, 9), np.logspace(1, -3, 9))
    for x in rng.uniform(-1e-3, 1e-3, size=(4, 9)):
        region = mc.region_at(net, x, box)
        shooting = region._shape.shooting
        facets = shooting.unit_facets
        rational = [k for k in range(len(shooting.walls)) if shooting._rationally(k)]
        assert set(facets) == {shooting.walls[k] for k in rational}


def test_steps_stay_in_the_box_and_come_near() -> None:
    rng = np.random.default_rng(1)
    problem = CountProblem.of(random_net(rng, [9, 3, 2]), mc.Box(-1, np.linspace(0.1, 2, 9)))
    space = Space(problem)
    centre = rng.uniform(-0.5, 0.05, size=9)
    for scale in (0.1, 100.0):
        goal = space.lift @ (rng.uniform(-1, 1, size=9) * scale * 0.4)
        step = step_in_box(space, centre, goal)
        assert np.all((centre + step > space.lo) & (centre + step < space.hi))
        if scale < 1:
            assert space.lift @ step == pytest.approx(goal, abs=1e-6)
