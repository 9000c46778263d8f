"""Runs of nested random parity constraints over an oracle that looks for patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Guarantee, Limit
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InputError
from milpcount.sampling.parity import Parity, draw_parities, require_parity_size
from milpcount.sampling.parity_bounds import Acceptance, acceptance, reached
from milpcount.sampling.parity_patterns import ProvedPatterns
from milpcount.support.decimal_text import to_decimal

__all__ = ["PatternOracle", "Plan", "estimate_by_parity"]

_ASSUMPTIONS = (
    "the generator's right-hand sides are as good as independent fair coins",
    "exact arithmetic (python-flint) is correct",
)


class PatternOracle(Protocol):
    """Looks for patterns under parity constraints; nothing that it says is believed."""

    def begin(self) -> None:
        """Drop all parity constraints."""

    def add(self, parity: Parity) -> None:
        """Demand one more."""

    def search(self, parities: Sequence[Parity], seconds: float | None) -> None:
        """Look for a pattern with these constraints, those that were added; keep what is proved.

        Patterns that are proved to exist go to the :class:`ProvedPatterns` that the oracle was
        made with.  It may give up at any time.
        """

    def close(self) -> None:
        """Free what the oracle holds."""


@dataclass(frozen=True)
class Plan:
    """All choices that are made before the first run.

    Attributes:
        confidence: of the lower bound.
        seed: of the constraints.
        size: units a constraint, None for dense ones.
        rule: number of runs, and what they have to show.
        seconds: for each question to the oracle; None without limit.
    """

    confidence: float
    seed: int
    size: int | None
    rule: Acceptance
    seconds: float | None

    @classmethod
    def of(
        cls,
        confidence: float,
        seed: int,
        size: int | None,
        runs: int | None,
        seconds: float | None,
    ) -> Plan:
        """Check the arguments and fix the rule.

        Raises:
            InputError: an argument out of its range.
        """
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise InputError(f"a seed is a whole number of at least 0, not {seed!r}")
        if seconds is not None and not seconds > 0:
            raise InputError(f"the time for one question must be above 0 seconds, not {seconds!r}")
        return cls(
            confidence, seed, require_parity_size(size), acceptance(confidence, runs), seconds
        )


@dataclass
class _Runs:
    """What came out: depths, one a finished run, and why each ended."""

    depths: list[int] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)


def estimate_by_parity(
    problem: CountProblem,
    watch: Watch,
    plan: Plan,
    oracle: PatternOracle,
    proved: ProvedPatterns,
    units: Sequence[int],
    *,
    method: str,
    outcome: Outcome,
    settings: Mapping[str, Any],
) -> EstimateResult:
    """Make the runs and return the lower bound they prove; the oracle is closed afterwards.

    Each run draws its constraints one after another and adds them as long as a proved pattern
    satisfies all of them; only where none is known that does is the oracle asked.  Runs that the
    time does not suffice for have depth -1: not even the unconstrained problem was solved.

    Arguments:
        problem: what is counted.
        watch: limits; Ctrl-C ends the runs and counts as a limit.
        plan: fixed before.
        oracle: asked for patterns.
        proved: where the oracle leaves them.
        units: the units to draw from; fixed before the first run.
        method: for the result.
        outcome: its statistics go into the result.
        settings: for the result's history.
    """
    runs = _Runs()
    try:
        for run in range(plan.rule.runs):
            _run(run, plan, runs, oracle, proved, units, watch)
    except KeyboardInterrupt:
        watch.stop(Limit.INTERRUPT, "Ctrl-C")
        runs.depths.append(-1)
        runs.ends.append("interrupt")
    finally:
        oracle.close()
    depths = [*runs.depths, *([-1] * (plan.rule.runs - len(runs.depths)))][: plan.rule.runs]
    rule = plan.rule
    sharp, known = rule.sharp(depths), len(proved)
    outcome.finish(watch)
    outcome.statistics["oracle_ends"] = {e: runs.ends.count(e) for e in sorted(set(runs.ends))}
    history: dict[str, Any] = {
        **settings,
        "parity_size": plan.size,
        "free_units": len(units),
        "depths": depths,
        "ends": runs.ends,
        "feasible": reached(depths),
        "needed": rule.hits,
        "slack": float(rule.slack),
        "binomial": to_decimal(sharp),
        "binomial_power_of_two": to_decimal(rule.power_of_two(depths)),
        "chernoff_needed": rule.chernoff_hits,
        "chernoff": to_decimal(rule.chernoff(depths)),
        "distinct_patterns": to_decimal(known),
    }
    return EstimateResult(
        lower=max(sharp, known),
        confidence=plan.confidence,
        method=method,
        seed=plan.seed,
        seconds=watch.seconds,
        guarantee=_guarantee(plan),
        termination=outcome.termination,
        definition=problem.definition,
        with_output=problem.with_output,
        network_sha256=problem.network.sha256,
        runs=rule.runs,
        history=history,
        statistics=outcome.statistics,
    )


def _guarantee(plan: Plan) -> Guarantee:
    rule = plan.rule
    return Guarantee(
        f"with probability at least {plan.confidence!r} over the random parity constraints, the "
        f"count is at least {float(rule.slack):.4f} * 2^r for the largest r under which "
        f"{rule.hits} of {rule.runs} runs showed a pattern, and it is certainly at least the "
        "number of distinct patterns shown",
        _ASSUMPTIONS,
        "binomial tail of MBound (Gomes, Sabharwal, Selman, AAAI 2006); proof in "
        "milpcount.sampling.parity_bounds",
    )


def _run(
    run: int,
    plan: Plan,
    runs: _Runs,
    oracle: PatternOracle,
    proved: ProvedPatterns,
    units: Sequence[int],
    watch: Watch,
) -> None:
    """Append the depth of one run, and why it ended."""
    ceiling = plan.rule.ceiling(runs.depths)
    parities: list[Parity] = []
    depth = -1
    oracle.begin()
    left = list(proved)
    draws = draw_parities(units, plan.size, plan.seed, run)
    end = "none_found"
    while True:
        if not left:
            if watch.exceeded() is not None:
                end = "limit"
                break
            oracle.search(parities, plan.seconds)
            left = proved.satisfying(parities)
            watch.regions = len(proved)
            if not left:
                break
        depth += 1
        watch.report(f"run {run + 1} of {plan.rule.runs}, {depth} parities")
        if ceiling is not None and depth >= ceiling:
            end = "no_more_to_win"
            break
        parity = next(draws, None)
        if parity is None:
            end = "all_units_fixed"
            break
        parities.append(parity)
        oracle.add(parity)
        left = [pattern for pattern in left if parity.holds(pattern)]
    runs.depths.append(depth)
    runs.ends.append(end)
