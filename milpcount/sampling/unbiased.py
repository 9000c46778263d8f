"""What unbiased, non-negative estimates of a count prove about it, and what they suggest.

Values are kept as their logarithms to base 2 (``-inf`` for 0): they pass the range of floats.

**Lower bound by betting.**  Let ``X_1, X_2, ... >= 0`` with ``E[X_i | X_1, ..., X_{i-1}] <= N``
and let ``l_i`` in ``[0, 1]`` depend on ``X_1, ..., X_{i-1}`` alone.  The capital

    K_t = prod_{i <= t} (1 + l_i (X_i / N - 1))

is never negative, and ``E[K_t | past] <= K_{t-1}``, ``K_0 = 1``: a non-negative supermartingale.
So is a mixture of such capitals with fixed weights of sum 1.  By Ville's inequality it ever
reaches ``1 / g`` with probability at most ``g``.  The bound is the least number at which the
capital stayed below ``1 / g`` all the time: if it is above ``N``, the capital at ``N`` reached
``1 / g``, for every factor decreases in ``N``.  Nothing is assumed about the distribution, not
even a variance, and the number of runs may depend on what was seen, on the clock for example.

With ``l_i = 1`` alone the bound is the geometric mean of the values times ``g^(1/t)``, never below
the bound by Markov's inequality for the minimum, ``min X_i g^(1/t)`` (Gomes, Sabharwal and Selman
2006 and 2007).  Smaller stakes survive values of 0 and rare large ones.  The idea is
Kaplan's (1987) and Waudby-Smith and Ramdas's (JRSS B 2024); the proof above is complete.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Runs", "betting_bound", "integer_below", "log2_sum", "minimum_bound", "student"]

Float = NDArray[np.float64]

_STAKES = (1.0, 0.6, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # share a quarter of the capital
_SPARE = 1e-9  # relative, for the roundings of the logarithms


def log2_sum(values: Sequence[float] | Float) -> float:
    """log2 of the sum of the numbers with these logarithms."""
    top = max(values, default=-math.inf)
    if top == -math.inf:
        return -math.inf
    return top + math.log2(sum(2.0 ** (v - top) for v in values))


def betting_bound(values: Sequence[float], confidence: float) -> float:
    """log2 of the lower bound by betting (see the module), ``-inf`` where nothing is proved.

    Three quarters of the capital are staked as would have been best on the values so far, the
    rest on fixed stakes.
    """
    x = np.asarray(values, dtype=np.float64)
    if not np.isfinite(x).any():
        return -math.inf
    stakes = np.stack([np.full(len(x), s) for s in _STAKES] + [_learned(x, confidence)])
    weights = np.array([0.25 / len(_STAKES)] * len(_STAKES) + [0.75])
    with np.errstate(divide="ignore"):
        log_stake, log_rest, log_weight = np.log(stakes), np.log1p(-stakes), np.log(weights)
    goal = -math.log1p(-confidence)

    def reached(n: float) -> bool:
        """Whether the capital at ``2**n`` ever reaches the goal."""
        factors = np.logaddexp(log_rest, log_stake + (x - n) * math.log(2))
        capital = np.cumsum(factors, axis=1) + log_weight[:, None]
        return bool(np.logaddexp.reduce(capital, axis=0).max() >= goal)

    high = float(x.max())
    low = high - 8.0
    while not reached(low):
        low -= 8.0
        if low < -64.0:
            return -math.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) else (low, middle)
    return low


def _learned(x: Float, confidence: float) -> Float:
    """The stake for each value, from the values before it.

    Near the bound the values exceed ``N`` by some multiple ``d`` of their relative standard
    deviation ``s``; the logarithm of the capital grows fastest with the stake ``d / s^2``, where
    ``d = s sqrt(2 log(1 / g) / t)`` is about what ``t`` values can prove.
    """
    goal = math.log(2) - math.log1p(-confidence)
    stakes = np.ones(len(x))
    for i in range(len(x)):
        y = np.exp2(x[:i] - max(float(x[:i].max()), -1e300)) if i else np.zeros(0)
        mean = float(y.mean()) if i else 0.0
        spread = float(((y / mean - 1) ** 2).sum()) if mean > 0 else float(i)
        variance = (spread + 0.25) / (i + 1)
        stakes[i] = min(1.0, math.sqrt(2 * goal / len(x) / variance))
    return stakes


def minimum_bound(values: Sequence[float], confidence: float) -> float:
    """log2 of ``min X_i (1 - confidence)^(1/t)``, Hybrid-MBound's bound.

    For ``t`` independent ``X_i >= 0`` of mean at most ``N`` Markov's inequality gives
    ``P(X_i >= a N) <= 1 / a``, so ``P(min_i X_i >= a N) <= a^-t``; with ``a^-t = 1 - confidence``
    that is the probability that the bound is above ``N``.  The number of runs must be fixed
    beforehand; a run that was cut short counts with what it found, which is less.
    """
    if not len(values):
        return -math.inf
    return min(values) + math.log2(1 - confidence) / len(values)


def integer_below(log2: float) -> int:
    """The least count that the bound ``2**log2`` allows, all roundings to the safe side."""
    if log2 == -math.inf:
        return 0
    whole = math.floor(log2)
    fraction = 2.0 ** (log2 - whole) * (1 - _SPARE * (1 + abs(whole)))
    # A count is an integer: at least the next one.
    scaled = math.floor(fraction * 2**60)
    shift = 60 - whole
    return int(-(-scaled >> shift) if shift > 0 else scaled << -shift)


@dataclass(frozen=True)
class Runs:
    """Independent runs of one estimator: ``log2`` of their values."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """log2 of the mean."""
        return log2_sum(self.values) - math.log2(len(self.values)) if self.values else -math.inf

    @property
    def spread(self) -> float:
        """Relative standard deviation of one run, nan for fewer than two."""
        if len(self.values) < 2 or self.mean == -math.inf:
            return math.nan
        y = np.exp2(np.asarray(self.values) - self.mean)
        return float(y.std(ddof=1))

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """Relative half width by Student's t, as ends in log2; None where it makes no sense."""
        t = len(self.values)
        if t < 2 or math.isnan(self.spread):
            return None
        half = student(t - 1, (1 + confidence) / 2) * self.spread / math.sqrt(t)
        low = self.mean + math.log2(1 - half) if half < 1 else -math.inf
        return low, self.mean + math.log2(1 + half)


def student(degrees: int, p: float) -> float:
    """Quantile of Student's t with so many degrees of freedom, for p in [1/2, 1)."""
    # P(|T| < tan(a) sqrt(k)) is the integral of cos^(k-1) from -a to a, normalised.
    angle = np.linspace(0.0, math.pi / 2, 200_001)
    density = np.cos(angle) ** (degrees - 1)
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    at = float(np.interp(2 * p - 1, mass / mass[-1], angle))
    return math.tan(at) * math.sqrt(degrees)
