"""The dual graph: fixed values, two independent ways, limits, resuming, export."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.geometry import shape as shapes
from milpcount.geometry.graph_export import write_graph
from tests.geometry.expected import domain_of, expected, network
from tests.geometry.polygons import plane_graph
from tests.shared import random_net
from tests.staged import oracle, random_stages

SLOW = 200  # regions that exploring region by region is given


def _complexes() -> list[dict[str, Any]]:
    try:
        return list(expected()["complexes"])
    except pytest.skip.Exception:
        return []


def _name(case: dict[str, Any]) -> str:
    where = "space" if isinstance(case["domain"], str) else "box"
    return f"{case['network']}-{where}{'-output' if case['with_output'] else ''}"


def _check(graph: mc.RegionGraph, case: dict[str, Any]) -> None:
    assert graph.complete
    assert (len(graph), len(graph.edges)) == (case["regions"], case["dual_edges"])
    degrees = Counter(map(str, graph.degrees().tolist()))
    assert degrees == Counter(case["degree_histogram"])
    flips = Counter(str(len(edge.units)) for edge in graph.edges)
    assert flips == Counter(case["units_flipped_per_facet"])
    assert graph.diameter() == case["dual_diameter"]


@pytest.mark.parametrize("case", _complexes(), ids=_name)
def test_all_cells_at_once(case: dict[str, Any]) -> None:
    graph = mc.dual_graph(
        network(case["network"]),
        domain_of(case["domain"]),
        method="subdivision",
        with_output=case["with_output"],
    )
    _check(graph, case)


@pytest.mark.parametrize(
    "case", [c for c in _complexes() if c["regions"] <= SLOW and c["inputs"] < 4], ids=_name
)
def test_facet_by_facet(case: dict[str, Any]) -> None:
    graph = mc.dual_graph(
        network(case["network"]),
        domain_of(case["domain"]),
        method="facets",
        with_output=case["with_output"],
    )
    _check(graph, case)


def test_random_d() -> None:
    net = network("random_d")
    graph = mc.dual_graph(net, net.input_box)
    assert (len(graph), len(graph.edges)) == (7387, 25939)


def test_facet_by_facet_in_four_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,245 edges, where flips of single units give 2,269; by rays and pivots too."""
    (case,) = [c for c in _complexes() if c["network"] == "relucent_ckpt5303_d4_w10_nh1"]
    net = network(case["network"])
    graph = mc.dual_graph(net, mc.WholeSpace(), method="facets", with_output=True)
    assert (len(graph), len(graph.edges), graph.diameter()) == (640, 2245, 11)
    _check(graph, case)
    monkeypatch.setattr(shapes, "EXACT", 0)
    places = {row.tobytes(): k for k, row in enumerate(graph.patterns)}
    for k in range(0, 640, 20):
        region = mc.region_at(net, graph.regions[k].witness, mc.WholeSpace(), with_output=True)
        across = {places[r.pattern.bits.astype(np.uint8).tobytes()] for r in region.neighbours()}
        assert across == set(graph.neighbours(k))


def _sets(graph: mc.RegionGraph) -> tuple[set[bytes], set[frozenset[bytes]]]:
    keys = [row.tobytes() for row in graph.patterns]
    return set(keys), {frozenset((keys[a], keys[b])) for a, b in graph.pairs.tolist()}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_both_ways_agree_on_degenerate_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = [int(rng.integers(1, 4)), *rng.integers(2, 5, size=int(rng.integers(1, 3))), 1]
    slopes = [float(rng.choice([0.0, 0.0, 0.5, -1.0])) for _ in widths[1:-1]]
    net = random_net(rng, [int(w) for w in widths], str(rng.choice(["integer", "sparse"])), slopes)
    domain = mc.WholeSpace() if seed % 2 else mc.Box(-1, 2)
    cells = mc.dual_graph(net, domain, method="subdivision", with_output=bool(seed % 3))
    facets = mc.dual_graph(net, domain, method="facets", with_output=bool(seed % 3))
    assert _sets(cells) == _sets(facets)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_both_ways_agree_on_residual_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 2, [3, 2, 3], kind="integer" if seed % 2 else "dyadic")
    domain = mc.WholeSpace() if seed % 3 else mc.Box(-1, 1)
    cells = mc.dual_graph(net, domain, method="subdivision")
    facets = mc.dual_graph(net, domain, method="facets")
    assert _sets(cells) == _sets(facets)
    assert set(map(tuple, facets.patterns.tolist())) == oracle(net, domain)


def _plain(rng: np.random.Generator, kind: str) -> mc.ReLUNetwork:
    """Small integers; without biases, or with units that are multiples of others."""
    widths = [2, *rng.integers(2, 5, size=int(rng.integers(1, 3))).tolist(), 1]
    drawn = random_net(rng, widths, "integer")
    weights, biases = [w.copy() for w in drawn.weights], [b.copy() for b in drawn.biases]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        if kind == "no biases":
            bias[:] = 0
        else:
            factor = rng.choice([2, -1, -0.5, 1])
            weight[1], bias[1] = factor * weight[0], factor * bias[0]
    return mc.ReLUNetwork(weights, biases)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["no biases", "multiples", "residual"]))
