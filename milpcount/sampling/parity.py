r"""Random parity constraints over activation patterns, and linear algebra over GF(2).

A parity constraint is ``XOR of the units in V = p``.  Its right-hand side ``p`` is a fair coin,
and its set ``V`` is drawn before any solver has answered: of ``k`` units, or of each unit with
probability 1/2 (*dense*).  Nothing else is used by the lower bounds of
:mod:`milpcount.sampling.parity_bounds`: with ``r`` independent right-hand sides each fixed
pattern satisfies all ``r`` constraints with probability exactly ``2^-r``, whatever the sets.
So sets that depend linearly on those before are passed over: they would only end a run early.
Patterns and sets are bit masks: bit ``u`` is unit ``u``, layer-major.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.errors import InputError

__all__ = ["Parity", "draw_parities", "mask_of", "require_parity_size"]

# Sets of the wanted size that are drawn in vain before dense ones take over: two units a set, for
# one, span no more than the even sets.
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Parity:
    """The number of active units among ``mask`` is even (``odd`` 0) or odd (``odd`` 1)."""

    mask: int
    odd: int

    def holds(self, pattern: int) -> bool:
        """Whether a pattern satisfies it."""
        return (self.mask & pattern).bit_count() % 2 == self.odd

    @property
    def units(self) -> tuple[int, ...]:
        """The units, in ascending order."""
        return tuple(u for u in range(self.mask.bit_length()) if self.mask >> u & 1)


def mask_of(bits: Sequence[int]) -> int:
    """The bit mask of a pattern that is given as one 0/1 a unit."""
    return sum(1 << u for u, bit in enumerate(bits) if bit)


def require_parity_size(size: int | None) -> int | None:
    """Return the size.

    Raises:
        InputError: a size that is not a whole number above 0.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise InputError(
            f"a parity constraint has a whole number of units above 0, not {size!r}; "
            "None takes each unit with probability 1/2"
        )
    return size


def draw_parities(units: Sequence[int], size: int | None, seed: int, run: int) -> Iterator[Parity]:
    """The constraints of one run: they depend on nothing but the arguments.

    Their sets are linearly independent over GF(2), so there are as many as units: all together
    leave exactly one assignment of the units.

    Arguments:
        units: to draw from; a constraint of a larger ``size`` takes all of them.
        size: units a constraint, None for dense ones.
        seed: of the generator.
        run: likewise.
    """
    rng = np.random.default_rng([seed, run])
    places = np.array(units, dtype=np.int64)
    span = _Span()
    tries = 0
    while span.rank < len(units):
        if size is None or tries >= _TRIES:
            chosen = places[rng.integers(0, 2, size=len(places)) == 1]
        else:
            chosen = rng.choice(places, size=min(size, len(places)), replace=False)
        mask = sum(1 << int(u) for u in chosen)
        tries = 0 if span.add(mask) else tries + 1
        if tries == 0:
            yield Parity(mask, int(rng.integers(0, 2)))


class _Span:
    """A linear subspace of GF(2)^n, in echelon form."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}

    @property
    def rank(self) -> int:
        """Its dimension."""
        return len(self._rows)

    def add(self, mask: int) -> bool:
        """Add a vector; False if it is in the subspace already."""
        while mask:
            row = self._rows.get(mask.bit_length())
            if row is None:
                self._rows[mask.bit_length()] = mask
                return True
            mask ^= row
        return False
