"""Counting the regions of one connected arrangement, with proof and confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from milpcount.core.run import Watch
from milpcount.engines.arrangement.cut import cone_of
from milpcount.engines.arrangement.steps import counted, run
from milpcount.engines.arrangement.vectors import MOST_PRIMES, SMALL, Vectors, wide_prime
from milpcount.errors import InvariantError, UnsupportedError

if TYPE_CHECKING:
    from milpcount.kernels.native import Deletion

__all__ = ["Rho"]

_ATTEMPTS = 16  # with other primes


class Rho:
    """``rho`` of some vectors (``kernels/src/deletion.hpp``).

    Attributes:
        vectors: the vectors.
        value: the number, once it is proved.
        proof: what proves it: "formula", "general position" or "minors below the primes".
        second: what has found the same number besides, "" if nothing has.
        statistics: of the count that proves it.
    """

    def __init__(self, vectors: Vectors, memory: int) -> None:
        """Prepare; ``memory`` is in bytes.

        Raises:
            UnsupportedError: the numbers are too long.
        """
        self.vectors = vectors
        self.value: int | None = vectors.known
        self.proof = "formula"
        self.second = "" if self.value is None else "formula"
        self.statistics: dict[str, int] = {}
        self._memory = memory
        self._primes = vectors.primes() if self.value is None else ()
        if len(self._primes) > MOST_PRIMES:
            raise UnsupportedError(
                f"engine arrangement: minors of the weights have up to "
                f"{vectors.largest_minor.bit_length()} bits, more than {62 * MOST_PRIMES}; "
                "use engine tree"
            )

    def count(self, watch: Watch) -> Iterator[int]:
        """Yield lower bounds, and set ``value`` at the end unless a limit comes first."""
        if self.value is not None:
            yield self.value
            return
        phase = "restricting hyperplanes"
        if len(self._primes) > 1:
            search = self._search((wide_prime(0),), generic=True)
            yield from run(search, watch, phase)
            if not search.done:
                return
            if not search.coincident:
                self._settle(search, "general position")
                if not self.second:
                    raise InvariantError("an arrangement in general position was miscounted")
                return
        for attempt in range(_ATTEMPTS):
            search = self._search(self._others(attempt), generic=False)
            yield from run(search, watch, phase)
            if not search.done:
                return
            if not search.unlucky:
                self._settle(search, "minors below the primes")
                return
        raise InvariantError("every choice of primes met a minor that some of them divide")

    def confirm(self, watch: Watch) -> None:
        """Count once more, from the last vector to the first.

        In integers, by sections of R^n, which shares nothing with the first count but a table of
        numbers; where they pass 62 bits modulo one other prime: then the number is a lower bound,
        and all but ever the same.

        Raises:
            InvariantError: another number comes out.
        """
        if self.value is None or self.second:
            return
        integers = cone_of(self.vectors.rows[::-1], (), self._memory)
        if integers is not None:
            for _ in run(integers, watch, "confirming"):
                pass
            found, wanted, sharp = counted(integers), 2 * self.value, True
            done, second = integers.done and not integers.overflow, "sections in integers"
        else:
            other = self._search(
                (wide_prime(_ATTEMPTS * len(self._primes)),), generic=False, backwards=True
            )
            for _ in run(other, watch, "confirming"):
                pass
            found, wanted, sharp = counted(other), self.value, False
            done, second = other.done, "another prime"
        if found > wanted or (done and sharp and found != wanted):
            raise InvariantError(f"an arrangement was counted twice: {wanted} and {found}")
        if done and found == wanted:
            self.second = second

    def _others(self, attempt: int) -> tuple[int, ...]:
        """The primes, or as many others after an attempt in which some divided a minor."""
        if attempt == 0 or self._primes[0] < SMALL:
            return self._primes
        first = attempt * len(self._primes)
        return tuple(wide_prime(first + k) for k in range(len(self._primes)))

    def _search(
        self, primes: tuple[int, ...], *, generic: bool, backwards: bool = False
    ) -> Deletion:
        # Not loaded before it is needed.
        from milpcount.kernels.native import make_deletion

        residues = self.vectors.residues(primes, backwards)
        return make_deletion(residues, np.array(primes, dtype=np.int64), self._memory, generic)

    def _settle(self, search: Deletion, proof: str) -> None:
        self.value, self.proof = counted(search), proof
        self.statistics = search.statistics()
        # A formula is a second computation.
        self.second = "formula" if self.value == self.vectors.upper else ""
