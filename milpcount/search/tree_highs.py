"""Engine ``tree-highs``: tree search over the units in layer order, plainly, with HiGHS LPs.

A node fixes the signs of a prefix of the units, so the next unit's pre-activation is one affine
form ``g`` on the node's cell.  The side on which the node's witness lies is feasible; the other
side is one decision of the ladder.  A side proved empty leaves the cell as it is, and its row is
not added.  Every leaf is a region and carries its witness.

The same search *closes* a set of patterns found elsewhere (by a MILP solver, say): where known
patterns lie on both sides nothing is solved, and leaves that are not among the known ones were
missed by whoever found the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.errors import InvariantError, UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import ExactStage, Forms, constraint, domain_rows, problem_stages
from milpcount.exact.ladder import Ladder

__all__ = ["TreeSearch", "enumerate_tree_highs"]


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """A prefix of a pattern whose cell is feasible.

    Attributes:
        bits: signs fixed so far.
        rows: irredundant rows of the cell.
        forms: pre-activations of the layer that the next unit belongs to.
        witness: a point of the cell.
        known: range of the known patterns that begin with ``bits``.
        weight: share of the tree below this node, for the display of progress.
    """

    bits: tuple[int, ...]
    rows: tuple[Row, ...]
    forms: Forms | None
    witness: Point
    known: tuple[int, int]
    weight: float


def enumerate_tree_highs(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    known: Mapping[tuple[int, ...], Point] | None = None,
) -> Iterator[Leaf]:
    """Yield every pattern of the problem; with ``known`` patterns, only those not among them.

    Raises:
        UnsupportedError: the definition ``linear``.
        InvariantError: a known pattern does not exist.
    """
    if problem.definition is Definition.LINEAR:
        raise UnsupportedError("engine tree-highs counts full and nonempty regions, not linear")
    require_full_dimensional(problem)
    search = TreeSearch(problem, watch, outcome, known or {})
    yield from search.run(search.root())
    outcome.finish(watch)


class TreeSearch:
    """The state that all nodes share."""

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        known: Mapping[tuple[int, ...], Point],
    ) -> None:
        self.problem, self.watch, self.outcome = problem, watch, outcome
        self.layers: tuple[ExactStage, ...] = problem_stages(problem)
        self.box = ExactBox.of(problem.box)
        self.ladder = Ladder(problem.box, outcome)
        self.patterns = sorted(known)
        self.witnesses = [known[bits] for bits in self.patterns]
        # Signs that are given for units of the layer in which a subtree begins.
        self.fixed: dict[int, int] = {}
        # Where each unit stands: (layer, place within it).
        self.places = [(k, i) for k, layer in enumerate(self.layers) for i in range(layer.width)]

    def run(self, root: _Node) -> Iterator[Leaf]:
        """Depth first; the stack holds the open siblings of the present path."""
        stack = [root]
        closed = 0.0
        try:
            while stack and self.watch.exceeded() is None:
                node = stack[-1]
                children = self._children(node) if len(node.bits) < len(self.places) else []
                stack[-1:] = children
                self.outcome.add("nodes")
                self.watch.report("searching", closed)
                if children:
                    continue
                closed += node.weight
                if node.known[0] == node.known[1]:
                    self.watch.regions += 1
                    yield Leaf(node.bits, node.witness)
        finally:
            # Every open cell is feasible, and the cells are disjoint.
            self.outcome.open_regions += sum(n.known[0] == n.known[1] for n in stack)

    def root(self) -> _Node:
        """The domain."""
        rows = domain_rows(self.problem)
        witness = self.ladder.decide([Row(r.coefficients, any(r.coefficients[:-1])) for r in rows])
        if witness.witness is None:
            raise InvariantError("the domain was proved full-dimensional and found empty")
        forms = Forms.first(self.layers[0]) if self.layers else None
        return _Node((), rows, forms, witness.witness, (0, len(self.patterns)), 1.0)

    def subtree(self, signs: Sequence[int]) -> _Node | None:
        """The node with these signs, to run from; None if its cell is empty.

        Arguments:
            signs: one a unit: 0 undecided, 1 and -1 decided, 2 and -2 implied by the others.  The
                decided units are those of complete layers and some of one layer more.
        """
        self.fixed = {}
        bits: tuple[int, ...] = ()
        rows = list(domain_rows(self.problem))
        forms: Forms | None = None
        previous: Sequence[int] = ()
        for k, layer in enumerate(self.layers):
            if forms is None:
                forms = Forms.first(layer)
            else:
                forms = forms.next(self.layers[k - 1], bits[-len(previous) :], layer)
            start = len(bits)
            previous = signs[start : start + layer.width]
            for i, sign in enumerate(previous):
                if abs(sign) != 1:
                    continue
                wanted = constraint(forms.row(i), sign > 0, self.problem.definition, self.box)
                if wanted is False:
                    return None
                if wanted is not True:
                    rows.append(wanted)
            if 0 in previous:
                self.fixed = {start + i: int(s > 0) for i, s in enumerate(previous) if s}
                break
            bits += tuple(int(s > 0) for s in previous)
        witness = self.ladder.decide(rows).witness
        if witness is None:
            return None
        return _Node(bits, tuple(rows), forms, witness, (0, len(self.patterns)), 1.0)

    def _children(self, node: _Node) -> list[_Node]:
        """The feasible children; the one that is searched first stands last."""
        assert node.forms is not None
        layer, unit = self.places[len(node.bits)]
        ranges = self._split(node)
        given = self.fixed.get(len(node.bits))
        if given is not None:
            return [self._child(node, layer, given, None, node.witness, node.known, 1.0)]
        form = node.forms.row(unit)
        feasible: list[tuple[int, Row | None, Point]] = []
        for active in (0, 1):
            wanted = constraint(form, bool(active), self.problem.definition, self.box)
            first, last = ranges[active]
            if wanted is True:
                return [self._child(node, layer, active, None, node.witness, node.known, 1.0)]
            if isinstance(wanted, bool):
                if first < last:
                    raise InvariantError(f"a known pattern is impossible at unit {len(node.bits)}")
                continue
            witness = self._witness(node, wanted, self.witnesses[first] if first < last else None)
            if witness is not None:
                feasible.append((active, wanted, witness))
        if not feasible:
            raise InvariantError("a feasible node has no feasible child")
        share = 1.0 / len(feasible)
        return [
            # The row of an only child holds all over the cell: it is redundant.
            self._child(
                node, layer, active, row if share < 1 else None, witness, ranges[active], share
            )
            for active, row, witness in feasible
        ]

    def _witness(self, node: _Node, wanted: Row, known: Point | None) -> Point | None:
        """Return a point of the cell on the wanted side, None where it is proved empty."""
        if known is not None:
            self.outcome.add("decided_by_known_pattern")
            return known
        value = _evaluate(wanted, node.witness)
        if value > 0 or (value == 0 and not wanted.strict):
            self.outcome.add("decided_by_witness")
            return node.witness
        top = self.box.supremum(wanted.coefficients)
        if top is not None and (top < 0 or (top == 0 and wanted.strict)):
            self.outcome.add("decided_by_interval")
            return None
        return self.ladder.decide([*node.rows, wanted]).witness

    def _split(self, node: _Node) -> tuple[tuple[int, int], tuple[int, int]]:
        """Ranges of the known patterns below the inactive and the active child."""
        first, last = node.known
        middle = bisect_left(self.patterns, (*node.bits, 1), first, last)
        return (first, middle), (middle, last)

    def _child(
        self,
        node: _Node,
        layer: int,
        active: int,
        row: Row | None,
        witness: Point,
        known: tuple[int, int],
        share: float,
    ) -> _Node:
        bits = (*node.bits, active)
        forms = node.forms
        complete = len(bits) == len(self.places) or self.places[len(bits)][0] != layer
        if complete and layer + 1 < len(self.layers):
            assert forms is not None
            before = self.layers[layer]
            forms = forms.next(before, bits[-before.width :], self.layers[layer + 1])
        rows = node.rows if row is None else (*node.rows, row)
        return _Node(bits, rows, forms, witness, known, node.weight * share)


def _evaluate(row: Row, point: Point) -> int:
    """The row's value at a point, up to a positive factor."""
    c = row.coefficients
    value = sum(a * b for a, b in zip(c, point.numerators, strict=False) if a)
    return value + c[-1] * point.denominator
