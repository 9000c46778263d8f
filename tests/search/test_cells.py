"""Cells as polytopes: they tile the domain, and fit together along facets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.search.polytopes import Cell, enumerate_cells
from tests.shared import net, random_net


def cells_of(network: mc.ReLUNetwork, domain: mc.Domain) -> list[Cell]:
    return list(enumerate_cells(CountProblem.of(network, domain)))


def area(cell: Cell) -> float:
    """Of a polygon: its vertices sorted around the middle."""
    centre = cell.vertices.mean(axis=0)
    x, y = (cell.vertices - centre).T
    order = np.argsort(np.arctan2(y, x))
    x, y = x[order], y[order]
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


@pytest.mark.parametrize("kind", ["normal", "integer"])
@pytest.mark.parametrize("seed", range(6))
def test_polygons_tile_the_square(kind: str, seed: int) -> None:
    network = random_net(np.random.default_rng(seed), [2, 6, 5, 1], kind)
    cells = cells_of(network, mc.Box(-1, 1))
    assert len({c.bits for c in cells}) == len(cells) == mc.count(network, mc.Box(-1, 1)).lower
    assert sum(area(c) for c in cells) == pytest.approx(4.0)
    for cell in cells:
        assert len(cell.edges) == len(cell.vertices)
        assert np.all(cell.incidence.sum(axis=1) >= 2)


@pytest.mark.parametrize("seed", range(3))
def test_euler_in_space(seed: int) -> None:
    network = random_net(np.random.default_rng(seed), [3, 6, 3, 1])
    for cell in cells_of(network, mc.Box(-1, 1)):
        facets = int(np.sum(cell.incidence.sum(axis=0) >= 3))
        assert len(cell.vertices) - len(cell.edges) + facets == 2


def test_faces_fit_together() -> None:
    # Every facet inside the square belongs to two cells, with the same end points.
    network = random_net(np.random.default_rng(7), [2, 5, 4, 1])
    inside: dict[tuple[tuple[float, ...], ...], int] = {}
    for cell in cells_of(network, mc.Box(-1, 1)):
        for f, facet in enumerate(cell.facets):
            if facet.kind == "unit":
                ends = cell.vertices[cell.incidence[:, f]]
                key = tuple(sorted(tuple(np.round(p, 9)) for p in ends))
                inside[key] = inside.get(key, 0) + 1
    assert inside
    assert set(inside.values()) == {2}


def test_concurrent_planes() -> None:
    # x, y, z, x+y+z = 0 through the centre of a cube: 14 cells, all with the centre as vertex.
    planes = net(([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], [0, 0, 0, 0]))
    cells = cells_of(planes, mc.Box(-1, 1))
    assert len(cells) == 14
    for cell in cells:
        centre = np.flatnonzero(np.all(cell.vertices == 0, axis=1))
        assert len(centre) == 1
        units = [f.kind == "unit" for f in cell.facets]
        assert np.all(cell.incidence[centre[0]][units])


def test_inputs_that_do_not_matter_are_there() -> None:
    # Only x matters; the cells are boxes in all three coordinates, y fixed.
    flat = net(([[2, 0, 0]], [-1]))
    cells = cells_of(flat, mc.Box([0, 5, -1], [1, 5, 1]))
    assert sorted(c.bits for c in cells) == [(0,), (1,)]
    for cell in cells:
        corners = {tuple(v) for v in cell.vertices}
        ends = (0.5, 1.0) if cell.bits == (1,) else (0.0, 0.5)
        assert corners == set(itertools.product(ends, (5.0,), (-1.0, 1.0)))


def test_a_sliver_is_a_cell() -> None:
    thin = net(([[1, 0], [1, 0]], [0, -(2.0**-60)]))
    cells = cells_of(thin, mc.Box(-1, 1))
    assert sorted(c.bits for c in cells) == [(0, 0), (1, 0), (1, 1)]


def test_polytopes_and_refusals() -> None:
    triangle = mc.Polytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    cells = cells_of(net(([[1, -1]], [0])), triangle)
    assert sum(area(c) for c in cells) == pytest.approx(0.5)
    assert {f.kind for c in cells for f in c.facets} == {"unit", "domain"}
    with pytest.raises(mc.UnsupportedError, match="unbounded"):
        cells_of(net(([[1, -1]], [0])), mc.WholeSpace())
    with pytest.raises(mc.UnsupportedError, match="up to 6 inputs"):
        cells_of(random_net(np.random.default_rng(0), [7, 3, 1]), mc.Box(0, 1))
