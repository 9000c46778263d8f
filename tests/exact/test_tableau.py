"""Fraction-free pivots, by lists and by FLINT, against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.exact import tableau

ROWS, WIDTH = 3, 4


def _solved(rows: list[list[Fraction]], r: int, j: int) -> list[list[Fraction]]:
    """The dictionary with the variables of row ``r`` and column ``j`` exchanged."""
    pivot = rows[r][j]
    own = [-v / pivot for v in rows[r]]
    own[j] = 1 / pivot
    out = [
        [
            v + row[j] * w if k != j else row[j] * own[j]
            for k, (v, w) in enumerate(zip(row, own, strict=True))
        ]
        for row in rows
    ]
    out[r] = own
    return out


@pytest.mark.parametrize("small", [0, 100])
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.integers(-9, 9), min_size=WIDTH, max_size=WIDTH), min_size=ROWS, max_size=ROWS
    ),
    places=st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, WIDTH - 2)), max_size=5),
)
def test_pivots_solve_for_the_entering_variable(
    small: int, rows: list[list[int]], places: list[tuple[int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tableau, "_SMALL", small)
        table = tableau.tableau(rows, WIDTH)
    wanted = [[Fraction(v) for v in row] for row in rows]
    denominator = 1
    for r, j in places:
        if not wanted[r][j]:
            continue
        denominator = table.pivot(r, j, denominator)
        wanted = _solved(wanted, r, j)
        assert denominator > 0
        for i, row in enumerate(wanted):
            assert [Fraction(v, denominator) for v in table.row(i)] == row
        assert [Fraction(v, denominator) for v in table.column(j)] == [row[j] for row in wanted]
