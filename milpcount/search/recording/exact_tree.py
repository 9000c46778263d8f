"""Writes the part of a certificate below a node, in exact arithmetic.

A plain search over the units in their order: the same as engine ``tree-highs``, one step of the
certificate for each decision.  What floats propose is repaired by the rational linear programme
where it does not prove.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import Forms, constraint, domain_rows, problem_stages
from milpcount.exact.ladder import Ladder
from milpcount.search.recording import encode
from milpcount.search.recording.coordinates import Coordinates

__all__ = ["ExactRecorder", "Recorded"]


@dataclass(eq=False)
class Recorded:
    """Steps, and the regions among them."""

    steps: bytes
    leaves: list[Leaf]


@dataclass(frozen=True, slots=True, eq=False)
class _Named:
    """A row with its number and ``shift``: it is ``2**shift`` times what the format means."""

    row: Row
    number: int
    shift: int


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """Signs; rows of the cell; forms of the present layer; a point of the cell, if known."""

    signs: NDArray[np.int8]
    unit: int
    rows: tuple[_Named, ...]
    forms: tuple[Forms, ...]
    witness: Point | None
    refuted: tuple[int, ...] | None = None


class ExactRecorder:
    """Records what lies below nodes; ``known`` patterns need no search for a point."""

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        coordinates: Coordinates,
        known: Mapping[tuple[int, ...], Point] | None = None,
    ) -> None:
        self._problem, self._watch, self._outcome = problem, watch, outcome
        self._layers = problem_stages(problem)
        self._coordinates = coordinates
        self._box = ExactBox.of(problem.box)
        full = problem.definition is Definition.FULL
        self._ladder = Ladder(problem.box, outcome)
        self._patterns = sorted(known or {})
        self._known = known
        self._cuts = tuple(
            # The domain has an interior: full regions have points inside of it.
            _Named(Row(row.coefficients, full and self._varies(row)), k, 0)
            for k, row in enumerate(domain_rows(problem))
        )
        self._starts = [0]
        for layer in self._layers:
            self._starts.append(self._starts[-1] + layer.width)

    def renew(self, watch: Watch) -> None:
        """Go on with another clock."""
        self._watch = watch

    def below(self, signs: NDArray[np.int8]) -> Recorded:
        """The steps that settle the node with these signs (0 for open units).

        At a limit they end early, and leave nodes open.
        """
        out = Recorded(b"", [])
        steps: list[bytes] = []
        stack = [self._enter(signs)]
        while stack and self._watch.exceeded() is None:
            node = stack.pop()
            if node.refuted is not None:
                steps.append(self._empty(node.rows, node.refuted))
                continue
            unit = self._next_open(node)
            if unit == self._starts[-1]:
                assert node.witness is not None
                steps.append(encode.point(self._coordinates.of(node.witness)))
                bits = tuple(int(s > 0) for s in node.signs)
                out.leaves.append(Leaf(bits, node.witness))
                self._watch.regions += 1
                self._watch.report("searching")
                continue
            children = self._children(node, unit)
            place = unit - self._starts[self._layer(unit)]
            steps.append(encode.branch(place, int(children[-1].signs[unit])))
            stack += children
        out.steps = b"".join(steps)
        return out

    def _enter(self, signs: NDArray[np.int8]) -> _Node:
        """The node, with all signs as rows and a point, or proved empty."""
        node = _Node(np.sign(signs).astype(np.int8), 0, self._cuts, (), None)
        rows = list(self._cuts)
        for unit in np.flatnonzero(node.signs).tolist():
            forms = self._forms(node, self._layer(unit))
            named = self._named(forms, unit, int(node.signs[unit]))
            if isinstance(named, _Named):
                rows.append(named)
            elif named is False:
                # A form that is constant on the box and has the other sign.
                return self._place(node, (self._plain(forms, unit, int(node.signs[unit])),))
            node = _Node(node.signs, unit, tuple(rows), forms, None)
        return self._place(node, tuple(rows))

    def _place(self, node: _Node, rows: tuple[_Named, ...]) -> _Node:
        """The node with these rows, decided."""
        decision = self._ladder.decide([named.row for named in rows])
        return _Node(
            node.signs, node.unit, rows, node.forms, decision.witness, decision.multipliers
        )

    def _varies(self, row: Row) -> bool:
        return any(row.coefficients[j] for j in self._box.free)

    def _layer(self, unit: int) -> int:
        return next(k for k in range(len(self._layers)) if unit < self._starts[k + 1])

    def _next_open(self, node: _Node) -> int:
        open_units = np.flatnonzero(node.signs == 0)
        return int(open_units[0]) if len(open_units) else self._starts[-1]

    def _forms(self, node: _Node, layer: int) -> tuple[Forms, ...]:
        forms = node.forms
        while len(forms) <= layer:
            k = len(forms)
            if k == 0:
                forms = (Forms.first(self._layers[0]),)
                continue
            active = (node.signs[self._starts[k - 1] : self._starts[k]] > 0).tolist()
            forms = (*forms, forms[-1].next(self._layers[k - 1], active, self._layers[k]))
        return forms

    def _named(self, forms: Sequence[Forms], unit: int, sign: int) -> _Named | bool:
        plain = self._plain(forms, unit, 1)
        wanted = constraint(plain.row.coefficients, sign > 0, self._problem.definition, self._box)
        return wanted if isinstance(wanted, bool) else _Named(wanted, plain.number, plain.shift)

    def _plain(self, forms: Sequence[Forms], unit: int, sign: int) -> _Named:
        layer = self._layer(unit)
        place = unit - self._starts[layer]
        row = forms[layer].row(place)
        whole = [int(forms[layer].matrix[place, j]) for j in range(len(row))]
        spare = next(((w // r).bit_length() - 1 for w, r in zip(whole, row, strict=True) if r), 0)
        signed = tuple(sign * v for v in row)
        return _Named(Row(signed, sign > 0), len(self._cuts) + unit, forms[layer].shift - spare)

    def _children(self, node: _Node, unit: int) -> list[_Node]:
        """Both sides, the one that is known to be there last."""
        forms = self._forms(node, self._layer(unit))
        out: list[_Node] = []
        for sign in (1, -1):
            signs = node.signs.copy()
            signs[unit] = sign
            child = _Node(signs, unit, node.rows, forms, node.witness)
            named = self._named(forms, unit, sign)
            if named is True:
                out.append(child)
            elif isinstance(named, _Named):
                out.append(self._side(child, (*node.rows, named)))
            else:
                plain = self._plain(forms, unit, sign)
                out.append(_Node(signs, unit, (plain,), forms, None, (1,)))
        if all(child.refuted is not None for child in out):
            raise InvariantError("a node with a point has no feasible side")
        for k, child in enumerate(out):
            if child.refuted is not None:
                # The row of the other side stays: it may be 0 on the border of the cell, and
                # there no witness of a full region may lie.
                return [out[1 - k], child]
        return out

    def _side(self, child: _Node, rows: tuple[_Named, ...]) -> _Node:
        known = self._known_point(child)
        if known is not None:
            return _Node(child.signs, child.unit, rows, child.forms, known)
        row, point = rows[-1].row, child.witness
        assert point is not None
        value = _value(row, point)
        if value > 0 or (value == 0 and not row.strict):
            return _Node(child.signs, child.unit, rows, child.forms, point)
        top = self._box.supremum(row.coefficients)
        if top is not None and (top < 0 or (top == 0 and row.strict)):
            return _Node(child.signs, child.unit, rows[-1:], child.forms, None, (1,))
        return self._place(child, rows)

    def _known_point(self, child: _Node) -> Point | None:
        """The witness of a known pattern that begins with these signs (complete up to here)."""
        if not self._known:
            return None
        bits = tuple(int(s > 0) for s in child.signs[: child.unit + 1])
        place = bisect_left(self._patterns, bits)
        if place < len(self._patterns) and self._patterns[place][: len(bits)] == bits:
            point = self._known[self._patterns[place]]
            # Engines may name a point on the border of a polytope; here it has to lie inside.
            if all(_value(cut.row, point) > 0 for cut in self._cuts if cut.row.strict):
                return point
        return None

    @staticmethod
    def _empty(rows: Sequence[_Named], multipliers: Sequence[int]) -> bytes:
        terms = []
        for named, m in zip(rows, multipliers, strict=True):
            if m:
                spare = (m & -m).bit_length() - 1
                terms.append((named.number, m >> spare, spare + named.shift))
        return encode.empty(terms)


def _value(row: Row, point: Point) -> int:
    """A row at a point, times the denominator of the point."""
    terms = zip(row.coefficients, point.numerators, strict=False)
    return row.coefficients[-1] * point.denominator + sum(c * v for c, v in terms if c)
