r"""MIPBound: lower bounds on the number of regions from random parity constraints in the MILP.

After Serra and Ramalingam, *Empirical Bounds on Linear Regions of Deep Rectifier Networks* (AAAI
2020).  The big-M model of :mod:`milpcount.engines.milp.model` has one binary a unit and
one solution ``z`` a pattern.  Each of ``t`` runs adds random parity constraints on ``z`` until
none of the patterns is found any more; the number of constraints that are survived grows like
the logarithm of the number of patterns.  :mod:`milpcount.sampling.parity_bounds` states and
proves what follows.

Departures from the paper, each of which only helps: right-hand sides are fair coins of their own,
so any size of the constraints is sound (with fixed parities and short constraints the claim can
fail); the exact binomial tail stands in for Chernoff's bound, whose value is kept in the history;
a pattern counts as found only when it is proved to exist in exact arithmetic; time-outs and
failures of the solver count as "none found"; patterns proved in one run serve all, so many
questions need no solver; a run stops where no deeper level can be accepted any more.
"""

from __future__ import annotations

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult
from milpcount.core.run import Outcome, Watch
from milpcount.exact.domains import require_full_dimensional
from milpcount.sampling.mip_oracle import MipOracle
from milpcount.sampling.parity_patterns import ProvedPatterns
from milpcount.sampling.parity_runs import Plan, estimate_by_parity

__all__ = ["estimate_mipbound"]


def estimate_mipbound(
    problem: CountProblem,
    watch: Watch,
    *,
    confidence: float,
    seed: int,
    parity_size: int | None = None,
    runs: int | None = None,
    encoding: str = "integer",
    solver: str = "highs",
    preactivation: str = "lp",
    solve_seconds: float | None = 10.0,
) -> EstimateResult:
    """Return a lower bound that holds with the given probability.

    The same seed gives the same answer as long as no limit of time is hit.  With a limit it is
    still a valid bound, only a weaker one.

    Arguments:
        problem: what to count; its domain must be bounded.
        watch: limits and progress.
        confidence: of the lower bound, as 0.95.
        seed: of the constraints.
        parity_size: units a constraint; None takes each unit with probability 1/2.
        runs: how many, fixed in advance; None for the paper's rule (8 at 95 %).
        encoding: of the constraints, "integer" or "lazy".
        solver: "highs", "mathopt-highs" or "mathopt-scip".
        preactivation: how the constants H and H_bar are found: "interval", "lp" or "milp".
        solve_seconds: limit for the search of one pattern; None for none.

    Raises:
        DomainError: the domain is unbounded, so no big-M constants exist.
        InputError: any other argument out of its range.
    """
    plan = Plan.of(confidence, seed, parity_size, runs, solve_seconds)
    require_full_dimensional(problem)
    outcome = Outcome()
    proved = ProvedPatterns(problem, outcome)
    oracle = MipOracle(
        problem,
        proved,
        watch,
        outcome,
        solver=solver,
        preactivation=preactivation,
        encoding=encoding,
    )
    return estimate_by_parity(
        problem,
        watch,
        plan,
        oracle,
        proved,
        oracle.units,
        method="mipbound",
        outcome=outcome,
        settings={"encoding": encoding, "solver": solver},
    )
