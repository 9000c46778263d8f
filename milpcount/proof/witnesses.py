"""The points of steps 0 to 2, as they are read; what is proved of them stands in the checker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milpcount.proof.format import Cursor
from milpcount.proof.rational import Exact, Row, Values

__all__ = ["Witness", "read_witness", "values_at"]

_LARGEST = 1 << 16  # exponent


class Witness(NamedTuple):
    """A point of the box, and where it is from.

    Attributes:
        combined: whether ``numbers`` are the weights of the first stage's rows, times
            ``2^-exponent``; else they are ``(z d, d)``.
        signs: those of its node; empty in a list of witnesses.
        begin, end: of the bytes in its segment.
    """

    combined: bool
    numbers: Row
    exponent: int
    signs: bytes
    begin: int
    end: int

    def held(self, exact: Exact) -> int:
        """How many numbers of 64 bits, about, it takes to find its signs."""
        words = 1 + (8 * (self.end - self.begin) + abs(self.exponent)) // 64
        return len(exact.low) + words * (exact.starts[-1] + len(exact.domain.rows))


def read_witness(cursor: Cursor, exact: Exact, step: int, signs: bytes) -> Witness:
    """Read the point of a step.

    Raises:
        CertificateError: it lies outside of the box, or is none.
    """
    n, begin, exponent = len(exact.low), cursor.at, 0
    if step == 2:
        d, z = cursor.varint(), cursor.zigzags(n)
        ends = zip(z, exact.low, exact.high, strict=True)
        if not d or any(
            (a is not None and v < a * d) or (b is not None and v > b * d) for v, a, b in ends
        ):
            raise cursor.fail("the point lies outside of the box")
        numbers = [*z, d]
    elif not exact.is_bounded:
        raise cursor.fail("this step needs a bounded box")
    elif step == 0:
        size = cursor.integer(1)
        if not size:
            raise cursor.fail("a point needs at least one byte a coordinate")
        numbers = [*(2 * cursor.integer(size) + 1 for _ in range(n)), 2 << (8 * size)]
    else:
        exponent, *numbers = cursor.zigzags(1 + len(exact.first.rows))
        if abs(exponent) > _LARGEST:
            raise cursor.fail("the exponent is out of range")
    return Witness(step == 1, numbers, exponent, signs, begin, cursor.at)


def values_at(exact: Exact, witnesses: Sequence[Witness]) -> Values:
    """What the first rows are at points that are all combined, or none of which is."""
    numbers = [witness.numbers for witness in witnesses]
    if not witnesses[0].combined:
        return exact.at(numbers)
    return exact.at_combinations(numbers, [witness.exponent for witness in witnesses])
