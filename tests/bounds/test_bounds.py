"""Bounds against published and derived values, an evaluator that lists index tuples, and counts."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount import bounds
from milpcount.bounds.levels import activation_histogram
from milpcount.bounds.ranks import exact_rank
from milpcount.errors import InputError
from tests.shared import random_net

SERRA_22 = [
    23, 254, 1794, 9109, 35443, 110056, 280600, 600370, 1097790, 1744436, 2449868,
    3096514, 3593934, 3913704, 4084248, 4158861, 4185195, 4192510, 4194050, 4194281, 4194303,
]  # fmt: skip
SERRA_22_10 = [
    243, 12279, 236909, 2316709, 13756567, 56128117, 171071287, 411552217, 800917467,
    1283052848, 1690286436, 1902816995, 1858910222, 1636341897, 1312054984, 965299552,
    645713191, 385283875, 198153450, 82836506, 25165813,
]  # fmt: skip
MONTUFAR_22 = [44, 844, 9280, 64768, 300864, 953152, 2097152, 3305216, 4000768, 4180992]
SIXTY = {
    1: [61, 961, 9261, 65536, 371293, 1771561],
    10: [
        93178047049, 2809964894846404, 234503869074896296,
        206430177273652484, 125673334373586790, 78359847799476250,
    ],
    60: [
        2**60, 635593043085854200, 359704738618938709,
        206470453061560848, 125673334375300455, 78359847799476250,
    ],
}  # fmt: skip


def test_22_units_on_mnist() -> None:
    splits = range(1, 22)
    assert [bounds.bound_serra2018([784, a, 22 - a]) for a in splits] == SERRA_22
    assert [bounds.bound_serra2018([784, a, 22 - a, 10]) for a in splits] == SERRA_22_10
    assert [bounds.bound_montufar2017([784, a, 22 - a]) for a in splits] == [
        *MONTUFAR_22,
        *[2**22] * 11,
    ]


@pytest.mark.parametrize("inputs", SIXTY)
def test_60_units_in_1_to_6_layers(inputs: int) -> None:
    values = [bounds.bound_serra2018([inputs, *[60 // k] * k]) for k in range(1, 7)]
    assert values == SIXTY[inputs]


def test_the_depth_that_maximises_60_units() -> None:
    def best(n0: int) -> list[int]:
        values = [bounds.bound_serra2018([n0, *[60 // k] * k]) for k in range(1, 7)]
        return [k + 1 for k, v in enumerate(values) if v == max(values)]

    expected = {5: [6], 6: [5], 8: [4], 10: [3], 12: [3], 15: [2], 29: [2], 30: [1, 2], 31: [1]}
    assert {n0: best(n0) for n0 in expected} == expected


def test_small_values() -> None:
    serra = {(1, 3, 3): 16, (2, 4, 4): 121, (2, 10, 10): 3136, (3, 5, 2, 6): 962}
    assert {w: bounds.bound_serra2018(w) for w in serra} == serra
    assert bounds.bound_montufar2017([3, 5, 2, 6]) == 2288
    assert bounds.count_arrangement(4, 2) == 11


def test_lower_bounds() -> None:
    montufar = {(2, 6, 6): 198, (2, 8, 8, 8): 9472, (3, 9, 9): 3510}
    serra = {(2, 6, 6): 352, (2, 8, 8, 8): 23125, (3, 9, 9): 8320}
    assert {w: bounds.bound_montufar2014_lower(w) for w in montufar} == montufar
    assert {w: bounds.bound_serra2018_lower(w) for w in serra} == serra
    assert bounds.bound_arora2018_lower([2, 6, 2]) == 12
    assert bounds.lower.bound_serra2018_lower_theorem7([2, 6, 2]) == 18
    assert bounds.lower.bound_serra2018_lower_theorem7([2, 6, 3, 3]) == 96
    # Two ReLUs cannot fold a half-line in three: beyond two layers the formula would be too high.
    with pytest.raises(InputError, match="3 units"):
        bounds.bound_serra2018_lower([1, 2, 2, 2])
    assert bounds.count_dimension_one([1, 3, 4]) == 20 == bounds.bound_serra2018([1, 3, 4])


def _serra_by_listing(widths: list[int], ranks: list[int]) -> int:
    n0, *layers = widths
    total = 0
    for j in itertools.product(*(range(n + 1) for n in layers)):
        caps = [min([n0, r, *(layers[k] - j[k] for k in range(i))]) for i, r in enumerate(ranks)]
        if all(a <= b for a, b in zip(j, caps, strict=True)):
            total += math.prod(math.comb(n, a) for n, a in zip(layers, j, strict=True))
    return total


small_widths = st.lists(st.integers(1, 6), min_size=2, max_size=4)


@settings(max_examples=200, deadline=None)
@given(small_widths, st.data())
def test_serra_by_listing_index_tuples(widths: list[int], data: st.DataObject) -> None:
    ranks = [data.draw(st.integers(0, n)) for n in widths[1:]]
    assert bounds.bound_serra2018(widths) == _serra_by_listing(widths, widths[1:])
    assert bounds.bound_serra2018(widths, ranks) == _serra_by_listing(widths, ranks)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=5))
def test_order_of_the_bounds(widths: list[int]) -> None:
    result = bounds.bound_architecture(widths)
    u = result.upper
    assert u["hinz2019"] <= u["serra2018"] <= u["montufar2017"] <= u["raghu2017"] <= u["naive"]
    assert all(low <= u["hinz2019"] for low in result.lower.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.data())
def test_bounds_grow_with_the_widths(widths: list[int], data: st.DataObject) -> None:
    wider = list(widths)
    wider[data.draw(st.integers(0, len(widths) - 1))] += 1
    before, after = bounds.bound_architecture(widths), bounds.bound_architecture(wider)
    assert all(after.upper[name] >= value for name, value in before.upper.items())


def test_one_layer_is_an_arrangement() -> None:
    for n0, n in itertools.product((1, 2, 5, 9), (1, 4, 7)):
        upper = bounds.bound_architecture([n0, n]).upper
        assert upper["serra2018"] == upper["hinz2019"] == bounds.count_arrangement(n, n0)


def test_histograms_in_one_dimension_are_attained() -> None:
    # Half the units point one way and half the other: every tail sum is reached.
    for m in range(1, 9):
        ends = [(position, 1 if position <= m // 2 else -1) for position in range(1, m + 1)]
        points = [Fraction(2 * k + 1, 2) for k in range(m + 1)]
        counts = [0] * (m + 1)
        for x in points:
            counts[sum(1 for p, s in ends if s * (x - p) > 0)] += 1
        assert counts == activation_histogram(1, m)


def _tails(histogram: list[int]) -> list[int]:
    return list(itertools.accumulate(reversed(histogram)))


@pytest.mark.parametrize(("n", "m"), [(1, 4), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5)])
@pytest.mark.parametrize("kind", ["normal", "integer"])
def test_histograms_dominate_arrangements(n: int, m: int, kind: str) -> None:
    gamma = activation_histogram(n, m)
    assert sum(gamma) == bounds.count_arrangement(m, n)
    rng = np.random.default_rng(n * 100 + m)
    for _ in range(12):
        network = random_net(rng, [n, m, 1], kind)
        histogram = [0] * (m + 1)
        for region in mc.enumerate_regions(network, mc.WholeSpace(), engine="tree-highs"):
            histogram[int(region.pattern.bits.sum())] += 1
        assert all(a <= b for a, b in zip(_tails(histogram), _tails(gamma), strict=True))


@pytest.mark.parametrize("m", range(1, 41))
def test_histograms_grow_with_the_dimension(m: int) -> None:
    tails = [_tails(activation_histogram(n, m)) for n in range(m + 2)]
    for low, high in itertools.pairwise(tails):
        assert all(a <= b for a, b in zip(low, high, strict=True))


def test_maxout() -> None:
    # Rank 2 is ReLU; one unit of rank k has k regions; n >= m gives the product of the ranks.
    assert bounds.bound_maxout_montufar2022_shallow(2, [2] * 4) == 11
    assert bounds.bound_maxout_montufar2022_shallow(3, [5]) == 5
    assert bounds.bound_maxout_montufar2022_shallow(4, [3, 4, 5]) == 60
    assert bounds.bound_maxout_montufar2022([2, 4, 4], 2) == bounds.bound_montufar2017([2, 4, 4])
    assert bounds.bound_maxout_serra2018([2, 4], 2) == 11
    for widths, rank in itertools.product(([2, 4], [2, 3, 3], [3, 2, 5]), (2, 3, 4)):
        sharp = bounds.bound_maxout_montufar2022(widths, rank)
        assert sharp <= bounds.bound_maxout_serra2018(widths, rank)


def test_hanin_rolnick_is_an_order_of_magnitude() -> None:
    assert bounds.estimate_hanin_rolnick2019([2, 10, 10]) == 200
    assert bounds.estimate_hanin_rolnick2019([784, 8, 8]) == 2**16


def test_ranks_of_a_network() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(-3, 4, size=(6, 2)), rng.integers(-3, 4, size=(2, 5))
    assert exact_rank((left @ right).astype(float)) == 2
    assert exact_rank(rng.normal(size=(4, 7))) == 4
    # Rank 2 but for the last bit of one entry.
    nearly = (left @ right).astype(float)
    nearly[0, 0] = np.nextafter(nearly[0, 0], 9.0)
    assert exact_rank(nearly) == 3
    low = mc.ReLUNetwork([left @ right, np.ones((1, 6))], [np.zeros(6), [0]])
    assert mc.bound(low).upper["serra2018"] == mc.bound(low).upper["hinz2019"] == 1 + 6 + 15
    assert mc.bound([5, 6]).upper["serra2018"] > 22
    assert exact_rank(np.zeros((3, 2))) == 0


def test_ranks_of_wide_deficient_layers() -> None:
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(120, 300))
    weight[7], weight[8] = -4 * weight[3], weight[3] + 0.0
    assert exact_rank(weight) == exact_rank(weight.T) == 118
    assert exact_rank(np.array([[2.0**63]])) == 1


def test_leaky_networks_have_only_the_bounds_that_hold() -> None:
    # 1 input, one leaky unit, then 3: the inactive side is still a line.
    leaky = mc.ReLUNetwork(
        [[[1.0]], [[1.0], [1.0], [1.0]], np.ones((1, 3))],
        [[0.0], [0.25, -0.25, 0.125], [0.0]],
        slopes=[0.5, 0.0],
    )
    result = mc.bound(leaky)
    assert set(result.upper) == {"naive", "raghu2017", "montufar2017"}
    assert {"serra2018", "hinz2019"} <= set(result.reasons)
    regions = mc.count(leaky, mc.Box(-9, 9)).lower
    assert regions <= min(result.upper.values())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    widths=st.sampled_from([[2, 4, 3, 1], [1, 5, 4, 1], [3, 4, 2, 2, 1]]),
    definition=st.sampled_from(["full", "nonempty"]),
    kind=st.sampled_from(["normal", "integer"]),
    leaky=st.booleans(),
)
def test_no_count_is_above_a_bound(
    seed: int, widths: list[int], definition: str, kind: str, leaky: bool
) -> None:
    slopes = [0.25] * (len(widths) - 2) if leaky else None
    network = random_net(np.random.default_rng(seed), widths, kind, slopes)
    regions = mc.count(network, mc.WholeSpace(), definition=definition).lower
    assert regions <= min(mc.bound(network).upper.values())


def test_a_hundred_layers_of_a_thousand() -> None:
    upper = bounds.bound_architecture([2, *[1000] * 100]).upper
    assert upper["serra2018"].bit_length() == 1894
    assert upper["naive"] == 2**100_000
    wide = bounds.bound_serra2018([784, *[1000] * 100])
    assert wide.bit_length() == 99_904
    assert bounds.bound_hinz2019([784, *[1000] * 100]) < wide


def test_wide_layers_on_few_inputs_cost_nothing() -> None:
    n = 10**6
    cells = 1 + n + n * (n - 1) // 2
    assert bounds.bound_serra2018([2, n, n]) == bounds.bound_montufar2017([2, n, n]) == cells**2


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ([3], "at least one ReLU layer"),
        ([], "at least one ReLU layer"),
        ([2, 0], "not above 0"),
        ([2, -3], "not above 0"),
        ([2, 2.5], "not a whole number"),
        ([2, True], "not a whole number"),
        ("22", "are a list"),
    ],
)
def test_bad_widths(widths: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mc.bound(widths)  # type: ignore[arg-type]


def test_bounds_that_do_not_apply_say_why() -> None:
    reasons = mc.bound([784, 8, 8]).reasons
    assert "784" in reasons["montufar2014_lower"]
    assert mc.bound([784, 8, 8]).lower["serra2018_lower"] > 0
    with pytest.raises(InputError, match="ranks"):
        bounds.bound_serra2018([2, 3, 3], [3])
