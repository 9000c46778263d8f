"""Method ``hash-tree``: exact counts of random buckets of patterns, cut out by parity constraints.

A parity constraint whose right-hand side is a fair coin is satisfied by every pattern with
probability 1/2, whatever its set of units is, as long as that set was chosen without looking at
the coin.  Under ``r`` of them every pattern survives with probability ``2^-r`` exactly, so
``2^r`` times the number of survivors is an unbiased estimate of the count, whatever the sets.
From there on the bound is that of :mod:`milpcount.sampling.unbiased`.

* Mode "bound" (Gomes, Hoffmann, Sabharwal and Selman, From sampling to model counting, IJCAI 2007,
  for Hybrid-MBound; LITERATURE.md 5.1 and 5.4): ``r`` and the sets come from a pilot with random
  numbers of its own.  The sets are about units of early layers as far as there are enough cells:
  such constraints close branches early.  They say nothing about later units, so all regions below
  one cell of these layers survive or die together: that costs accuracy, never soundness.  Long
  sets make any two patterns that differ in the units in question survive independently; short
  ones (``size``) propagate earlier and leave neighbours correlated.
* Mode "approxmc" (Chakraborty, Meel, Vardi 2013 and later): sets with every unit in them with
  probability 1/2, so that any two patterns survive independently; the median over repetitions is
  within a factor ``1 + epsilon`` with probability ``1 - delta`` (:mod:`.approxmc`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Guarantee, Limit
from milpcount.core.run import Watch
from milpcount.errors import InputError
from milpcount.exact.domains import require_full_dimensional
from milpcount.sampling.approxmc import repetitions, threshold
from milpcount.sampling.results import exact_result, make_result, require_confidence
from milpcount.sampling.unbiased import Runs, betting_bound, minimum_bound
from milpcount.support.text import number_text

__all__ = ["estimate_hash_tree"]

_BOUNDS = {"betting": betting_bound, "minimum": minimum_bound}
_BALANCED = 0.01  # share of the sampled regions on the rarer side of a unit worth a constraint


def estimate_hash_tree(
    problem: CountProblem,
    watch: Watch,
    *,
    confidence: float,
    seed: int,
    mode: str = "bound",
    runs: int = 20,
    constraints: int | None = None,
    size: int | None = None,
    bucket: int = 200,
    bound: str = "betting",
    descents: int = 48,
    epsilon: float = 0.8,
) -> EstimateResult:
    """Bound the number of regions from below by exact counts of random buckets.

    Arguments:
        problem: what to count; full or nonempty regions.
        watch: clock and limits.  Runs that are cut short count with what they found.
        confidence: of the bound; in mode "approxmc" ``delta`` is one minus it.
        seed: of all random choices.
        mode: "bound", or "approxmc" for an estimate within a factor.
        runs: buckets counted (mode "bound").
        constraints: their number ``r``; None to let the pilot choose.
        size: units in a constraint; None for each unit with probability 1/2 (mode "bound").
        bucket: regions wanted in a bucket, for the pilot's choice of ``r``.
        bound: "betting", or "minimum" as in Hybrid-MBound.
        descents: of the pilot.
        epsilon: of mode "approxmc".

    Raises:
        InputError: options out of range.
        UnsupportedError: a problem that the tree search does not serve.
    """
    require_confidence(confidence)
    if mode not in ("bound", "approxmc"):
        raise InputError(f"no mode {mode!r}; known: bound, approxmc")
    if bound not in _BOUNDS:
        raise InputError(f"no bound {bound!r}; known: {', '.join(_BOUNDS)}")
    if min(runs, bucket, descents, 1 if size is None else size) < 1 or (constraints or 0) < 0:
        raise InputError("runs, bucket, descents and size must be at least 1, constraints 0")
    if not epsilon > 0:
        raise InputError(f"epsilon must be above 0, not {epsilon}")
    require_full_dimensional(problem)
    if not problem.stages:
        return exact_result(problem, watch, "hash-tree", confidence, seed, 1, {})
    watch.report("loading the kernels")
    from milpcount.sampling.buckets import BucketCounter

    counter = BucketCounter(problem, watch)
    draw = _Draw(problem, watch, seed, descents, size)
    if mode == "approxmc":
        return _approxmc(problem, watch, counter, draw, confidence, seed, epsilon)
    if constraints is None:
        constraints = max(0, math.floor(max(draw.plan.count, 0.0) - math.log2(bucket)))
    values: list[float] = []
    whole: list[float] = []
    counts: list[int] = []
    try:
        for k in range(runs):
            if watch.exceeded() is not None:
                break
            left = watch.remaining
            found = counter.count(
                draw.early(constraints, k), seconds=None if left is None else left / (runs - k)
            )
            watch.regions += found.count
            if constraints == 0 and found.complete:
                return exact_result(problem, watch, "hash-tree", confidence, seed, found.count, {})
            counts.append(found.count)
            values.append(constraints + math.log2(found.count) if found.count else -math.inf)
            if found.complete:
                whole.append(values[-1])
            watch.report("counting buckets", (k + 1) / runs)
    except KeyboardInterrupt:
        watch.stop(Limit.INTERRUPT, "Ctrl-C")
    if bound == "minimum":
        # The number of runs is fixed: those that were not done found nothing.
        values += [-math.inf] * (runs - len(values))
    sample = Runs(tuple(whole))
    return make_result(
        problem,
        watch,
        method="hash-tree",
        confidence=confidence,
        seed=seed,
        lower=_BOUNDS[bound](values, confidence),
        guarantee=Guarantee(
            f"the count is at least lower with probability at least {number_text(confidence)} "
            "(exact counts of buckets that every region falls into with equal probability; "
            "nothing is assumed); "
            f"interval: Student's t from {len(whole)} buckets, whose mean is taken for normal",
            ("interval only: the mean of the bucket counts is about normally distributed",),
            "milpcount.sampling.unbiased; Gomes, Sabharwal, Selman, AAAI 2006",
        ),
        sample=sample,
        runs=len(counts),
        history={
            "constraints": constraints,
            "buckets": counts,
            "cut_short": len(counts) - len(whole),
            "relative_spread": None if math.isnan(sample.spread) else sample.spread,
            "bound": bound,
        },
        statistics={**counter.outcome.statistics, "doubts": counter.doubts, "nodes": counter.nodes},
    )


class _Draw:
    """Draws constraints; the pilot comes first, with random numbers of its own."""

    def __init__(
        self, problem: CountProblem, watch: Watch, seed: int, descents: int, size: int | None
    ) -> None:
        from milpcount.sampling.explorer import Explorer

        watch.report("pilot", force=True)
        self._problem, self._seed, self._size = problem, seed, size
        self.plan = Explorer(problem, watch).plan(seed, descents, 250)

    def early(self, count: int, run: int) -> Any:
        """Constraints for mode "bound": on units of early layers, as far as cells suffice."""
        from milpcount.sampling.buckets import Constraints

        rng = np.random.default_rng([self._seed, 2, run])
        n = self._problem.n_units
        members = np.zeros((count, n), np.bool_)
        row = 0
        for units, many in self._shares(count):
            for _ in range(many):
                if self._size is None:
                    members[row, units] = rng.random(len(units)) < 0.5
                else:
                    members[row, rng.permutation(units)[: self._size]] = True
                row += 1
        return Constraints(members, rng.random(count) < 0.5)

    def _shares(self, count: int) -> list[tuple[list[int], int]]:
        """Units of every layer worth a constraint, and how many constraints are about them."""
        active = self.plan.active
        shares = []
        start, left = 0, count
        widths = self._problem.counted_widths
        for layer, width in enumerate(widths):
            units = [
                u for u in range(start, start + width) if _BALANCED <= active[u] <= 1 - _BALANCED
            ] or list(range(start, start + width))
            start += width
            growth = float(self.plan.layers[layer + 1]) - float(self.plan.layers[layer])
            room = int(growth) if math.isfinite(growth) else width
            many = left if layer == len(widths) - 1 else max(0, min(left, room, len(units)))
            left -= many
            shares.append((units, many))
        return shares

    def dense(self, repetition: int) -> Any:
        """As many constraints as there are units, every unit in each with probability 1/2."""
        from milpcount.sampling.buckets import Constraints

        rng = np.random.default_rng([self._seed, 3, repetition])
        n = self._problem.n_units
        return Constraints(rng.random((n, n)) < 0.5, rng.random(n) < 0.5)


def _approxmc(
    problem: CountProblem,
    watch: Watch,
    counter: Any,
    draw: _Draw,
    confidence: float,
    seed: int,
    epsilon: float,
) -> EstimateResult:
    """ApproxMC's algorithm over exact bucket counts; see :mod:`.approxmc` for its constants."""
    most = threshold(epsilon)
    times, least = repetitions(epsilon, 1 - confidence)
    values: list[float] = []
    buckets: list[tuple[int, int]] = []
    guess = max(0, math.floor(max(draw.plan.count, 0.0) - math.log2(most / 2)))
    for k in range(times):
        hashes = draw.dense(k)
        known: dict[int, int] = {}

        def cell(m: int, hashes: Any = hashes, known: dict[int, int] = known) -> int | None:
            """Regions under the first ``m`` constraints, up to one above the threshold."""
            if m not in known:
                found = counter.count(hashes.first(m), most + 1)
                if not found.complete and found.count <= most:
                    return None
                known[m] = found.count
            return known[m]

        m = min(guess, problem.n_units)
        while (here := cell(m)) is not None:
            if here > most:
                m += 1
                if m > problem.n_units:
                    break
                continue
            if m == 0:
                return exact_result(problem, watch, "hash-tree", confidence, seed, here, {})
            before = cell(m - 1)
            if before is None or before > most:
                break
            m -= 1
        if m not in known or (m > 0 and m - 1 not in known) or m > problem.n_units:
            break
        guess = m
        buckets.append((m, known[m]))
        values.append(m + math.log2(max(known[m], least, 1e-9)))
        watch.report("counting buckets", (k + 1) / times)
    factor = math.log2(1 + epsilon)
    finished = len(values) == times
    middle = sorted(values)[times // 2] if finished else -math.inf
    return make_result(
        problem,
        watch,
        method="hash-tree",
        confidence=confidence,
        seed=seed,
        lower=middle - factor if finished else -math.inf,
        guarantee=Guarantee(
            f"with probability at least {number_text(confidence)} the estimate is within a factor "
            f"{number_text(1 + epsilon)} of the count"
            if finished
            else "a limit came before the last repetition: nothing but that a region exists",
            (),
            "ApproxMC; see milpcount.sampling.approxmc",
        ),
        sample=Runs((middle,) if finished else ()),
        runs=len(values),
        history={"buckets": buckets, "threshold": most, "repetitions": times, "mode": "approxmc"},
        statistics={**counter.outcome.statistics, "doubts": counter.doubts, "nodes": counter.nodes},
        interval=(middle - factor, middle + factor) if finished else None,
    )
