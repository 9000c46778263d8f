"""Linear programming in exact integer arithmetic: a bounded-variable primal simplex.

The tableau is a *dictionary*: each basic variable written in the nonbasic ones, all entries over
one common denominator (the determinant of the basis), so that a pivot is one fraction-free
update ``T <- (p T - C R) / d`` in which every division is exact (Edmonds 1967, Bareiss 1968).
Entering variables are chosen by largest coefficient while the objective moves and by Bland's
rule after a degenerate step, so the method always ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import fmpz_mat

__all__ = ["Dictionary"]


class Dictionary:
    """``slack_i = rows[i] . v >= 0`` for structural variables ``v`` within ends, exactly.

    Structural variables are numbered ``0..n-1``, slacks ``n..n+m-1``.  All values are integers
    over the common ``scale`` (ends of variables) times ``self.denominator`` (entries).

    Arguments:
        rows: ``m`` rows of ``n + 1`` integers, the last one the constant.
        lo, hi: ends of the structural variables times ``scale``; None where open.
        scale: a positive integer.
    """

    def __init__(
        self,
        rows: fmpz_mat,
        lo: Sequence[int | None],
        hi: Sequence[int | None],
        scale: int,
    ) -> None:
        self.n = len(lo)
        self.m = rows.nrows()
        self.scale = scale
        self.table = fmpz_mat(rows)
        self.denominator = 1
        self.lo: list[int | None] = [*lo, *([0] * self.m)]
        self.hi: list[int | None] = [*hi, *([None] * self.m)]
        self.nonbasic = list(range(self.n))
        self.basic = list(range(self.n, self.n + self.m))
        # Nonbasic variables sit at an end, or at 0 when they have none.
        self.at: list[int] = [a if a is not None else (b or 0) for a, b in zip(lo, hi, strict=True)]
        self._bland = False

    def values(self) -> list[int]:
        """Values of the basic variables times ``scale * denominator``, row by row."""
        point = fmpz_mat(self.n + 1, 1, [*self.at, self.scale])
        return [int(v) for v in (self.table * point).entries()]

    def value(self, variable: int) -> tuple[int, int]:
        """Value of any variable as (numerator, positive denominator)."""
        if variable in self.basic:
            value = self.values()[self.basic.index(variable)]
            return value, self.scale * self.denominator
        return self.at[self.nonbasic.index(variable)], self.scale

    def set_ends(self, variable: int, lo: int | None, hi: int | None) -> None:
        """Change the ends of a variable whose present value stays within them."""
        self.lo[variable], self.hi[variable] = lo, hi

    def pivot(self, r: int, j: int) -> None:
        """Exchange basic variable of row ``r`` and nonbasic variable of column ``j``.

        The leaving variable's new resting value must be set by the caller in ``self.at[j]``.
        """
        table, d = self.table, self.denominator
        p = int(table[r, j])
        column = fmpz_mat(self.m, 1, [table[i, j] for i in range(self.m)])
        row_entries = [table[r, k] for k in range(self.n + 1)]
        row = fmpz_mat(1, self.n + 1, row_entries)
        new = table * p - column * row
        if d != 1:
            new = new / d
        for k in range(self.n + 1):
            new[r, k] = -row_entries[k]
        for i in range(self.m):
            new[i, j] = column[i, 0]
        new[r, j] = d
        if p < 0:
            new, p = -new, -p
        self.table, self.denominator = new, p
        self.basic[r], self.nonbasic[j] = self.nonbasic[j], self.basic[r]

    def optimize(
        self, target: int, direction: int = 1, stop: Callable[[], bool] | None = None
    ) -> bool:
        """Raise one variable as far as it goes from a feasible dictionary (-1: lower it).

        Returns:
            True at an optimum (or when ``stop`` said so after a step), False if unbounded.
        """
        self._bland = False
        while True:
            if stop is not None and stop():
                return True
            entering = self._entering(target, direction)
            if entering is None:
                return True
            if not self._step(*entering):
                return False

    def reduced_costs(self, target: int) -> list[int]:
        """Coefficients of ``target`` in the nonbasic variables, times the denominator."""
        if target in self.basic:
            r = self.basic.index(target)
            return [int(self.table[r, k]) for k in range(self.n)]
        return [self.denominator if v == target else 0 for v in self.nonbasic]

    def _entering(self, target: int, direction: int) -> tuple[int, int] | None:
        """Column and direction that move the target onward; None at the optimum."""
        best: tuple[int, int] | None = None
        best_key = 0
        for j, reduced in enumerate(self.reduced_costs(target)):
            cost = reduced * direction
            if cost == 0:
                continue
            variable = self.nonbasic[j]
            end = self.hi[variable] if cost > 0 else self.lo[variable]
            if end is not None and end == self.at[j]:
                continue
            key = -variable if self._bland else abs(cost)
            if best is None or key > best_key:
                best, best_key = (j, 1 if cost > 0 else -1), key
        return best

    def _step(self, j: int, direction: int) -> bool:
        """Move nonbasic ``j`` until something blocks: flip to its other end, or pivot."""
        variable = self.nonbasic[j]
        own = self.hi[variable] if direction > 0 else self.lo[variable]
        # Lengths are compared as fractions num / den in units of 1 / scale.
        num, den = (abs(own - self.at[j]), 1) if own is not None else (None, 1)
        blocking: tuple[int, int] | None = None
        d = self.denominator
        column = [int(self.table[i, j]) * direction for i in range(self.m)]
        for i, (a, beta) in enumerate(zip(column, self.values(), strict=True)):
            if a == 0:
                continue
            end = self.hi[self.basic[i]] if a > 0 else self.lo[self.basic[i]]
            if end is None:
                continue
            room, rate = abs(end * d - beta), abs(a)
            if num is None or room * den < num * rate:
                closer = True
            else:
                tie = room * den == num * rate
                closer = tie and blocking is not None and self.basic[i] < self.basic[blocking[0]]
            if closer:
                num, den, blocking = room, rate, (i, end)
        if num is None:
            return False
        self._bland = num == 0
        if blocking is None:
            assert own is not None
            self.at[j] = own
        else:
            i, end = blocking
            self.pivot(i, j)
            self.at[j] = end
        return True
