"""The constants of ApproxMC, each with its source, and nothing else.

Guarantee: with pairwise independent hashes the median of the estimates is within a factor
``1 + epsilon`` of the count with probability at least ``1 - delta`` (Chakraborty, Meel and Vardi,
CP 2013 and IJCAI 2016).  The constants are those of the authors' program (LITERATURE.md 5.2).
"""

from __future__ import annotations

import math

__all__ = ["repetitions", "threshold"]


def threshold(epsilon: float) -> int:
    """Most regions in a bucket: ``floor(1 + 9.84 (1 + 1/e)^2 (1 + e/(1+e)))`` (IJCAI 2016)."""
    return math.floor(1 + _pivot(epsilon) * (1 + epsilon / (1 + epsilon)))


def _pivot(epsilon: float) -> float:
    """``9.84 (1 + 1/e)^2``, as in the program."""
    return 9.84 * (1 + 1 / epsilon) ** 2


def repetitions(epsilon: float, delta: float) -> tuple[int, float]:
    """How many estimates the median is of, and the least that a bucket counts for.

    For ``sqrt(2) - 1 <= e < 1`` the rounded version (Yang and Meel, CAV 2023): buckets below
    ``pivot / sqrt(2)`` count for that much, an estimate is then too low with probability at most
    0.157 and too high with at most 0.169, and the median of ``t`` fails with probability at most
    ``eta(t, 0.157) + eta(t, 0.169)``, ``eta(t, p) = P(Bin(t, p) >= ceil(t / 2))``.  Elsewhere the
    version before it: ``ceil(17 log2(3 / delta))``, made odd.
    """
    if math.sqrt(2) - 1 <= epsilon < 1:
        t = 1
        while _eta(t, 0.157) + _eta(t, 0.169) > delta:
            t += 2
        return t, _pivot(epsilon) / math.sqrt(2)
    return math.ceil(17 * math.log2(3 / delta)) | 1, 0.0


def _eta(t: int, p: float) -> float:
    """Probability that at least half of ``t`` estimates fail, each with probability ``p``."""
    return sum(math.comb(t, k) * p**k * (1 - p) ** (t - k) for k in range((t + 1) // 2, t + 1))
