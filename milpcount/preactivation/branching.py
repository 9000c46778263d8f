"""Best-first branch and bound over complementary pairs, in which every bound is a proved one.

A node sets one column of some pairs to 0; the maximum over the whole is at most the largest of
the proved bounds of nodes that together cover it.  Points only say when to stop: they are never
part of a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from milpcount.preactivation.proved_lp import ProvedLP, Solution

__all__ = ["Branching"]

Float = NDArray[np.float64]

_GAP = 1e-7  # of the value: closer need a bound not come to what a point shows
_FLOOR = 1e-9  # of the largest value that the function could have on the box
_COMPLEMENTARY = 1e-9  # shares of both ends up to which a pair counts as settled


class Branching:
    """Maximises the cost of a :class:`ProvedLP` where one column of each pair is 0."""

    def __init__(
        self, lp: ProvedLP, pairs: Sequence[tuple[int, int]], value: Callable[[Float], float]
    ) -> None:
        """Set up; ``value`` is about the true value of the function near a point of the LP."""
        self._lp, self._value = lp, value
        self._pairs = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self._reach = np.maximum(lp.hi[self._pairs], np.finfo(float).tiny)
        self._best = -np.inf

    def maximize(self, seconds: float | None) -> float:
        """A proved upper bound, close to the maximum unless the time is over before."""
        end = np.inf if seconds is None else time.perf_counter() + seconds
        number = count()
        # (-bound, order, columns set to 0, pair to branch on)
        heap: list[tuple[float, int, tuple[int, ...], int | None]] = []
        self._push(heap, number, np.inf, (), self._lp.maximize())
        closed = -np.inf
        while heap:
            bound = -heap[0][0]
            if bound <= max(closed, self._best + self._gap) or time.perf_counter() > end:
                return max(closed, bound)
            _, _, zero, pair = heappop(heap)
            if pair is None:
                closed = max(closed, bound)
                continue
            for column in self._pairs[pair].tolist():
                child = (*zero, column)
                hi = self._lp.hi.copy()
                hi[list(child)] = 0.0
                self._push(heap, number, bound, child, self._lp.maximize(self._lp.lo, hi))
        return closed

    def _push(
        self,
        heap: list[tuple[float, int, tuple[int, ...], int | None]],
        number: count[int],
        above: float,
        zero: tuple[int, ...],
        solution: Solution,
    ) -> None:
        bound = min(above, solution.bound)
        if bound == -np.inf:
            return
        if solution.point is not None:
            self._best = max(self._best, self._value(solution.point))
        heappush(heap, (-bound, next(number), zero, self._branch(zero, solution.point)))

    def _branch(self, zero: tuple[int, ...], point: Float | None) -> int | None:
        """The pair that is farthest from complementary; None if all are near."""
        free = np.flatnonzero(~np.isin(self._pairs, zero).any(axis=1))
        if not len(free):
            return None
        if point is None:
            # No point to go by: the first layers decide what follows.
            return int(free[0])
        share = np.min(point[self._pairs[free]] / self._reach[free], axis=1)
        worst = int(np.argmax(share))
        return int(free[worst]) if share[worst] > _COMPLEMENTARY else None

    @property
    def _gap(self) -> float:
        return _GAP * abs(self._best) + _FLOOR * self._lp.largest
