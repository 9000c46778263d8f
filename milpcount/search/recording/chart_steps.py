"""Reads the steps that the compiled search writes in a chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from milpcount.errors import InvariantError

__all__ = ["Branch", "Never", "Spot", "read_steps"]


class Spot(NamedTuple):
    """A region with a point at ``numerators / 2**shift``."""

    numerators: list[int]
    shift: int


class Branch(NamedTuple):
    """Both signs of a unit of the present stage, this one first."""

    place: int
    sign: int


class Never(NamedTuple):
    """A unit that never has a sign; each term is a row, a mantissa and an exponent."""

    place: int
    sign: int
    terms: list[tuple[int, int, int]]


def read_steps(steps: bytes, coordinates: int) -> Iterator[Spot | Branch | Never]:
    """The steps, one after the other; points have so many coordinates.

    Raises:
        InvariantError: there is another step.
    """
    at, end = 0, len(steps)

    def number() -> int:
        nonlocal at
        value = steps[at]
        at += 1
        if value < 128:  # as most are
            return value
        value, shift, byte = value & 127, 7, 128
        while byte > 127:
            byte = steps[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
        return value

    while at < end:
        code = steps[at]
        at += 1
        if code == 0:
            size = steps[at]
            behind = at + 1 + coordinates * size
            places = range(at + 1, behind, size)
            numerators = [2 * int.from_bytes(steps[k : k + size], "little") + 1 for k in places]
            at = behind
            yield Spot(numerators, 8 * size + 1)
        elif code in (4, 5):
            yield Branch(number(), 1 if code == 4 else -1)
        elif code in (6, 7):
            place, count = number(), number()
            size = number() if count else 0
            terms = []
            for _ in range(count):
                row, e = number(), number()
                mantissa = int.from_bytes(steps[at : at + size], "little")
                terms.append((row, mantissa, -(e >> 1) - 1 if e & 1 else e >> 1))
                at += size
            yield Never(place, 1 if code == 6 else -1, terms)
        else:
            raise InvariantError(f"a search in a chart wrote step {code}")
