r"""What runs of nested random parity constraints prove about the size of a set.

``t`` runs, ``t`` fixed in advance.  Run ``i`` adds random parity constraints one after another to
the unknown finite set ``F`` of patterns; ``d_i`` is its *depth*, a number of constraints under
which a pattern of ``F`` was shown to remain, and ``f_r`` the number of runs with ``d_i >= r``.

**Lemma** (Markov; MBound, Gomes, Sabharwal, Selman, AAAI 2006).  If the right-hand sides are
independent fair coins, and independent of the sets of variables, then ``Pr[d_i >= r] <= |F|
2^-r``: each pattern satisfies ``r`` constraints with probability ``2^-r``, and ``d_i >= r`` only
if some pattern does.  A run that gives up early, for want of time say, only has a smaller depth,
and the lemma holds for it as well.

**Binomial tail.**  Let ``p`` and ``c`` be such that ``Pr[Bin(t, p) >= c] <= gamma``, fixed in
advance.  With probability at least ``1 - gamma``,

    |F| >= p 2^r        for every r with f_r >= c.

*Proof.*  ``f_r`` is nonincreasing in ``r``, as the constraints are nested.  Let ``r_0`` be the
least ``r`` with ``|F| < p 2^r``.  The claim fails only if ``f_r >= c`` for some ``r >= r_0``, so
only if ``f_{r_0} >= c``.  By the lemma that is at most ``Pr[Bin(t, |F| 2^{-r_0}) >= c] <=
Pr[Bin(t, p) >= c] <= gamma``.  No union bound over ``r`` is paid. []

Here ``c`` is the least number for which ``p = 1/2`` will do, and ``p`` is then the largest that
``c`` allows.  With ``p = 1/2`` the claim is the classical one: ``r`` constraints, slack 1, ``|F|
>= 2^(r-1)``.

**Chernoff form** (the paper's).  With ``p = 1/2`` and ``beta = 2 f / t - 1 > 0``, ``Pr[Bin(t,
1/2) >= f] <= (e^beta / (1 + beta)^(1 + beta))^(t/2)``, and it is ``2^-t`` for ``f = t``.  Never
below the binomial tail, so it accepts less (Serra, Ramalingam, AAAI 2020, Algorithm 1 [M]).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from milpcount.errors import InputError

__all__ = [
    "Acceptance",
    "acceptance",
    "binomial_tail",
    "chernoff_tail",
    "default_runs",
    "reached",
    "require_confidence",
]

# The slack p is found to this precision, rounded down.
_GRID = 1 << 16


def require_confidence(confidence: float) -> Fraction:
    """Return the error probability ``gamma = 1 - confidence`` exactly.

    Raises:
        InputError: a confidence that is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"the confidence must lie between 0 and 1, as 0.95; not {confidence!r}")
    return 1 - Fraction(confidence)


def binomial_tail(runs: int, hits: int, p: Fraction) -> Fraction:
    """``Pr[Bin(runs, p) >= hits]``, exactly."""
    a, b = p.numerator, p.denominator
    terms = (math.comb(runs, i) * a**i * (b - a) ** (runs - i) for i in range(hits, runs + 1))
    return Fraction(sum(terms), b**runs)


def chernoff_tail(runs: int, hits: int) -> float:
    """The Chernoff bound on ``Pr[Bin(runs, 1/2) >= hits]``, 1 where it says nothing.

    Rounded upward by more than the error of its evaluation.
    """
    if hits == runs:
        return math.ldexp(1.0, -runs)
    beta = 2 * hits / runs - 1
    if beta <= 0:
        return 1.0
    exponent = runs / 2 * (beta - (1 + beta) * math.log1p(beta))
    return math.exp(exponent) * (1 + 1e-9)


def default_runs(gamma: Fraction) -> int:
    """The paper's rule, with the exact tail: were all runs feasible, the error is ``gamma / 10``.

    ``2^-t <= gamma / 10``: 8 runs at 95 %.
    """
    runs = 1
    while Fraction(1, 1 << runs) > gamma / 10:
        runs += 1
    return runs


@dataclass(frozen=True)
class Acceptance:
    """When a depth is accepted; fixed before the first run.

    Attributes:
        runs: ``t``.
        hits: ``c``, for the binomial tail.
        slack: ``p``; at least 1/2.
        chernoff_hits: runs that the Chernoff form needs with ``p = 1/2``; None if no number does.
    """

    runs: int
    hits: int
    slack: Fraction
    chernoff_hits: int | None

    def level(self, depths: Sequence[int], hits: int | None) -> int | None:
        """The largest ``r`` that at least ``hits`` runs reached; None if not even 0."""
        if hits is None:
            return None
        ordered = sorted(depths, reverse=True)
        return ordered[hits - 1] if len(ordered) >= hits and ordered[hits - 1] >= 0 else None

    def sharp(self, depths: Sequence[int]) -> int:
        """``ceil(p 2^r)`` for the largest accepted ``r``, 0 without one."""
        level = self.level(depths, self.hits)
        return 0 if level is None else math.ceil(self.slack * (1 << level))

    def power_of_two(self, depths: Sequence[int]) -> int:
        """``2^(r-1)`` by the binomial tail; 1 for r = 0, where a pattern was found."""
        return _half(self.level(depths, self.hits))

    def chernoff(self, depths: Sequence[int]) -> int:
        """``2^(r-1)`` by the Chernoff form."""
        return _half(self.level(depths, self.chernoff_hits))

    def ceiling(self, depths: Sequence[int]) -> int | None:
        """The depth beyond which nothing can be accepted any more, given the runs so far.

        A level at which more than ``runs - hits`` runs have failed is lost; None while all can be
        won.  To stop a run there changes no bound.
        """
        spare = self.runs - self.hits
        return sorted(depths)[spare] if len(depths) > spare else None


def _half(level: int | None) -> int:
    return 0 if level is None else 1 << max(level - 1, 0)


def reached(depths: Sequence[int]) -> list[int]:
    """``f_0, f_1, ...`` up to the largest depth."""
    return [sum(d >= r for d in depths) for r in range(max(depths, default=-1) + 1)]


def acceptance(confidence: float, runs: int | None = None) -> Acceptance:
    """The rule for a confidence and a number of runs (:func:`default_runs` when None).

    Raises:
        InputError: a confidence outside (0, 1), or too few runs to claim anything.
    """
    gamma = require_confidence(confidence)
    if runs is None:
        runs = default_runs(gamma)
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
        raise InputError(f"the number of runs is a whole number above 0, not {runs!r}")
    half = Fraction(1, 2)
    accepted = [c for c in range(runs + 1) if binomial_tail(runs, c, half) <= gamma]
    if not accepted:
        least = 1
        while Fraction(1, 1 << least) > gamma:
            least += 1
        raise InputError(
            f"{runs} runs cannot reach a confidence of {confidence!r}; {least} or more can"
        )
    hits = accepted[0]
    low, high = _GRID // 2, _GRID
    while high - low > 1:
        middle = (low + high) // 2
        if binomial_tail(runs, hits, Fraction(middle, _GRID)) <= gamma:
            low = middle
        else:
            high = middle
    chernoff = [c for c in range(1, runs + 1) if Fraction(chernoff_tail(runs, c)) <= gamma]
    return Acceptance(runs, hits, Fraction(low, _GRID), chernoff[0] if chernoff else None)
