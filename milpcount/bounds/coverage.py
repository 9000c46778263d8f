"""Maximum coverage: the most that the union of k sets can hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["max_coverage"]

# Gains computed for one k; then the best bound that is proved stands.
_WORK = 200_000


def max_coverage(sets: NDArray[np.bool_], most: int) -> list[int]:
    """Return ``max |union of at most k of the sets|`` for ``k = 0..most``, or upper bounds.

    Branch and bound; exact unless it takes too long, and always nondecreasing in ``k``, at least
    the true maximum and at most the size of the union of all.

    Arguments:
        sets: shape ``(sets, elements)``.
        most: the largest ``k``.
    """
    masks = _maximal([int.from_bytes(np.packbits(row).tobytes()) for row in sets])
    union = 0
    for mask in masks:
        union |= mask
    total = union.bit_count()
    out = [0]
    while len(out) <= most:
        # All that is left once the union can be reached.
        k = len(out)
        out.append(total if out[-1] == total else _Search(masks, total).run(k))
    for k in range(most - 1, -1, -1):
        # A bound for more sets holds for fewer.
        out[k] = min(out[k], out[k + 1])
    return out


def _maximal(masks: list[int]) -> list[int]:
    """The sets that are in no other: each of the others can be exchanged for one that holds it."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda m: (-m.bit_count(), m)):
        if mask and not any(mask & ~other == 0 for other in kept):
            kept.append(mask)
    return kept


class _Search:
    """Branch and bound: take the set of largest gain, or never take it."""

    def __init__(self, masks: list[int], total: int) -> None:
        self._masks, self._total = masks, total
        self._best = 0
        self._work = 0

    def run(self, k: int) -> int:
        """The largest union of at most ``k`` sets, or an upper bound on it."""
        stack = [(0, self._masks, k)]
        while stack and self._best < self._total:
            covered, masks, left = stack.pop()
            size = covered.bit_count()
            gains = sorted(
                ((m & ~covered).bit_count() for m in masks),
                reverse=True,
            )
            self._work += len(masks)
            bound = min(size + sum(gains[:left]), self._total)
            if bound <= self._best:
                continue
            if left <= 1 or len(masks) <= 1 or self._work > _WORK:
                self._best = bound
                continue
            best = max(masks, key=lambda m: (m & ~covered).bit_count())
            rest = [m for m in masks if m != best and m & ~covered & ~best]
            stack.append((covered, [m for m in masks if m != best], left))
            stack.append((covered | best, rest, left - 1))
        return self._best
