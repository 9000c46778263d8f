r"""CP-SAT proposes patterns, exact linear programming disposes: logic-based Benders decomposition.

The master problem has one Boolean a unit, the clauses learnt so far, blocking clauses, and the
parity constraints, which CP-SAT propagates natively.  Each pattern that it proposes is decided
exactly, layer by layer (:mod:`milpcount.engines.cpsat.theory`): either it exists, with a rational
witness, or a refutation yields a clause over few units that excludes it and others with it.
Clauses hold for the problem and stay for good, from run to run.

*Counting* (engine ``cpsat``): block each pattern found, until CP-SAT says that there is none left.
That last word is not believed: as for the MILP the patterns are put into a tree over the units,
and every missing branch is proved empty by exact LP, or searched.

*Sampling* (method ``cpsat``): the runs of :mod:`milpcount.sampling.parity_runs`; statement and
proof of the bound are in :mod:`milpcount.sampling.parity_bounds`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Limit
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.engines.cpsat.master import Clause, CpMaster, blocking
from milpcount.engines.cpsat.theory import Theory
from milpcount.engines.milp.solvers.base import SolveStatus
from milpcount.errors import SolverError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.tree import enumerate_tree_highs
from milpcount.preactivation import compute_preactivation_bounds
from milpcount.sampling.parity import Parity
from milpcount.sampling.parity_patterns import ProvedPatterns
from milpcount.sampling.parity_runs import Plan, estimate_by_parity

__all__ = ["enumerate_cpsat", "estimate_cpsat"]


def enumerate_cpsat(problem: CountProblem, watch: Watch, outcome: Outcome) -> Iterator[Leaf]:
    """Yield every pattern of the problem with a rational witness.

    Raises:
        MissingDependencyError: OR-tools is not installed.
    """
    require_full_dimensional(problem)
    proved = ProvedPatterns(problem, outcome)
    theory = Theory(problem, proved, outcome)
    master = CpMaster(problem.n_units)
    signs = _fixed_signs(problem)
    master.add(_unit_clauses(signs))
    free = [u for u, sign in enumerate(signs) if sign is None]
    complete, number = False, 0
    try:
        while watch.exceeded() is None:
            bits = _propose(master, watch, outcome)
            if bits is None:
                complete = watch.stopped is None and "solver_failure" not in outcome.statistics
                break
            clause = theory.check(bits)
            leaves = proved.leaves(number)
            number += len(leaves)
            master.add([blocking(leaf.bits, free) for leaf in leaves])
            if clause is not None:
                master.add([clause])
            for leaf in leaves:
                watch.regions += 1
                yield leaf
            if not free:
                complete = True
                break
            watch.report("enumerating")
    finally:
        master.close()
        outcome.statistics["solver_claims_complete"] = complete
        outcome.statistics["found_by_solver"] = number
    outcome.statistics["missed_by_solver"] = 0
    if watch.exceeded() is None:
        known = {leaf.bits: leaf.witness for leaf in proved.leaves(0)}
        for leaf in enumerate_tree_highs(problem, watch, outcome, known):
            outcome.add("missed_by_solver")
            yield leaf
    outcome.finish(watch)


def estimate_cpsat(
    problem: CountProblem,
    watch: Watch,
    *,
    confidence: float,
    seed: int,
    parity_size: int | None = None,
    runs: int | None = None,
    solve_seconds: float | None = 10.0,
) -> EstimateResult:
    """Return a lower bound that holds with the given probability.

    The same seed gives the same answer as long as no limit of time is hit.

    Arguments:
        problem: what to count; any domain, unbounded ones and slices included.
        watch: limits and progress.
        confidence: of the lower bound, as 0.95.
        seed: of the constraints.
        parity_size: units a constraint; None takes each unit with probability 1/2.
        runs: how many, fixed in advance; None for 8 at 95 %.
        solve_seconds: limit for the search of one pattern; None for none.

    Raises:
        InputError: an argument out of its range.
        MissingDependencyError: OR-tools is not installed.
    """
    plan = Plan.of(confidence, seed, parity_size, runs, solve_seconds)
    require_full_dimensional(problem)
    outcome = Outcome()
    proved = ProvedPatterns(problem, outcome)
    oracle = _CpOracle(problem, proved, watch, outcome)
    return estimate_by_parity(
        problem,
        watch,
        plan,
        oracle,
        proved,
        oracle.units,
        method="cpsat",
        outcome=outcome,
        settings={"solver": "cp-sat"},
    )


class _CpOracle:
    """A :class:`~milpcount.sampling.parity_runs.PatternOracle`."""

    def __init__(
        self, problem: CountProblem, proved: ProvedPatterns, watch: Watch, outcome: Outcome
    ) -> None:
        self._proved, self._watch, self._outcome = proved, watch, outcome
        self._theory = Theory(problem, proved, outcome)
        self._master = CpMaster(problem.n_units)
        signs = _fixed_signs(problem)
        self._master.add(_unit_clauses(signs))
        self.units = tuple(u for u, sign in enumerate(signs) if sign is None)

    def begin(self) -> None:
        """Take the parity constraints out; what was learnt stays."""
        self._master.drop_parities()

    def add(self, parity: Parity) -> None:
        """Demand a parity."""
        self._master.demand(parity)

    def search(self, parities: Sequence[Parity], seconds: float | None) -> None:
        """Propose and check until a proved pattern satisfies all, or none is left, or time is up.

        CP-SAT's proposals satisfy the constraints, so the first that exists ends the search;
        patterns met on the way are kept as well.
        """
        end = None if seconds is None else time.perf_counter() + seconds
        while True:
            limit = None if end is None else end - time.perf_counter()
            if (limit is not None and limit <= 0) or self._watch.exceeded() is not None:
                self._outcome.add("solver_timeouts")
                return
            bits = _propose(self._master, self._watch, self._outcome, limit)
            if bits is None:
                return
            clause = self._theory.check(bits)
            if clause is None or self._proved.satisfying(parities):
                return
            self._master.add([clause])

    def close(self) -> None:
        """End CP-SAT."""
        self._master.close()


def _propose(
    master: CpMaster, watch: Watch, outcome: Outcome, seconds: float | None = None
) -> tuple[int, ...] | None:
    """A pattern, None if there is none left, or no time, or the solver failed."""
    limits = [s for s in (seconds, watch.remaining) if s is not None]
    start = time.perf_counter()
    try:
        status, bits = master.solve(min(limits, default=None))
    except SolverError as error:
        outcome.statistics["solver_failure"] = str(error)
        return None
    outcome.add("solves")
    seconds_before = outcome.statistics.get("solver_seconds", 0.0)
    outcome.statistics["solver_seconds"] = seconds_before + time.perf_counter() - start
    if status is SolveStatus.INFEASIBLE:
        outcome.add("solver_infeasible")
    elif status is SolveStatus.LIMIT:
        outcome.add("solver_timeouts")
        if seconds is None and watch.exceeded() is None:
            watch.stop(Limit.SOLVER, "CP-SAT gave up before the time was over")
    return bits if status is SolveStatus.FOUND else None


def _fixed_signs(problem: CountProblem) -> list[bool | None]:
    """Signs of the units that are stable by interval arithmetic; None for the others."""
    if not problem.box.is_bounded:
        return [None] * problem.n_units
    states = compute_preactivation_bounds(problem, "interval").states
    return [None if state < 0 else bool(state) for state in states.tolist()]


def _unit_clauses(signs: Sequence[bool | None]) -> list[Clause]:
    return [frozenset({(u, int(sign))}) for u, sign in enumerate(signs) if sign is not None]
