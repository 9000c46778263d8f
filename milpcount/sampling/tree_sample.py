"""Method ``tree-sample``: random searches of the exact search tree.

After Knuth (Estimating the efficiency of backtrack programs, Mathematics of Computation 1975):
on the way down a search tree follow a random child and multiply its chance out; the product at
the leaf is an unbiased estimate of the number of leaves.  Chen (Heterogeneous sampling, SIAM
Journal on Computing 1992) follows several nodes, a fixed number from each of several classes.
Here a run is a depth-first search thinned to a wanted number of leaves: nodes are classes by layer
and number of units that cut their cell, a pilot learns how many leaves lie below a node of each
class, and nodes are kept with the chance that lets every node kept stand for about as many leaves
(:mod:`milpcount.sampling.walker`).  Choosing the chances badly costs accuracy, never soundness.

The search is the one of engine ``tree``: children are decided by proved signs, leaves are proved
by points, doubts are settled in exact arithmetic.  With many inputs the tree is that of the
relaxed problem, in which some leaves are proved empty; they count 0.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Guarantee, Limit
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InputError
from milpcount.exact.domains import require_full_dimensional
from milpcount.sampling.results import exact_result, make_result, of_log2, require_confidence
from milpcount.sampling.unbiased import Runs, betting_bound, minimum_bound
from milpcount.support.text import number_text

__all__ = ["estimate_tree_sample"]

LEAVES = 250
RUNS = 40
_BOUNDS = {"betting": betting_bound, "minimum": minimum_bound}


def estimate_tree_sample(
    problem: CountProblem,
    watch: Watch,
    *,
    confidence: float,
    seed: int,
    runs: int = RUNS,
    leaves: int | None = None,
    descents: int = 48,
    bound: str = "betting",
    layers: int | None = None,
) -> EstimateResult:
    """Estimate the number of regions from thinned searches, and bound it from below.

    ``lower`` holds with the asked confidence and assumes nothing but fair random numbers: every
    run is an unbiased, non-negative estimate (:mod:`milpcount.sampling.unbiased`).  ``estimate``
    is the mean of the runs, and ``interval`` is Student's, which takes the mean for normal: good
    where ``relative_spread`` in the history is small, an indication where it is above about 1.

    Arguments:
        problem: what to count; full or nonempty regions.
        watch: clock and limits.
        confidence: of bound and interval.
        seed: of all random choices.
        runs: independent runs.
        leaves: regions sampled in each, about; None for 250, fewer where time is limited.
        descents: single descents of the pilot.
        bound: "betting", or "minimum" as in Hybrid-MBound.
        layers: how many layers to look at.  Every region of the first layers holds one of the
            network, so the bound stays one, but there is no estimate.  None for all, or as many
            as the pilot finds regions in: in wide later layers it may meet relaxed cells alone.

    Raises:
        InputError: options out of range.
        UnsupportedError: a problem that the tree search does not serve.
    """
    require_confidence(confidence)
    if runs < 1 or descents < 1 or (leaves is not None and leaves < 1):
        raise InputError("runs, leaves and descents must be at least 1")
    if layers is not None and not 1 <= layers <= max(1, len(problem.stages)):
        raise InputError(f"layers must lie between 1 and {len(problem.stages)}, not {layers}")
    if bound not in _BOUNDS:
        raise InputError(f"no bound {bound!r}; known: {', '.join(_BOUNDS)}")
    require_full_dimensional(problem)
    if not problem.stages:
        return exact_result(problem, watch, "tree-sample", confidence, seed, 1, {})
    watch.report("loading the kernels")
    from milpcount.sampling.explorer import Explorer, seed_of

    depth = layers or len(problem.stages)
    while True:
        explorer = Explorer(replace(problem, stages=problem.stages[:depth]), watch)
        watch.report("pilot", force=True)
        plan = explorer.plan(seed, descents, leaves or LEAVES)
        if plan.found or depth == 1 or layers is not None or watch.exceeded() is not None:
            break
        depth -= 1
    part = depth < len(problem.stages)
    many = leaves or _affordable(watch, runs, plan.seconds)
    spacing = max(0.0, float(plan.sizes[-1]) - math.log2(many))
    values: list[float] = []
    whole: list[float] = []
    regions = 0
    try:
        for k in range(runs):
            if watch.exceeded() is not None:
                break
            single = many == 1 and spacing > 0
            walk = explorer.walk(None if single else plan.sizes, spacing, seed_of(seed, 2, k))
            regions += walk.regions
            watch.regions = regions
            if walk.exact and not part:
                return exact_result(
                    problem, watch, "tree-sample", confidence, seed, of_log2(walk.value), {}
                )
            values.append(walk.value)
            if walk.complete:
                whole.append(walk.value)
            watch.report("sampling", (k + 1) / runs)
    except KeyboardInterrupt:
        watch.stop(Limit.INTERRUPT, "Ctrl-C")
    short = len(values) - len(whole)
    if bound == "minimum":
        # The number of runs is fixed: those that were not done found nothing.
        values += [-math.inf] * (runs - len(values))
    lower = _BOUNDS[bound](values, confidence)
    sample = Runs(() if part else tuple(whole))
    history: dict[str, Any] = {
        "log2_values": [round(v, 9) if v > -math.inf else None for v in values],
        "relative_spread": None if math.isnan(sample.spread) else sample.spread,
        "leaves_wanted": many,
        "regions_sampled": regions,
        "cut_short": short,
        "bound": bound,
        "layers": depth,
    }
    return make_result(
        problem,
        watch,
        method="tree-sample",
        confidence=confidence,
        seed=seed,
        lower=lower,
        guarantee=_guarantee(confidence, bound, None if part else len(whole)),
        sample=sample,
        runs=len(values),
        history=history,
        statistics=_statistics(explorer.outcome, explorer.doubts),
    )


def _affordable(watch: Watch, runs: int, seconds: float) -> int:
    """Leaves a run, so that all runs fit into what is left of the time."""
    if watch.remaining is None:
        return LEAVES
    return max(1, min(LEAVES, int(0.7 * watch.remaining / (runs * max(seconds, 1e-6)))))


def _statistics(outcome: Outcome, doubts: int) -> dict[str, Any]:
    return {**outcome.statistics, "doubts": doubts}


def _guarantee(confidence: float, bound: str, runs: int | None) -> Guarantee:
    how = (
        "capital of bets on unbiased estimates, Ville's inequality"
        if bound == "betting"
        else "minimum of unbiased estimates, Markov's inequality"
    )
    claim = (
        f"the count is at least lower with probability at least {number_text(confidence)} "
        f"({how}; nothing is assumed)"
    )
    if runs is None:
        return Guarantee(
            f"{claim}; shown for the regions of the first layers, of which there are no more",
            (),
            "milpcount.sampling.unbiased",
        )
    return Guarantee(
        f"{claim}; interval: Student's t from {runs} runs, whose mean is taken for normal",
        ("interval only: the mean of the runs is about normally distributed",),
        "milpcount.sampling.unbiased",
    )
