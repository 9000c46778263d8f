"""The checker: accepts a certificate only if its steps, in exact arithmetic, prove its statement.

**What is proved.**  ``X`` is the domain, ``H`` the affine hull of its box.  A pattern is a region
(``nonempty``) if some point of ``X`` has it, active meaning above 0, or (``full``) if the set
``R`` of such points has an interior in ``H``.  A *node*, some signs, stands for the regions
with these signs.  The checker keeps a set of nodes and a number such that always

    number of regions = number found + regions of the nodes in the set,

and every region belongs to one node at most.  It begins with the node without signs (but those of
linear units, which mean nothing), to which all regions belong, and 0.  A segment takes nodes out of
the set and puts those back that it leaves; so segments can be checked apart.  Steps 4 and 5 replace
a node by two that differ in one sign and share its regions out.  Steps 6 and 7 give a node a sign
where the other is proved to have no region; step 8 removes a node that is proved to have none.
Steps 0 to 2 replace a node in which every unit has a sign, to which at most one region belongs, by
1, if there is a point that proves the region.  Step 3 does so without proof, so that the number
found is then an upper bound.  Nodes that are left in the end leave a lower bound.  The reasons why
points and sums prove what they should stand at :meth:`Segment.prove` and
:meth:`Segment.contradicts`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from milpcount.core.network import ReLUNetwork
from milpcount.errors import CertificateError
from milpcount.proof.format import Cursor, Header, read_header, read_segments
from milpcount.proof.rational import ACTIVE, INACTIVE, LINEAR, Exact, Row, Rows, Values
from milpcount.proof.witnesses import Witness, read_witness, values_at

__all__ = ["Checked", "Found", "check_certificate", "check_segments"]

_LARGE = 1 << 16  # bound on exponents, on the bytes of a multiplier, and on nodes that are opened
_BITS, _FREE_BITS = 1 << 13, 1 << 22  # that a segment makes one compute with: a byte, and more
_TOGETHER = 1 << 17  # numbers that points which are proved together make one hold, about
_TOO_MANY_ROWS = "its steps ask for more rows than its size explains"

Term = tuple[int, int, Row, bool]  # signed weight, its exponent, row, whether the row is > 0


@dataclass(frozen=True)
class Checked:
    """A statement that was proved: the number of regions is ``relation`` ``count``.

    Attributes:
        regions: found with a proof.
        unproved: patterns that may be regions (step 3).
        open_nodes: nodes that were left.
        header: what the certificate states, its domain among it.
    """

    regions: int
    unproved: int
    open_nodes: int
    header: Header

    @property
    def statement(self) -> str:
        """Relation and count."""
        return f"{self.header.relation} {self.header.count}"


@dataclass
class Found:
    """What a segment opens, finds and leaves, and how many rows it makes one compute.

    Attributes:
        patterns: of a list of witnesses.
    """

    name: str
    opened: list[bytes] = field(default_factory=list)
    left: list[bytes] = field(default_factory=list)
    regions: int = 0
    unproved: int = 0
    patterns: list[bytes] = field(default_factory=list)
    rows: int = 0


class Node(NamedTuple):
    """Signs of all units, 0 for open ones, and the rows of the first stages, as far as used."""

    signs: bytearray
    rows: list[Rows]


class Segment:
    """The check of one segment."""

    def __init__(self, exact: Exact, cursor: Cursor) -> None:
        self.exact, self.cursor = exact, cursor
        self.full, self.is_list = exact.header.definition == "full", exact.header.is_list
        self.found = Found(cursor.name)
        self._stack: list[Node] = []
        self._waiting: list[Witness] = []
        self._held = 0  # numbers, about, that proving those that wait takes at a time
        self._seen: set[bytes] = set()
        self._bits = _FREE_BITS + _BITS * cursor.size_packed
        self._most_rows = most_rows(exact)

    def run(self) -> Found:
        """Take all steps."""
        cursor, stack, found = self.cursor, self._stack, self.found
        opens = cursor.varint()
        if opens > min(len(cursor.data), _LARGE):
            raise cursor.fail(f"{opens} nodes are too many for it; at most {_LARGE} are read")
        for _ in range(opens):
            stack.append(Node(self._open_node(), [self.exact.base]))
            found.opened.append(bytes(stack[-1].signs))
        if self.is_list and stack:
            raise cursor.fail("a list of witnesses opens no nodes")
        while cursor.at < len(cursor.data):
            step = cursor.integer(1)
            if self.is_list and step <= 2:
                self._region(step, b"")
            elif not stack or step > 8:
                raise cursor.fail("no such step here")
            elif step <= 3:
                signs = stack.pop().signs
                if 0 in signs:
                    raise cursor.fail("a unit has no sign yet")
                if step == 3:
                    found.unproved += 1
                else:
                    self._region(step, bytes(signs))
            elif step == 8:
                if not self.contradicts(self._sum(stack.pop())):
                    raise cursor.fail("the sum does not prove that there is no region")
            else:
                self._sign(step, stack[-1])
        self._settle()
        found.left = [bytes(node.signs) for node in stack]
        return found

    def _pay(self, bits: int) -> None:
        """Refuse steps that ask for more work than their size on the disk explains."""
        self._bits -= bits
        if self._bits < 0:
            raise self.cursor.fail("its numbers are too long for its size")

    def _compute(self, rows: int) -> None:
        """Refuse a file that makes one compute more rows than its size explains."""
        self.found.rows += rows
        if self.found.rows > self._most_rows:
            raise self.cursor.fail(f"{_TOO_MANY_ROWS}: over {self._most_rows}")

    def _open_node(self) -> bytearray:
        starts, units = self.exact.starts, self.exact.starts[-1]
        packed = self.cursor.take((units + 3) // 4)
        signs = bytearray(b >> k & 3 for b in packed for k in (0, 2, 4, 6))
        root = self.exact.root
        fits = all(
            (sign == LINEAR) == (at == LINEAR) for sign, at in zip(signs, root, strict=False)
        )
        if any(signs[units:]) or not fits:
            raise self.cursor.fail("a node has bits that are no signs")
        del signs[units:]
        if 0 in signs:
            behind = starts[bisect_right(starts, signs.find(0))]
            if signs[behind:] != root[behind:]:
                raise self.cursor.fail("a node has signs behind a stage that is not complete")
        return signs

    def _sign(self, step: int, node: Node) -> None:
        """Steps 4 to 7: a sign for a unit of the first stage that is not complete."""
        starts, place = self.exact.starts, self.cursor.varint()
        layer = bisect_right(starts, node.signs.find(0)) - 1  # -1 if all are
        unit = starts[layer] + place
        if layer < 0 or unit >= starts[layer + 1] or node.signs[unit]:
            raise self.cursor.fail(f"place {place} is not that of an open unit")
        sign = ACTIVE if step in (4, 6) else INACTIVE
        node.signs[unit] = sign
        if step > 5:
            if not self.contradicts([self._term(node, unit, 1, 0), *self._sum(node)]):
                raise self.cursor.fail(f"the sum does not prove the sign of unit {unit}")
        else:
            self._row(node, unit)  # both nodes keep the rows of the layer
            self._stack.append(Node(bytearray(node.signs), list(node.rows)))
        node.signs[unit] = ACTIVE + INACTIVE - sign

    def _row(self, node: Node, unit: int) -> tuple[Row, int]:
        """The pre-activation of a unit all of whose earlier stages have signs, and its shift."""
        rows, starts = node.rows, self.exact.starts
        layer = bisect_right(starts, unit) - 1
        one = [0] * (len(rows[0].rows[0]) - 1) + [1]
        while len(rows) <= layer:
            self._compute(starts[len(rows) + 1] - starts[len(rows)])
            rows.append(self.exact.next(rows, node.signs, one))
        return rows[layer].rows[unit - starts[layer]], rows[layer].shift

    def _term(self, node: Node, unit: int, weight: int, e: int) -> Term:
        row, shift = self._row(node, unit)
        active = node.signs[unit] == ACTIVE
        return weight if active else -weight, e - shift, row, active

    def _sum(self, node: Node) -> list[Term]:
        cursor, domain, terms = self.cursor, self.exact.domain, list[Term]()
        count = cursor.varint()
        size = cursor.varint() if count else 0
        if size > _LARGE or count > len(domain.rows) + len(node.signs):
            raise cursor.fail("a weight has too many bytes, or a sum too many terms")
        for _ in range(count):
            row, e, weight = cursor.varint(), cursor.zigzag(), cursor.integer(size)
            unit = row - len(domain.rows)
            if not weight or abs(e) > _LARGE or unit >= len(node.signs):
                raise cursor.fail("a weight or a row is out of range")
            if unit < 0:
                terms.append((weight, e - domain.shift, domain.rows[row], False))
            elif node.signs[unit] in (ACTIVE, INACTIVE):
                terms.append(self._term(node, unit, weight, e))
            else:
                raise cursor.fail(f"unit {unit} has no sign here")
        return terms

    def contradicts(self, terms: list[Term]) -> bool:
        """Whether the sum proves that no region has the signs of its rows.

        Let ``R`` be such a region and ``s`` the sum.  On ``R`` every row is ``>= 0``, those of
        active units even ``> 0``: the earlier stages have the signs from which the rows were
        computed; linear units have no rows here.  So ``s >= 0`` there.  Let ``s <= 0`` all over the
        box, in which ``X`` lies. Then ``s = 0`` on ``R``, and so is every one of its rows, the
        weights being positive.

        * If ``s < 0`` on the box, or an active unit's row is among them, that cannot be.
        * ``full``: an affine function that is 0 on ``R``, which has an interior in ``H``, is 0 on
          ``H``.  If one of the rows is not, that cannot be either.
        """
        if not terms:
            return False
        least = min(e for _, e, _, _ in terms)
        self._pay(sum(e - least + abs(w).bit_length() for w, e, _, _ in terms))
        total = [0] * len(terms[0][2])
        for weight, e, row, _ in terms:
            w = weight << (e - least)
            total = [t + w * r for t, r in zip(total, row, strict=True)]
        top = self.exact.supremum(total)
        if top != 0:
            return top is not None and top < 0
        return any(
            active or (self.full and any(self.exact.on_coordinates(row)))
            for _, _, row, active in terms
        )

    def _region(self, step: int, signs: bytes) -> None:
        """Read a region's point, which is to have these signs (empty: any)."""
        witness = read_witness(self.cursor, self.exact, step, signs)
        self._pay(abs(witness.exponent))
        # Values at a point take as much as a few rows.
        self._compute(1 + self.exact.starts[-1] // (1 + self.exact.coordinates))
        if self._waiting and self._waiting[0].combined != witness.combined:
            self._settle()
        self._waiting.append(witness)
        self._held += witness.held(self.exact)
        if self._held > _TOGETHER:
            self._settle()
        self.found.regions += 1

    def _settle(self) -> None:
        """Prove the regions whose points were read."""
        waiting, self._waiting, self._held = self._waiting, [], 0
        if not waiting:
            return
        ends = [witness.end for witness in waiting]
        proved = self.prove(values_at(self.exact, waiting), ends)
        for signs, witness in zip(proved, waiting, strict=True):
            if not self.is_list:
                if signs != witness.signs:
                    raise self.cursor.fail("the point has other signs than its node", witness.end)
                continue
            if signs in self._seen:
                raise self.cursor.fail("its witnesses repeat a pattern", witness.end)
            self._seen.add(signs)
            self.found.patterns.append(signs)

    def prove(self, points: Values, places: Sequence[int]) -> list[bytes]:
        """Prove that there are regions with the signs that the units have at points of the box.

        A point lies in ``X`` if every row of the polytope is ``>= 0`` there.  ``nonempty`` asks
        no more.  ``full``: no row is 0 there unless it is 0 all over ``H``; so near the point all
        signs are the same, and near it the box, whose interior in ``H`` comes close to all of its
        points, has interior points.  A unit's row that is 0 on ``H`` keeps it inactive, a row of
        the polytope excludes nothing.

        Arguments:
            points: what the first rows are there.
            places: where they end in the segment, for the error.
        """
        exact = self.exact
        for row, values in zip(exact.domain.rows, points.domain, strict=True):
            for value, place in zip(values, places, strict=True):
                if value < 0 or (value == 0 and self.full and any(row)):
                    raise self.cursor.fail("the point is not inside the polytope", place)
        signs, zeros = exact.signs(points)
        near: dict[int, Node] = {}
        for unit, k in zeros if self.full else ():
            node = near.setdefault(k, Node(bytearray(signs[k]), [exact.base]))
            if any(exact.on_coordinates(self._row(node, unit)[0])):
                raise self.cursor.fail(f"unit {unit} is 0 at the point, and not nearby", places[k])
        return signs


def most_rows(exact: Exact) -> int:
    """How many rows a file may make one compute: those of one pass and some for every byte."""
    return exact.starts[-1] + exact.rows_a_byte * exact.header.size


def check_segments(exact: Exact, parts: Iterator[Cursor]) -> Iterator[Found]:
    """The check of segments, one after the other."""
    return (Segment(exact, part).run() for part in parts)


def check_certificate(
    path: Path,
    net: ReLUNetwork,
    run: Callable[[Exact, Iterator[Cursor]], Iterable[Found]] = check_segments,
) -> Checked:
    """Check a certificate against a network.

    Arguments:
        path: the file.
        net: the network.
        run: does what :func:`check_segments` does, in this order.

    Raises:
        CertificateError: it is damaged, is about something else, or does not prove what it states.
        DomainError: its domain has another number of inputs.
        InputError: no such file.
    """
    header, rest = read_header(path, net.input_dimension)
    if header.sha256 != net.sha256:
        raise CertificateError(f"it is about another network than {net.name}")
    exact = Exact(net, header)
    nodes = Counter({exact.root: 1})
    patterns: set[bytes] = set()
    regions = unproved = rows = 0
    for found in run(exact, read_segments(rest)):
        for node in found.opened:
            if not nodes[node]:
                raise CertificateError(f"{found.name}: it opens a node that was not left open")
            nodes[node] -= 1
        nodes.update(found.left)
        regions += found.regions
        unproved += found.unproved
        rows += found.rows
        if rows > most_rows(exact):
            raise CertificateError(f"{found.name}: {_TOO_MANY_ROWS}: over {most_rows(exact)}")
        patterns.update(found.patterns)
    proved = Checked(regions, unproved, nodes.total(), header)
    if header.is_list and len(patterns) != regions:
        raise CertificateError(f"{regions - len(patterns)} witnesses repeat a pattern")
    if header.relation != "<=" and regions < header.count:
        raise CertificateError(f"it proves {regions} regions, and states {proved.statement}")
    if header.relation != ">=" and proved.open_nodes:
        raise CertificateError(f"nodes are left open, and it states {proved.statement}")
    if header.relation != ">=" and regions + unproved > header.count:
        raise CertificateError(f"at most {regions + unproved}, and it states {proved.statement}")
    return proved
