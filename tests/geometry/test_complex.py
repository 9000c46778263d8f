"""The polyhedral complex: faces and incidences against an oracle, and against published numbers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from flint import nmod_mat

import milpcount as mc
from milpcount.geometry.complexes.face_complex import FaceComplex
from tests.geometry.expected import domain_of, expected, network
from tests.geometry.face_oracle import faces
from tests.shared import data_folder, net, random_net
from tests.staged import random_stages, stage_values

BOX = mc.Box(-1, 1)
WHOLE = mc.WholeSpace()
HALF = mc.Box([-np.inf, -1], [1, np.inf])
SIMPLEX = mc.Polytope([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [0, 0, 0, 1])
WEDGE = mc.Polytope([[-1, 0, 0], [0, -1, 0]], [1, 1])  # a quadrant times a line


def check_against_oracle(
    network: mc.ReLUNetwork, domain: mc.Domain, with_output: bool = False
) -> mc.PolyhedralComplex:
    k = mc.polyhedral_complex(network, domain, with_output=with_output)
    found = {}
    for d in range(k.dimension + 1):
        part = k.faces(d)
        for signs, sides in zip(part.signs.tolist(), part.sides.tolist(), strict=True):
            found[tuple(signs), tuple(sides)] = d
    assert sum(k.f_vector) == len(found)
    assert found == faces(network, domain, with_output)
    for d in range(1, k.dimension + 1):
        # A face lies in the closure of another if some of its signs are zeros instead.
        above, below = k.faces(d), k.faces(d - 1)
        names = [(np.array(f.signs), np.array(f.sides, dtype=bool)) for f in (above, below)]
        (s, on), (t, in_) = names
        closed = np.all((t[None] == 0) | (t[None] == s[:, None]), axis=2)
        closed &= np.all(in_[None] | ~on[:, None], axis=2)
        assert np.array_equal(k.incidence(d).toarray() != 0, closed)
    return k


@pytest.mark.parametrize("kind", ["integer", "dyadic"])
@pytest.mark.parametrize(
    ("widths", "domain"),
    [
        ([1, 4, 3], BOX),
        ([1, 4, 3], WHOLE),
        ([2, 4, 2], BOX),
        ([2, 2, 2, 2], WHOLE),
        ([2, 3, 2], HALF),
        ([3, 3], SIMPLEX),
        ([3, 2, 1], WEDGE),
        ([3, 2, 2], mc.Slice.plane([0, 0, 1], [1, 0.3, 0], [0, 1, 1], -1, 1)),
        ([3, 2, 2], mc.Slice.plane([0, 0, 1], [1, 0.3, 0], [0, 1, 1], -np.inf, np.inf)),
        ([3, 2, 2], mc.Box([0.3, -1, -np.inf], [0.3, 1, np.inf])),
        ([4, 4], WHOLE),
    ],
)
def test_all_faces_of_networks_of_stages(widths: list[int], domain: mc.Domain, kind: str) -> None:
    rng = np.random.default_rng(len(widths) + widths[0])
    network = random_stages(rng, widths[0], widths[1:], kind=kind)
    check_against_oracle(network, domain, with_output=len(widths) == 3)


def test_a_network_without_units_has_the_faces_of_the_domain() -> None:
    affine = mc.ReLUNetwork([[[1.0, 2.0]]], [[0.5]])
    k = check_against_oracle(affine, BOX)
    assert k.f_vector == (4, 4, 1)
    assert mc.polyhedral_complex(affine, WHOLE).f_vector == (0, 0, 1)
    assert k.boundary().f_vector == (2, 1)
    assert len(k.regions[0].pattern.bits) == 0


PUBLISHED = 44


def test_all_published_complexes_are_here() -> None:
    assert len(expected()["complexes"]) == PUBLISHED


@pytest.mark.parametrize("place", range(PUBLISHED))
def test_published_complexes(place: int) -> None:
    want = expected()["complexes"][place]
    domain = domain_of(want["domain"])
    k = mc.polyhedral_complex(network(want["network"]), domain, with_output=want["with_output"])
    assert list(k.f_vector) == want["f_vector"]
    assert len(k.dual_graph().pairs) == want["dual_edges"]
    if k.is_bounded:
        assert list(k.interior_f_vector) == want["f_vector_interior"]
        volumes = k.volumes()
        assert volumes.sum() == pytest.approx(want["volume"]["box"])
        assert volumes.min() == pytest.approx(want["volume"]["min"], rel=1e-6)
    boundary = want.get("decision_boundary")
    if boundary is None:
        return
    if want["network"] == "geo_int_3_5_5":
        with pytest.raises(mc.DomainError, match=r"plateau.* on 2 of 126 cells"):
            k.boundary()
        return
    plain = mc.polyhedral_complex(network(want["network"]), domain)
    for whole in (k, plain):  # where the output is cut already, and where it is cut for this
        assert list(whole.boundary().f_vector) == boundary["faces_by_dimension"]
        if "betti_gf2" not in boundary:
            continue
        assert list(whole.boundary().betti) == boundary["betti_gf2"]
        assert whole.boundary().measure == pytest.approx(boundary["length_or_area"])
        for part, name in ((whole.sublevel(), "sublevel"), (whole.superlevel(), "superlevel")):
            assert list(part.f_vector) == boundary[f"{name}_faces"]
            assert list(part.betti) == boundary[f"{name}_betti_gf2"]
            assert part.components == part.betti[0]


def test_a_large_complex_and_its_skeleton() -> None:
    large = mc.load_network(data_folder() / "networks" / "random_d.npz")
    k = mc.polyhedral_complex(large)
    assert k.f_vector == (11831, 42249, 56428, 33396, 7387)
    assert k.betti == (1, 0, 0, 0, 0)
    assert k.volumes().sum() == pytest.approx(16.0)
    skeleton = mc.polyhedral_complex(large, skeleton=True)
    assert np.array_equal(skeleton.vertices, k.vertices)
    edges = [np.sort(c.faces(1).vertices.reshape(-1, 2), axis=1) for c in (k, skeleton)]
    assert np.array_equal(*(np.unique(e, axis=0) for e in edges))
    assert len(skeleton.regions) == 7387
    for refused in (lambda: skeleton.f_vector, lambda: skeleton.faces(2), skeleton.boundary):
        with pytest.raises(mc.InputError, match="skeleton"):
            refused()


def test_the_braid_arrangement() -> None:
    rows = np.array([np.eye(4)[i] - np.eye(4)[j] for i, j in itertools.combinations(range(4), 2)])
    k = mc.polyhedral_complex(net((rows, np.zeros(6))), WHOLE)
    assert k.f_vector == (0, 1, 14, 36, 24)  # ordered set partitions
    assert k.betti == (1, 0, 0, 0, 0)
    assert len(k.vertices) == 0
    assert np.isinf(k.volumes()).all()


# Coordinates.


@pytest.mark.parametrize("domain", [BOX, WHOLE])
@pytest.mark.parametrize("kind", ["integer", "dyadic"])
@pytest.mark.parametrize("widths", [[2, 5, 4], [3, 4, 3]])
def test_units_vanish_at_the_exact_vertices(
    widths: list[int], kind: str, domain: mc.Domain
) -> None:
    rng = np.random.default_rng(5)
    network = random_stages(rng, widths[0], widths[1:], kind=kind)
    k = mc.polyhedral_complex(network, domain, with_output=True)
    linear = [*(stage.linear for stage in network.stages), np.zeros(2, dtype=bool)]
    for x, y, signs in zip(k.exact_vertices, k.vertices, k.faces(0).signs, strict=True):
        values = stage_values(network, x)
        flat = [
            v
            for stage, skip in zip(values, linear, strict=True)
            for v, s in zip(stage, skip, strict=True)
            if not s
        ]
        assert [(v > 0) - (v < 0) for v in flat] == signs.tolist()
        assert np.allclose([float(v) for v in x], y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("domain", "size"),
    [
        (BOX, 8),
        (SIMPLEX, Fraction(1, 6)),
        (mc.Slice.plane([0, 0, 0], [1, 2, 3], [0, 1, 5]), 1),
        (mc.Box([-1, 0.5, 0], [1, 0.5, 2]), 4),
    ],
)
def test_exact_volumes_add_up(domain: mc.Domain, size: Fraction) -> None:
    k = mc.polyhedral_complex(random_net(np.random.default_rng(3), [3, 5, 4, 1]), domain)
    exact = k.volumes(exact=True)
    assert sum(exact) == size
    assert np.allclose(k.volumes(), [float(v) for v in exact])
    assert exact[0] == k.regions[0].volume(exact=True)


def test_polygons_run_round_their_regions() -> None:
    k = mc.polyhedral_complex(random_net(np.random.default_rng(4), [2, 6, 6, 1]), BOX)
    begin, corners = k.polygons()
    assert len(begin) == len(k.regions) + 1
    edges = {tuple(e) for e in k.faces(1).vertices.reshape(-1, 2).tolist()}
    for p, region in enumerate(k.regions):
        ring = corners[begin[p] : begin[p + 1]].tolist()
        assert sorted(ring) == k.faces(2).vertices_of(p).tolist()
        assert all(tuple(sorted(e)) in edges for e in zip(ring, ring[1:] + ring[:1], strict=True))
        x, y = k.vertices[ring].T
        area = 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
        assert area == pytest.approx(region.volume())


# Boundaries.


def absolute(n: int, *levels: float) -> mc.ReLUNetwork:
    """||...|x_1| + ... + |x_n| - a| - ...| - z for the levels a, ..., z."""
    weights = [np.eye(n), np.ones((1, n)), *[np.ones((1, 1))] * (len(levels) - 1)]
    biases = [np.zeros(n), *([-level] for level in levels)]
    return mc.ReLUNetwork(weights, biases, [-np.ones(w.shape[0]) for w in weights[:-1]])


@pytest.mark.parametrize(
    ("network", "faces_", "betti", "size"),
    [
        (absolute(2, 1.0), (4, 4), (1, 1), 4 * 2**0.5),
        (absolute(2, 1.0, 0.25), (8, 8), (2, 2), 8 * 2**0.5),
        (absolute(3, 1.0, 0.25), (12, 24, 16), (2, 0, 2), 14.722431864335455),
    ],
)
def test_boundaries_by_hand(
    network: mc.ReLUNetwork, faces_: tuple[int, ...], betti: tuple[int, ...], size: float
) -> None:
    for domain in (mc.Box(-2, 2), WHOLE):
        k = mc.polyhedral_complex(network, domain)
        boundary = k.boundary()
        assert (boundary.f_vector, boundary.betti) == (faces_, betti)
        assert boundary.components == betti[0]
        assert boundary.measure == pytest.approx(size)
    if betti == (2, 2):
        assert k.sublevel().betti == (1, 1, 0)  # a ring
    assert k.boundary(level=0.125).betti == betti  # still between the creases


def test_levels_and_differences() -> None:
    rng = np.random.default_rng(8)
    network = random_net(rng, [2, 6, 5, 3])
    k = mc.polyhedral_complex(network, BOX)
    shifted = mc.ReLUNetwork(
        network.weights, [*network.biases[:-1], network.biases[-1] - [0.25, 0, 0]]
    )
    assert k.boundary(level=0.25).f_vector == (
        mc.polyhedral_complex(shifted, BOX, with_output=False).boundary().f_vector
    )
    for v in k.boundary(outputs=(2, 1)).vertices:
        y = network.forward(v)
        assert y[2] == pytest.approx(y[1])
    assert k.boundary(outputs=(1, 2)).measure == k.boundary(outputs=(2, 1)).measure
    low, high = k.sublevel(outputs=(0, 1)), k.superlevel(outputs=(0, 1))
    assert low.measure + high.measure == pytest.approx(4.0)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_decision_boundaries(inputs: int, classes: int) -> None:
    rng = np.random.default_rng(inputs)
    network = random_net(rng, [inputs, 5, classes], "integer")
    # An output twice would make plateaus everywhere.
    network = mc.ReLUNetwork(
        network.weights, [network.biases[0], rng.integers(-8, 8, classes) / 16]
    )
    k = mc.polyhedral_complex(network, mc.Box(-2, 2))
    refined = k.refine(argmax=True)
    names = set()
    for d in range(inputs + 1):
        part = refined.faces(d)
        for f, name in enumerate(part.signs.tolist()):
            corners = [refined.exact_vertices[v] for v in part.vertices_of(f).tolist()]
            middle = [sum(c) / len(corners) for c in zip(*corners, strict=True)]
            values = stage_values(network, middle)[-1]
            top = max(values)
            assert name[k.problem.n_units :] == [0 if v == top else -1 for v in values]
            names.add((tuple(name), tuple(part.sides[f].tolist())))
    assert len(names) == sum(refined.f_vector)  # nothing is cut by what only losers do
    assert len(refined.classes) == len(refined)
    if np.all(np.count_nonzero(refined.faces(inputs).signs[:, k.problem.n_units :] == 0, 1) == 1):
        boundary = k.boundary(argmax=True)
        if classes == 2:
            assert boundary.f_vector == k.boundary(outputs=(0, 1)).f_vector


def test_decision_boundaries_of_the_whole_space() -> None:
    network = random_net(np.random.default_rng(6), [2, 6, 2])
    k = mc.polyhedral_complex(network, WHOLE)
    one, other = k.boundary(argmax=True), k.boundary(outputs=(0, 1))
    assert one.f_vector == other.f_vector
    assert one.betti == other.betti
    assert np.isinf(one.measure)
    three = mc.polyhedral_complex(random_net(np.random.default_rng(6), [2, 6, 3]), WHOLE)
    assert set(three.refine(argmax=True).classes) == {0, 1, 2}


def gf2_betti(k: FaceComplex) -> tuple[int, ...]:
    """From the ranks of whole boundary matrices."""
    counts = list(k.f_vector)
    ranks = [0]
    for d in range(1, len(counts)):
        entries = (k.incidence(d).toarray() != 0).astype(int).ravel().tolist()
        small = counts[d] and counts[d - 1]
        ranks.append(nmod_mat(counts[d], counts[d - 1], entries, 2).rank() if small else 0)
    return tuple(c - r - s for c, r, s in zip(counts, ranks, [*ranks[1:], 0], strict=True))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_homology_against_ranks(inputs: int, seed: int) -> None:
    widths = {2: [10, 5], 3: [5, 3], 4: [4]}[inputs]
    network = random_net(np.random.default_rng(seed), [inputs, *widths, 1])
    k = mc.polyhedral_complex(network, BOX)
    level = float(np.median(network.forward(k.vertices)))
    for part in (k, k.boundary(level=level), k.sublevel(level=level)):
        assert part.betti == gf2_betti(part)
        assert part.components == part.betti[0]


def test_what_stops_early_is_true() -> None:
    network = random_net(np.random.default_rng(2), [2, 12, 10, 1])
    whole = mc.polyhedral_complex(network, BOX)
    some = mc.polyhedral_complex(network, BOX, budget=mc.Budget(regions=20))
    assert not some.complete
    assert some.termination.limit is mc.Limit.REGIONS
    assert "stopped" in repr(some)
    every = {row.tobytes() for row in whole.faces(0).signs}
    assert all(row.tobytes() in every for row in some.faces(0).signs)
    assert not some.dual_graph().expanded.all()
    everything = mc.polyhedral_complex(network, WHOLE)
    for regions in (20, 150):
        some = mc.polyhedral_complex(network, WHOLE, budget=mc.Budget(regions=regions))
        assert not some.complete
        for d in range(3):
            known = {row.tobytes() for row in everything.faces(d).signs}
            assert all(row.tobytes() in known for row in some.faces(d).signs)


def test_what_is_refused() -> None:
    network = random_net(np.random.default_rng(2), [2, 3, 2])
    k = mc.polyhedral_complex(network, BOX)
    with pytest.raises(mc.UnsupportedError, match=r"up to 6 inputs.*Slice\.plane"):
        mc.polyhedral_complex(random_net(np.random.default_rng(2), [7, 3, 1]), BOX)
    with pytest.raises(mc.InputError, match="no output 2: it has 2, numbered from 0 to 1"):
        k.boundary(2)
    with pytest.raises(mc.InputError, match="no output 9"):
        k.boundary(outputs=(0, 9))
    with pytest.raises(mc.InputError, match="are one"):
        k.boundary(outputs=(1, 1))
    with pytest.raises(mc.InputError, match="two outputs"):
        k.boundary(outputs=(1,))  # type: ignore[arg-type]
    with pytest.raises(mc.InputError, match="finite"):
        k.sublevel(level=float("nan"))
    with pytest.raises(mc.InputError, match="not both"):
        k.boundary(outputs=(0, 1), argmax=True)
    with pytest.raises(mc.InputError, match="has 1; take"):
        mc.polyhedral_complex(absolute(2, 1.0), BOX).boundary(argmax=True)
    with pytest.raises(mc.InputError, match="dimension 0 to 2 here, not 3"):
        k.faces(3)
    with pytest.raises(mc.InputError, match="no facets"):
        k.incidence(0)
    with pytest.raises(mc.UnsupportedError, match="give a bounded domain"):
        mc.polyhedral_complex(network, WHOLE).polygons()
    with pytest.raises(mc.UnsupportedError, match="no finite volume"):
        mc.polyhedral_complex(network, WHOLE).volumes(exact=True)
    with pytest.raises(mc.InputError, match="refined by output 0 at level 0 already"):
        k.refine().boundary(1)
    with pytest.raises(mc.InputError, match="no dual graph"):
        k.refine().dual_graph()
    with pytest.raises(mc.DomainError, match="a single point"):
        mc.polyhedral_complex(network, mc.Box([0, 0], [0, 0]))
    flat = net(([[1.0, 0.0]], [0.0]))  # its output is 0 everywhere
    with pytest.raises(mc.DomainError, match="on 2 of 2 cells"):
        mc.polyhedral_complex(flat, BOX).boundary()
    assert mc.polyhedral_complex(flat, BOX).sublevel().f_vector == (6, 7, 2)
