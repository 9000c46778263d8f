"""All cells in arrays: exact identities of vertices, faces and facets, degenerate ones too."""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import problem_stages
from milpcount.search.cell_complex import CellComplex, cell_complex
from milpcount.search.exact_cell import ExactCells
from milpcount.search.frames.problem_frames import cube_frame, root_signs
from milpcount.search.native_cells import NativeCells
from tests.shared import data_folder, net, random_net

BOX = mc.Box(-1, 1)


def complex_of(
    network: mc.ReLUNetwork, domain: mc.Domain | None = BOX, **options: object
) -> CellComplex:
    return cell_complex(CountProblem.of(network, domain, **options))  # type: ignore[arg-type]


def f_vector(k: CellComplex) -> list[int]:
    return [len(faces) for faces in k.faces]


def check(k: CellComplex) -> None:
    """What holds for every complex over a box."""
    assert k.complete
    assert sum((-1) ** d * count for d, count in enumerate(f_vector(k))) == 1
    facets = k.faces[-2]
    for f in range(len(facets)):
        on = k.vertex_sides[facets.vertices[facets.begin[f] : facets.begin[f + 1]]].all(axis=0)
        # On the boundary of the domain there is one cell, elsewhere there are two.
        assert bool(on.any()) == (k.facet_cells[f, 1] < 0)
        assert k.facet_cells[f, 0] >= 0
    # Signs at vertices are those of the cells, or zero.
    cells = k.faces[-1]
    for c in range(len(cells)):
        at = k.vertex_signs[cells.vertices[cells.begin[c] : cells.begin[c + 1]]]
        assert np.all(at.min(axis=0) * at.max(axis=0) >= 0)
        assert np.array_equal(np.sign(at.sum(axis=0, dtype=int)), k.cell_signs[c])
    patterns = {(row > 0).tobytes() for row in k.cell_signs}
    assert len(patterns) == len(k.cell_signs)


@pytest.mark.parametrize(
    ("name", "domain", "with_output", "faces", "dual_edges"),
    [
        ("random_a", None, False, [131, 236, 106], 188),
        ("random_c", None, False, [1082, 2889, 2564, 756], 1974),
        ("bunny_2_2x50", mc.Box(-0.5, 0.5), True, [289, 543, 255], 477),
        ("degenerate_zero_bias", BOX, False, [21, 36, 16], 16),
        ("degenerate_dup", BOX, False, [9, 12, 4], 4),
    ],
)
def test_known_complexes(
    name: str, domain: mc.Domain | None, with_output: bool, faces: list[int], dual_edges: int
) -> None:
    network = mc.load_network(data_folder() / "networks" / f"{name}.npz")
    k = complex_of(network, domain, with_output=with_output)
    assert f_vector(k) == faces
    assert int((k.facet_cells[:, 1] >= 0).sum()) == dual_edges


@pytest.mark.parametrize("kind", ["normal", "integer", "sparse"])
@pytest.mark.parametrize("widths", [[1, 5, 4], [2, 6, 5], [3, 5, 4], [4, 4, 3]])
def test_random_complexes(widths: list[int], kind: str) -> None:
    for seed in range(3):
        network = random_net(np.random.default_rng(seed), [*widths, 1], kind)
        k = complex_of(network)
        check(k)
        assert len(k.cell_signs) == mc.count(network, BOX, engine="tree-highs").lower


@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("widths", [[2, 6, 4], [3, 4, 3]])
def test_vertices_are_the_exact_ones(widths: list[int], kind: str) -> None:
    network = random_net(np.random.default_rng(11), [*widths, 1], kind)
    problem = CountProblem.of(network, BOX)
    frame = cube_frame(problem)
    exact = ExactCells(frame, problem_stages(problem), problem.index)
    one_by_one = NativeCells(frame, problem, emit=True)
    one_by_one.start(root_signs(problem, frame.signs))
    found = set()
    while one_by_one.run(10**6, 1) != 1 or one_by_one.take_count():
        one_by_one.take_leaves()
        signs, _, rows, on = one_by_one.last_cell()
        for line in on:
            named = (row for row, lies in zip(rows, line, strict=True) if lies)
            vertex = exact.vertex(signs.tobytes(), named)
            found.add(tuple(2 * a / vertex.denominator - 1 for a in vertex.numerators))
    k = cell_complex(problem)
    assert len(k.vertices) == len(found)
    order = np.lexsort(k.vertices.T)
    other = np.array(sorted(found))
    assert np.allclose(k.vertices[order], other[np.lexsort(other.T)], atol=1e-9)


