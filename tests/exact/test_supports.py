"""Refutations by rows that refuted before, checked exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import milpcount as mc
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, check_refutation, decide
from milpcount.exact.supports import Supports, balanced
from tests.shared import random_net

PLANE = ExactBox((None, None), (None, None), 1)
# x > 0, y > 0, and x + y < c.
CORNER = (Row((1, 0, 0), True), Row((0, 1, 0), True))


def _cut(c: int) -> Row:
    return Row((-1, -1, c), True)


def test_multipliers_that_cancel() -> None:
    rows = [*CORNER, _cut(-3)]
    assert balanced(rows, [0, 1]) == [1, 1, 1]
    assert balanced([*rows, Row((1, 1, 7), True)], [0, 1]) is None  # too many rows
    assert balanced(CORNER, [0, 1]) is None  # none that cancel
    assert balanced([], [0, 1]) is None


def test_what_refuted_once_is_tried_again() -> None:
    supports = Supports(PLANE)
    rows, names = [*CORNER, _cut(-3)], (4, 5, 6)
    assert supports.refute("kind", rows, names) is None
    found = decide(rows, PLANE).multipliers
    assert found is not None
    supports.keep("kind", rows, names, found)
    # The same rows beside another, of another cell, and with other numbers.
    more = [Row((5, -1, 2), True), *CORNER, Row((-2, -1, 0), True)]
    again = supports.refute("kind", more, (3, *names))
    assert again == [0, 2, 1, 1]
    assert check_refutation(more, PLANE, again)
    # Where they refute nothing they are not taken, nor where they are missing.
    assert supports.refute("kind", [*CORNER, _cut(3)], names) is None
    assert supports.refute("kind", list(CORNER), names[:2]) is None
    assert supports.refute("another", rows, names) is None


def test_in_a_box_its_ends_refute_too() -> None:
    """x > 0 and y - x > 0 with y at most 0: nothing is left over but a multiple of y."""
    box = ExactBox((-1, -1), (1, 0), 1)
    supports, names = Supports(box), (0, 1)
    rows = [Row((1, 0, 0), True), Row((-1, 1, 0), True)]
    found = decide(rows, box).multipliers
    assert found is not None
    supports.keep("kind", rows, names, found)
    assert supports.refute("kind", [Row((3, 0, 0), True), Row((-2, 1, 0), True)], names) == [2, 3]
    assert supports.refute("kind", [Row((3, 0, 0), True), Row((-2, 1, 1), True)], names) is None
    # One row whose other coordinates are nought.
    supports.keep("one", [Row((0, 1, 0), True)], (7,), (1,))
    assert supports.refute("one", [Row((0, 5, 0), True)], (7,)) == [1]
    assert supports.refute("one", [Row((0, 5, 1), True)], (7,)) is None


def test_certificates_of_the_whole_space(tmp_path: Path) -> None:
    """The exact search closes most empty sides by rows that refuted another one before."""
    network, path = random_net(np.random.default_rng(3), [3, 6, 5, 1]), tmp_path / "net.cert"
    result = mc.count(network, mc.WholeSpace(), engine="tree-highs", certificate=path)
    assert result.lower == mc.count(network, mc.WholeSpace(), engine="tree").lower
    assert result.statistics["decided_by_known_rows"] > 0
    assert mc.verify(path, network).statement == f"== {result.lower}"
