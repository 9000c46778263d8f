"""The parts of merging, each against something simpler."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import check_point
from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.facet_test import RegionFacets
from milpcount.linear.groups import equal_maps, input_dependent, relevant_bits
from milpcount.linear.index import Components, PatternIndex
from milpcount.linear.modular import PRIMES, Residues, coincident, fingerprints
from milpcount.linear.rays import ray_chain
from tests.linear.problems import full_regions, random_problem
from tests.shared import net


def _random(seed: int) -> tuple[CountProblem, Circuit, np.ndarray]:
    rng = np.random.default_rng((seed, 77))
    while True:
        problem = random_problem(rng)
        bits = full_regions(problem)
        if len(bits) > 3:
            return problem, Circuit.of(problem), bits


def _never() -> bool:
    return False


def test_the_primes_are_primes() -> None:
    for p in PRIMES:
        assert p % 2
        assert all(p % d for d in range(3, int(p**0.5) + 2, 2))
        assert p < 2**30


@pytest.mark.parametrize("seed", range(8))
def test_equal_maps_have_equal_fingerprints(seed: int) -> None:
    _, circuit, bits = _random(seed)
    prefixes = Prefixes(circuit)
    maps = [str(prefixes.affine_map(row)) for row in bits]
    for stream, prime in enumerate(PRIMES):
        prints = fingerprints(Residues.of(circuit, prime, stream), bits).tolist()
        assert len(set(zip(maps, prints, strict=True))) == len(set(maps))
    partition = equal_maps(circuit, bits, _never)
    assert partition.count == len(set(maps))
    assert len(set(zip(maps, partition.map_of.tolist(), strict=True))) == len(set(maps))


def test_colliding_fingerprints_are_split_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "milpcount.linear.groups.fingerprints", lambda residues, bits: np.zeros(len(bits), np.int64)
    )
    for seed in range(5):
        _, circuit, bits = _random(seed)
        maps = {str(Prefixes(circuit).affine_map(row)) for row in bits}
        assert equal_maps(circuit, bits, _never).count == len(maps)


@pytest.mark.parametrize("seed", range(8))
def test_irrelevant_units_do_not_matter(seed: int) -> None:
    _, circuit, bits = _random(seed)
    prefixes = Prefixes(circuit)
    for row, key in zip(bits, relevant_bits(circuit, bits), strict=True):
        assert np.all(key <= row)
        assert prefixes.affine_map(row) == Prefixes(circuit).affine_map(key)


@pytest.mark.parametrize("seed", range(8))
def test_coincidences_are_not_missed(seed: int) -> None:
    _, circuit, bits = _random(seed)
    dependent = input_dependent(circuit, bits)
    one, two = (Residues.of(circuit, PRIMES[0], stream) for stream in (0, 1))
    flags = coincident(one, two, bits, ~dependent, circuit.linear)
    prefixes = Prefixes(circuit)
    for row, depends, flag in zip(bits, dependent, flags, strict=True):
        facets = RegionFacets(circuit, prefixes, row)
        classes = facets.classes()
        varying = sorted(u for units in classes for u in units)
        assert set(varying) <= set(np.flatnonzero(depends).tolist())
        assert flag or (not facets.zero and all(len(units) == 1 for units in classes))


@pytest.mark.parametrize("seed", range(6))
def test_the_region_across_is_where_a_small_step_leads(seed: int) -> None:
    """On a line every facet is a point; the pattern just beyond it is computed in fractions."""
    rng = np.random.default_rng((seed, 3))
    for _ in range(30):
        problem = random_problem(rng)
        if problem.dimension == 1 and np.all(problem.box.lo < problem.box.hi):
            break
    else:
        pytest.skip("no problem on a line")
    circuit = Circuit.of(problem)
    for row in full_regions(problem):
        facets = RegionFacets(circuit, Prefixes(circuit), row)
        for units in facets.classes():
            a, b = (Fraction(c) for c in facets._rows[units[0]].coefficients)
            beyond = -b / a - Fraction(1, 2**80) * (1 if a > 0 else -1)
            if facets_meet(facets, units, -b / a):
                across = facets.across([*units, *facets.zero])
                assert across.tolist() == _signs(problem, beyond)


@pytest.mark.parametrize("seed", range(8))
def test_what_floats_prove_is_true(seed: int) -> None:
    """Points on a coarse grid lie on many zero sets; the proofs must leave those open."""
    problem, circuit, bits = _random(seed)
    rng = np.random.default_rng(seed)
    chain = ray_chain(problem, circuit)
    dependent = input_dependent(circuit, bits)
    box, free = ExactBox.of(circuit.box), list(circuit.free)
    proved = 0
    for row, depends in zip(bits, dependent.astype(np.uint8), strict=True):
        facets = RegionFacets(circuit, Prefixes(circuit), row)
        for u in range(circuit.n_units):
            rows = facets.beyond(u)
            for _ in range(12):
                x = rng.integers(-8, 9, size=problem.dimension) / rng.choice([4, 8, 2.0**50])
                x = np.clip(x, problem.box.lo, problem.box.hi)
                if rows is not None and chain.proves(row, depends, u, x):
                    assert check_point(rows, box, Point.of_floats(x[free]))
                    proved += 1
    assert proved or problem.n_units < 3


def facets_meet(facets: RegionFacets, units: list[int], x: Fraction) -> bool:
    """Whether all rows but these are positive at the point."""
    rows = {v: row.coefficients for v, row in facets._rows.items() if v not in units}
    return all(a * x + b > 0 for a, b in rows.values())


def _signs(problem: CountProblem, x: Fraction) -> list[int]:
    h, out = [x], []
    for layer in problem.stages:
        after = []
        for w, b, s in zip(layer.weight.tolist(), layer.bias, layer.slope, strict=True):
            g = sum((Fraction(c) * v for c, v in zip(w, h, strict=True)), Fraction(float(b)))
            out.append(int(g > 0))
            after.append(g if g > 0 else Fraction(float(s)) * g)
        h = after
    return out


def test_patterns_are_found_and_flipped() -> None:
    rng = np.random.default_rng(1)
    bits = np.unique(rng.integers(0, 2, size=(200, 9), dtype=np.uint8), axis=0)
    rng.shuffle(bits)
    index = PatternIndex(bits)
    rows = {tuple(row): k for k, row in enumerate(bits.tolist())}
    for number in range(2**9):
        pattern = np.array([number >> k & 1 for k in range(9)], dtype=np.uint8)
        assert index.find(pattern) == rows.get(tuple(pattern.tolist()))
    for u in range(9):
        expected = {
            (k, rows[flipped])
            for row, k in rows.items()
            if not row[u] and (flipped := (*row[:u], 1, *row[u + 1 :])) in rows
        }
        assert set(zip(*(part.tolist() for part in index.flips(u)), strict=True)) == expected


def test_components() -> None:
    parts = Components(5)
    assert parts.unite(np.array([3, 1]), np.array([4, 3])) == 2
    assert parts.unite(np.array([1]), np.array([4])) == 0
    assert parts.roots().tolist() == [0, 1, 2, 1, 1]
    assert parts.together(1, 4)
    assert parts.apart(np.array([0, 1]), np.array([2, 3])).tolist() == [True, False]


def test_fixed_coordinates_enter_the_bias() -> None:
    problem = CountProblem.of(net(([[2, 3]], [0.5])), mc.Box([0, 0.25], [1, 0.25]))
    circuit = Circuit.of(problem)
    assert circuit.free == (0,)
    layer = circuit.layers[0]
    assert int(layer.weights[0][0, 0]) == 2 * 2**layer.shift
    assert layer.bias[0] == 1.25 * 2**layer.shift
