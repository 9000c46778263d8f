"""The certificate file, byte for byte, and its reader.

All integers are little-endian.  ``u8 u32 u64`` are unsigned, ``f64`` is an IEEE double and stands
for the rational number that it is.  A *varint* is an unsigned integer in groups of seven bits, the
lowest first, the high bit set on every byte but the last; a *zigzag* is a varint ``v`` that stands
for ``v / 2`` if even and ``-(v + 1) / 2`` if odd.

The file::

    8 bytes   "RLUCERT1"
    u8        relation: 0 count = N, 1 count >= N, 2 count <= N
    u64       N
    32 bytes  SHA-256 of the network (ReLUNetwork.sha256 says of what)
    u8        definition: 0 full, 1 nonempty
    u8        whether the output units count (0 or 1)
    u8        kind: 0 a tree, 1 a list of witnesses
    u8        base: 0 rows are bounded over the coordinates, 1 over first-layer pre-activations
    packed    the domain
    packed    ... the segments, any number
    u32       0
    32 bytes  SHA-256 of all bytes before

``packed`` is u32 length (not 0), u32 length of the contents (at most 2^28), and the contents
compressed by zlib.  The domain::

    u8  0     a box: u32 n, lo and hi (n f64 each; -inf and inf leave a side open)
    u8  1     a polytope A x <= c: u32 n, u32 m, A (m rows of n f64), c (m f64), u8 b; if b is 1 a
              box around it: lo, hi (n f64 each), and for every input, for its lower and then its
              upper end, m + 1 varints: weights of the m rows and of the row that says that the
              input lies beyond that end
    u8  2     a slice: u32 n, u32 k, points (k + 1 rows of n f64), lo, hi (k f64 each)

**Coordinates.**  Those inputs (on a slice: its parameters, of which the first layer then is a
function) with ``lo < hi`` and on which a first-layer weight or a row of the polytope depends, in
order, each moved: ``x = lo + (hi - lo) z`` where both ends are finite, else ``x = lo + z``,
``x = hi + z`` or ``x = z``, whichever end there is.

**Numbers.**  Units are numbered layer by layer from 0.  Row ``i`` of a domain with ``m`` rows is
``2^k (c_i - A_i x) >= 0`` with the least ``k >= 0`` that makes all entries integers, and unit ``u``
has the row ``m + u``: its pre-activation ``g`` where it is active (then ``g > 0``) and ``-g`` where
it is not (then ``-g >= 0``).

**Segments.**  A segment begins with a varint, the number of nodes that it opens, and these nodes:
each is the signs of all units, two bits a unit (0 open, 1 active, 2 inactive), four to a byte, the
first in the lowest bits; the bits left over are 0.  The units with a sign are those of complete
layers and some of the next.  They make a stack, the last one on top.  Then come *steps* until the
segment ends, each about the node on top.  A step is a u8 and what follows it:

    0  a region, at the point z_j = (2 k_j + 1) / 2^(8 q + 1): u8 q, then every k_j in q bytes.  Only
       where all coordinates have two ends.  The node is done.
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
varint, the row; a zigzag e; b bytes, the integer m > 0: the row has the weight ``m 2^e``.

Nodes that are left when the segment ends are open again, and so are the nodes of which a count
``>= N`` makes no use.  In a list of witnesses a segment opens no nodes and has steps 0 to 2 alone.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from milpcount.domain import Box, Domain, Polytope, Slice
from milpcount.errors import CertificateError, InputError, MilpcountError

__all__ = ["Cursor", "Header", "blocks", "read_header", "same_domain"]

MAGIC = b"RLUCERT1"
RELATIONS = ("==", ">=", "<=")
DEFINITIONS = ("full", "nonempty")
_FIXED = struct.Struct("<8sBQ32sBBBB")
_MOST = 1 << 28  # bytes of a packed part
_MOST_INPUTS = 1 << 24


@dataclass(frozen=True, eq=False)
class Header:
    """What a certificate states.

    Attributes:
        relation: "==", ">=" or "<=".
        count: N.
        sha256: of the network, as hexadecimal digits.
        definition: "full" or "nonempty".
        with_output, is_list, reduced: flags.
        domain: with one entry a coordinate.
        around: of a polytope: the box around it, None where it has none.
        weights: of a polytope: for each end of that box the weights that prove it.
    """

    relation: str
    count: int
    sha256: str
    definition: str
    with_output: bool
    is_list: bool
    reduced: bool
    domain: Domain
    around: Box | None = None
    weights: tuple[tuple[int, ...], ...] = ()


class Cursor:
    """Reads numbers from bytes; says where they end too early."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.at, self.name = data, 0, name

    def fail(self, why: str, at: int | None = None) -> CertificateError:
        """The error to raise, with the place."""
        return CertificateError(f"{self.name}, byte {self.at if at is None else at}: {why}")

    def take(self, size: int) -> bytes:
        """So many bytes."""
        end = self.at + size
        if end > len(self.data):
            raise self.fail("it ends in the middle of something")
        out = self.data[self.at : end]
        self.at = end
        return out

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "little")

    def varint(self) -> int:
        """An unsigned number."""
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 1 << 20:
                raise self.fail("a number is too long")

    def zigzag(self) -> int:
        """A signed number."""
        v = self.varint()
        return -(v >> 1) - 1 if v & 1 else v >> 1

    def doubles(self, *shape: int) -> np.ndarray:
        """An array of f64."""
        size = math.prod(shape)
        raw = self.take(8 * size)
        return np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(shape)


