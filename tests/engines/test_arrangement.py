"""Engine ``arrangement``: classical numbers, degenerate arrangements, long numbers, limits."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount import zoo
from milpcount.core.problem import CountProblem
from milpcount.engines.arrangement.hyperplanes import factors, hyperplanes_of
from milpcount.engines.arrangement.rho import Rho
from milpcount.engines.arrangement.vectors import Vectors, wide_prime
from milpcount.engines.registry import choose_engine
from milpcount.engines.single_layer import has_short_minors, is_single_layer
from tests.shared import net, random_net

WHOLE = mc.WholeSpace()
LONG = (1 << 31, 3, 0), (19, 1 << 31, 0)  # their minor, 2^62 - 57, is a prime


def layer(rows: object, biases: object) -> mc.ReLUNetwork:
    return net((rows, biases))


def arrangement(network: mc.ReLUNetwork, domain: mc.Domain = WHOLE, **more: object) -> int:
    result = mc.count(network, domain, engine="arrangement", **more)  # type: ignore[arg-type]
    assert result.exact
    return result.lower


@pytest.mark.parametrize(
    "specimen",
    [
        zoo.braid(7),
        zoo.shi(5),
        zoo.catalan(5),
        zoo.linial(6),
        zoo.resonance(1),
        zoo.resonance(5),
        zoo.resonance(6),
        zoo.threshold(4),
        zoo.threshold(5),
        zoo.general_position(9, 4),
        zoo.general_position(20, 5),
    ],
    ids=lambda s: s.name,
)
def test_classical_arrangements(specimen: zoo.Specimen) -> None:
    result = mc.count(specimen.net, specimen.domain)
    assert (result.engine, result.exact, result.lower) == ("arrangement", True, specimen.regions)
    assert "nothing" not in result.statistics["confirmed_by"]


def test_around_the_common_point_of_all_hyperplanes_a_box_is_no_matter() -> None:
    assert mc.count(zoo.resonance(6).net, mc.Box(-1, 1)).lower == 1_066_044
    # The line x_1 = ... = x_n passes through the inside, the origin is a corner.
    assert arrangement(zoo.braid(5).net, mc.Box(0, 1)) == 120
    assert arrangement(zoo.braid(5).net, mc.Box([0, 0, 0, 2, 2], [1, 1, 1, 3, 3])) == 12


def degenerate(rng: np.random.Generator, inputs: int, units: int) -> mc.ReLUNetwork:
    """Small integers or eighths, zero, repeated, opposite, proportional and parallel rows."""
    rows = rng.integers(-2, 3, size=(units, inputs)).astype(float)
    rows *= rng.random(rows.shape) < rng.choice([0.4, 1.0])
    biases = rng.integers(-2, 3, size=units) * float(rng.integers(0, 2))
    for i in range(1, units):
        if rng.random() < 0.3:
            factor = float(rng.choice([1.0, -1.0, 0.375, -3.0]))
            rows[i], biases[i] = rows[i - 1] * factor, biases[i - 1] * factor
            biases[i] += float(rng.integers(0, 2))
    return layer(rows, biases)


def domain_of(kind: int, inputs: int, rng: np.random.Generator) -> mc.Domain:
    ends = np.ones(inputs)
    if inputs > 1:
        ends[0] = 0.0
    rows = rng.integers(-2, 3, size=(inputs + 1, inputs)).astype(float)
    sides = np.vstack([np.eye(inputs), -np.eye(inputs)])
    return [
        WHOLE,
        mc.Box(-1, 1),
        mc.Box(0, 2),
        mc.Box(np.zeros(inputs), np.full(inputs, np.inf)),
        mc.Box(-ends, ends),
        mc.Polytope(np.vstack([rows, sides]), np.ones(3 * inputs + 1)),
        mc.Polytope(rows[:2], np.ones(len(rows[:2]))),
    ][kind]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 5), st.integers(1, 8), st.integers(0, 6))
def test_agrees_with_other_engines(seed: int, inputs: int, units: int, kind: int) -> None:
    rng = np.random.default_rng(seed)
    network = degenerate(rng, inputs, units)
    domain = domain_of(kind, inputs, rng)
    truth = mc.count(network, domain, engine="subdivision").lower
    assert arrangement(network, domain) == truth
    if units <= 5:
        assert mc.count(network, domain, engine="brute").lower == truth
    elif seed % 4 == 0:
        assert mc.count(network, domain, engine="tree").lower == truth


def characteristic_polynomial_at_minus_one(rows: np.ndarray, biases: np.ndarray) -> int:
    """Athanasiadis 1996: chi(q) is the number of points of F_q^n on no hyperplane, q large."""
    n = rows.shape[1]
    values = {}
    for q in (41, 43, 47, 53)[: n + 1]:
        grids = np.meshgrid(*[np.arange(q)] * n, indexing="ij")
        points = np.stack([g.ravel() for g in grids])
        forms = (rows.astype(int) @ points + biases.astype(int)[:, None]) % q
        values[q] = int(np.all(forms != 0, axis=0).sum())
    total = Fraction(0)
    for q, value in values.items():
        others = [p for p in values if p != q]
        total += value * np.prod([Fraction(-1 - p, q - p) for p in others])
    assert total.denominator == 1
    return int(total)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 3), st.integers(1, 12), st.booleans())
def test_points_over_finite_fields(seed: int, inputs: int, units: int, central: bool) -> None:
    rng = np.random.default_rng(seed)
    # Minors of n + 1 rows of four entries up to 1 are at most 16.
    rows = rng.integers(-1, 2, size=(units, inputs))
    rows[~rows.any(axis=1), 0] = 1
    biases = rng.integers(-1, 2, size=units) * (not central)
    chi = characteristic_polynomial_at_minus_one(rows, biases)
    assert arrangement(layer(rows, biases)) == (-1) ** inputs * chi


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.integers(3, 5), st.integers(20, 50))
def test_long_numbers_are_as_exact(seed: int, n: int, bits: int) -> None:
    """Coordinates changed by a matrix with long entries: the same arrangement."""
    rng = np.random.default_rng(seed)
    change = rng.integers(-(1 << bits), 1 << bits, size=(n, n))
    specimen = zoo.braid(n) if seed % 2 else zoo.shi(n)
    rows, biases = specimen.net.weights[0], specimen.net.biases[0]
    # Differences of two entries are exact in floats.
    moved = layer(rows @ change.astype(float), biases)
    result = mc.count(moved, WHOLE, engine="arrangement")
    if np.linalg.matrix_rank(change.astype(float) / 2.0**bits) == n:
        assert result.lower == specimen.regions
        assert "nothing" not in result.statistics["confirmed_by"]


def test_a_prime_that_divides_a_minor_is_left() -> None:
    assert wide_prime(0) == LONG[0][0] * LONG[1][1] - LONG[0][1] * LONG[1][0]
    third = [[0, 0, 1], [1, 1, 1], [1, 0, 1], [1, 1, 0]]
    network = layer([*map(list, LONG), *third], np.zeros(6))
    truth = mc.count(network, WHOLE, engine="brute").lower
    result = mc.count(network, WHOLE, engine="arrangement")
    assert (result.lower, result.exact) == (truth, True)
    # Modulo this prime alone two hyperplanes coincide: a lower bound.
    from milpcount.kernels.native import make_deletion

    (part,) = factors(hyperplanes_of(CountProblem.of(network, WHOLE)))
    vectors = Vectors.of(part)
    primes = np.array([wide_prime(0)], dtype=np.int64)
    search = make_deletion(vectors.residues(primes.tolist()), primes, 10**6, False)
    search.advance(10**6)
    assert search.done
    assert search.coincident
    assert 2 * search.total[1] < truth
    # Beside another prime it is noticed.
    pair = np.array([wide_prime(0), wide_prime(1)], dtype=np.int64)
    search = make_deletion(vectors.residues(pair.tolist()), pair, 10**6, False)
    search.advance(10**6)
    assert search.unlucky


def test_integers_that_grow_too_long_are_noticed() -> None:
    from milpcount.kernels.native import make_cone

    rng = np.random.default_rng(0)
    forms = rng.integers(-(1 << 40), 1 << 40, size=(8, 4))
    search = make_cone(forms, np.zeros((0, 4), dtype=np.int64), 10**6)
    search.advance(10**9)
    assert search.done
    assert search.overflow
    box = mc.Box(-1, 1)
    network = random_net(rng, [4, 8, 1])
    with pytest.raises(mc.UnsupportedError, match=r"8 and \d+; use engine subdivision or tree"):
        mc.count(network, box, engine="arrangement")
    assert mc.count(network, box).engine == "subdivision"


@pytest.mark.parametrize("domain", [WHOLE, mc.Box(-1, 2)])
def test_the_memory_is_limited(domain: mc.Domain) -> None:
    specimen = zoo.shi(6)
    plenty = mc.count(specimen.net, domain, engine="arrangement")
    none = mc.count(specimen.net, domain, engine="arrangement", memory=0)
    assert none.lower == plenty.lower
    assert (none.statistics["bytes"], none.statistics["found"]) == (0, 0)
    assert none.statistics["full"]
    assert plenty.statistics["found"] > 0
    assert not plenty.statistics["full"]
    little = mc.count(zoo.resonance(6).net, WHOLE, engine="arrangement", memory=1)
    assert little.statistics["bytes"] <= 10**6
    with pytest.raises(mc.InputError, match="at least 0"):
        mc.count(specimen.net, domain, engine="arrangement", memory=-1)


def test_limits_give_intervals() -> None:
    network = zoo.resonance(6).net
    for domain in (WHOLE, mc.Box(-1, 3)):
        for budget in (mc.Budget(regions=1000), mc.Budget(seconds=1e-9)):
            part = mc.count(network, domain, engine="arrangement", budget=budget)
            assert not part.exact
            assert part.lower <= 1_066_044 <= (part.upper or 0)
            assert part.lower >= (budget.regions or 0)

    def interrupt(snapshot: mc.Progress) -> None:
        if snapshot.phase == "confirming":
            raise KeyboardInterrupt

    # An interrupt of the second computation leaves the first one's number.
    result = mc.count(network, WHOLE, engine="arrangement", progress=interrupt)
    assert result.upper == 1_066_044
    result = mc.count(network, WHOLE, engine="arrangement", confirm="no")
    assert result.statistics["confirmed_by"] == "nothing"


def test_partial_sums_are_lower_bounds() -> None:
    specimen = zoo.shi(5)
    (part,) = factors(hyperplanes_of(CountProblem.of(specimen.net, WHOLE)))
    vectors = Vectors.of(part)
    from milpcount.kernels.native import make_deletion

    primes = np.array(vectors.primes(), dtype=np.int64)
    search = make_deletion(vectors.residues(primes.tolist()), primes, 10**6, False)
    sums = []
    while not search.done:
        search.advance(1)
        sums.append(search.total[1])
    assert sums == sorted(sums)
    assert sums[-1] == specimen.regions


def test_products() -> None:
    """Units of separate inputs multiply: no search could list so many."""
    parts = [zoo.braid(4), zoo.shi(3), zoo.general_position(5, 2)]
    inputs = [s.net.input_dimension for s in parts]
    rows = np.zeros((sum(s.net.widths[0] for s in parts), sum(inputs)))
    at = 0
    for k, s in enumerate(parts):
        weights = s.net.weights[0]
        rows[at : at + len(weights), sum(inputs[:k]) : sum(inputs[: k + 1])] = weights
        at += len(weights)
    biases = np.concatenate([s.net.biases[0] for s in parts])
    assert arrangement(layer(rows, biases)) == 24 * 16 * 16
    assert arrangement(layer(np.eye(70), np.zeros(70))) == 2**70
    # A thousand inputs and few units.
    dense = np.random.default_rng(0).normal(size=(12, 1000))
    assert arrangement(layer(dense, np.ones(12))) == 2**12


def staged() -> mc.ReLUNetwork:
    """A linear stage, ReLUs and units of slope 1 behind it, and ReLUs that read all these."""
    rng = np.random.default_rng(4)
    first = mc.Stage((0,), (rng.integers(-2, 3, (3, 3)) * 1.0,), np.ones(3), mc.LinearGate(3))
    gate = mc.ReLUGate(np.array([0.0, 1.0, 1.0, 0.5]), np.array([False, True, False, False]))
    second = mc.Stage((1,), (rng.integers(-2, 3, (4, 3)) * 1.0,), np.ones(4), gate)
    reads = np.array([[0.0, 1, 2, 0], [0, -1, 1, 0], [0, 3, 0, 0]])
    third = mc.Stage((1, 2), (np.eye(3), reads), np.zeros(3), mc.ReLUGate(np.zeros(3)))
    output = mc.Stage((3,), (np.ones((1, 3)),), np.zeros(1), mc.LinearGate(1))
    return mc.ReLUNetwork.of_stages([first, second, third], output)


@pytest.mark.parametrize("domain", [WHOLE, mc.Box(-1, 1)])
def test_what_is_affine_is_a_single_layer(domain: mc.Domain) -> None:
    network = staged()
    assert arrangement(network, domain) == mc.count(network, domain, engine="brute").lower
    deep = random_net(np.random.default_rng(0), [2, 3, 3, 1])
    assert not is_single_layer(CountProblem.of(deep, domain))
    with pytest.raises(mc.UnsupportedError, match=r"counts single layers, .*; use engine tree"):
        mc.count(deep, domain, engine="arrangement")
    with pytest.raises(mc.UnsupportedError, match="single layers"):
        mc.count(network, domain, engine="arrangement", with_output=True)


def test_slices() -> None:
    network = degenerate(np.random.default_rng(5), 4, 6)
    for lo, hi in ((0, 1), (-np.inf, np.inf), (-1, np.inf)):
        piece = mc.Slice.plane([0, 0, 0, 0], [1, 1, 0, 0.5], [0, 2, 1, 1], lo=lo, hi=hi)
        assert arrangement(network, piece) == mc.count(network, piece, engine="tree").lower


def test_no_units() -> None:
    affine = mc.ReLUNetwork([[[1.0, 2.0]]], [[1.0]])
    assert arrangement(affine) == 1
    assert arrangement(affine, with_output=True) == 2
    assert arrangement(layer(np.zeros((3, 2)), [1, 0, -1])) == 1


def test_auto_takes_it_where_a_number_is_wanted() -> None:
    network = layer([[1, 0], [1, 1]], [0, 0])
    off = layer([[1, 0], [1, 1]], [0, 1])
    box = mc.Box(-1, 1)

    def chosen(network: mc.ReLUNetwork, domain: mc.Domain, *needs: str) -> str:
        return choose_engine("auto", CountProblem.of(network, domain), needs)

    assert chosen(network, box) == chosen(off, WHOLE) == "arrangement"
    assert chosen(network, mc.Box(0, 1)) == chosen(off, box) == "subdivision"
    for need in ("regions", "workers", "resume"):
        assert chosen(network, box, need) == "subdivision"
    assert chosen(network, box, "certificate") == "tree"
    with pytest.raises(mc.UnsupportedError, match="does not list them; use engine tree"):
        mc.enumerate_regions(network, box, engine="arrangement")


def test_auto_takes_it_for_small_integers_in_boxes() -> None:
    rng = np.random.default_rng(2)
    small = layer(rng.integers(-1, 2, size=(9, 6)), rng.integers(-1, 2, size=9))
    result = mc.count(small, mc.Box(-1, 1))
    assert (result.engine, result.exact) == ("arrangement", True)
    assert result.lower == mc.count(small, mc.Box(-1, 1), engine="subdivision").lower

    def short(network: mc.ReLUNetwork, domain: mc.Domain) -> bool:
        return has_short_minors(CountProblem.of(network, domain))

    assert not short(layer(rng.normal(size=(9, 6)), np.zeros(9)), mc.Box(-1, 1))
    assert not short(small, mc.Box(-1.2345, 1))
    assert not short(small, mc.Box([0, -1, -1, -1, -1, -1], [0, 1, 1, 1, 1, 1]))
    assert not short(layer(np.eye(4), np.ones(4)), mc.Box(-1, 1))


def test_lists_and_linear_pieces_go_to_other_engines() -> None:
    network = zoo.braid(3).net
    assert len(list(mc.enumerate_regions(network, WHOLE))) == 6
    assert mc.count(network, WHOLE, definition="linear").engine == "subdivision"
    with pytest.raises(mc.UnsupportedError, match="does not list them"):
        mc.count(network, WHOLE, engine="arrangement", definition="linear")


def test_factors_are_the_finest() -> None:
    rows = [(1, 0, 0, 0, 1), (0, 1, 1, 0, 0), (0, 1, -1, 0, 2), (0, 1, 0, 0, 3), (0, 0, 0, 1, 0)]
    assert sorted(map(len, factors(rows))) == [1, 1, 3]


def test_in_general_position_a_formula_confirms() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 3))
    (part,) = factors(hyperplanes_of(CountProblem.of(layer(rows, np.ones(9)), WHOLE)))
    rho = Rho(Vectors.of(part), 0)
    from milpcount.core.run import Watch

    *_, last = rho.count(Watch())
    assert last == rho.value == 1 + 9 + 36 + 84
    assert (rho.proof, rho.second) == ("general position", "formula")


def test_order_and_scale_do_not_matter() -> None:
    specimen = zoo.linial(5)
    rows, biases = specimen.net.weights[0], specimen.net.biases[0]
    rng = np.random.default_rng(3)
    for _, domain in itertools.product(range(3), (WHOLE, mc.Box(-2, 3))):
        order = rng.permutation(len(rows))
        scale = rng.choice([-1.0, 1.0], size=len(rows)) * 2.0 ** rng.integers(-60, 60, len(rows))
        moved = layer((rows * scale[:, None])[order], (biases * scale)[order])
        assert arrangement(moved, domain) == arrangement(specimen.net, domain)
