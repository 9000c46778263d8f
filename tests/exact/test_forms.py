"""Exact affine forms and exact signs against rational arithmetic written out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.core.point import Point
from milpcount.core.result import Definition
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import Forms, constraint, exact_stages, signs_at
from milpcount.exact.prefix import pattern_forms
from tests.shared import random_net


def _rational_preactivations(net: ReLUNetwork, x: list[Fraction]) -> list[list[Fraction]]:
    h, out = x, []
    for layer in net.counted_stages(with_output=True):
        g = [
            sum((Fraction(w) * v for w, v in zip(row.tolist(), h, strict=True)), Fraction(b))
            for row, b in zip(layer.weight, layer.bias.tolist(), strict=True)
        ]
        out.append(g)
        slopes = layer.slope.tolist()
        h = [v if v > 0 else Fraction(s) * v for v, s in zip(g, slopes, strict=True)]
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["normal", "integer", "sparse"]), st.booleans())
def test_forms_and_signs(seed: int, kind: str, leaky: bool) -> None:
    rng = np.random.default_rng(seed)
    slopes = [0.1, rng.normal(size=3)] if leaky else None
    net = random_net(rng, [3, 4, 3, 2], kind, slopes)
    x = [Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 8))) for _ in range(3)]
    denominator = int(np.lcm.reduce([v.denominator for v in x]))
    point = Point(tuple(int(v * denominator) for v in x), denominator)
    truth = _rational_preactivations(net, x)
    layers = exact_stages(net.counted_stages(with_output=True))
    signs = signs_at(layers, point)
    assert signs == [[(v > 0) - (v < 0) for v in g] for g in truth]
    bits = [int(s > 0) for layer in signs for s in layer]
    for (forms, _), g in zip(pattern_forms(layers, bits), truth, strict=True):
        assert forms.signs(point) == [(v > 0) - (v < 0) for v in g]
        rows = [[Fraction(int(v), 1 << forms.shift) for v in row] for row in forms.matrix.tolist()]
        values = [sum((a * b for a, b in zip(row[:-1], x, strict=True)), row[-1]) for row in rows]
        assert values == g


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_rows_drop_their_common_power_of_two(scale: float) -> None:
    net = ReLUNetwork([[[2.0 * scale, 4.0 * scale]], [[1.0]]], [[8.0 * scale], [0.0]])
    (forms, _), *_ = pattern_forms(exact_stages(net.counted_stages()), [1])
    row = forms.row(0)
    assert row[1] == 2 * row[0]
    assert row[2] == 4 * row[0]
    assert row[0] % 2 == 1


def test_all_rows_at_once_are_the_rows_one_by_one() -> None:
    (stage,) = exact_stages(random_net(np.random.default_rng(0), [3, 6]).counted_stages(True))
    forms = Forms.first(stage)
    assert forms.scaled_rows() == [forms.scaled_row(i) for i in range(6)]
    # Rows of zeros and negative ones among them.
    forms = Forms(fmpz_mat(3, 2, [0, 0, -4, 8, -3, 0]), 5)
    assert forms.scaled_rows() == [((0, 0), 5), ((-1, 2), 3), ((-3, 0), 5)]


def test_what_a_sign_demands() -> None:
    """Both sides are strict for full regions; the inactive one keeps its border for nonempty."""
    box = ExactBox.of(Box([0.0, 1.0], [1.0, 1.0]))
    for definition in (Definition.FULL, Definition.NONEMPTY):
        full = definition is Definition.FULL
        assert constraint((2, 0, -1), True, definition, box) == Row((2, 0, -1), True)
        assert constraint((2, 0, -1), False, definition, box) == Row((-2, 0, 1), full)
        # Constant where the second input is 1: 0 there is inactive.
        for row, active in (((0, 1, -1), False), ((0, 1, 0), True), ((0, -1, 0), False)):
            assert constraint(row, active, definition, box) is True
            assert constraint(row, not active, definition, box) is False
