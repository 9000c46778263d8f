"""Slices: counts on segments and planes, exactly, against rational arithmetic written out."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import exact_stages, problem_stages, signs_at
from milpcount.preactivation import compute_preactivation_bounds
from tests.shared import net, random_net

ENGINES = ("brute", "tree", "tree-highs")

Affine = tuple[Fraction, Fraction]  # slope and constant of a function of t


def _exact(array: np.ndarray) -> list[Any]:
    """Nested lists of fractions."""
    return [_exact(v) for v in array] if array.ndim else Fraction(float(array))  # type: ignore[return-value]


def _layers(network: mc.ReLUNetwork, with_output: bool) -> list[Any]:
    layers = network.counted_stages(with_output)
    return [tuple(map(_exact, (x.weight, x.bias, x.slope))) for x in layers]


def _segment_pieces(
    network: mc.ReLUNetwork, a: np.ndarray, b: np.ndarray, with_output: bool = False
) -> tuple[int, int]:
    """Patterns on intervals of the segment, and on its points: (full, nonempty).

    Split at the zeros of each unit, layer by layer; nothing is shared with the package.
    """
    start, end = _exact(np.asarray(a)), _exact(np.asarray(b))
    inputs: list[Affine] = [(q - p, p) for p, q in zip(start, end, strict=True)]
    layers = _layers(network, with_output)
    cells: list[tuple[Fraction, Fraction, list[Affine], tuple[int, ...]]] = [
        (Fraction(0), Fraction(1), inputs, ())
    ]
    for weight, bias, slope in layers:
        following = []
        for lo, hi, h, bits in cells:
            g = [
                (
                    sum((w * u for w, (u, _) in zip(row, h, strict=True)), Fraction(0)),
                    sum((w * v for w, (_, v) in zip(row, h, strict=True)), c),
                )
                for row, c in zip(weight, bias, strict=True)
            ]
            zeros = {-v / u for u, v in g if u != 0}
            cuts = sorted({lo, hi, *(t for t in zeros if lo < t < hi)})
            for p, q in pairwise(cuts):
                middle = (p + q) / 2
                active = [int(u * middle + v > 0) for u, v in g]
                out = [
                    (u, v) if on else (s * u, s * v)
                    for (u, v), on, s in zip(g, active, slope, strict=True)
                ]
                following.append((p, q, out, (*bits, *active)))
        cells = following
    full = {bits for *_, bits in cells}
    assert len(full) == len(cells)  # regions are convex
    ends = {t for lo, hi, *_ in cells for t in (lo, hi)}
    return len(full), len(full | {_pattern(layers, inputs, t) for t in ends})


def _pattern(layers: list[Any], inputs: list[Affine], t: Fraction) -> tuple[int, ...]:
    """The pattern of one point of the segment."""
    x = [u * t + v for u, v in inputs]
    bits: list[int] = []
    for weight, bias, slope in layers:
        g = [
            sum((w * v for w, v in zip(row, x, strict=True)), c)
            for row, c in zip(weight, bias, strict=True)
        ]
        bits += [int(v > 0) for v in g]
        x = [v if v > 0 else s * v for v, s in zip(g, slope, strict=True)]
    return tuple(bits)


def _counts(network: mc.ReLUNetwork, domain: mc.Domain, engine: str, **more: Any) -> list[int]:
    results = [
        mc.count(network, domain, engine=engine, definition=d, **more) for d in ("full", "nonempty")
    ]
    assert all(r.exact for r in results)
    return [r.lower for r in results]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["normal", "integer", "sparse"]),
    widths=st.sampled_from([[2, 4, 3, 1], [1, 3, 3, 2], [5, 5, 3, 1], [3, 2, 2, 2, 2]]),
    ends=st.sampled_from(["normal", "integer"]),
    with_output=st.booleans(),
    leaky=st.booleans(),
)
def test_segments_against_fractions(
    seed: int, kind: str, widths: list[int], ends: str, with_output: bool, leaky: bool
) -> None:
    rng = np.random.default_rng(seed)
    network = random_net(rng, widths, kind, [0.5] * (len(widths) - 2) if leaky else None)
    a, b = rng.normal(size=(2, widths[0]))
    if ends == "integer":  # through corners and along hyperplanes
        a, b = np.round(a), np.round(b) + np.eye(widths[0])[0] * 3
        b += np.all(a == b)
    truth = list(_segment_pieces(network, a, b, with_output))
    for engine in ENGINES:
        assert _counts(network, mc.Slice.segment(a, b), engine, with_output=with_output) == truth


def test_a_segment_of_many_inputs() -> None:
    rng = np.random.default_rng(2)
    network = random_net(rng, [784, 12, 8, 10])
    a, b = rng.normal(size=(2, 784)).astype(np.float32)
    full, nonempty = _segment_pieces(network, a, b)
    assert full > 5
    assert _counts(network, mc.Slice.segment(a, b), "tree-highs") == [full, nonempty]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["integer", "sparse"]))
def test_planes_against_composed_networks(seed: int, kind: str) -> None:
    # With whole numbers the composition is exact in floats too, and an ordinary network.
    rng = np.random.default_rng(seed)
    network = random_net(rng, [4, 5, 3, 1], kind)
    points = rng.integers(-3, 4, size=(3, 4)).astype(float)
    directions = (points[1:] - points[0]).T
    if np.linalg.matrix_rank(directions) < 2:
        with pytest.raises(mc.DomainError, match="degenerate"):
            mc.Slice.plane(*points)
        return
    w, b = network.weights, network.biases
    composed = mc.ReLUNetwork([w[0] @ directions, *w[1:]], [w[0] @ points[0] + b[0], *b[1:]])
    piece, box = mc.Slice.plane(*points, lo=-1, hi=[2, 0.5]), mc.Box([-1, -1], [2, 0.5])
    truth = _counts(composed, box, "brute")
    for engine in ENGINES:
        assert _counts(network, piece, engine) == truth


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_engines_agree_on_planes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_net(rng, [6, 6, 4, 1])
    piece = mc.Slice.plane(*rng.normal(size=(3, 6)), lo=-0.5, hi=1.5)
    truth = _counts(network, piece, "brute")
    assert _counts(network, piece, "tree-highs") == truth
    edge = mc.Slice.segment(*(piece.lift(Point(t, 2)).floats() for t in ((-1, -1), (3, -1))))
    assert mc.count(network, edge).lower <= truth[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_own_axes_are_the_box(engine: str) -> None:
    axes = [(0, 0), (1, 0), (0, 1)]
    for seed in range(4):
        network = random_net(
            np.random.default_rng(seed), [2, 5, 4, 1], ["normal", "integer"][seed % 2]
        )
        for lo, hi in ((0, 1), (-1, 1), ([-1, 0], [0.25, 3]), ([-1, 0.5], [1, 0.5])):
            box = mc.Box(np.broadcast_to(lo, 2), np.broadcast_to(hi, 2))
            assert _counts(network, mc.Slice.plane(*axes, lo, hi), engine) == _counts(
                network, box, engine
            )
        whole = mc.Slice.through(axes, -np.inf, np.inf)
        assert _counts(network, whole, engine) == _counts(network, mc.WholeSpace(), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_degenerate_positions(engine: str) -> None:
    def on(a: Any, b: Any, *rows: Any) -> list[int]:
        weights = [row[:2] for row in rows]
        network = net((weights, [row[2] for row in rows]))
        return _counts(network, mc.Slice.segment(a, b), engine)

    # Three lines meet on the segment: one cut; at it, all three are off.
    assert on((-1, -1), (1, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0)) == [2, 2]
    assert on((-1, -1), (1, 1), (1, 0, 0), (0, 1, 0), (-1, -1, 0)) == [2, 3]
    # The segment lies in the hyperplane: the unit is off, and cuts nothing.
    assert on((-1, -1), (1, 1), (1, -1, 0)) == [1, 1]
    # The hyperplane touches an end of the segment, which is a corner of a box.
    assert on((-1, -1), (1, 1), (1, 1, -2)) == [1, 1]
    assert on((-1, -1), (1, 1), (-1, -1, 2)) == [1, 2]
    # It ends where it starts to differ by the last bit.
    assert on((0, 0), (1, 0), (1, 0, -1), (1, 0, -np.nextafter(1, 0))) == [2, 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_directions_are_not_rounded(engine: str) -> None:
    # b - a is (2^60 - 0.1, 2^60), which floats round to (2^60, 2^60): g would be constant.
    a, b = (0.1, 0.0), (2.0**60, 2.0**60)
    network = net(([[1, -1], [1, -1]], [-0.05, 0]))
    assert _counts(network, mc.Slice.segment(a, b), engine) == [2, 3]
    assert _segment_pieces(network, np.array(a), np.array(b)) == (2, 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_hidden_layer(engine: str) -> None:
    affine = mc.ReLUNetwork([[[1.0, 1.0], [1.0, 0.0]]], [[-1.0, -0.25]])
    segment = mc.Slice.segment((0, 0), (1, 1))
    assert _counts(affine, segment, engine) == [1, 1]
    assert _counts(affine, segment, engine, with_output=True) == [3, 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_regions_of_a_slice(engine: str) -> None:
    rng = np.random.default_rng(7)
    network = random_net(rng, [5, 6, 4, 2], slopes=[0.0, 0.25])
    points = rng.normal(size=(3, 5))
    piece = mc.Slice.plane(*points, lo=-1, hi=1)
    origin, *others = [_exact(p) for p in points]
    patterns = set()
    for region in mc.enumerate_regions(network, piece, engine=engine):
        patterns.add(region.pattern)
        s, t = region.exact_coordinates
        assert -1 <= s <= 1
        assert -1 <= t <= 1
        exact = region.exact_witness
        assert list(exact) == [
            p + s * (u - p) + t * (v - p) for p, u, v in zip(origin, *others, strict=True)
        ]
        assert region.witness is not None
        assert region.coordinates is not None
        assert np.allclose(region.witness, [float(v) for v in exact], rtol=1e-15)
        assert np.allclose(region.coordinates, [float(s), float(t)], rtol=1e-15)
        common = int(np.lcm.reduce([v.denominator for v in exact], dtype=object))
        point = Point(tuple(int(v * common) for v in exact), common)
        signs = signs_at(exact_stages(network.counted_stages()), point)
        assert [v > 0 for layer in signs for v in layer] == region.pattern.bits.tolist()
        assert all(v != 0 for layer in signs for v in layer)
        matrix, constant = region.affine_map()
        assert matrix.shape == (2, 5)
        assert np.allclose(matrix @ region.witness + constant, network.forward(region.witness))
        rows, right = region.halfspaces()
        assert rows.shape == (10, 2)
        assert np.all(rows @ region.coordinates <= right)
    assert len(patterns) == mc.count(network, piece, engine="brute").lower > 5


def test_problems_on_a_slice() -> None:
    network = random_net(np.random.default_rng(0), [3, 4, 2, 1])
    piece = mc.Slice.plane(*np.eye(3), lo=[0, -1], hi=2)
    problem = CountProblem.of(network, piece)
    assert (problem.dimension, problem.widths) == (2, (4, 2))
    assert isinstance(problem.domain, mc.Box)
    assert problem.box.lo.tolist() == [0, -1]
    assert problem.box.hi.tolist() == [2, 2]
    assert problem.rows[0].shape == (0, 2)
    assert problem.input_point(Point((1, 0), 2)).fractions() == (Fraction(1, 2), Fraction(1, 2), 0)
    first, second = problem_stages(problem)
    assert first.weights[0].ncols() == 2
    assert second.weights[0].ncols() == 4
    plain = CountProblem.of(network, mc.Box(0, 1))
    assert plain.input_point(Point((1, 0, 2), 3)) == Point((1, 0, 2), 3)
    assert plain.slice is None


def test_slices_are_values() -> None:
    points = np.eye(3)
    piece = mc.Slice.through(points, -1, 2)
    points[0, 0] = 7
    assert piece.points[0, 0] == 1
    assert not piece.points.flags.writeable
    assert (piece.dimension, piece.input_dimension) == (2, 3)
    assert repr(piece) == "Slice(3 points in 3 dimensions, coordinates in (-1, 2))"
    with pytest.raises(dataclasses.FrozenInstanceError):
        piece.lo = piece.hi  # type: ignore[misc]
    assert piece.resolve(3) is piece
    assert mc.Slice.segment(0, 1).input_dimension == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1]],), "at least two points"),
        (([[0, 1], [0]],), "2, 1 coordinates"),
        (([[], []],), "0, 0 coordinates"),
        (([[0, 1], [0, 1]],), "point 1 is point 0"),
        (([[0, 0], [1, 1], [3, 3]],), "affinely dependent"),
        (([[0], [1], [2]],), "affinely dependent"),
        (([[0, np.nan], [0, 1]],), "point 0 of the slice has a NaN"),
        (([[0, 1], [0, np.inf]],), "point 1 .* infinite"),
        (([["a", 1], [0, 1]],), "not a number"),
        (([[0, 1], [1, 1]], 1, 0), r"1 coordinate\(s\): the box is empty"),
        (([[0, 1], [1, 1]], [0, 0], 1), "the box has 2 coordinates"),
    ],
)
def test_bad_slices(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(mc.DomainError, match=message):
        mc.Slice(*arguments)


def test_dependence_is_decided_exactly() -> None:
    # Off the line by the last bit of 3, and on a line that floats cannot follow.
    assert mc.Slice.plane((0, 0), (1, 1), (3, np.nextafter(3, 4))).dimension == 2
    with pytest.raises(mc.DomainError, match="affinely dependent"):
        mc.Slice.plane((0.1, 0.1), (2.0**60, 2.0**60), (-1e300, -1e300))


def test_a_box_outside_its_range() -> None:
    with pytest.raises(mc.DomainError, match=r"range \[lo, hi\] in coordinate 1"):
        mc.Box.around([0, 2], 0.5, -1, 1)
    with pytest.raises(mc.DomainError, match="3 lower and 1 upper ends"):
        mc.Box.around([0, 2], 0.5, [0, 0, 0], 1)
    with pytest.raises(mc.DomainError, match="swap them"):
        mc.Box.around([0, 2], 0.5, 1, -1)
    assert mc.Box.around([0, 2], 0.5, -1, 1.5).hi.tolist() == [0.5, 1.5]


def test_what_slices_are_refused() -> None:
    network = random_net(np.random.default_rng(0), [2, 3, 1])
    segment = mc.Slice.segment((0, 0), (1, 1))
    with pytest.raises(mc.DomainError, match="3 coordinates, the network 2 inputs"):
        mc.count(network, mc.Slice.segment(np.zeros(3), np.ones(3)))
    for refused in (
        lambda: mc.count(network, segment, engine="milp"),
        lambda: mc.milp.build_model(network, segment),
    ):
        with pytest.raises(mc.UnsupportedError, match=r"use engine (auto, )?tree"):
            refused()
    for method in ("lp", "milp"):
        with pytest.raises(mc.UnsupportedError, match="use method 'interval'"):
            compute_preactivation_bounds(CountProblem.of(network, segment), method)
    unbounded = mc.Slice.through([(0, 0), (1, 1)], 0, np.inf)
    with pytest.raises(mc.DomainError, match="unbounded"):
        compute_preactivation_bounds(CountProblem.of(network, unbounded), "interval")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1.0, 1e-200, 1e200]))
def test_preactivation_ranges_on_a_slice(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    network = random_net(rng, [4, 5, 3, 1])
    w = network.weights
    network = mc.ReLUNetwork([w[0] / size, *w[1:]], network.biases)
    points = rng.normal(size=(3, 4)) * size
    bounds = compute_preactivation_bounds(
        CountProblem.of(network, mc.Slice.plane(*points, -1, 1)), "interval"
    )
    t = rng.uniform(-1, 1, size=(300, 2))
    t[:40] = np.sign(t[:40])
    x = points[0] + t @ (points[1:] - points[0])
    for g, lo, hi in zip(network.preactivations(x), bounds.lo, bounds.hi, strict=True):
        assert np.all(g >= lo - 1e-10)
        assert np.all(g <= hi + 1e-10)
    corners = network.preactivations(
        points[0] + [[i, j] for i in (-1, 1) for j in (-1, 1)] @ (points[1:] - points[0])
    )[0]
    assert np.allclose(bounds.lo[0], corners.min(axis=0))
    assert np.allclose(bounds.hi[0], corners.max(axis=0))
