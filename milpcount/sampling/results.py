"""What the methods of this package have in common: checks of arguments, results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Guarantee, Termination
from milpcount.core.run import Watch
from milpcount.errors import InputError
from milpcount.sampling.unbiased import Runs, integer_below

__all__ = ["exact_result", "make_result", "of_log2", "require_confidence"]

_LARGEST = 1000.0  # log2 of the largest estimate that is given as a float


def require_confidence(confidence: float) -> None:
    """Check it.

    Raises:
        InputError: it is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"the confidence must lie between 0 and 1, not {confidence}")


def of_log2(value: float) -> int:
    """The nearest integer to ``2**value``, which is exact for exact counts below 2^40."""
    return round(float(2.0**value))


def exact_result(
    problem: CountProblem,
    watch: Watch,
    method: str,
    confidence: float,
    seed: int,
    count: int,
    statistics: Mapping[str, Any],
) -> EstimateResult:
    """The result where nothing was left to chance."""
    return EstimateResult(
        lower=count,
        confidence=confidence,
        method=method,
        seed=seed,
        seconds=watch.seconds,
        guarantee=Guarantee("the search was complete: lower is the count itself"),
        termination=Termination.complete(),
        definition=problem.definition,
        with_output=problem.with_output,
        network_sha256=problem.network.sha256,
        estimate=float(count),
        interval=(float(count), float(count)),
        runs=1,
        history={"exact": True},
        statistics=statistics,
    )


def make_result(
    problem: CountProblem,
    watch: Watch,
    *,
    method: str,
    confidence: float,
    seed: int,
    lower: float,
    guarantee: Guarantee,
    sample: Runs,
    runs: int,
    history: Mapping[str, Any],
    statistics: Mapping[str, Any],
    interval: tuple[float, float] | None = None,
) -> EstimateResult:
    """The result of runs that were random; ``lower`` and ``interval`` are logarithms to base 2.

    A full-dimensional domain has at least one region, so the bound is never below 1.
    """
    interval = interval or sample.interval(confidence)
    bound = max(1, integer_below(lower))
    mean = sample.mean
    known = -math.inf < mean < _LARGEST and (interval is None or interval[1] < _LARGEST)
    return EstimateResult(
        lower=bound,
        confidence=confidence,
        method=method,
        seed=seed,
        seconds=watch.seconds,
        guarantee=guarantee,
        termination=watch.stopped or Termination.complete(),
        definition=problem.definition,
        with_output=problem.with_output,
        network_sha256=problem.network.sha256,
        estimate=2.0**mean if known else None,
        interval=(2.0 ** interval[0], 2.0 ** interval[1]) if known and interval else None,
        runs=runs,
        history={**history, "log2_estimate": mean if mean > -math.inf else None},
        statistics=statistics,
    )
