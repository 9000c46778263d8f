"""Affine maps and half-spaces against integers: one region, many, and entries that cancel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.matrix import dense
from milpcount.geometry import maps
from tests.shared import random_net
from tests.staged import random_stages

RELATIVE = Fraction(1, 10**12)


def _exact_map(region: mc.Region) -> list[list[Fraction]]:
    """Rows ``(A, b)`` of the outputs on a region, stage by stage in fractions."""
    net, bits = region.problem.network, region.pattern.bits.tolist()
    n = net.input_dimension
    outputs = [[[Fraction(i == j) for j in range(n)] + [Fraction(0)] for i in range(n)]]
    for stage in (*net.stages, net.output):
        rows = []
        for i, bias in enumerate(stage.bias.tolist()):
            row = [Fraction(0)] * n + [Fraction(bias)]
            for weight, k in zip(stage.weights, stage.reads, strict=True):
                for w, before in zip(dense(weight)[i].tolist(), outputs[k], strict=True):
                    if w:
                        row = [a + Fraction(w) * b for a, b in zip(row, before, strict=True)]
            if stage is not net.output and not stage.linear[i] and not bits.pop(0):
                row = [Fraction(float(stage.slope[i])) * a for a in row]
            rows.append(row)
        outputs.append(rows)
    return outputs[-1]


def _check(region: mc.Region, matrix: np.ndarray, offset: np.ndarray) -> None:
    for row, slopes, constant in zip(_exact_map(region), matrix, offset, strict=True):
        for want, found in zip(row, [*slopes, constant], strict=True):
            assert abs(Fraction(float(found)) - want) <= RELATIVE * abs(want)


@pytest.mark.parametrize("residual", [False, True])
def test_many_regions_at_once(residual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    net = random_stages(rng, 9, [4, 5, 3]) if residual else random_net(rng, [12, 5, 6, 3])
    box = mc.Box(-2, 2)
    regions = [mc.region_at(net, x, box) for x in rng.uniform(-1, 1, size=(7, net.input_dimension))]
    monkeypatch.setattr(maps, "_TOGETHER", 300)  # some regions at a time
    matrices, offsets = mc.affine_maps(iter(regions))
    for region, matrix, offset in zip(regions, matrices, offsets, strict=True):
        _check(region, matrix, offset)
        _check(region, *region.affine_map())


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "integers"])
def test_entries_that_cancel(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums far below their terms: for the widest floats, for integers, and exactly 0."""
    if not wide:
        monkeypatch.setattr(maps, "WIDE_ROUNDOFF", maps.ROUNDOFF)
    rng = np.random.default_rng(5)
    first = rng.normal(size=(4, 9))
    first[1] = first[0] * (1 + 2.0 ** -rng.integers(8, 50, size=9))
    first[1, :2] = first[0, :2]
    second = np.array([[1.0, -1.0, 0.0, 0.0], [0.5, -0.5, 1e-9, 0.0]])
    net = mc.ReLUNetwork([first, second], [np.full(4, 9.0), np.zeros(2)])
    region = mc.region_at(net, np.zeros(9))
    assert str(region.pattern) == "1111"
    matrix, offset = region.affine_map()
    assert matrix[0, :2].tolist() == [0.0, 0.0]
    _check(region, matrix, offset)


def test_the_widest_floats_do_without_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    if maps.WIDE_ROUNDOFF >= maps.ROUNDOFF:
        pytest.skip("this machine has no floats wider than 64 bits")
    rng = np.random.default_rng(7)
    drawn = random_net(rng, [40, 6, 8, 5])
    net = mc.ReLUNetwork(drawn.weights, [np.zeros_like(b) for b in drawn.biases])
    region = mc.region_at(net, rng.normal(size=40))
    monkeypatch.setattr(maps, "ACCURACY", 2.0**-47)  # floats do not reach it
    monkeypatch.setattr(maps.Maps, "_correct", None)
    # To the tolerance of the check the wide floats' entries are those of the integers.
    _check(region, *region.affine_map())


def test_regions_of_several_networks() -> None:
    rng = np.random.default_rng(0)
    a, b = (mc.region_at(random_net(rng, [3, 4, 2]), [0.1, 0.2, 0.3]) for _ in range(2))
    with pytest.raises(mc.InputError, match="several networks"):
        mc.affine_maps([a, b])
    with pytest.raises(mc.InputError, match="no regions"):
        mc.affine_maps([])
