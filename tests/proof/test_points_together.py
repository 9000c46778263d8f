"""Points are proved many at a time: how many changes neither what is accepted nor what is said."""

from __future__ import annotations

import copy
from fractions import Fraction
from math import lcm
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.importers.npz import save_npz
from milpcount.proof import checker
from tests.proof import second_checker
from tests.proof.tools import Certificate, Step, read
from tests.shared import random_net

NET = random_net(np.random.default_rng(5), [40, 5, 4, 1])
AT_A_TIME = [0, 300, 1 << 17]  # numbers: one point, a few, all


def _as_coordinates(step: Step) -> Step:
    """The same point of [-1, 1]^40, written out."""
    e, *weights = step.numbers
    rows = [[2 * Fraction(v) for v in row] for row in NET.weights[0].tolist()]
    z = []
    for column in zip(*rows, strict=True):
        moved = sum(w * g for w, g in zip(weights, column, strict=True)) * Fraction(1, 2) ** e
        z.append(min(max(Fraction(1, 2) + moved, Fraction(0)), Fraction(1)))
    d = lcm(*(v.denominator for v in z))
    return Step(2, numbers=[d, *(int(v * d) for v in z)])


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A certificate in whose points both ways to write them take turns."""
    path = tmp_path / "c"
    mc.count(NET, mc.Box(-1, 1), engine="tree", certificate=path)
    certificate = read(path, 40, 5, 9)
    points = [k for k, step in enumerate(certificate.steps) if step.code == 1]
    assert len(points) > 30
    for k in points[::2] + points[:10]:
        if certificate.steps[k].code == 1:
            certificate.steps[k] = _as_coordinates(certificate.steps[k])
    return certificate


def test_right_points_are_accepted(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, network = tmp_path / "mixed", tmp_path / "net.npz"
    certificate.write(path)
    save_npz(NET, network)
    statement, stated, found = second_checker.check(path, network)
    assert statement == "=="
    for numbers in AT_A_TIME:
        monkeypatch.setattr(checker, "_TOGETHER", numbers)
        proved = mc.verify(path, NET)
        assert (proved.regions, proved.header.count) == (found, stated)


@pytest.mark.parametrize("code", [1, 2])
def test_wrong_points_are_refused_where_they_stand(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "wrong"
    points = [k for k, step in enumerate(certificate.steps) if step.code == code]
    for k in (points[0], points[len(points) // 2], points[-1]):
        changed = copy.deepcopy(certificate)
        first, *others = changed.steps[k].numbers
        # The point on the other side of the middle of the box.
        changed.steps[k].numbers = [first, *((first if code == 2 else 0) - v for v in others)]
        changed.write(path)
        told = set()
        for numbers in AT_A_TIME:
            monkeypatch.setattr(checker, "_TOGETHER", numbers)
            with pytest.raises(
                mc.CertificateError, match=r"byte \d+: the point has other"
            ) as error:
                mc.verify(path, NET)
            told.add(str(error.value))
        assert len(told) == 1
