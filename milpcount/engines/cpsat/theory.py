r"""Exact answers to "does this pattern exist?", and short reasons where it does not.

**Explaining clauses.**  Suppose that the system of a pattern's rows ``s_i g_i > 0`` (or ``>= 0``),
``s_i = 1`` for active units and ``-1`` for inactive ones, is refuted by multipliers ``y >= 0``:
the form ``phi = sum_i y_i s_i F_i`` has ``sup phi < 0`` over the domain, or ``sup phi = 0`` with
``y_i > 0`` at a strict row (:mod:`milpcount.exact.feasibility`).  ``F_i`` is the pre-activation
under the pattern's signs.  Which of these signs does the refutation need?

Let ``a_i = y_i s_i`` for the units of the last stage in question, and go down: with ``c_k = sum_i
a_i W_ik`` over all later units that read it, output ``h_k`` enters with ``c_k h_k``, and the
pattern puts ``c_k f_k g_k`` in its place, ``f_k = 1`` for active units and ``f_k`` the slope
``m_k`` (0 for plain ReLUs, 1 for linear units) for inactive ones; so ``a_k = y_k s_k + c_k f_k``
there, and so on down to ``phi(x)``.

*Theorem.*  The pattern's signs of the units with ``y_k > 0``, and of those with ``c_k (1 - m_k) >
0``, do not occur together (for full regions: up to the exception below).

*Proof.*  ``h_k = max(g_k, m_k g_k)`` if ``m_k <= 1`` and ``min`` of the two if ``m_k >= 1``.  So
where ``c_k (1 - m_k) <= 0``, ``c_k h_k <= c_k f_k g_k`` for either ``f_k``, whatever the unit's
sign; elsewhere the unit has the pattern's sign and equality holds.  So at every input with the
signs named, ``sum_i y_i s_i g_i(x) <= phi(x) <= 0``, where ``g_i(x)`` are the true
pre-activations. Their signs make the left side at least 0, and above 0 if a strict row has
``y_i > 0`` and is truly strict; a contradiction if ``sup phi < 0``, and if a strict row takes part
whose unit is active, or of the first stage. []

*Exception.*  Counting full regions the row of an inactive unit is strict because its form is not
constant; under other signs of earlier stages it may be constant, and zero.  If ``sup phi = 0`` and
only such rows are strict, the clause names all units of the earlier stages.

So dependence on earlier stages halves by the sign of ``c_k``, at no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome
from milpcount.engines.cpsat.master import Clause
from milpcount.exact.feasibility import Decision, Row, check_point, check_refutation, decide
from milpcount.exact.forms import constraint, domain_rows, problem_stages
from milpcount.exact.ladder import Ladder
from milpcount.exact.prefix import Prefix
from milpcount.sampling.parity_patterns import ProvedPatterns

__all__ = ["Theory"]


class _ExplainingLadder(Ladder):
    """A ladder whose refutations carry their multipliers."""

    def explain(self, rows: Sequence[Row]) -> Decision:
        """Decide the system, with multipliers where it is infeasible."""
        proposal = self._solve(rows)
        if proposal is not None:
            t, x, duals = proposal
            if t > 0:
                point = Point.of_floats(x.clip(self._box.lo, self._box.hi))
                if check_point(rows, self._exact_box, point):
                    return Decision(point, None)
            elif check_refutation(rows, self._exact_box, duals):
                return Decision(None, tuple(duals))
        self._outcome.add("decided_by_rational_lp")
        return decide(rows, self._exact_box)


@dataclass(frozen=True, slots=True)
class _Signed:
    """A row of the system, and where it comes from.

    Attributes:
        row: what holds; its coefficients are ``scale`` times those of ``s_i F_i``.
        unit: its position.
    """

    row: Row
    unit: int
    scale: Fraction


class Theory:
    """Decides patterns stage by stage.

    Arguments:
        problem: what is counted; any domain.
        proved: gets every pattern that is found to exist.
        outcome: statistics.
    """

    def __init__(self, problem: CountProblem, proved: ProvedPatterns, outcome: Outcome) -> None:
        self._problem, self._proved, self._outcome = problem, proved, outcome
        self._stages, self._box = problem_stages(problem), proved.box
        self._index = problem.index
        self._ladder = _ExplainingLadder(problem.box, outcome)
        self._domain = domain_rows(problem)
        self._none = (0,) * len(self._domain)
        # Rows of the first stage are the same in every system; deeper ones are kept for a while.
        self._rows: dict[tuple[int, tuple[int, ...], int], _Signed | bool] = {}
        self._prefixes: dict[tuple[int, ...], Prefix] = {(): Prefix.root(self._stages)}
        self._feasible: set[tuple[int, ...]] = set()

    def check(self, bits: tuple[int, ...]) -> Clause | None:
        """None if the pattern exists, which is then kept; else a clause that excludes it.

        Every pattern that exists satisfies the clause.
        """
        system: list[_Signed] = []
        states = tuple(self._index.spread(np.array(bits, dtype=np.uint8)).tolist())
        for k, stage in enumerate(self._stages):
            start, end = self._index.starts[k], self._index.starts[k + 1]
            for unit in range(start, end):
                if stage.linear[unit - start]:
                    continue
                signed = self._row(k, unit, states)
                if signed is True:
                    continue
                if signed is False:
                    return self._clause([self._constant(k, unit, states)], (*self._none, 1), states)
                assert isinstance(signed, _Signed)
                system.append(signed)
            prefix = states[:end]
            if prefix in self._feasible and end < len(states):
                continue
            rows = [*self._domain, *(signed.row for signed in system)]
            self._outcome.add("theory_checks")
            decision = self._ladder.explain(rows)
            if decision.witness is None:
                assert decision.multipliers is not None
                return self._clause(system, decision.multipliers, states)
            self._feasible.add(prefix)
            if end == len(states):
                self._proved.keep(bits, decision.witness)
            else:
                # The point has some pattern; it may be a new one.
                self._proved.show_point(decision.witness)
        if not self._stages:
            witness = decide(self._domain, self._box).witness
            assert witness is not None
            self._proved.keep((), witness)
        return None

    def _prefix(self, k: int, states: tuple[int, ...]) -> Prefix:
        """The prefix whose present stage is ``k``."""
        before = states[: self._index.starts[k]]
        prefix = self._prefixes.get(before)
        # A stage of linear units alone has no states that tell its prefix from the one before.
        if prefix is None or prefix.stage != k:
            last = before[self._index.starts[k - 1] :]
            prefix = self._prefix(k - 1, states).push(last)
            if len(self._prefixes) > 64:
                self._prefixes = {key: value for key, value in self._prefixes.items() if not key}
            self._prefixes[before] = prefix
        return prefix

    def _row(self, k: int, unit: int, states: tuple[int, ...]) -> _Signed | bool:
        """What the sign of a unit of stage ``k`` demands: a row, or True or False at once."""
        start = self._index.starts[k]
        key = (unit, states[:start], states[unit])
        if key not in self._rows:
            if len(self._rows) > 2000:
                self._rows = {k: v for k, v in self._rows.items() if not k[1]}
            row, shift = self._prefix(k, states).forms.scaled_row(unit - start)
            wanted = constraint(row, bool(states[unit]), self._problem.definition, self._box)
            self._rows[key] = (
                wanted if isinstance(wanted, bool) else _Signed(wanted, unit, _power(shift))
            )
        return self._rows[key]

    def _constant(self, k: int, unit: int, states: tuple[int, ...]) -> _Signed:
        """The row of a form that is constant on the box and has the other sign."""
        place = unit - self._index.starts[k]
        row, shift = self._prefix(k, states).forms.scaled_row(place)
        active = bool(states[unit])
        signed = Row(row if active else tuple(-c for c in row), active)
        return _Signed(signed, unit, _power(shift))

    def _clause(
        self, system: Sequence[_Signed], multipliers: Sequence[int], states: tuple[int, ...]
    ) -> Clause:
        """The clause of the theorem, for a refutation of these rows.

        The multipliers of the domain's own rows come first.
        """
        self._outcome.add("conflicts")
        starts = self._index.starts
        pairs = zip(multipliers[len(self._domain) :], system, strict=True)
        used = [(y, signed) for y, signed in pairs if y]
        named = {signed.unit for _, signed in used}
        # What the sum takes of the pre-activation of each unit, from the last stage down.
        weights: dict[int, Fraction] = {
            s.unit: y * s.scale * (1 if states[s.unit] else -1) for y, s in used
        }
        taken: dict[int, Fraction] = {}  # the same of the output of each unit
        for k in range(self._index.stage_of(max(weights)) if weights else -1, -1, -1):
            stage, start = self._stages[k], starts[k]
            for i in range(stage.width):
                c = taken.get(start + i)
                if c:
                    slope = Fraction(stage.slopes[i], 1 << stage.slope_shift)
                    # Of linear units the slope is 1: they are never named.
                    if c * (1 - slope) > 0:
                        named.add(start + i)
                    factor = 1 if states[start + i] else slope
                    weights[start + i] = weights.get(start + i, Fraction(0)) + c * factor
            if k == 0:
                break
            here = [(i, weights[start + i]) for i in range(stage.width) if start + i in weights]
            for source, matrix in zip(stage.reads, stage.weights, strict=True):
                for j in range(self._stages[source - 1].width):
                    c = sum((w * int(matrix[i, j]) for i, w in here), Fraction(0))
                    unit = starts[source - 1] + j
                    taken[unit] = taken.get(unit, Fraction(0)) + c / (1 << stage.shift)
        if not self._holds_elsewhere([signed for _, signed in used], states):
            weak = [*self._domain, *(Row(s.row.coefficients, False) for s in system)]
            if not check_refutation(weak, self._box, multipliers):
                deepest = max(signed.unit for _, signed in used)
                earlier = range(starts[self._index.stage_of(deepest)])
                named |= {u for u in earlier if not self._index.linear[u]}
        self._outcome.add("clause_literals", len(named))
        return frozenset((int(self._index.bits[u]), 1 - states[u]) for u in named)

    def _holds_elsewhere(self, used: Sequence[_Signed], states: tuple[int, ...]) -> bool:
        """Whether a strict row takes part that is strict whatever the other units' signs."""
        first = self._index.starts[1]
        return any(s.row.strict and (states[s.unit] or s.unit < first) for s in used)


def _power(shift: int) -> Fraction:
    """``2**shift``."""
    return Fraction(1 << shift) if shift >= 0 else Fraction(1, 1 << -shift)
