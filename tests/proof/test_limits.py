"""Certificates that promise much and hold little are refused before any work is done."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from tests.proof.tools import Certificate, Step, read
from tests.shared import random_net

NET = random_net(np.random.default_rng(4), [2, 3, 1])
BOX = mc.Box(-1, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "c.cert"
    mc.count(NET, BOX, engine="tree-highs", certificate=target)
    return target


def _refused(path: Path, certificate: Certificate, message: str) -> None:
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match=message):
        mc.verify(path, NET)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        # A slice of 4,000,000 coordinates, and one of 500 dimensions.
        (struct.pack("<BII", 2, 4_000_000, 3) + bytes(8 * 10**6), "4000000 inputs, the network 2"),
        (struct.pack("<BII", 2, 2, 500) + bytes(8 * 10**5), "too many: at most 2,"),
        # A polytope of four million rows, and one of fewer with a weight for each.
        (struct.pack("<BII", 1, 2, 4_000_000) + bytes(10**6), "rows or points"),
        (struct.pack("<BII", 1, 2, 40_000_000) + bytes(4 * 10**7), "unpacked, at most"),
        (struct.pack("<BI", 0, 0), "0 inputs, the network 2"),
    ],
)
def test_domains_are_checked_before_they_are_made(path: Path, domain: bytes, message: str) -> None:
    certificate = read(path, 2, 3, 0)
    certificate.domain = domain
    _refused(path, certificate, message)


def test_a_segment_may_not_unpack_to_a_thousand_times_its_size(path: Path) -> None:
    certificate = read(path, 2, 3, 0)
    certificate.segments.append(([bytes([0])] * 200_000, []))
    _refused(path, certificate, "unpacked, at most")


def test_a_segment_opens_few_nodes(path: Path) -> None:
    certificate = read(path, 2, 3, 0)
    rng = np.random.default_rng(0)
    nodes = [bytes([b]) for b in rng.choice([0, 1, 2, 5, 6, 9, 10], 70_000).tolist()]
    certificate.segments.append((nodes, []))
    _refused(path, certificate, "nodes are too many")


def test_a_sum_has_no_more_terms_than_there_are_rows(path: Path) -> None:
    certificate = read(path, 2, 3, 0)
    step = next(s for s in certificate.steps if s.code in (6, 7, 8) and s.terms)
    row, _, weight = step.terms[0]
    step.terms = [[row, 0, weight]] * 100
    _refused(path, certificate, "too many terms")


def test_rows_that_the_size_does_not_explain(path: Path) -> None:
    # Nodes in which all but one unit have signs: with wide stages the rows of each take seconds.
    wide = random_net(np.random.default_rng(4), [2, 300, 300, 1])
    mc.count(wide, BOX, engine="tree", certificate=path, budget=mc.Budget(regions=1))
    certificate = read(path, 2, 300, 600)
    node = bytes([0b01010101] * 149 + [0b00010101])
    certificate.segments = [([node] * 500, [Step(4, place=299), Step(3), Step(3)] * 500)]
    certificate.write(path)
    with pytest.raises(mc.CertificateError, match="more rows than its size explains"):
        mc.verify(path, wide)


def test_what_nobody_could_check_is_not_begun(path: Path, tmp_path: Path) -> None:
    counted = []
    options = {"engine": "tree-highs", "certificate": tmp_path / "new", "progress": counted.append}
    deep = random_net(np.random.default_rng(4), [70, 3, 1])
    points = np.eye(66, 70)
    with pytest.raises(mc.UnsupportedError, match=r"slice of 65 dimensions.*without a certificate"):
        mc.count(deep, mc.Slice(points, np.zeros(65), np.ones(65)), **options)
    wide = random_net(np.random.default_rng(4), [40, 1300, 1300, 1])
    with pytest.raises(mc.UnsupportedError, match="products of numbers"):
        mc.count(wide, BOX, **options)
    assert not counted
    assert not (tmp_path / "new").exists()


def test_the_budget_of_bits_is_spent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from milpcount.proof import checker

    assert mc.verify(path, NET).regions > 1
    monkeypatch.setattr(checker, "_FREE_BITS", 0)
    monkeypatch.setattr(checker, "_BITS", 0)
    with pytest.raises(mc.CertificateError, match="too long for its size"):
        mc.verify(path, NET)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    with pytest.raises(mc.InputError, match="no regular file"):
        mc.verify(tmp_path, NET)


@pytest.mark.parametrize("widths", [[1, *[12] * 25, 1], [2, *[10] * 12, 1]])
def test_deep_and_narrow_networks_are_read(path: Path, widths: list[int]) -> None:
    """Their regions have few bytes, and points in them make one evaluate many rows."""
    network = random_net(np.random.default_rng(7), widths)
    result = mc.count(network, BOX, engine="tree", certificate=path)
    assert mc.verify(path, network).regions == result.lower > 20
