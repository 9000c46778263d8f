"""Counting the regions of one connected arrangement, step by step, with proof and confirmation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from milpcount.core.run import Watch
from milpcount.engines.arrangement.vectors import MOST_PRIMES, SMALL, Vectors, wide_prime
from milpcount.errors import InvariantError, UnsupportedError

if TYPE_CHECKING:
    from milpcount.kernels.native import Deletion

__all__ = ["Rho", "run"]

_LEAST, _MOST = 16, 1 << 30  # work of one step: vectors restricted
_ATTEMPTS = 16  # with other primes
_SECONDS = 0.03  # what a step should take


def run(search: Deletion, watch: Watch, phase: str) -> Iterator[int]:
    """Let a search go on until it is done or a limit is reached; yield what it has counted."""
    work = _LEAST
    while not search.done and watch.exceeded() is None:
        start = watch.seconds
        search.advance(work)
        high, low = search.total
        yield (high << 64) + low
        watch.report(phase)
        took = watch.seconds - start
        if watch.budget.regions is not None:
            # A vector that is restricted adds about one region.
            work = max(_LEAST, min(work * 2, watch.budget.regions - watch.regions))
        elif took < _SECONDS:
            work = min(work * 2, _MOST)
        elif took > 2 * _SECONDS:
            work = max(work // 2, _LEAST)


class Rho:
    """``rho`` of some vectors.

    Attributes:
        vectors: the vectors.
        value: the number, once it is proved.
        proof: what proves it: "formula", "general position" or "bound on minors".
        confirmed: whether a second computation has found the same number.
        statistics: of the memory, added up.
    """

    def __init__(self, vectors: Vectors, memory: int) -> None:
        """Prepare; ``memory`` is in bytes.

        Raises:
            UnsupportedError: the numbers are too long.
        """
        self.vectors = vectors
        self.value: int | None = vectors.known
        self.proof = "formula"
        self.confirmed = self.value is not None
        self.statistics: Counter[str] = Counter()
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
                if not self.confirmed:
                    raise InvariantError("an arrangement in general position was miscounted")
                return
        for attempt in range(_ATTEMPTS):
            search = self._search(self._others(attempt), generic=False)
            yield from run(search, watch, phase)
            if not search.done:
                return
            if not search.unlucky:
                self._settle(search, "bound on minors")
                return
        raise InvariantError("every choice of primes met a minor that some of them divide")

    def confirm(self, watch: Watch) -> None:
        """Count once more: modulo another prime of 62 bits, in the opposite order, from new keys.

        Modulo any prime the number is a lower bound, and all but ever a sharp one; another number
        leaves the count unconfirmed, a larger one is a contradiction.
        """
        if self.value is None or self.confirmed:
            return
        prime = wide_prime(_ATTEMPTS * len(self._primes))
        search = self._search((prime,), generic=False, backwards=True)
        for _ in run(search, watch, "confirming"):
            pass
        high, low = search.total
        found = (high << 64) + low
        if found > self.value:
            raise InvariantError(f"an arrangement was counted twice: {self.value} and {found}")
        self.confirmed = search.done and found == self.value

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
        high, low = search.total
        self.value, self.proof = (high << 64) + low, proof
        # A formula is a second computation.
        self.confirmed = self.value == self.vectors.upper
        self.statistics.update(search.statistics())
