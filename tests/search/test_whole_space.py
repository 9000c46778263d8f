"""Searches over R^n and other unbounded domains: charts, their walls, and what lies at infinity."""

from __future__ import annotations

import pytest

import milpcount as mc
from tests.shared import net

BEYOND_FLOATS = net(
    ([[1e300, 0], [0, 1e-300], [1e300, 1e300], [1e-300, 1e-300]], [1e300, 1, -1e-300, 1e300]),
    ([[1e200, -1e-200, 1, 1]], [1e308]),
)


@pytest.mark.parametrize("engine", ["tree", "subdivision"])
def test_charts_beyond_floats_are_searched_once(engine: str) -> None:
    """An orthant that floats do not reach is searched exactly, and no other with it."""
    expected = mc.count(BEYOND_FLOATS, mc.WholeSpace(), engine="brute").lower
    found = mc.count(BEYOND_FLOATS, mc.WholeSpace(), engine=engine)  # type: ignore[arg-type]
    assert found.exact
    assert found.lower == expected == 13
