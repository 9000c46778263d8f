"""A frame's forms in integers of any size, as the native tree search reads them.

With them it decides sides that only touch a cell (``kernels/src/exact_side.hpp``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.search.frames.frame import Frame

__all__ = ["LongFrame", "long_frame"]

_MOST_LIMBS = 64
_MOST_NUMBERS = 1 << 18


class LongFrame(NamedTuple):
    """Integers of shape ``(rows, n + 1, limbs)``: 64 bits a limb, two's complement, lowest first.

    Attributes:
        first: forms of the first layer, times the frame's common factor and ``2**shift``.
        one: the form of one, times that factor.
        domain: forms that are positive inside the domain, each times a factor of its own.
        shift: see ``first``.
        spans: whether no form but 0 vanishes all over the domain.
    """

    first: NDArray[np.uint64]
    one: NDArray[np.uint64]
    domain: NDArray[np.uint64]
    shift: int
    spans: bool


def long_frame(frame: Frame) -> LongFrame | None:
    """The forms of a frame; None where there are too many numbers, or too large ones."""
    exact = frame.exact
    rows, columns = exact.matrix.nrows(), frame.n + 1
    if (rows + len(frame.exact_domain)) * columns > _MOST_NUMBERS:
        return None
    one = (*[0] * frame.n, 1) if exact.one is None else exact.one
    first = [int(v) for v in exact.matrix.entries()]
    domain = list(chain.from_iterable(frame.exact_domain))
    parts = [_limbs(numbers, columns) for numbers in (first, one, domain)]
    if exact.shift < 0 or any(part.shape[2] > _MOST_LIMBS for part in parts):
        return None
    return LongFrame(parts[0], parts[1], parts[2], exact.shift, frame.spans())


def _limbs(numbers: Sequence[int], columns: int) -> NDArray[np.uint64]:
    limbs = max((abs(v).bit_length() for v in numbers), default=0) // 64 + 1
    text = b"".join(v.to_bytes(8 * limbs, "little", signed=True) for v in numbers)
    words = np.frombuffer(text, dtype="<u8").astype(np.uint64)
    return words.reshape(-1, columns, limbs)
