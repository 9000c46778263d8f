"""Patterns by content, and a partition that merges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InvariantError
from milpcount.kernels import native

__all__ = ["Components", "PatternIndex", "in_order"]

_SEED = 1994
_TRIES = 8

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


class PatternIndex:
    """Finds patterns among many.

    A pattern's address is the exclusive or of one random word for each active unit (Zobrist 1970),
    so the address of a pattern with one bit flipped costs one operation.  The words are chosen so
    that no two patterns share an address, and a pattern found is compared bit by bit: the answers
    do not depend on chance.
    """

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        """Take the patterns, one a row.

        Raises:
            InvariantError: a pattern stands there twice.
        """
        self.bits = bits
        for attempt in range(_TRIES):
            rng = np.random.default_rng((_SEED, attempt))
            words = rng.integers(0, 2**64, size=(bits.shape[1],), dtype=np.uint64)
            self._words: Words = np.asarray(words, dtype=np.uint64)
            addresses = np.zeros(len(bits), dtype=np.uint64)
            for word, column in zip(self._words, bits.T, strict=True):
                addresses ^= np.where(column != 0, word, np.uint64(0))
            self._address_of = addresses
            self.order = np.argsort(addresses, kind="stable").astype(np.int64)
            self.addresses = addresses[self.order]
            if not np.any(self.addresses[1:] == self.addresses[:-1]):
                break
        else:
            raise InvariantError("the list of regions has a pattern twice")

    @property
    def book(self) -> tuple[NDArray[np.uint8], Words, Ints, Words, Words]:
        """Patterns, sorted addresses, their rows, the words of the units, each row's address."""
        return self.bits, self.addresses, self.order, self._words, self._address_of

    def find(self, pattern: NDArray[np.uint8]) -> int | None:
        """The row of the pattern, None if it is not there."""
        address = np.bitwise_xor.reduce(self._words[pattern != 0], initial=np.uint64(0))
        place = int(np.searchsorted(self.addresses, address))
        if place == len(self.addresses) or self.addresses[place] != address:
            return None
        row = int(self.order[place])
        return row if np.array_equal(self.bits[row], pattern) else None

    def flips(self, unit: int) -> tuple[Ints, Ints]:
        """All pairs of rows that differ in this unit alone; the first has it inactive."""
        lower = np.flatnonzero(self.bits[self.order, unit] == 0)
        wanted = self.addresses[lower] ^ self._words[unit]
        places = np.minimum(np.searchsorted(self.addresses, wanted), len(self.addresses) - 1)
        hit = self.addresses[places] == wanted
        first, second = self.order[lower[hit]], self.order[places[hit]]
        different = self.bits[first] != self.bits[second]
        true = different[:, unit] & (np.count_nonzero(different, axis=1) == 1)
        return first[true], second[true]


class Components:
    """A partition of ``0 .. n - 1``.

    Attributes:
        parts: as the kernels take it.
    """

    def __init__(self, n: int) -> None:
        self.parts = native.Partition(n)

    def unite(self, a: Ints, b: Ints) -> int:
        """Merge the parts of each pair; the number of merges that changed something."""
        return self.parts.unite(np.ascontiguousarray(a), np.ascontiguousarray(b))

    def together(self, a: int, b: int) -> bool:
        """Whether two elements are in one part."""
        return self.parts.find(a) == self.parts.find(b)

    def apart(self, a: Ints, b: Ints) -> NDArray[np.bool_]:
        """Which of the pairs are in two parts."""
        roots = self.roots()
        return np.asarray(roots[a] != roots[b])

    def roots(self) -> Ints:
        """The representative of each element's part: its least element."""
        return self.parts.roots()


def in_order(roots: Ints) -> Ints:
    """Numbers from 0 in the order of first appearance; a root is the least of its part."""
    first = roots == np.arange(len(roots))
    return np.asarray((np.cumsum(first) - 1)[roots], dtype=np.int64)
