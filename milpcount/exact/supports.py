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

_KEPT = 4


def balanced(rows: Sequence[Row], endless: Sequence[int]) -> list[int] | None:
    """The multipliers, up to a factor, with which rows cancel in these coordinates; None if many.

    A combination that does not cancel is unbounded where the box has no ends.
    """
    if not 0 < len(rows) <= len(endless) + 1:
        return None
    columns = [row.coefficients[j] for j in endless for row in rows]
    kernel, nullity = fmpz_mat(len(endless), len(rows), columns).nullspace()
    if nullity != 1:
        return None
    column = [int(kernel[k, 0]) for k in range(len(rows))]
    divisor = gcd(*column)
    if column[0] < 0:
        divisor = -divisor
    return [y // divisor for y in column]


class Supports:
    """Of every kind of question the sets of rows that answered it last; for unbounded boxes."""

    def __init__(self, box: ExactBox) -> None:
        ends = enumerate(zip(box.lo, box.hi, strict=True))
        self._box, self._endless = box, [j for j, pair in ends if pair == (None, None)]
        self._known: dict[Hashable, list[tuple[int, ...]]] = {}

    def refute(self, kind: Hashable, rows: Sequence[Row], names: Sequence[int]) -> list[int] | None:
        """Multipliers that refute the rows, by a set of names that refuted such rows before."""
        for support in self._known.get(kind, ()):
            places = [k for k, name in enumerate(names) if name in support]
            if len(places) < len(support):
                continue
            chosen = [rows[k] for k in places]
            found = balanced(chosen, self._endless)
            if found is not None and check_refutation(chosen, self._box, found):
                out = [0] * len(rows)
                for k, y in zip(places, found, strict=True):
                    out[k] = y
                return out
        return None

    def keep(self, kind: Hashable, names: Sequence[int], multipliers: Sequence[int]) -> None:
        """Remember a refutation."""
        used = tuple(name for name, y in zip(names, multipliers, strict=True) if y)
        if self._endless and 0 < len(used) <= len(self._endless) + 1:
            known = self._known.setdefault(kind, [])
            if used not in known:
                known[_KEPT - 1 :] = []
                known.insert(0, used)
