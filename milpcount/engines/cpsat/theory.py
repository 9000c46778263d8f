r"""Exact answers to "does this pattern exist?", and short reasons where it does not.

**Explaining clauses.**  Suppose that the system of a pattern's rows ``s_i g_i > 0`` (or ``>= 0``),
``s_i = 1`` for active units and ``-1`` for inactive ones, is refuted by multipliers ``y >= 0``:
the form ``phi = sum_i y_i s_i F_i`` has ``sup phi < 0`` over the domain, or ``sup phi = 0`` with
``y_i > 0`` at a strict row (:mod:`milpcount.exact.feasibility`).  ``F_i`` is the pre-activation
under the pattern's signs.  Which of these signs does the refutation need?

Let ``a_i = y_i s_i`` for the units of the last layer in question, and go down: with ``c_k = sum_i
a_i W_ik``, output ``h_k`` of the layer before enters with ``c_k h_k``, and the pattern puts ``c_k
f_k g_k`` in its place, ``f_k = 1`` for active units and ``f_k`` the slope ``m_k`` (0 for plain
ReLUs) for inactive ones; so ``a_k = y_k s_k + c_k f_k`` there, and so on down to ``phi(x)``.

*Theorem.*  The pattern's signs of the units with ``y_k > 0``, and of those with ``c_k (1 - m_k) >
0``, do not occur together (for full regions: up to the exception below).

*Proof.*  ``h_k = max(g_k, m_k g_k)`` if ``m_k <= 1`` and ``min`` of the two if ``m_k >= 1``.  So
where ``c_k (1 - m_k) <= 0``, ``c_k h_k <= c_k f_k g_k`` for either ``f_k``, whatever the unit's
sign; elsewhere the unit has the pattern's sign and equality holds.  So at every input with the
signs named, ``sum_i y_i s_i g_i(x) <= phi(x) <= 0``, where ``g_i(x)`` are the true
pre-activations. Their signs make the left side at least 0, and above 0 if a strict row has
``y_i > 0`` and is truly strict; a contradiction if ``sup phi < 0``, and if a strict row takes part
whose unit is active, or of the first layer. []

*Exception.*  Counting full regions the row of an inactive unit is strict because its form is not
constant; under other signs of earlier layers it may be constant, and zero.  If ``sup phi = 0`` and
only such rows are strict, the clause names all units of the earlier layers.

So dependence on earlier layers halves by the sign of ``c_k``, at no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome
from milpcount.engines.cpsat.master import Clause
from milpcount.exact.feasibility import Decision, Row, check_point, check_refutation, decide
from milpcount.exact.forms import Forms, constraint, domain_rows
from milpcount.exact.ladder import Ladder
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
        unit: layer-major.
    """

    row: Row
    unit: int
    scale: Fraction


