"""The exactness ladder over a floating-point LP: HiGHS proposes, exact arithmetic disposes.

A system of strict and weak rows over a box is decided in three rungs: HiGHS maximises the least
slack ``t``; a positive ``t`` gives a point that is checked exactly, a negative one multipliers
that are checked exactly; what passes neither check is decided by the rational simplex.  It may
be asked at once for small systems: there it takes a fifth of the time of the way through HiGHS,
but its points and multipliers have longer numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import highspy
import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.run import Outcome
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Decision, Row, check_point, check_refutation, decide
from milpcount.exact.supports import balanced
from milpcount.support.highs import make_highs

__all__ = ["Ladder"]

_BITS = 2.0**40  # of the largest multiplier
_CANCELLED = 24  # bits by which a sum is smaller than its terms where rounding alone is left
_LARGEST = 1000  # bits of a constant beside coefficients below 1: floats end at 1024


class Ladder:
    """Decides systems that share a prefix of rows with the last one, as a depth-first search does.

    One persistent HiGHS model holds the columns ``x`` and ``t`` and the rows of the present path.
    Not safe for use from several threads.
    """

    def __init__(self, box: Box, outcome: Outcome, small: int = 0) -> None:
        """Set up.

        Arguments:
            box: one entry per coordinate; ends may be infinite.
            outcome: counts which rung decided.
            small: systems of so many coefficients are decided by the rational simplex at once.
        """
        self._box = box
        self._exact_box = ExactBox.of(box)
        self._outcome = outcome
        self._small = small
        self._rows: list[Row] = []
        # Row i of the model is row i of the system divided by 2**self._exponents[i].
        self._exponents: list[int] = []
        self._n = box.lo.shape[0]
        ends = enumerate(zip(self._exact_box.lo, self._exact_box.hi, strict=True))
        self._endless = {j for j, pair in ends if pair == (None, None)}
        self._columns = np.arange(self._n + 1, dtype=np.int32)

    @cached_property
    def _highs(self) -> highspy.Highs:
        """The model, without rows."""
        highs = make_highs({"presolve": "off"})
        highs.addVars(
            self._n + 1, np.append(self._box.lo, -highspy.kHighsInf), np.append(self._box.hi, 1.0)
        )
        highs.changeColCost(self._n, 1.0)
        highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        return highs

    def decide(self, rows: Sequence[Row]) -> Decision:
        """Decide the system; the outcome counts which rung did."""
        small = len(rows) * (self._n + 1) <= self._small
        proposal = None if small else self._solve(rows)
        if proposal is not None:
            t, x, duals = proposal
            if t > 0:
                point = Point.of_floats(np.clip(x, self._box.lo, self._box.hi))
                if check_point(rows, self._exact_box, point):
                    self._outcome.add("decided_by_lp_point")
                    return Decision(point, None)
            else:
                for multipliers in (duals, self._balanced(rows, duals)):
                    if check_refutation(rows, self._exact_box, multipliers):
                        self._outcome.add("decided_by_lp_multipliers")
                        return Decision(None, tuple(multipliers))
        self._outcome.add("decided_by_rational_lp")
        return decide(rows, self._exact_box)

    def _balanced(self, rows: Sequence[Row], duals: Sequence[int]) -> list[int]:
        """The multipliers whose rows cancel where these nearly do; zeros if none do.

        Rounded multipliers leave something over.  It is unbounded where the box has no ends, and
        too much where the least slack is exactly 0.
        """
        out = [0] * len(duals)
        used = [i for i, y in enumerate(duals) if y]
        cancelled = []
        for j in range(self._n):
            terms = [duals[i] * rows[i].coefficients[j] for i in used]
            if abs(sum(terms)) << _CANCELLED <= sum(map(abs, terms)) or j in self._endless:
                cancelled.append(j)
        exact = balanced([rows[i] for i in used], cancelled)
        for i, y in zip(used, exact or (), strict=False):
            out[i] = y
        return out

    def _solve(self, rows: Sequence[Row]) -> tuple[float, NDArray[np.float64], list[int]] | None:
        """Solve the floating-point LP: ``(t, x, multipliers of the exact rows)``.

        None if HiGHS found no optimum.
        """
        if not self._load(rows):
            return None
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            # A basis that went wrong must not spoil the next solve.
            self._highs.clearSolver()
            return None
        solution = self._highs.getSolution()
        values = np.array(solution.col_value)
        duals = [max(-y, 0.0) for y in solution.row_dual]
        top = max(self._exponents, default=0)
        # Cut off behind the bits that HiGHS's tolerances leave any meaning.
        unit = _BITS / (max(duals, default=0.0) or 1.0)
        pairs = zip(duals, self._exponents, strict=True)
        multipliers = [int(y * unit) << (top - e) for y, e in pairs]
        return float(values[-1]), values[:-1], multipliers

    def _load(self, rows: Sequence[Row]) -> bool:
        """Make the model's rows these, keeping the common prefix; False if HiGHS refuses one.

        HiGHS takes numbers beyond 1e20 for infinite.
        """
        keep = 0
        for mine, new in zip(self._rows, rows, strict=False):
            if mine is not new:
                break
            keep += 1
        if keep < len(self._rows):
            gone = np.arange(keep, len(self._rows), dtype=np.int32)
            self._highs.deleteRows(len(gone), gone)
            del self._rows[keep:], self._exponents[keep:]
        for row in rows[keep:]:
            # Rows of about unit size make t about a distance; a power of two rounds nothing.
            exponent = max(abs(c).bit_length() for c in row.coefficients[:-1])
            exponent = max(exponent, abs(row.coefficients[-1]).bit_length() - _LARGEST)
            scale = 1 << exponent
            # int / int rounds correctly at any size.
            *scaled, constant = [c / scale for c in row.coefficients]
            values = np.array([*scaled, -1.0])
            status = self._highs.addRow(
                -constant, highspy.kHighsInf, len(values), self._columns, values
            )
            if status == highspy.HighsStatus.kError:
                return False
            self._rows.append(row)
            self._exponents.append(exponent)
        return True
