"""The certificate file, byte for byte, and its reader.

All integers are little-endian.  ``u8 u32 u64`` are unsigned, ``f64`` is an IEEE double and stands
for the rational number that it is.  A *varint* is an unsigned integer in groups of seven bits, the
lowest first, the high bit set on every byte but the last; a *zigzag* is a varint ``v`` that stands
for ``v / 2`` if even and ``-(v + 1) / 2`` if odd.

The file::

    8 bytes   "RLUCERT1"
    u8        relation: 0 count = N, 1 count >= N, 2 count <= N
    u64       N
    32 bytes  SHA-256 of the network, see below
    u8        definition: 0 full, 1 nonempty
    u8        whether the output units count (0 or 1)
    u8        kind: 0 a tree, 1 a list of witnesses
    u8        base: 0 rows are bounded over the coordinates, 1 over first-layer pre-activations
    packed    the domain
    packed    ... the segments, any number
    u32       0
    32 bytes  SHA-256 of all bytes before

``packed`` is u32 length (not 0), u32 length of the contents, and the contents compressed by zlib.
The contents of the domain have at most 2^25 bytes, those of a segment at most 2^28, and at most
2^16 more than a hundred times what it has compressed.  The domain::

    u8  0     a box: u32 n, lo and hi (n f64 each; -inf and inf leave a side open)
    u8  1     a polytope A x <= c: u32 n, u32 m, A (m rows of n f64), c (m f64), u8 b; if b is 1 a
              box around it: lo, hi (n f64 each), and for every input, for its lower and then its
              upper end, m + 1 varints: weights of the m rows and of the row that says that the
              input lies beyond that end
    u8  2     a slice: u32 n, u32 k, points (k + 1 rows of n f64), lo, hi (k f64 each)

n is the number of inputs of the network, and k at most n and at most 64.  Rows and points have at
most 2^21 numbers, and there are at most 2^22 varints.  The rows of one stage take at most 2^26
products, and for every byte of the file at most 16 rows are computed, or so many of the dearest as
2^15 products make, if that is more; see :mod:`milpcount.proof.limits`.

**Coordinates.**  Those inputs (on a slice: its parameters, of which the first layer then is a
function) with ``lo < hi`` and on which a first-layer weight or a row of the polytope depends, in
order, each moved: ``x = lo + (hi - lo) z`` where both ends are finite, else ``x = lo + z``,
``x = hi + z`` or ``x = z``, whichever end there is.

**Numbers.**  Units are numbered stage by stage from 0, linear ones too (a layer is a stage).  Row
``i`` of a domain with ``m`` rows is ``2^k (c_i - A_i x) >= 0`` with the least ``k >= 0`` that makes
all entries integers, and unit ``u`` has the row ``m + u``: its pre-activation ``g`` where it is
active (then ``g > 0``) and ``-g`` where it is not (then ``-g >= 0``).

**Segments.**  A segment begins with a varint, the number of nodes that it opens, and these nodes:
each is the signs of all units, two bits a unit (0 open, 1 active, 2 inactive; 3 for every linear
unit, which has no sign), four to a byte, the first in the lowest bits; the bits left over are 0.
The units with a sign are those of complete stages and some of the next.  They make a stack, the
last one on top.  Then come *steps* until the segment ends, each about the node on top.  A step is a
u8 and what follows it:

    0  a region, at the point z_j = (2 k_j + 1) / 2^(8 q + 1): u8 q, then every k_j in q bytes.
       Only where all coordinates have two ends.  The node is done.
    1  a region, at z_j = 1/2 + sum_i w_i 2^-e G_ij, moved to the nearer end of [0, 1] if outside: a
       zigzag e and a zigzag w_i for every unit of the first layer, whose pre-activations are
       sum_j G_ij z_j + constant.  As above.
    2  a region, at z_j = p_j / d: a varint d, then a zigzag for every p_j.
    3  a pattern that may or may not be a region; counted towards "at most" only.  The node is done.
    4  both signs: a varint, the place of an open unit in its layer.  Two nodes in the stead of one,
       with the unit active (on top) and inactive.
    5  the same, with inactive on top.
    6  never active: a varint, the place of an open unit in its layer, and a *sum*, to which the
       unit's own row, active, with weight 1, is added.  It becomes inactive.
    7  never inactive: the same with the other sign.
    8  no region here: a sum.  The node is done.

A *sum* is a varint, the number of terms; if that is not 0 a varint, the size b; then the terms: a
varint, the row; a zigzag e; b bytes, the integer m > 0: the row has the weight ``m 2^e``.  A
sum has no more terms than there are rows.

What a segment makes the reader compute with is in proportion to its size: ``|e|`` of every step 1,
and for every term of a sum 8 b and how far its e lies above the least, add up to 2^13 for each byte
that the segment has compressed, and 2^22, at most.  It opens at most 2^16 nodes.

Nodes that are left when the segment ends are open again, and so are the nodes of which a count
``>= N`` makes no use.  In a list of witnesses a segment opens no nodes and has steps 0 to 2 alone.
In a tree a segment opens nodes that are open: the node without signs, or left by one before it.

**What is asked.**  A row is *void* if it is 0 at all values of the coordinates.  A point lies in
the box, every row of the domain is ``>= 0`` there, and its units have the signs of the node (in a
list no two points have the same); linear units have none, and no sum has their rows.  If the
definition is full, only void rows are 0 there.  The total of a sum (not an empty one) is below 0 in
the whole box, or at most 0 and one of its rows is that of an active unit or, if the definition is
full, not void.  In the end there are N regions or more unless the relation is 2; and unless it is 1
no node is open, and regions and patterns of step 3 together are N or fewer.

**The network's hash** is over the bytes "milpcount network 1" and a line feed; the numbers of
inputs, of units in each layer and of outputs, in decimal with a blank between them, and a line
feed; then as f64, each -0.0 as 0.0, all weights by layer (a row for each unit), all biases, and the
slope of every hidden unit (its factor on pre-activations below 0; 0 for a plain ReLU).  Units of
the output count as a further layer, whose slopes are 0.

That is the hash of a *chain*: every stage reads the one before, the output the last, and no unit is
linear.  Of any other network it is over the bytes "milpcount network 2" and a line feed; the
numbers of inputs and of hidden stages, in decimal with a blank between them, and a line feed; then
for every hidden stage in order, and for the output, "stage U reads R..." and a line feed: its units
and the stages that it reads (0 is the input, stages count from 1), ascending, in decimal with
blanks between them; a u8 for every unit, 1 if it is linear (all of the output's are); the slopes
(1 for linear units) and the biases as f64; and for each read the number of weights that are not 0
as u64, their rows as u64, their columns as u64, and they as f64, row by row, columns ascending.
The first stage alone reads the input.  The counted stages are those up to the last that has a unit
that is not linear; with the output's units all of them, and the output with slopes 0.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milpcount.core.domain import Box, Domain, Polytope, Slice
from milpcount.errors import CertificateError, DomainError, InputError
from milpcount.proof.limits import MOST_DOMAIN, MOST_NUMBERS, MOST_SLICE, MOST_WEIGHTS

__all__ = ["Cursor", "Header", "read_header", "read_segments"]

MAGIC = b"RLUCERT1"
_MOST = 1 << 28  # bytes of a packed part
_EXPANSION, _FREE = 100, 1 << 16  # of a segment that is unpacked, and bytes more
_LONGEST = 1 << 20  # bits of a number


@dataclass(frozen=True, eq=False)
class Header:
    """What a certificate states: the number of regions is ``relation`` ("==", ">=", "<=") N.

    Attributes:
        around: of a polytope: the box around it, None where it has none.
        weights: of a polytope: for each end of that box the weights that prove it.
        size: of the file, in bytes.
    """

    relation: str
    count: int
    sha256: str
    definition: str
    with_output: bool
    is_list: bool
    reduced: bool
    domain: Domain
    around: Box | None
    weights: list[list[int]]
    size: int


class Cursor:
    """Reads numbers from bytes; says where they end too early."""

    def __init__(self, data: bytes, name: str, packed: int = 0) -> None:
        """Begin at the first byte; ``packed`` is how many bytes ``data`` were, compressed."""
        self.data, self.at, self.name, self.size_packed = data, 0, name, packed

    def fail(self, why: str, at: int | None = None) -> CertificateError:
        """The error to raise, with the place, which is the present one unless it is given."""
        return CertificateError(f"{self.name}, byte {self.at if at is None else at}: {why}")

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > len(self.data) - self.at:
            raise self.fail("it ends in the middle of something")
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self, size: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def varint(self) -> int:
        """An unsigned number."""
        at = self.at
        if at < len(self.data) and self.data[at] < 128:  # as most are
            self.at += 1
            return self.data[at]
        return self.varints(1)[0]

    def varints(self, count: int) -> list[int]:
        """So many unsigned numbers."""
        data, at, end, numbers = self.data, self.at, len(self.data), list[int]()
        for _ in range(count):
            value = shift = 0
            while True:
                if at == end:
                    raise self.fail("it ends in the middle of something", at)
                byte = data[at]
                at += 1
                if byte < 128:
                    break
                value |= (byte & 127) << shift
                shift += 7
                if shift > _LONGEST:
                    raise self.fail("a number is too long", at)
            numbers.append(value | byte << shift)
        self.at = at
        return numbers

    def zigzag(self) -> int:
        """A signed number."""
        v = self.varint()
        return -(v >> 1) - 1 if v & 1 else v >> 1

    def zigzags(self, count: int) -> list[int]:
        """So many signed numbers."""
        return [-(v >> 1) - 1 if v & 1 else v >> 1 for v in self.varints(count)]

    def doubles(self, *shape: int) -> np.ndarray:
        """An array of f64."""
        raw = self.take(8 * int(np.prod(shape, dtype=object)))
        return np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(shape)

    def packed(self, name: str, most: int, expansion: int | None = None) -> Cursor | None:
        """A packed part of at most so many bytes; None where its length is 0."""
        length = self.integer(4)
        if not length:
            return None
        size = self.integer(4)
        if expansion is not None:
            most = min(most, expansion * length + _FREE)
        if max(length, size) > most:
            raise self.fail(f"{name} is too large: {size} bytes unpacked, at most {most} are read")
        unpack = zlib.decompressobj()
        try:
            # No more memory is taken than announced.
            raw = unpack.decompress(self.take(length), size + 1)
        except zlib.error as error:
            raise self.fail(f"{name} does not decompress ({error})") from None
        if len(raw) != size or not unpack.eof or unpack.unused_data:
            raise self.fail(f"{name} does not decompress to {size} bytes")
        return Cursor(raw, name, length)


def read_header(path: Path, inputs: int) -> tuple[Header, Cursor]:
    """What the file states about a network of so many inputs, and where its segments begin.

    Raises:
        InputError: there is no such file.
        CertificateError: it is damaged, no certificate, or its domain has other inputs.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no regular file; name a certificate")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a certificate") from None
    if data[:8] != MAGIC:
        raise CertificateError("it is no certificate")
    if hashlib.sha256(data[:-32]).digest() != data[-32:]:
        raise CertificateError("the checksum is wrong: it is damaged or cut short")
    cursor = Cursor(data[:-32], "the header")
    cursor.take(8)
    relation, count, sha256 = cursor.integer(1), cursor.integer(8), cursor.take(32).hex()
    definition, with_output, kind, base = cursor.take(4)
    if relation > 2 or max(definition, with_output, kind, base) > 1:
        raise cursor.fail("there is no such statement")
    domain = cursor.packed("the domain", MOST_DOMAIN)
    if domain is None:
        raise cursor.fail("there is no domain")
    return Header(
        ("==", ">=", "<=")[relation], count, sha256, ("full", "nonempty")[definition],
        bool(with_output), bool(kind), bool(base), *_domain(domain, inputs), len(data),
    ), cursor  # fmt: skip


