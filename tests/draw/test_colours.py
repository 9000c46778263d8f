"""Neighbours differ in colour, pieces are pieces, classes are classes: against other ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.draw.class_parts import class_parts
from milpcount.draw.colouring import neighbour_colours
from milpcount.draw.fills import COLOURS, fill_of
from milpcount.draw.palette import TINTS, rgb
from milpcount.draw.plane import plane_of
from tests.draw.nets import DIAMOND, SQUARE, random_net


@settings(deadline=None)
@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29))), st.data())
def test_ends_of_an_edge_differ(
    count: int, edges: list[tuple[int, int]], data: st.DataObject
) -> None:
    pairs = np.array([e for e in edges if max(e) < count], dtype=np.int64).reshape(-1, 2)
    seed = data.draw(st.integers(0, 5))
    colours = neighbour_colours(count, pairs, seed)
    assert len(colours) == count
    apart = pairs[pairs[:, 0] != pairs[:, 1]]
    assert np.all(colours[apart[:, 0]] != colours[apart[:, 1]])
    assert np.array_equal(colours, neighbour_colours(count, pairs, seed))


def test_a_complete_graph_takes_all_colours() -> None:
    pairs = np.array([(i, j) for i in range(7) for j in range(i)])
    assert sorted(neighbour_colours(7, pairs)) == list(range(7))


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_six_colours_are_enough_in_the_plane(seed: int, integers: bool) -> None:
    plane = plane_of(random_net(2, 9, 7, 1, seed=seed, integers=integers), SQUARE)
    colours = fill_of(plane, "random", seed=seed).colours
    a, b = plane.sides[plane.inner].T
    assert len(plane) > 20
    assert np.all(np.any(colours[a] != colours[b], axis=1))
    known = {tuple(c) for c in rgb(TINTS).tolist()}
    assert {tuple(c) for c in colours.tolist()} <= known
    assert np.array_equal(colours, fill_of(plane, "random", seed=seed).colours)
    assert not np.array_equal(colours, fill_of(plane, "random", seed=seed + 1).colours)


@pytest.mark.parametrize("color", COLOURS)
def test_every_colouring_covers_the_domain(color: str) -> None:
    net = random_net(2, 6, 5, 3, seed=4)
    fill = fill_of(plane_of(net, SQUARE), color)
    area = 0.0
    for a, b in zip(fill.begin, fill.begin[1:], strict=False):
        x, y = fill.points[fill.corners[a:b]].T
        area += abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(16)
    assert fill.colours.shape == (len(fill.begin) - 1, 3)
    assert fill.colours.min() >= 0
    assert fill.colours.max() <= 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_linear_pieces_are_those_that_are_counted(seed: int) -> None:
    net = random_net(2, 4, 4, 1, seed=seed, integers=True)
    plane = plane_of(net, SQUARE)
    fill = fill_of(plane, "linear")
    joined = np.zeros(len(plane.ends), dtype=bool) if fill.joined is None else fill.joined
    label = np.arange(len(plane))
    for a, b in plane.sides[joined]:
        label[label == label[a]] = label[b]
    assert len(set(label.tolist())) == mc.count(net, SQUARE, definition="linear").lower
    for a, b in plane.sides[plane.inner]:
        same = bool(np.all(fill.colours[a] == fill.colours[b]))
        assert same == (label[a] == label[b])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_classes_are_those_of_the_network(seed: int, outputs: int) -> None:
    net = random_net(2, 5, 4, outputs, seed=seed)
    parts = class_parts(plane_of(net, SQUARE))
    for p in range(len(parts.classes)):
        corners = parts.points[parts.corners[parts.begin[p] : parts.begin[p + 1]]]
        values = net.forward(corners.mean(axis=0))
        scores = np.array([-values[0], values[0]]) if outputs == 1 else values
        assert scores[parts.classes[p]] >= scores.max() - 1e-9


def test_gradients_and_distances_of_the_diamond() -> None:
    plane = plane_of(DIAMOND, SQUARE)
    assert len(plane) == 4
    slopes, constants = plane.maps
    assert np.allclose(np.abs(slopes), 1)
    assert np.allclose(constants, -1)
    assert np.allclose(plane.areas, 4)
    assert plane.stages.max() == 0
    assert sorted(plane.units[plane.inner].tolist()) == [0, 0, 2, 2]


def test_maps_on_a_slice_with_a_skip() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(6, 5)), rng.normal(size=(6, 6)), rng.normal(size=(2, 6))]
    chain = mc.ReLUNetwork(weights, [rng.normal(size=len(w)) for w in weights])
    last = chain.output
    net = mc.ReLUNetwork.of_stages(
        chain.stages,
        mc.Stage((1, 2), (weights[2], weights[2]), last.bias, last.gate),
    )
    plane = plane_of(net, mc.Slice.plane(*rng.normal(size=(3, 5)), lo=-3, hi=3))
    slopes, constants = plane.maps
    corners = plane.problem.slice
    assert corners is not None
    inside = corners.points[0] + plane.centres @ (corners.points[1:] - corners.points[0])
    expected = np.einsum("pok,pk->po", slopes, plane.centres) + constants
    assert len(plane) > 5
    assert np.allclose(net.forward(inside), expected)