def test_a_unit_that_is_zero_on_a_cell() -> None:
    # h = relu(x); relu(h) and relu(-h) vanish where x < 0.
    k = complex_of(net(([[1]], [0]), ([[1], [-1]], [0, 0])))
    assert sorted(map(tuple, k.cell_signs.tolist())) == [(-1, 0, 0), (1, 1, -1)]
    assert f_vector(k) == [3, 2]


def test_duplicated_units_vanish_on_one_facet() -> None:
    k = complex_of(net(([[1, 0], [2, 0], [-1, 0]], [0, 0, 0])))
    assert f_vector(k) == [6, 7, 2]
    (inner,) = np.flatnonzero(k.facet_cells[:, 1] >= 0)
    facets = k.faces[1]
    ends = facets.vertices[facets.begin[inner] : facets.begin[inner + 1]]
    assert np.all(k.vertex_signs[ends] == 0)


def test_a_polytope_and_fixed_inputs() -> None:
    network = random_net(np.random.default_rng(2), [3, 5, 4, 1])
    square = mc.Box([-1, 0.5, -1], [1, 0.5, 1])
    k = complex_of(network, square)
    assert k.n == 2
    assert np.all(k.vertices[:, 1] == 0.5)
    check(k)
    triangle = mc.Polytope([[1, 1], [-1, 0], [0, -1]], [1, 0, 0])
    k = complex_of(random_net(np.random.default_rng(2), [2, 5, 4, 1]), triangle)
    check(k)
    assert k.vertices.min() > -1e-12
    assert k.vertices.sum(axis=1).max() < 1 + 1e-12


def test_limits_leave_true_cells() -> None:
    network = random_net(np.random.default_rng(2), [2, 12, 10, 1])
    problem = CountProblem.of(network, BOX)
    whole = cell_complex(problem)
    part = cell_complex(problem, max_cells=20)
    assert not part.complete
    assert 20 <= len(part.cell_signs) < len(whole.cell_signs)
    every = {row.tobytes() for row in whole.cell_signs}
    assert all(row.tobytes() in every for row in part.cell_signs)


def test_stages_of_which_a_unit_is_read_by_few() -> None:
    # As of a convolution: most weights are zero, and the kernel leaves them out.
    rng = np.random.default_rng(6)
    weights = [rng.normal(size=(64, 2)), rng.normal(size=(96, 64)), rng.normal(size=(1, 96))]
    weights[1] *= rng.random((96, 64)) < 0.03
    network = mc.ReLUNetwork(weights, [rng.normal(size=len(w)) for w in weights])
    square = mc.Box(-0.2, 0.2)
    k = complex_of(network, square)
    check(k)
    assert len(k.cell_signs) == mc.count(network, square, engine="tree").lower
    for x, signs in zip(k.vertices, k.vertex_signs, strict=True):
        values = np.concatenate(network.preactivations(x))
        sure = np.abs(values) > 1e-9
        assert np.array_equal(np.sign(values[sure]), signs[sure])
        assert np.all(signs[~sure] == 0)


def test_without_faces() -> None:
    network = random_net(np.random.default_rng(2), [3, 6, 4, 1])
    whole = complex_of(network)
    some = cell_complex(CountProblem.of(network, BOX), faces="facets")
    assert f_vector(some) == [len(whole.faces[0]), 0, len(whole.faces[2]), len(whole.faces[3])]
    assert np.array_equal(some.facet_cells, whole.facet_cells)
    thin = cell_complex(CountProblem.of(network, BOX), faces="edges")
    assert f_vector(thin) == [*f_vector(whole)[:2], 0, f_vector(whole)[3]]
    edges = [k.faces[1].vertices.reshape(-1, 2) for k in (thin, whole)]
    assert np.array_equal(*(np.unique(e, axis=0) for e in edges))


def test_what_is_refused() -> None:
    with pytest.raises(mc.UnsupportedError, match="take a slice"):
        complex_of(random_net(np.random.default_rng(0), [7, 3, 1]))
    with pytest.raises(mc.UnsupportedError, match="unbounded"):
        complex_of(random_net(np.random.default_rng(0), [2, 3, 1]), mc.WholeSpace())