def read_segments(cursor: Cursor) -> Iterator[Cursor]:
    """The segments, one after the other."""
    number = 0
    while (segment := cursor.packed(f"segment {number}", _MOST, _EXPANSION)) is not None:
        yield segment
        number += 1
    if cursor.at != len(cursor.data):
        raise cursor.fail("something stands between the segments and the end")


def _domain(cursor: Cursor, inputs: int) -> tuple[Domain, Box | None, list[list[int]]]:
    kind, n = cursor.integer(1), cursor.integer(4)
    domain: Domain
    around, weights = None, []
    if n != inputs:
        raise cursor.fail(f"it has {n} inputs, the network {inputs}")

    def rows(most: int) -> int:
        """How many rows or points there are."""
        count = cursor.integer(4)
        if count > most or (count + 1) * n > MOST_NUMBERS:
            raise cursor.fail(
                f"{count} rows or points of {n} numbers are too many: at most {most}, "
                f"and {MOST_NUMBERS} numbers, are read"
            )
        return count

    try:
        if kind == 0:
            domain = Box(cursor.doubles(n), cursor.doubles(n))
        elif kind == 1:
            m = rows(MOST_NUMBERS)
            domain = Polytope(cursor.doubles(m, n), cursor.doubles(m))
            if cursor.integer(1):
                if 2 * n * (m + 1) > MOST_WEIGHTS:
                    raise cursor.fail(f"the box around it takes over {MOST_WEIGHTS} weights")
                around = Box(cursor.doubles(n), cursor.doubles(n))
                weights = [cursor.varints(m + 1) for _ in range(2 * n)]
        elif kind == 2:
            k = rows(min(n, MOST_SLICE))
            domain = Slice(cursor.doubles(k + 1, n), cursor.doubles(k), cursor.doubles(k))
        else:
            raise cursor.fail("there is no such domain")
    except DomainError as error:
        raise cursor.fail(str(error)) from None
    if cursor.at != len(cursor.data):
        raise cursor.fail("something follows it")
    return domain, around, weights
