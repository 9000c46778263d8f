"""Lines in the plane whose crossings rounding moves: the number of regions from exact fractions.

Each test is what notices that a margin is left out (``benchmarks/kernel_faults.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

import milpcount as mc

Floats = NDArray[np.float64]
Line = tuple[Fraction, ...]  # a x + b y + c
Place = tuple[Fraction, Fraction]

ENGINES = ["subdivision", "tree"]
SQUARE = [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]]  # sides of [-1, 1]^2: at least 0


def lines(rows: Sequence[Sequence[float]] | Floats) -> list[Line]:
    return [tuple(map(Fraction, row)) for row in np.asarray(rows, dtype=float).tolist()]


def at(line: Line, place: Place) -> Fraction:
    return line[0] * place[0] + line[1] * place[1] + line[2]


def crossing(p: Line, q: Line) -> Place | None:
    d = p[0] * q[1] - p[1] * q[0]
    return None if d == 0 else ((p[1] * q[2] - p[2] * q[1]) / d, (p[2] * q[0] - p[0] * q[2]) / d)


def regions(rows: Sequence[Line], sides: Sequence[Line]) -> int:
    """The regions of a convex polygon under lines, no two of them equal.

    A line that cuts the polygon adds one, and one more for every point inside where it meets
    lines before it.
    """
    corners = [crossing(p, q) for p, q in combinations(sides, 2)]
    corners = [c for c in corners if c is not None and all(at(s, c) >= 0 for s in sides)]
    total = 1
    for k, line in enumerate(rows):
        signs = {at(line, c) > 0 for c in corners if c is not None and at(line, c) != 0}
        if len(signs) < 2:
            continue
        met = {crossing(line, other) for other in rows[:k]} - {None}
        total += 1 + sum(all(at(s, c) > 0 for s in sides) for c in met if c is not None)
    return total


def combinations_of(read: Sequence[Line], weights: Floats, bias: Floats) -> list[Line]:
    """What a layer makes of units that are active everywhere."""
    found = []
    for row, b in zip(weights.tolist(), bias.tolist(), strict=True):
        terms = [(Fraction(w), line) for w, line in zip(row, read, strict=True)]
        x, y, one = (sum((w * line[c] for w, line in terms), Fraction(0)) for c in range(3))
        found.append((x, y, one + Fraction(b)))
    return found


def network(rows: Sequence[Sequence[float]] | Floats, idle: bool = False) -> mc.ReLUNetwork:
    """A unit a line; ``idle`` adds a layer whose only unit is always active."""
    rows = np.asarray(rows, dtype=float)
    weights, biases = [rows[:, :2]], [rows[:, 2]]
    if idle:
        weights.append(np.ones((1, len(rows))))
        biases.append(np.ones(1))
    return mc.ReLUNetwork([*weights, np.ones((1, len(biases[-1])))], [*biases, np.zeros(1)])


@pytest.mark.parametrize("idle", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_lines_nearly_along_a_side(engine: str, idle: bool) -> None:
    """A line at a millionth of a turn to a side of the domain, and one through where they meet.

    Rounding moves that point along the side by 1e-10, so that floats cannot tell whether the lines
    cross inside.
    """
    inside = 0
    for seed in range(16):
        rng = np.random.default_rng(seed)
        side = rng.uniform(0.5, 1, size=3) * [1, 1, 0.1]
        near = side * rng.uniform(0.5, 1)
        near[:2] += 1e-6 * rng.uniform(1, 2) * np.array([side[1], -side[0]])
        through = np.array([rng.uniform(0.5, 1), -rng.uniform(0.5, 1), 0])
        place = crossing(*lines([side, near]))
        assert place is not None
        through[2] = -float(at(lines([through])[0], place)) + rng.integers(-8, 9) * 2.0**-46
        truth = regions(lines([near, through]), lines([*SQUARE, side]))
        inside += truth == 4
        domain = mc.Polytope(
            np.vstack([-side[None, :2], np.eye(2), -np.eye(2)]), np.append(side[2], np.ones(4))
        )
        found = mc.count(network([near, through], idle), domain, engine=engine)
        assert (found.lower, found.exact) == (truth, True), seed
    assert 4 <= inside <= 12


@pytest.mark.parametrize("others", [3, 12])
@pytest.mark.parametrize("engine", ENGINES)
def test_three_lines_through_a_point(engine: str, others: int) -> None:
    """On each of the three the other two are zero at one point: of few points, or of many."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rows = rng.uniform(-1, 1, size=(others, 3)) * [1, 1, 0.5]
        ab = rng.integers(1, 200, size=(3, 2)) / 256 * rng.choice([-1, 1], size=(3, 2))
        concurrent = np.column_stack([ab, -(ab[:, 0] / 4 + ab[:, 1] / 8)])
        rows = rng.permutation(np.vstack([rows, concurrent]))
        found = mc.count(network(rows), mc.Box(-1, 1), engine=engine)
        assert (found.lower, found.exact) == (regions(lines(rows), lines(SQUARE)), True), seed


