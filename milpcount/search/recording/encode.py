"""Numbers and steps of certificates as bytes; the format is that of :mod:`milpcount.proof.format`.

Written apart from its reader, on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point

__all__ = ["branch", "empty", "node", "point", "unproved", "varint", "zigzag"]

Term = tuple[int, int, int]
"""Row, mantissa > 0, exponent: the weight ``mantissa * 2**exponent`` of the row."""


_SHORT = [bytes([v]) for v in range(128)]


def varint(value: int) -> bytes:
    """An unsigned number, seven bits a byte."""
    if value < 128:
        return _SHORT[value]
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> bytes:
    """A signed number."""
    return varint(2 * value if value >= 0 else -2 * value - 1)


def node(signs: NDArray[np.int8], linear: NDArray[np.bool_]) -> bytes:
    """Signs of the units (0 for open), two bits each; 3 for linear units."""
    codes = np.where(signs > 0, 1, np.where(signs < 0, 2, 0)).astype(np.uint8)
    codes[linear] = 3
    codes = np.concatenate([codes, np.zeros(-len(codes) % 4, np.uint8)]).reshape(-1, 4)
    packed = codes[:, 0] | codes[:, 1] << 2 | codes[:, 2] << 4 | codes[:, 3] << 6
    return bytes(packed.astype(np.uint8).tolist())


def point(z: Point) -> bytes:
    """A region with a rational witness, given by its coordinates."""
    return b"\x02" + varint(z.denominator) + b"".join(map(zigzag, z.numerators))


def unproved() -> bytes:
    """A pattern that may be a region."""
    return b"\x03"


def branch(place: int, first: int) -> bytes:
    """Both signs of a unit, ``first`` (1 or -1) first."""
    return (b"\x04" if first > 0 else b"\x05") + varint(place)


# Rows and exponents of sums: small numbers, which come again and again.
_row, _exponent = lru_cache(1 << 14)(varint), lru_cache(1 << 14)(zigzag)


def empty(terms: Iterable[Term]) -> bytes:
    """No region here."""
    listed = list(terms)
    if not listed:
        return b"\x08\x00"
    size = max(1, (max([m.bit_length() for _, m, _ in listed]) + 7) // 8)
    out = bytearray(b"\x08" + varint(len(listed)) + varint(size))
    for row, m, e in listed:
        out += _row(row)
        out += _exponent(e)
        out += m.to_bytes(size, "little")
    return bytes(out)
