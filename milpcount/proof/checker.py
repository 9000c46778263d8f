"""The checker: accepts a certificate only if its steps, in exact arithmetic, prove its statement.

**What is proved.**  ``X`` is the domain, ``H`` the affine hull of its box.  A pattern is a region
(``nonempty``) if some point of ``X`` has it, active meaning above 0, or (``full``) if the set
``R`` of such points has an interior in ``H``.  A *node*, some signs, stands for the regions
with these signs.  The checker keeps a set of nodes and a number such that always

    number of regions = number found + regions of the nodes in the set,

and every region belongs to one node at most.  It begins with the node without signs, to which all
regions belong, and 0.  Steps 4 and 5 replace a node by two that differ in one sign and share its
regions out.  Steps 6 and 7 give a node a sign where the other is proved to have no region; step 8
removes a node that is proved to have none.  Steps 0 to 2 replace a node in which every unit has a
sign, to which at most one region belongs, by 1, if there is a point that proves the region.  Step
3 does so without proof, so that the number found is then an upper bound.  Nodes that are left
in the end leave a lower bound.  The reasons why points and sums prove what they should stand at
:meth:`Segment.prove_points` and :meth:`Segment.contradicts`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flint import fmpz_mat

from milpcount.errors import CertificateError
from milpcount.network import ReLUNetwork
from milpcount.proof.exact import ACTIVE, INACTIVE, Exact, Row, Rows, supremum
from milpcount.proof.format import Cursor, Header, read_header, read_segments

__all__ = ["Checked", "check_certificate"]

_BATCH = 512  # points proved at once
_LARGE = 1 << 16  # bound on exponents, and on the bytes of a multiplier


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


class Node:
    """Signs of all units, and what follows: the first layer that is not complete, its rows."""

    __slots__ = ("layer", "missing", "rows", "signs")

    def __init__(self, signs: bytearray, layer: int, missing: int, rows: list[Rows]) -> None:
        self.signs, self.layer, self.missing, self.rows = signs, layer, missing, rows


@dataclass
class Found:
    """What a segment opens, finds and leaves; ``patterns`` of a list of witnesses."""

    name: str
    opened: list[bytes] = field(default_factory=list)
    left: list[bytes] = field(default_factory=list)
    regions: int = 0
    unproved: int = 0
    patterns: list[bytes] = field(default_factory=list)


class Segment:
    """The check of one segment."""

    def __init__(self, exact: Exact, cursor: Cursor, is_list: bool) -> None:
        self.exact, self.cursor, self.is_list = exact, cursor, is_list
        self.found = Found(cursor.name)
        self._stack: list[Node] = []
        self._points: list[tuple[bytes | None, int, int, Row]] = []

    def run(self) -> Found:
        """Take all steps."""
        cursor, stack = self.cursor, self._stack
        opens = cursor.varint()
        if opens > len(cursor.data):
            raise cursor.fail("it is too short for its nodes")
        for _ in range(opens):
            signs = self._open_node()
            self.found.opened.append(bytes(signs))
            stack.append(self._settled(Node(signs, 0, 0, [self.exact.base])))
        if self.is_list and stack:
            raise cursor.fail("a list of witnesses opens no nodes")
        while cursor.at < len(cursor.data):
            step = cursor.integer(1)
            if self.is_list and step <= 2:
                self._points.append((None, cursor.at, step, self._point(step)))
            elif not stack or self.is_list or step > 8:
                raise cursor.fail("no such step here")
            elif step <= 3:
                node = stack.pop()
                if node.missing:
                    raise cursor.fail("a unit has no sign yet")
                if step == 3:
                    self.found.unproved += 1
                else:
                    at = cursor.at
                    self._points.append((bytes(node.signs), at, step, self._point(step)))
            elif step == 8:
                if not self.contradicts(self._sum(stack[-1])):
                    raise cursor.fail("the sum does not prove that there is no region")
                stack.pop()
            else:
                self._sign(step)
            if len(self._points) >= _BATCH:
                self.prove_points()
        self.prove_points()
        self.found.left = [bytes(node.signs) for node in stack]
        return self.found

    def _open_node(self) -> bytearray:
        units = self.exact.units
        packed = self.cursor.take((units + 3) // 4)
        signs = bytearray(b >> k & 3 for b in packed for k in (0, 2, 4, 6))
        if any(signs[units:]) or 3 in signs:
            raise self.cursor.fail("a node has bits that are no signs")
        del signs[units:]
        starts = self.exact.starts
        last = bisect_right(starts, signs.find(0)) if 0 in signs else len(starts)
        if last < len(starts) and any(signs[starts[last] :]):
            raise self.cursor.fail("a node has signs behind a layer that is not complete")
        return signs

    def _settled(self, node: Node) -> Node:
        """Move on to the first layer that is not complete."""
        starts, signs = self.exact.starts, node.signs
        while not node.missing and node.layer < len(self.exact.layers):
            node.missing = signs.count(0, starts[node.layer], starts[node.layer + 1])
            node.layer += not node.missing
        return node

    def _rows(self, node: Node, layer: int) -> Rows:
        rows, starts = node.rows, self.exact.starts
        while len(rows) <= layer:
            k = len(rows) - 1
            rows.append(self.exact.next(rows[k], k, node.signs[starts[k] : starts[k + 1]]))
        return rows[layer]

    def _sign(self, step: int) -> None:
        """Steps 4 to 7."""
        node, place = self._stack[-1], self.cursor.varint()
        unit = self.exact.starts[node.layer] + place if node.missing else -1
        if unit < 0 or unit >= self.exact.starts[node.layer + 1] or node.signs[unit]:
            raise self.cursor.fail(f"place {place} is not that of an open unit")
        sign = ACTIVE if step in (4, 6) else INACTIVE
        node.signs[unit] = sign
        if step > 5:
            terms = [self._term(node, unit, 1, 0), *self._sum(node)]
            if not self.contradicts(terms):
                raise self.cursor.fail(f"the sum does not prove the sign of unit {unit}")
        elif step <= 5:
            self._rows(node, node.layer)
            first = Node(bytearray(node.signs), node.layer, node.missing - 1, list(node.rows))
            self._stack.append(self._settled(first))
        node.signs[unit] = ACTIVE + INACTIVE - sign
        node.missing -= 1
        self._settled(node)

    def _sum(self, node: Node) -> list[Term]:
        cursor, cuts = self.cursor, len(self.exact.domain)
        count = cursor.varint()
        if not count:
            return []
        size = cursor.varint()
        if size > _LARGE:
            raise cursor.fail("a weight has too many bytes")
        out = []
        for _ in range(count):
            row, e = cursor.varint(), cursor.zigzag()
            weight = int.from_bytes(cursor.take(size), "little")
            unit = row - cuts
            if not weight or abs(e) > _LARGE or unit >= self.exact.units:
                raise cursor.fail("a weight or a row is out of range")
            if unit < 0:
                cut, shift = self.exact.domain[row]
                out.append((weight, e - shift, cut, False))
            elif not node.signs[unit]:
                raise cursor.fail(f"unit {unit} has no sign here")
            else:
                out.append(self._term(node, unit, weight, e))
        return out

    def _term(self, node: Node, unit: int, weight: int, e: int) -> Term:
        layer = bisect_right(self.exact.starts, unit) - 1
        rows = self._rows(node, layer)
        active = node.signs[unit] == ACTIVE
        row = rows.rows[unit - self.exact.starts[layer]]
        return weight if active else -weight, e - rows.shift, row, active

    def contradicts(self, terms: list[Term]) -> bool:
        """Whether the sum proves that no region has the signs of its rows.

        Let ``R`` be such a region and ``s`` the sum.  On ``R`` every row is ``>= 0``, those of
        active units even ``> 0``: the earlier layers have the signs from which the rows were
        computed.  So ``s >= 0`` there.  Let ``s <= 0`` all over the box, in which ``X`` lies.
        Then ``s = 0`` on ``R``, and so is every one of its rows, the weights being positive.

        * If ``s < 0`` on the box, or an active unit's row is among them, that cannot be.
        * ``full``: an affine function that is 0 on ``R``, which has an interior in ``H``, is 0 on
          ``H``.  If one of the rows is not, that cannot be either.

        First-layer pre-activations of points of the box lie within their ranges: what holds
        for all values within these holds on the box.
        """
        exact = self.exact
        if not terms:
            return False
        strict = any(term[3] for term in terms)
        least = min(term[1] for term in terms)
        total = [0] * len(terms[0][2])
        for weight, e, row, _ in terms:
            w = weight << (e - least)
            total = [t + w * r for t, r in zip(total, row, strict=True)]
        top = supremum(total, exact.base_low, exact.base_high)
        if top is not None and (top < 0 or (top == 0 and strict)):
            return True
        if exact.reduced:
            top = supremum(exact.on_coordinates(total), exact.low, exact.high)
        if top == 0 and exact.full:
            strict = strict or any(any(exact.on_coordinates(row)) for _, _, row, _ in terms)
        return top is not None and (top < 0 or (top == 0 and strict))

    def _point(self, step: int) -> Row:
        """A point as ``(z d, d)``."""
        cursor, exact = self.cursor, self.exact
        n = len(exact.low)
        if step == 2:
            d = cursor.varint()
            z = [cursor.zigzag() for _ in range(n)]
            inside = all(
                (a is None or v >= a * d) and (b is None or v <= b * d)
                for v, a, b in zip(z, exact.low, exact.high, strict=True)
            )
            if not d or not inside:
                raise cursor.fail("the point lies outside of the box")
            return [*z, d]
        if None in exact.low or None in exact.high:
            raise cursor.fail("this step needs a bounded box")
        if step == 0:
            size = cursor.integer(1)
            if not size:
                raise cursor.fail("a point needs at least one byte a coordinate")
            raw = cursor.take(size * n)
            parts = raw if size == 1 else (
                int.from_bytes(raw[k : k + size], "little") for k in range(0, size * n, size)
            )  # fmt: skip
            return [*(2 * k + 1 for k in parts), 2 << (8 * size)]
        # Step 1: w and e, for prove_points.
        e, width = cursor.zigzag(), exact.starts[1] if exact.layers else 0
        if abs(e) > _LARGE or not width:
            raise cursor.fail("the exponent is out of range")
        return [*(cursor.zigzag() for _ in range(width)), e]

    def _spread(self, points: list[Row]) -> list[Row]:
        """The points of step 1."""
        if not points:
            return []
        exact, width = self.exact, len(points[0]) - 1
        weights = fmpz_mat(len(points), width, [w for p in points for w in p[:-1]])
        moved = (weights * exact.first_matrix).tolist()
        out = []
        for row, (*_, e) in zip(moved, points, strict=True):
            # z = 1/2 + sum / 2^power, over the denominator 2^(power + lift).
            power = e + exact.first.shift
            lift = max(1, 1 - power)
            half, one = 1 << (power + lift - 1), 1 << (power + lift)
            ints = [half + (int(v) << lift) for v in row[:-1]]
            out.append([*(0 if v < 0 else one if v > one else v for v in ints), one])
        return out

    def prove_points(self) -> None:
        """Prove the regions of steps 0 to 2: each has the signs of its node at its point.

        The point lies in ``X``: in the box by its making, and every row of the polytope is
        ``>= 0`` there.  ``nonempty`` asks no more.  ``full``: no row is 0 there unless it is 0
        all over ``H``; so near the point all signs are the same, and near it the box, whose
        interior in ``H`` comes close to all of its points, has interior points.
        A unit's row that is 0 on ``H`` keeps it inactive, a row of the polytope excludes nothing.
        """
        exact, waiting = self.exact, self._points
        self._points = []
        spread = iter(self._spread([p for _, _, step, p in waiting if step == 1]))
        points = [next(spread) if step == 1 else p for _, _, step, p in waiting]
        for (wanted, at, _, _), point, (signs, zeros) in zip(
            waiting, points, exact.signs(points), strict=True
        ):
            for row, _ in exact.domain:
                value = sum(c * v for c, v in zip(row, point, strict=True))
                if value < 0 or (value == 0 and exact.full and any(row)):
                    raise self.cursor.fail("the point is not inside the polytope", at)
            if wanted is None:
                self.found.patterns.append(signs)
            elif signs != wanted:
                raise self.cursor.fail("the point has other signs than its node", at)
            for unit in zeros if exact.full else ():
                node = Node(bytearray(signs), 0, 0, [exact.base])
                if any(exact.on_coordinates(self._term(node, unit, 1, 0)[2])):
                    raise self.cursor.fail(f"unit {unit} is 0 at the point, and not nearby", at)
            self.found.regions += 1


def _in_turn(segments: Iterator[Segment]) -> Iterator[Found]:
    return (segment.run() for segment in segments)


def check_certificate(
    path: Path,
    net: ReLUNetwork,
    run: Callable[[Iterator[Segment]], Iterable[Found]] = _in_turn,
) -> Checked:
    """Check a certificate against a network.

    Arguments:
        path: the file.
        net: the network.
        run: runs the segments, in this order, one after the other or otherwise.

    Raises:
        CertificateError: it is damaged, is about something else, or does not prove what it states.
        DomainError: its domain has another number of inputs.
        InputError: no such file.
    """
    header, rest = read_header(path)
    if header.sha256 != net.sha256:
        raise CertificateError(f"it is about another network than {net.name}")
    exact = Exact(net, header)
    nodes = Counter({bytes(exact.units): 1})
    patterns: set[bytes] = set()
    regions = unproved = 0
    for found in run(Segment(exact, part, header.is_list) for part in read_segments(rest)):
        for node in found.opened:
            if not nodes[node]:
                raise CertificateError(f"{found.name}: it opens a node that was not left open")
            nodes[node] -= 1
        nodes.update(found.left)
        regions += found.regions
        unproved += found.unproved
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