@pytest.mark.parametrize("engine", ENGINES)
def test_three_numbers_whose_sum_rounds_to_zero(engine: str) -> None:
    """At the corner (1, 1) the unit is 2^-60, in floats 0: it cuts off a sliver."""
    sides = lines([[1, 0, 0], [-1, 0, 1], [0, 1, 0], [0, -1, 1]])
    for row in ([2.0**-60, 1.0, -1.0], [1.0, 2.0**-60, -1.0], [-(2.0**-60), 1.0, -1.0]):
        for sign in (1.0, -1.0):
            rows = [[sign * entry for entry in row]]
            found = mc.count(network(rows), mc.Box(0, 1), engine=engine)
            assert (found.lower, found.exact) == (regions(lines(rows), sides), True), rows


@pytest.mark.parametrize("engine", ENGINES)
def test_vertices_next_to_a_corner(engine: str) -> None:
    """Lines through the corner of [-1, 0]^2 meet one that cuts off 2^-60 of it.

    The places where they meet are floats' (1, 1) in coordinates that begin at the other corner.
    """
    sides = lines([[1, 0, 1], [-1, 0, 0], [0, 1, 1], [0, -1, 0]])
    rows = [[1, 1, 2.0**-60], [1, -3, 0], [1, -2, 0], [1, -1, 0]]
    for order in ([0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [3, 2, 1, 0]):
        here = [rows[k] for k in order]
        found = mc.count(network(here), mc.Box(-1, 0), engine=engine)
        assert (found.lower, found.exact) == (regions(lines(here), sides), True), order


def cancelling(seed: int) -> tuple[mc.ReLUNetwork, list[Line]]:
    """A line that is a difference of numbers 2^28 times as large, and one where it meets a side.

    All units before them are active.  The first line is known up to 1e-7 of its size, the other
    one as well as floats know any; it goes by the place on y = 1 in a distance of 1e-9.
    """
    rng = np.random.default_rng(seed)
    low, far = (
        rng.uniform([0.1, 0.1, 2.1], [1, 1, 3]),
        rng.uniform(0.2, 0.5, size=3) * [1, 0.3, 0.1],
    )
    first = np.array([low, low + 2.0**-28 * far, [1, 0, 3], [0, 1, 3]])
    units = lines(first)
    factor = 2.0**28 * rng.uniform(0.5, 1)
    difference = tuple(Fraction(factor) * (b - a) for a, b in zip(*units[:2], strict=True))
    place = crossing(difference, lines([[0, 1, -1]])[0])
    assert place is not None
    by_x, by_y = rng.uniform(0.5, 1, size=2)
    reads = Fraction(by_x) * (place[0] + 3) + Fraction(by_y) * (place[1] + 3)
    bias = -float(reads + Fraction(rng.uniform(-1, 1) * 1e-9))
    network = mc.ReLUNetwork(
        [
            first[:, :2],
            np.array([[-factor, factor, 0, 0], [0, 0, by_x, by_y]]),
            np.ones((1, 2)),
            np.ones((1, 1)),
        ],
        [first[:, 2], np.array([0, bias]), np.ones(1), np.zeros(1)],
    )
    through = (
        Fraction(by_x),
        Fraction(by_y),
        3 * Fraction(by_x) + 3 * Fraction(by_y) + Fraction(bias),
    )
    return network, [difference, through]


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_known_less_well_than_the_place_where_they_meet(engine: str) -> None:
    inside = 0
    for seed in range(16):
        network, both = cancelling(seed)
        truth = regions(both, lines(SQUARE))
        inside += truth == 4
        found = mc.count(network, mc.Box(-1, 1), engine=engine)
        assert (found.lower, found.exact) == (truth, True), seed
    assert 4 <= inside <= 12


def as_large_as_their_errors(seed: int) -> tuple[mc.ReLUNetwork, list[Line]]:
    """A line that only the rounding of a row's multiple makes, and one that floats know well."""
    rng = np.random.default_rng(seed)
    low, r = rng.uniform([0.1, 0.1, 2.1], [1, 1, 3]), rng.uniform(0.1, 1)
    first = np.array([low, low * r, [1, 0, 3], [0, 1, 3]])
    g = 2.0 ** int(rng.integers(0, 50)) * rng.uniform(0.5, 1)
    second = np.array([[g * r, -g, 0, 0], [0, 0, rng.uniform(0.5, 1), rng.uniform(-1, 1)]])
    bias = np.array([0, -3 * second[1].sum() + rng.uniform(-0.3, 0.3)])
    network = mc.ReLUNetwork(
        [first[:, :2], second, np.ones((1, 2))], [first[:, 2], bias, np.zeros(1)]
    )
    return network, combinations_of(lines(first), second, bias)


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_that_are_rounding_alone(engine: str) -> None:
    # With these seeds floats have the line in the square, and it is not.
    for seed in (4, 16, 28, 39, 41, 71):
        network, both = as_large_as_their_errors(seed)
        found = mc.count(network, mc.Box(-1, 1), engine=engine)
        assert (found.lower, found.exact) == (regions(both, lines(SQUARE)), True), seed


def next_to_a_crossing(seed: int) -> tuple[mc.ReLUNetwork, list[Line]]:
    """A line of the second layer some 1e-9 from where two of the third cross.

    One of the two is known up to 1e-7, as it reads a difference of numbers 2^28 times as large.
    """
    rng = np.random.default_rng(seed)
    low, far = rng.uniform([0.1, 0.1, 2.1], [1, 1, 3]), rng.uniform(0.2, 0.5, size=3)
    first = np.array([low, low + 2.0**-28 * far * [1, 0.3, 4], [1, 0, 3], [0, 1, 3]])
    factor = 2.0**28 * rng.uniform(0.5, 1)
    second = np.array([[-factor, factor, 0, 0], [0, 0, 0.25, 1], [0, 0, 1, -0.75]])
    difference, beside, near = combinations_of(lines(first), second, np.zeros(3))
    middle = (Fraction(rng.uniform(-0.2, 0.2)), Fraction(rng.uniform(-0.2, 0.2)))
    third = np.array([[1.0, 0, 0], [0, 1, 0]])
    breaks = -np.array([float(at(difference, middle)), float(at(beside, middle))])
    last = combinations_of([difference, beside], third[:, :2], breaks)
    place = crossing(*last)
    assert place is not None
    bias = np.array([0, 0, -float(at(near, place) + Fraction(rng.uniform(-1, 1) * 1e-8))])
    network = mc.ReLUNetwork(
        [first[:, :2], second, third, np.ones((1, 2))], [first[:, 2], bias, breaks, np.zeros(1)]
    )
    return network, [combinations_of(lines(first), second, bias)[2], *last]


@pytest.mark.parametrize("engine", ENGINES)
def test_crossings_next_to_a_line(engine: str) -> None:
    for seed in range(24):
        network, three = next_to_a_crossing(seed)
        found = mc.count(network, mc.Box(-1, 1), engine=engine)
        assert regions(three, lines(SQUARE)) == 7
        assert (found.lower, found.exact) == (7, True), seed


@pytest.mark.parametrize("engine", ENGINES)
def test_points_of_regions_that_are_hardly_there(engine: str) -> None:
    """Three lines that miss each other by 2^-53 or so: the triangle between them has a point too.

    With these seeds floats have its middle inside, and it is not.
    """
    for seed in (81, 83, 119, 149):
        rng = np.random.default_rng(seed)
        ab = rng.uniform(0.2, 1, size=(3, 2)) * [[1, 1], [1, -1], [-1, 1]]
        place = rng.uniform(-0.5, 0.5, size=2)
        rows = np.column_stack([ab, -(ab @ place)])
        rows[2, 2] += rng.integers(-4, 5) * 2.0**-53
        found = list(mc.enumerate_regions(network(rows), mc.Box(-1, 1), engine=engine))
        assert len(found) == regions(lines(rows), lines(SQUARE))
        for region in found:
            point = region._leaf.witness
            x, y = (Fraction(n, point.denominator) for n in point.numerators)
            states = [at(line, (x, y)) > 0 for line in lines(rows)]
            assert states == region.pattern.bits.astype(bool).tolist(), seed


def near_the_most(seed: int) -> mc.ReLUNetwork:
    """Two units with breakpoints: halfway up to the most of the one they read, and 1e-9 from it.

    The one that they read is a difference of numbers 2^28 times as large, known up to 1e-7.
    """
    rng = np.random.default_rng(seed)
    row = rng.uniform(0.5, 1, size=3) * [1, 1, 3]
    first = np.array([row, row + 2.0**-28 * rng.uniform(-1, 1, size=3) * [1, 1, 0.2]])
    factor = 2.0**28 * rng.uniform(0.5, 1)
    low, high = lines(first)
    corners = [(Fraction(x), Fraction(y)) for x in (-1, 1) for y in (-1, 1)]
    most = max(Fraction(factor) * (at(high, c) - at(low, c)) for c in corners)
    last = rng.uniform(0.5, 1, size=2) * rng.choice([-1, 1], size=2)
    breaks = [most / 2, most + Fraction(rng.uniform(-1, 1) * 1e-9)]
    bias = [-float(Fraction(w) * t) for w, t in zip(last.tolist(), breaks, strict=True)]
    return mc.ReLUNetwork(
        [first[:, :2], np.array([[-factor, factor]]), last[:, None], np.ones((1, 2))],
        [first[:, 2], np.zeros(1), np.array(bias), np.zeros(1)],
    )


def test_breakpoints_next_to_the_end_of_a_range() -> None:
    for seed in range(12):
        network = near_the_most(seed)
        found = mc.count(network, mc.Box(-1, 1), engine="tree")
        truth = mc.count(network, mc.Box(-1, 1), engine="brute").lower
        assert (found.lower, found.exact) == (truth, True), seed
