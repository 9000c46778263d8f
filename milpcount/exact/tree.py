"""The exact tree search over HiGHS: every decision is proved, and its steps may be recorded.

A node is a prefix of a pattern with the constraints of its cell.  The next unit's pre-activation
is one affine form ``g`` on the cell, because the states of all stages that it reads are fixed.
The side on which the node's witness lies is feasible; the other side is one decision of the
ladder.  Every leaf is a region and carries its witness.

The search serves the engine ``tree-highs``; it settles what floats leave open (:meth:`ExactTree.
regions`); it *closes* a set of patterns found elsewhere, by a MILP solver, say: where known
patterns lie on both sides nothing is solved, and leaves that are not among the known ones were
missed by whoever found the others.  A :class:`Recorder` is told its steps: that makes a
certificate.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.exact.cell_rows import CellRows, NamedRow
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.feasibility import Row, check_point
from milpcount.exact.forms import exact_box
from milpcount.exact.ladder import Ladder
from milpcount.exact.prefix import Prefix, pattern_rows, state_signs
from milpcount.exact.supports import Supports

__all__ = ["ExactTree", "Node", "Recorder", "enumerate_tree_highs"]

Signs = tuple[int, ...]


class Recorder(Protocol):
    """What is told the steps of the search, node by node as they are visited."""

    def branch(self, position: int, first: int) -> None:
        """Both sides of a unit; the one with sign ``first`` is visited first."""

    def region(self, witness: Point) -> None:
        """The node is a region."""

    def empty(self, rows: Sequence[NamedRow], multipliers: Sequence[int]) -> None:
        """The node is empty: the sum of the rows with these weights proves it."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A cell.

    Attributes:
        signs: one a unit, linear ones among them: 0 where undecided.
        position: of the first unit that may be undecided.
        rows: of the cell; without those that follow from others, unless steps are recorded.
        prefix: the forms along the complete stages.
        witness: a point of the cell; None if it is proved empty, by ``refuted``.
        known: range of the known patterns that begin with the signs.
        share: of the tree below this node, for the display of progress.
        refuted: multipliers of the rows.
    """

    signs: Signs
    position: int
    rows: tuple[NamedRow, ...]
    prefix: Prefix
    witness: Point | None
    known: tuple[int, int]
    share: float
    refuted: Sequence[int] | None = None


def enumerate_tree_highs(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    known: Mapping[tuple[int, ...], Point] | None = None,
) -> Iterator[Leaf]:
    """Yield every pattern of the problem; with ``known`` patterns, only those not among them.

    Raises:
        InvariantError: a known pattern does not exist.
    """
    require_full_dimensional(problem)
    yield from ExactTree(problem, watch, outcome, known).missing()
    outcome.finish(watch)


class ExactTree:
    """The search: what all nodes share."""

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        known: Mapping[tuple[int, ...], Point] | None = None,
        recorder: Recorder | None = None,
        small: int = 0,
    ) -> None:
        """Set up.

        Arguments:
            problem: what to search.
            watch: its clock and limits.
            outcome: gets statistics, and the open regions when a limit is reached.
            known: patterns that exist, each with a point.
            recorder: is told every step.
            small: of the ladder.
        """
        self._problem, self.watch, self._outcome = problem, watch, outcome
        self._recorder = recorder
        self._index = problem.index
        self._box = exact_box(problem)
        self._ladder = Ladder(problem.box, outcome, small)
        self._supports = Supports(self._box)
        self._patterns = sorted(known or {})
        self._witnesses = [(known or {})[bits] for bits in self._patterns]
        self._inner: list[bool | None] = [None] * len(self._patterns)
        self._cells = CellRows(problem)
        self._cuts = self._cells.cuts

    def missing(self) -> Iterator[Leaf]:
        """All regions that are not among the known ones."""
        root = self.node(self._index.open_signs())
        if root.witness is None:
            raise InvariantError("the domain was proved full-dimensional and found empty")
        for leaf, known in self.run(root):
            if not known:
                yield leaf

    def regions(self, signs: NDArray[np.int8]) -> Iterator[Leaf] | None:
        """The regions of the cell with these signs; None if it is proved empty."""
        node = self.node(signs)
        if node.witness is None:
            return None
        return (leaf for leaf, _ in self.run(node))

    def node(self, signs: NDArray[np.int8]) -> Node:
        """The node with these signs, decided.

        Arguments:
            signs: one a unit: 0 undecided, 1 and -1 decided, 2 and -2 implied by the others.  The
                decided units are those of complete stages and some of one stage more.
        """
        given = tuple(signs.tolist())
        # A certificate's node has the rows of all of its units.
        wanted = (1, 2) if self._recorder is not None else (1,)
        rows, prefix, contrary = self._cells.of(given, wanted)
        position = given.index(0) if 0 in given else len(given)
        node = Node(given, position, tuple(rows), prefix, None, (0, len(self._patterns)), 1.0)
        if contrary is not None:
            return replace(node, rows=(contrary,), refuted=(1,))
        plain, names = [named.row for named in rows], [named.name for named in rows]
        # A search that asks for cells doubts their last unit; the same rows refute either side.
        kind = names[-1] if names else None
        refuted = self._supports.refute(kind, plain, names)
        if refuted is not None:
            self._outcome.add("decided_by_known_rows")
            return replace(node, refuted=refuted)
        decision = self._ladder.decide(plain)
        if decision.multipliers is not None:
            self._supports.keep(kind, plain, names, decision.multipliers)
        return replace(node, witness=decision.witness, refuted=decision.multipliers)

    def run(self, root: Node) -> Iterator[tuple[Leaf, bool]]:
        """The regions below a node, each with whether it is a known one; depth first."""
        stack = [root]
        closed = 0.0
        end = self._index.n_positions
        try:
            while stack and self.watch.exceeded() is None:
                if (refuted := stack[-1].refuted) is not None:
                    if self._recorder is not None:
                        self._recorder.empty(stack[-1].rows, refuted)
                    stack.pop()
                    continue
                node = self._advance(stack[-1])
                children = self._children(node) if node.position < end else []
                stack[-1:] = children
                self._outcome.add("nodes")
                self.watch.report("searching", closed)
                if children:
                    continue
                closed += node.share
                assert node.witness is not None
                if self._recorder is not None:
                    self._recorder.region(node.witness)
                known = node.known[0] < node.known[1]
                if not known or self._recorder is not None:
                    self.watch.regions += 1
                bits = tuple(self._index.states(np.array(node.signs, dtype=np.int8)).tolist())
                yield Leaf(bits, self._inner_point(bits, node.witness)), known
        finally:
            # Every open cell is feasible, and the cells are disjoint.  What is recorded has been
            # counted as "at least" what is written.
            if self._recorder is None:
                self._outcome.open_regions += sum(n.known[0] == n.known[1] for n in stack)

    def _advance(self, node: Node) -> Node:
        """The node at its next undecided unit."""
        prefix, position = node.prefix, node.position
        while position < len(node.signs) and node.signs[position]:
            prefix = self._complete(prefix, node.signs, position)
            position += 1
        return (
            node if position == node.position else replace(node, prefix=prefix, position=position)
        )

    def _complete(self, prefix: Prefix, signs: Signs, position: int) -> Prefix:
        """The prefix behind the unit at a position that is decided."""
        first, behind = self._index.starts[prefix.stage], self._index.starts[prefix.stage + 1]
        if position + 1 < behind:
            return prefix
        return prefix.push([s > 0 for s in signs[first:behind]])

    def _children(self, node: Node) -> list[Node]:
        """The children; the one that is visited first stands last.

        Sides proved empty are children where steps are recorded, first to be visited.
        """
        position = node.position
        children: list[Node] = []
        for active, known in zip((False, True), self._split(node), strict=True):
            signs = list(node.signs)
            signs[position] = 1 if active else -1
            child = replace(node, signs=tuple(signs), known=known)
            named = self._cells.side(node.prefix, position, active)
            if named is True:
                children.append(child)
            elif named is False:
                if known[0] < known[1]:
                    raise InvariantError(f"a known pattern is impossible at unit {position}")
                contrary = self._cells.plain(node.prefix, position, 1 if active else -1)
                children.append(replace(child, rows=(contrary,), witness=None, refuted=(1,)))
            else:
                children.append(self._decided(child, named))
        feasible = [child for child in children if child.refuted is None]
        if not feasible:
            raise InvariantError("a feasible node has no feasible child")
        if self._recorder is None:
            if len(feasible) == 2:
                return [replace(child, share=0.5 * node.share) for child in feasible]
            # The row of an only child holds all over the cell: it is redundant.
            return [replace(feasible[0], rows=node.rows)]
        # Where steps are recorded it stays: it may be 0 on the border of the cell, and there no
        # witness of a full region may lie.
        ordered = feasible + [child for child in children if child.refuted is not None]
        ordered = [replace(child, share=node.share / len(feasible)) for child in ordered]
        self._recorder.branch(position, ordered[-1].signs[position])
        return ordered

    def _decided(self, child: Node, named: NamedRow) -> Node:
        """The child on one side of a unit, with a point, or refuted."""
        row, at = named.row, child.witness
        assert at is not None
        first, last = child.known
        child = replace(child, rows=(*child.rows, named))
        if first < last and self._serves(first, child.rows):
            self._outcome.add("decided_by_known_pattern")
            return replace(child, witness=self._witnesses[first])
        value = _evaluate(row, at)
        if value > 0 or (value == 0 and not row.strict):
            self._outcome.add("decided_by_witness")
            return child
        top = self._box.supremum(row.coefficients)
        if top is not None and (top < 0 or (top == 0 and row.strict)):
            self._outcome.add("decided_by_interval")
            return replace(child, rows=(named,), witness=None, refuted=(1,))
        rows, names = [nr.row for nr in child.rows], [nr.name for nr in child.rows]
        kind = (named.name, child.signs[child.position])
        refuted = self._supports.refute(kind, rows, names)
        if refuted is not None:
            self._outcome.add("decided_by_known_rows")
            return replace(child, witness=None, refuted=refuted)
        decision = self._ladder.decide(rows)
        if decision.multipliers is not None:
            self._supports.keep(kind, rows, names, decision.multipliers)
        return replace(child, witness=decision.witness, refuted=decision.multipliers)

    def _serves(self, first: int, rows: Sequence[NamedRow]) -> bool:
        """Whether the point of a known pattern serves as that of a cell.

        Where steps are recorded it has to lie inside of every row; engines may name a point on
        the border of the region.
        """
        if self._recorder is None or self._is_inner(first):
            return True
        known = self._witnesses[first]
        values = ((_evaluate(named.row, known), named.row.strict) for named in rows)
        return all(value > 0 or (value == 0 and not strict) for value, strict in values)

    def _is_inner(self, first: int) -> bool:
        """Whether no unit vanishes at the point of a known pattern, and their signs are its bits.

        Then it lies inside of all rows of all cells that hold its region.
        """
        if self._inner[first] is None:
            known = self._witnesses[first]
            signs = state_signs(self._problem, known)
            cuts = (_evaluate(cut.row, known) > 0 for cut in self._cuts)
            self._inner[first] = (
                all(signs)
                and tuple(sign > 0 for sign in signs) == self._patterns[first]
                and all(cuts)
                and self._box.contains(known)
            )
        return bool(self._inner[first])

    def _inner_point(self, bits: tuple[int, ...], point: Point) -> Point:
        """A point of the region that a leaf with this point proves, off the zeros of its units.

        A point on the side of the box may lie on the zeros of a unit whose row was redundant.
        """
        if self._problem.definition is not Definition.FULL or self._recorder is not None:
            return point
        if all(state_signs(self._problem, point)):
            return point
        rows = [*(cut.row for cut in self._cuts), *(pattern_rows(self._problem, bits) or ())]
        if check_point(rows, self._box, point):
            return point
        return self._ladder.decide(rows).witness or point

    def _split(self, node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
        """Ranges of the known patterns below the inactive and the active child."""
        first, last = node.known
        if first == last:
            return node.known, node.known
        bit = int(self._index.bits[node.position])
        middle = bisect_left(self._patterns, 1, first, last, key=lambda bits: bits[bit])
        return (first, middle), (middle, last)


def _evaluate(row: Row, point: Point) -> int:
    """The row's value at a point, up to a positive factor."""
    c = row.coefficients
    value = sum(a * b for a, b in zip(c, point.numerators, strict=False) if a)
    return value + c[-1] * point.denominator