def read_header(path: Path) -> Header:
    """Check the file's checksum and read what it states.

    Raises:
        InputError: there is no such file.
        CertificateError: it is damaged, or no certificate.
    """
    try:
        with path.open("rb") as file:
            _require_checksum(file, path)
            fixed = file.read(_FIXED.size)
            magic, relation, count, sha, definition, output, kind, base = _FIXED.unpack(fixed)
            if magic != MAGIC or relation > 2 or max(definition, output, kind, base) > 1:
                raise CertificateError(f"{path}: its first {_FIXED.size} bytes make no header")
            raw = _packed(file, "the domain")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a certificate") from None
    if raw is None:
        raise CertificateError(f"{path}: it has no domain")
    cursor = Cursor(raw, "the domain")
    try:
        domain, around, weights = _domain(cursor)
    except MilpcountError as error:
        raise CertificateError(f"{path}: {error}") from None
    return Header(
        RELATIONS[relation], count, sha.hex(), DEFINITIONS[definition],
        bool(output), bool(kind), bool(base), domain, around, weights,
    )  # fmt: skip


def blocks(path: Path) -> Iterator[Cursor]:
    """The segments, one after the other."""
    with path.open("rb") as file:
        file.seek(_FIXED.size)
        _packed(file, "the domain")
        number = 0
        while (raw := _packed(file, f"segment {number}")) is not None:
            yield Cursor(raw, f"segment {number}")
            number += 1
        if len(file.read(33)) != 32:
            raise CertificateError(f"{path}: something stands between the segments and the end")


def _require_checksum(file: BinaryIO, path: Path) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if size < _FIXED.size + 36 or file.read(8) != MAGIC:
        raise CertificateError(f"{path}: not a certificate, or one that is cut short")
    file.seek(0)
    digest, left = hashlib.sha256(), size - 32
    while left:
        part = file.read(min(left, 1 << 20))
        if not part:
            raise CertificateError(f"{path}: it changed while it was read")
        digest.update(part)
        left -= len(part)
    if file.read(32) != digest.digest():
        raise CertificateError(f"{path}: the checksum is wrong: the file is damaged or cut short")
    file.seek(0)


def _packed(file: BinaryIO, name: str) -> bytes | None:
    length = int.from_bytes(file.read(4), "little")
    if not length:
        return None
    size = int.from_bytes(file.read(4), "little")
    if length > _MOST or size > _MOST:
        raise CertificateError(f"{name}: it is too large")
    unpack = zlib.decompressobj()
    try:
        # No more memory is taken than announced.
        raw = unpack.decompress(file.read(length), size + 1)
    except zlib.error as error:
        raise CertificateError(f"{name}: it does not decompress ({error})") from None
    if len(raw) != size or not unpack.eof or unpack.unused_data:
        raise CertificateError(f"{name}: it does not decompress to {size} bytes")
    return raw


def _domain(cursor: Cursor) -> tuple[Domain, Box | None, tuple[tuple[int, ...], ...]]:
    kind, n = cursor.u8(), cursor.u32()
    if kind > 2 or n > _MOST_INPUTS:
        raise cursor.fail("no such domain")
    around, weights = None, []
    domain: Domain
    if kind == 0:
        domain = Box(cursor.doubles(n), cursor.doubles(n))
    elif kind == 1:
        m = cursor.u32()
        domain = Polytope(cursor.doubles(m, n), cursor.doubles(m))
        if cursor.u8():
            around = Box(cursor.doubles(n), cursor.doubles(n))
            weights = [tuple(cursor.varint() for _ in range(m + 1)) for _ in range(2 * n)]
    else:
        k = cursor.u32()
        domain = Slice(cursor.doubles(k + 1, n), cursor.doubles(k), cursor.doubles(k))
    if cursor.at != len(cursor.data):
        raise cursor.fail("something follows the domain")
    return domain, around, tuple(weights)


def same_domain(a: Domain, b: Domain, n: int) -> bool:
    """Whether two domains are written with the same numbers, for a network with ``n`` inputs."""
    a, b = a.resolve(n), b.resolve(n)
    names = {Box: ("lo", "hi"), Polytope: ("A", "c"), Slice: ("points", "lo", "hi")}[type(a)]
    if type(a) is not type(b):
        return False
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)
