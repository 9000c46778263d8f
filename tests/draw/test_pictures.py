"""What is on the axes: as many polygons as regions, the boundary of the complex, and no window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.draw.cells_in_space import complex3d
from milpcount.draw.layer_panels import layer_scenes
from milpcount.draw.plane import plane_of
from milpcount.draw.region_map import region_scene
from milpcount.draw.zero_lines import boundary_segments
from tests.draw.nets import DIAMOND, SQUARE, random_net

pytest.importorskip("matplotlib")
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection


def _key(segments: np.ndarray) -> list[list[float]]:
    ends = np.round(np.asarray(segments).reshape(-1, 2, 2), 9) + 0.0
    return sorted([*a, *b] for a, b in map(sorted, ends.tolist()))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("integers", [False, True])
def test_polygons_and_boundary_are_those_of_the_complex(outputs: int, integers: bool) -> None:
    net = random_net(2, 7, 5, outputs, seed=10, integers=integers)
    K = mc.polyhedral_complex(net, SQUARE)
    axes = mc.draw.regions(K)
    polygons = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert len(polygons[0].get_paths()) == len(K) == mc.count(net, SQUARE).lower
    edge = K.boundary(argmax=outputs > 1)
    expected = edge.vertices[edge.faces(1).vertices.reshape(-1, 2)]
    # The last lines: black on their white halo.
    lines = [c for c in axes.collections if isinstance(c, LineCollection)]
    assert len(expected)
    for drawn in lines[-2:]:
        assert _key(np.array(drawn.get_segments())) == _key(expected)
    assert axes.get_aspect() == 1.0


def test_the_boundary_of_the_diamond() -> None:
    segments = boundary_segments(plane_of(DIAMOND, SQUARE))
    corners = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    expected = [[corners[k - 1], corners[k]] for k in range(4)]
    assert _key(segments) == _key(np.array(expected, dtype=float))


def test_edges_are_coloured_once_each() -> None:
    plane = plane_of(random_net(2, 6, 6, 1, seed=1), SQUARE)
    K = plane.complex
    scene = region_scene(K, boundary=False)
    inner = sum(len(lines.segments) for lines in scene.lines[1:])
    assert inner == K.interior_f_vector[1] == len(plane.inner)
    assert len(scene.lines[0].segments) == K.f_vector[1] - inner
    signs = K.faces(1).signs
    for edge in plane.inner.tolist():
        assert signs[edge, plane.units[edge]] == 0


def test_panels_hold_each_edge_once() -> None:
    net = random_net(2, 5, 4, 3, 1, seed=2)
    plane = plane_of(net, SQUARE)
    scenes = layer_scenes(plane)
    assert [scene.title for scene in scenes] == [
        "layer 1",
        "layer 2",
        "layer 3",
        "decision boundary",
    ]
    coloured = [len(scene.lines[2].segments) for scene in scenes[:3]]
    grey = [len(scene.lines[1].segments) for scene in scenes[:3]]
    assert sum(coloured) == len(plane.inner)
    assert grey == [0, coloured[0], coloured[0] + coloured[1]]
    panels = mc.draw.layers(net, SQUARE)
    assert len(panels) == 4


def test_given_axes_are_used_and_returned() -> None:
    net = random_net(2, 4, 1, seed=1)
    figure = Figure()
    one, two, *rest = figure.subplots(1, 5)
    assert mc.draw.regions(net, SQUARE, ax=one, color="output") is one
    assert mc.draw.dual_graph(net, SQUARE, ax=two) is two
    assert mc.draw.local_maps(net, SQUARE, ax=rest[0]) is rest[0]
    assert list(mc.draw.layers(net, SQUARE, ax=rest[1:])) == list(rest[1:])
    flat = Figure().add_subplot(projection="3d")
    assert mc.draw.surface(net, SQUARE, backend="matplotlib", ax=flat) is flat


def test_no_figure_is_left_open(tmp_path: Path) -> None:
    code = (
        "import sys, milpcount as mc\n"
        "from tests.draw.nets import SQUARE, random_net\n"
        "net = random_net(2, 4, 1)\n"
        "mc.draw.regions(net, SQUARE); mc.draw.layers(net, SQUARE)\n"
        "mc.draw.surface(net, SQUARE, backend='matplotlib').figure.savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")], check=True, cwd=root)


@pytest.mark.parametrize("explode", [0.0, 0.4])
def test_cells_in_space(explode: float) -> None:
    net = random_net(3, 5, 4, 1, seed=2)
    K = mc.polyhedral_complex(net, mc.Box(-1, 1))
    axes = complex3d(K, explode=explode, backend="matplotlib")
    polygons = next(c for c in axes.collections if isinstance(c, Poly3DCollection))
    sides = int(np.diff(K.faces(3).facet_begin).sum())
    assert len(polygons.get_facecolor()) == sides
    figure = mc.draw.complex3d(K, cells=[0, 2], explode=explode)
    triangles = sum(
        len(K.faces(2).vertices_of(f)) - 2 for c in (0, 2) for f in K.faces(3).facets_of(c)
    )
    assert len(figure.data[0].i) == triangles


def test_surfaces_have_the_heights_of_the_output() -> None:
    net = random_net(2, 6, 1, seed=5)
    K = mc.polyhedral_complex(net, SQUARE)
    figure = mc.draw.surface(K)
    mesh = figure.data[0]
    points = np.column_stack([mesh.x, mesh.y]).astype(float)
    assert np.allclose(np.asarray(mesh.z, dtype=float), net.forward(points)[:, 0], atol=1e-5)
    assert len(mesh.i) == sum(len(K.faces(2).vertices_of(p)) - 2 for p in range(len(K)))


def test_data_points_on_a_slice_are_projected() -> None:
    net = random_net(5, 4, 2, seed=6)
    corners = np.random.default_rng(1).normal(size=(3, 5))
    plane = mc.Slice.plane(*corners, lo=-1, hi=2)
    scene = region_scene(net, plane, points=(corners, ["a", "b", "a"]))
    assert scene.marks is not None
    assert np.allclose(scene.marks.points, [[0, 0], [1, 0], [0, 1]])
    assert scene.marks.labels.tolist() == [0, 1, 0]
