"""Walks in integers: from breakpoint to breakpoint, each new piece from the last by its changes.

On a segment every pre-activation is ``p + q t`` with integers ``p`` and ``q`` up to a power of two
that depends on the stage alone.  Where units change their states, the forms of later stages change
by multiples of weights, and nothing else is computed again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError
from milpcount.geometry.space import Space

__all__ = ["Line"]

Bits = NDArray[np.uint8]
Pair = tuple[int, int]

# What decides a state: (position, p, q, state before) -> state.
Decide = Callable[[int, int, int, int], int]


class Line:
    """The forms of all units along one segment, for one pattern after another."""

    def __init__(self, problem: CountProblem) -> None:
        space = Space(problem)
        self._index = space.index
        self._stages = space.integer_stages
        self._linear = space.index.linear.tolist()
        self._p: list[list[int]] = []
        self._q: list[list[int]] = []
        self._out: list[list[Pair]] = []
        self._bits: list[int] = []
        self._columns: dict[tuple[int, int], list[list[int]]] = {}
        # The power of two that the forms of each stage are multiplied with, and their outputs'.
        self._shift: list[int] = []
        self._first = space.first

    def walk(self) -> tuple[Bits, tuple[Fraction, ...]]:
        """Bits of all pieces and the breakpoints between them."""
        self._begin(lambda _, p, q, __: int(p > 0 or (p == 0 and q > 0)))
        found, breaks = [self._states()], []
        while (t := self._next()) is not None:
            a, b = t.numerator, t.denominator

            def turn(_: int, p: int, q: int, before: int, a: int = a, b: int = b) -> int:
                return before if p * b + q * a else int(q > 0)

            self._change(turn)
            bits = self._states()
            if bits == found[-1]:
                raise InvariantError("no unit changes its state at a breakpoint")
            found.append(bits)
            breaks.append(t)
        return np.array(found, dtype=np.uint8), tuple(breaks)

    def breakpoints(self, bits: Bits) -> tuple[Fraction, ...]:
        """The breakpoints between pieces with these bits, one row a piece, all positions."""
        first = bits[0].tolist()
        self._begin(lambda position, _, __, ___: first[position])
        out = []
        for row, after in itertools.pairwise(bits):
            flips = np.flatnonzero(row != after).tolist()
            p, q = next((p, q) for p, q in map(self._form, flips) if q)
            out.append(Fraction(-p, q))
            # The state that a unit has not.
            self._change(lambda _, __, ___, before: 1 - before, flips)
        return tuple(out)

    def _states(self) -> list[int]:
        return [b for b, linear in zip(self._bits, self._linear, strict=True) if not linear]

    def _form(self, position: int) -> Pair:
        stage, place = self._index.place(position)
        return self._p[stage][place], self._q[stage][place]

    def _next(self) -> Fraction | None:
        """The next breakpoint before 1: the first zero that a unit moves towards."""
        best: Pair | None = None
        position = 0
        for p_row, q_row in zip(self._p, self._q, strict=True):
            for p, q in zip(p_row, q_row, strict=True):
                bit = self._bits[position]
                moves = q < 0 if bit else q > 0
                if moves and not self._linear[position]:
                    # The zero -p / q, with a positive denominator.
                    num, den = (p, -q) if q < 0 else (-p, q)
                    if num < den and (best is None or num * best[1] < best[0] * den):
                        best = (num, den)
                position += 1
        return None if best is None else Fraction(*best)

    def _begin(self, decide: Decide) -> None:
        """Compute everything for the pattern that ``decide`` makes."""
        self._p, self._q, self._out, self._bits, self._shift = [], [], [], [], []
        shifts: list[int] = []
        for k, stage in enumerate(self._stages):
            if k == 0:
                table = self._first.matrix.tolist()
                q, p = ([int(row[i]) for row in table] for i in (0, 1))
                shift = self._first.shift
            else:
                top = max(shifts[j - 1] for j in stage.reads)
                total = fmpz_mat(len(stage.bias), 2)
                for j, weight in zip(stage.reads, stage.weights, strict=True):
                    flat = [v for pair in self._out[j - 1] for v in pair]
                    part = weight * fmpz_mat(len(self._out[j - 1]), 2, flat)
                    total += part * (1 << (top - shifts[j - 1]))
                table = total.tolist()
                p = [int(row[0]) + (b << top) for row, b in zip(table, stage.bias, strict=True)]
                q = [int(row[1]) for row in table]
                shift = top + stage.shift
            self._p.append(p)
            self._q.append(q)
            base = len(self._bits)
            for i, (x, y) in enumerate(zip(p, q, strict=True)):
                linear = self._linear[base + i]
                self._bits.append(1 if linear else decide(base + i, x, y, 0))
            self._out.append([self._passed(k, i, base) for i in range(len(p))])
            shifts.append(shift + stage.slope_shift)
        self._shift = shifts

    def _passed(self, k: int, i: int, base: int) -> Pair:
        """What a unit passes on."""
        stage = self._stages[k]
        factor = 1 << stage.slope_shift if self._bits[base + i] else stage.slopes[i]
        return factor * self._p[k][i], factor * self._q[k][i]

    def _change(self, decide: Decide, asked: list[int] | None = None) -> None:
        """Go over to the states that ``decide`` makes, stage by stage; of all units, or of some."""
        changes: list[dict[int, Pair]] = []
        base = 0
        for k, stage in enumerate(self._stages):
            p, q, out = self._p[k], self._q[k], self._out[k]
            touched: set[int] = set()
            if k:
                top = max(self._shift[j - 1] for j in stage.reads)
                for r, j in enumerate(stage.reads):
                    lift = top - self._shift[j - 1]
                    for i, (dp, dq) in changes[j - 1].items():
                        dp, dq = dp << lift, dq << lift
                        for u, weight in enumerate(self._column(k, r, i)):
                            if weight:
                                p[u] += weight * dp
                                q[u] += weight * dq
                                touched.add(u)
            mine: dict[int, Pair] = {}
            ours: Iterable[int] = range(len(p))
            if asked is not None:
                ours = [u - base for u in asked if base <= u < base + len(p)]
            for i in ours:
                if not self._linear[base + i]:
                    bit = decide(base + i, p[i], q[i], self._bits[base + i])
                    if bit != self._bits[base + i]:
                        self._bits[base + i] = bit
                        touched.add(i)
            for i in touched:
                new, old = self._passed(k, i, base), out[i]
                if new != old:
                    mine[i] = new[0] - old[0], new[1] - old[1]
                    out[i] = new
            changes.append(mine)
            base += len(p)

    def _column(self, k: int, r: int, i: int) -> list[int]:
        """Column ``i`` of the weights with which stage ``k`` reads its ``r``-th stage."""
        if (k, r) not in self._columns:
            rows = self._stages[k].weights[r].tolist()
            self._columns[k, r] = [[int(v) for v in c] for c in zip(*rows, strict=True)]
        return self._columns[k, r][i]
