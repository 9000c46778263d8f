"""Rows that refuted a cell before, tried on others like it.

Neighbouring cells are cut off by the same units, whose forms differ a little.  A refutation by a
minimal set of rows is determined by the set, up to a factor, so that trying it takes the solution
of a few equations, in integers, where finding it takes a linear programme.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import gcd

from flint import fmpz_mat

from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, check_refutation

__all__ = ["Supports", "balanced"]

_KEPT = 8


def balanced(rows: Sequence[Row], cancelled: Sequence[int]) -> list[int] | None:
    """The multipliers, up to a factor, with which rows cancel in these coordinates; None if many.

    A combination that does not cancel is unbounded where the box has no ends.
    """
    if not 0 < len(rows) <= len(cancelled) + 1:
        return None
    columns = [row.coefficients[j] for j in cancelled for row in rows]
    kernel, nullity = fmpz_mat(len(cancelled), len(rows), columns).nullspace()
    if nullity != 1:
        return None
    column = [int(kernel[k, 0]) for k in range(len(rows))]
    divisor = gcd(*column)
    if column[0] < 0:
        divisor = -divisor
    return [y // divisor for y in column]


class Supports:
    """Of every kind of question the sets of rows that answered it last.

    With each the coordinates in which the refutation cancelled: in the others it was bounded by
    an end of the box.
    """

    def __init__(self, box: ExactBox) -> None:
        self._box = box
        self._known: dict[Hashable, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {}

    def refute(self, kind: Hashable, rows: Sequence[Row], names: Sequence[int]) -> list[int] | None:
        """Multipliers that refute the rows, by a set of names that refuted such rows before."""
        known = self._known.get(kind, [])
        for place, (support, cancelled) in enumerate(known):
            places = [k for k, name in enumerate(names) if name in support]
            if len(places) < len(support):
                continue
            chosen = [rows[k] for k in places]
            found = balanced(chosen, cancelled)
            if found is not None and check_refutation(chosen, self._box, found):
                known.insert(0, known.pop(place))
                out = [0] * len(rows)
                for k, y in zip(places, found, strict=True):
                    out[k] = y
                return out
        return None

    def keep(
        self,
        kind: Hashable,
        rows: Sequence[Row],
        names: Sequence[int],
        multipliers: Sequence[int],
    ) -> None:
        """Remember a refutation."""
        used = [(name, y, row) for name, y, row in zip(names, multipliers, rows, strict=True) if y]
        cancelled = tuple(
            j
            for j in range(self._box.dimension)
            if not sum(y * row.coefficients[j] for _, y, row in used)
        )
        if 0 < len(used) <= len(cancelled) + 1:
            entry = tuple(name for name, _, _ in used), cancelled
            known = self._known.setdefault(kind, [])
            if entry not in known:
                known[_KEPT - 1 :] = []
                known.insert(0, entry)