class Theory:
    """Decides patterns layer by layer.

    Arguments:
        problem: what is counted; any domain.
        proved: gets every pattern that is found to exist.
        outcome: statistics.
    """

    def __init__(self, problem: CountProblem, proved: ProvedPatterns, outcome: Outcome) -> None:
        self._problem, self._proved, self._outcome = problem, proved, outcome
        self._layers, self._box = proved.layers, proved.box
        self._ladder = _ExplainingLadder(problem.box, outcome)
        self._domain = domain_rows(problem)
        self._none = (0,) * len(self._domain)
        self._starts = [0]
        for layer in self._layers:
            self._starts.append(self._starts[-1] + layer.width)
        # Rows of the first layer are the same in every system; deeper ones are kept for a while.
        self._rows: dict[tuple[int, tuple[int, ...], int], _Signed | bool] = {}
        self._forms: dict[tuple[int, ...], Forms] = {}
        self._feasible: set[tuple[int, ...]] = set()

    def check(self, bits: tuple[int, ...]) -> Clause | None:
        """None if the pattern exists, which is then kept; else a clause that excludes it.

        Every pattern that exists satisfies the clause.
        """
        system: list[_Signed] = []
        for k, layer in enumerate(self._layers):
            end = self._starts[k + 1]
            for i in range(layer.width):
                signed = self._row(k, i, bits)
                if signed is True:
                    continue
                if signed is False:
                    return self._clause([self._constant(k, i, bits)], (*self._none, 1), bits, k)
                assert isinstance(signed, _Signed)
                system.append(signed)
            prefix = bits[:end]
            if prefix in self._feasible and end < len(bits):
                continue
            rows = [*self._domain, *(signed.row for signed in system)]
            self._outcome.add("theory_checks")
            decision = self._ladder.explain(rows)
            if decision.witness is None:
                assert decision.multipliers is not None
                return self._clause(system, decision.multipliers, bits, k)
            self._feasible.add(prefix)
            if end == len(bits):
                self._proved.keep(bits, decision.witness)
            else:
                # The point has some pattern; it may be a new one.
                self._proved.show_point(decision.witness)
        if not self._layers:
            witness = decide(self._domain, self._box).witness
            assert witness is not None
            self._proved.keep((), witness)
        return None

    def _form(self, k: int, bits: tuple[int, ...]) -> Forms:
        if k == 0:
            before: tuple[int, ...] = ()
        else:
            before = bits[: self._starts[k]]
        forms = self._forms.get(before)
        if forms is None:
            if k == 0:
                forms = Forms.first(self._layers[0])
            else:
                active = bits[self._starts[k - 1] : self._starts[k]]
                forms = self._form(k - 1, bits).next(self._layers[k - 1], active, self._layers[k])
            if len(self._forms) > 64:
                self._forms = {key: value for key, value in self._forms.items() if not key}
            self._forms[before] = forms
        return forms

    def _row(self, k: int, i: int, bits: tuple[int, ...]) -> _Signed | bool:
        """What the sign of unit ``i`` of layer ``k`` demands: a row, or True or False at once."""
        start = self._starts[k]
        bit = bits[start + i]
        key = (start + i, bits[:start], bit)
        if key not in self._rows:
            if len(self._rows) > 2000:
                self._rows = {k: v for k, v in self._rows.items() if not k[1]}
            form = self._form(k, bits)
            row = form.row(i)
            wanted = constraint(row, bool(bit), self._problem.definition, self._box)
            self._rows[key] = (
                wanted
                if isinstance(wanted, bool)
                else _Signed(wanted, start + i, _scale(form, i, row))
            )
        return self._rows[key]

    def _constant(self, k: int, i: int, bits: tuple[int, ...]) -> _Signed:
        """The row of a form that is constant on the box and has the other sign."""
        start = self._starts[k]
        form = self._form(k, bits)
        row = form.row(i)
        active = bool(bits[start + i])
        signed = Row(row if active else tuple(-c for c in row), active)
        return _Signed(signed, start + i, _scale(form, i, row))

    def _clause(
        self,
        system: Sequence[_Signed],
        multipliers: Sequence[int],
        bits: tuple[int, ...],
        last: int,
    ) -> Clause:
        """The clause of the theorem, for a refutation of rows up to layer ``last``.

        The multipliers of the domain's own rows come first.
        """
        self._outcome.add("conflicts")
        pairs = zip(multipliers[len(self._domain) :], system, strict=True)
        used = [(y, signed) for y, signed in pairs if y]
        named = {signed.unit for _, signed in used}
        weights: dict[int, Fraction] = {
            s.unit: y * s.scale * (1 if bits[s.unit] else -1) for y, s in used
        }
        for k in range(last, 0, -1):
            layer, before = self._layers[k], self._layers[k - 1]
            start, earlier = self._starts[k], self._starts[k - 1]
            here = [(i, weights[start + i]) for i in range(layer.width) if start + i in weights]
            for j in range(before.width):
                c = sum((w * int(layer.weight[i, j]) for i, w in here), Fraction(0))
                if not c:
                    continue
                c /= 1 << layer.shift
                slope = Fraction(before.slopes[j], 1 << before.slope_shift)
                unit = earlier + j
                if c * (1 - slope) > 0:
                    named.add(unit)
                factor = 1 if bits[unit] else slope
                weights[unit] = weights.get(unit, Fraction(0)) + c * factor
        if not self._holds_elsewhere([signed for _, signed in used], bits):
            weak = [*self._domain, *(Row(s.row.coefficients, False) for s in system)]
            if not check_refutation(weak, self._box, multipliers):
                deepest = max(signed.unit for _, signed in used)
                named |= set(range(max(start for start in self._starts if start <= deepest)))
        self._outcome.add("clause_literals", len(named))
        return frozenset((u, 1 - bits[u]) for u in named)

    def _holds_elsewhere(self, used: Sequence[_Signed], bits: tuple[int, ...]) -> bool:
        """Whether a strict row takes part that is strict whatever the other units' signs."""
        first = self._starts[1]
        return any(s.row.strict and (bits[s.unit] or s.unit < first) for s in used)


def _scale(form: Forms, i: int, row: tuple[int, ...]) -> Fraction:
    """What the integer row is times the true pre-activation."""
    for j, c in enumerate(row):
        if c:
            return Fraction(1 << form.shift, int(form.matrix[i, j]) // c)
    return Fraction(1)
