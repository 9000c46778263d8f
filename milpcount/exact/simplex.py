"""Linear programming in exact integer arithmetic: a bounded-variable primal simplex.

The tableau is a *dictionary*: each basic variable written in the nonbasic ones, all entries over
one common denominator, the determinant of the basis (:mod:`milpcount.exact.tableau`).
Entering variables are chosen by largest coefficient while the objective moves and by Bland's
rule after a degenerate step, so the method always ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from milpcount.exact.tableau import tableau

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
        rows: Sequence[Sequence[int]],
        lo: Sequence[int | None],
        hi: Sequence[int | None],
        scale: int,
    ) -> None:
        self.n = len(lo)
        self.m = len(rows)
        self.scale = scale
        self.denominator = 1
        self.lo: list[int | None] = [*lo, *([0] * self.m)]
        self.hi: list[int | None] = [*hi, *([None] * self.m)]
        self.nonbasic = list(range(self.n))
        self.basic = list(range(self.n, self.n + self.m))
        # Nonbasic variables sit at an end, or at 0 when they have none.
        self.at: list[int] = [a if a is not None else (b or 0) for a, b in zip(lo, hi, strict=True)]
        # Values of the basic variables times ``scale * denominator``, row by row.
        self.values = [
            sum(c * a for c, a in zip(row, self.at, strict=False) if c and a) + row[-1] * scale
            for row in rows
        ]
        self._table = tableau(rows, self.n + 1)
        self._bland = False

    def value(self, variable: int) -> tuple[int, int]:
        """Value of any variable as (numerator, positive denominator)."""
        if variable in self.basic:
            return self.values[self.basic.index(variable)], self.scale * self.denominator
        return self.at[self.nonbasic.index(variable)], self.scale

    def set_ends(self, variable: int, lo: int | None, hi: int | None) -> None:
        """Change the ends of a variable whose present value stays within them."""
        self.lo[variable], self.hi[variable] = lo, hi

    def move(self, j: int, to: int) -> None:
        """Let the nonbasic variable of column ``j`` sit elsewhere; ``to`` is in ``1 / scale``."""
        step = to - self.at[j]
        self.at[j] = to
        if step:
            column = self._table.column(j)
            self.values = [v + c * step for v, c in zip(self.values, column, strict=True)]

    def _pivot(self, r: int, j: int, end: int, column: Sequence[int]) -> None:
        """Move column ``j``'s variable until that of row ``r`` is at ``end``, and exchange them."""
        d = self.denominator
        p, way = column[r], end * d - self.values[r]
        entered = self.at[j] * p + way
        values = [(v * p + c * way) // d for v, c in zip(self.values, column, strict=True)]
        values[r] = entered
        self.values = values if p > 0 else [-v for v in values]
        self.denominator = self._table.pivot(r, j, d)
        self.basic[r], self.nonbasic[j] = self.nonbasic[j], self.basic[r]
        self.at[j] = end

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
            return list(self._table.row(self.basic.index(target))[: self.n])
        return [self.denominator if v == target else 0 for v in self.nonbasic]

    def _entering(self, target: int, direction: int) -> tuple[int, int] | None:
        """Column and direction that move the target onward; None at the optimum."""
        best: tuple[int, int] | None = None
        best_key = 0
        for j, reduced in enumerate(self.reduced_costs(target)):
            if not reduced:
                continue
            cost, variable = reduced * direction, self.nonbasic[j]
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
        column = self._table.column(j)
        for i, (c, beta) in enumerate(zip(column, self.values, strict=True)):
            if not c:
                continue
            end = self.hi[self.basic[i]] if (c > 0) == (direction > 0) else self.lo[self.basic[i]]
            if end is None:
                continue
            room, rate = abs(end * d - beta), abs(c)
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
            self.move(j, own)
        else:
            self._pivot(blocking[0], j, blocking[1], column)
        return True