def test_plane_graphs_against_polygons(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 2, [3, 3], kind="integer") if kind == "residual" else _plain(rng, kind)
    # All vertices of the whole plane lie within the large square.
    domain, ends = (mc.WholeSpace(), 2**40) if seed % 2 else (mc.Box(-2, 2), 2)
    want = plane_graph(net, ends, bool(seed % 3))
    for method in ("subdivision", "facets"):
        graph = mc.dual_graph(net, domain, method=method, with_output=bool(seed % 3))
        assert _sets(graph) == want


@pytest.mark.parametrize(
    ("specimen", "edges"),
    [
        (mc.zoo.braid(4), 36),
        (mc.zoo.resonance(3), 48),
        (mc.zoo.catalan(3), 42),
    ],
)
def test_hyperplanes_in_the_walls_of_the_charts(specimen: mc.zoo.Specimen, edges: int) -> None:
    graph = mc.dual_graph(specimen.net, specimen.domain)
    assert (len(graph), len(graph.edges)) == (specimen.regions, edges)


def test_limits_leave_true_parts(tmp_path: Path) -> None:
    net = network("random_a")
    box = mc.Box(-1, 1)
    whole = _sets(mc.dual_graph(net, box, method="facets"))
    part = mc.explore(net, [0.11, 0.23], box, max_regions=20)
    assert not part.complete
    assert len(part) == 20
    assert part.termination.limit is mc.Limit.REGIONS
    regions, edges = _sets(part)
    assert regions < whole[0]
    assert edges < whole[1]
    near = mc.explore(net, [0.11, 0.23], box, max_distance=2)
    assert near.depth.max() == 2
    assert set(near.ball(1)) == {0, *near.neighbours(0)}
    assert near.ball(0) == (0,)
    # Regions and edges of the ball are all those of the whole graph.
    regions, edges = _sets(near)
    assert edges == {edge for edge in whole[1] if edge <= regions}


def test_resuming(tmp_path: Path) -> None:
    net = network("geo_int_2_6_6")
    file = tmp_path / "kept.npz"
    first = mc.explore(net, [0.1, 0.2], resume=file, max_regions=7)
    assert len(first) == 7
    second = mc.explore(net, resume=file)
    assert second.complete
    assert (len(second), len(second.edges)) == (29, 46)
    with pytest.raises(mc.InputError, match="another network"):
        mc.explore(net, [0.1, 0.2], mc.Box(-1, 1), resume=file)
    file.write_bytes(b"nothing")
    with pytest.raises(mc.InputError, match="no exploration"):
        mc.explore(net, [0.1, 0.2], resume=file)


def test_an_interrupt_ends_with_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from milpcount.geometry import exploration as module

    def steps() -> Iterator[None]:
        yield from [None] * 5
        raise KeyboardInterrupt

    at = steps()
    expand = module._Exploration._expand

    def interrupted(self: Any, k: int) -> None:
        next(at)
        expand(self, k)

    monkeypatch.setattr(module._Exploration, "_expand", interrupted)
    graph = mc.explore(network("random_a"), [0.11, 0.23], mc.Box(-1, 1))
    assert graph.termination.limit is mc.Limit.INTERRUPT
    assert int(graph.expanded.sum()) == 5


def test_distances_and_networkx() -> None:
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    net = network("geo_int_3_5_5")
    graph = mc.dual_graph(net, net.input_box)
    made = graph.to_networkx()
    assert networkx.diameter(made) == graph.diameter() == 9
    lengths = dict(networkx.all_pairs_shortest_path_length(made))
    assert all(graph.distance(0, b) == lengths[0][b] for b in range(len(graph)))
    assert graph.eccentricity(3) == max(lengths[3].values())
    assert sum(v for _, v in made.nodes(data="volume")) == pytest.approx(64.0, rel=1e-12)
    assert all(r > 0 for _, r in made.nodes(data="inradius"))
    lower, upper = graph.diameter(searches=1)  # type: ignore[misc]
    assert lower <= 9 <= upper


def test_networkx_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mc.dual_graph(network("degenerate_dup"), mc.WholeSpace(), method="facets")
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(mc.MissingDependencyError, match=r"milpcount\[geometry\]"):
        graph.to_networkx()


def test_files(tmp_path: Path) -> None:
    import json

    graph = mc.dual_graph(network("degenerate_dup"), mc.WholeSpace(), method="facets")
    write_graph(graph, tmp_path / "g.json")
    stored = json.loads((tmp_path / "g.json").read_text())
    assert len(stored["nodes"]) == 4
    assert sorted(len(e["units"]) for e in stored["edges"]) == [1, 1, 2, 2]
    with pytest.raises(mc.InputError, match=r"\.graphml or \.json"):
        write_graph(graph, tmp_path / "g.txt")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": [0.0]}, "shape"),
        ({"start": [0.0, np.nan]}, "not finite in coordinate 1"),
        ({"start": [0.0, 2.5]}, "coordinate 1 is 2.5, 1.5 above the upper end 1"),
        ({"max_distance": -1}, "distance is at least 0"),
        ({"max_regions": 0}, "at least 1"),
        ({"definition": "nonempty"}, "full-dimensional"),
        ({"domain": mc.Polytope([[1, 0], [-1, 0]], [0, 0])}, "flat"),
        ({"domain": mc.Polytope([[1, 0], [-1, 0]], [0, -1])}, "empty"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    net = network("degenerate_dup")
    with pytest.raises(mc.InputError, match=message):
        mc.explore(net, **{"domain": mc.Box(-1, 1), "start": [0.1, 0.2]} | options)
