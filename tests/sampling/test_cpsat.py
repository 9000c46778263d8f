"""The CP-SAT method: its clauses, its counts, its samples."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.engines.cpsat.benders import estimate_cpsat
from milpcount.engines.cpsat.master import CpMaster
from milpcount.engines.cpsat.theory import Theory
from milpcount.engines.milp.solvers.base import SolveStatus
from milpcount.engines.registry import run_engine
from milpcount.errors import SolverError
from milpcount.exact.brute import enumerate_brute
from milpcount.sampling.mipbound import estimate_mipbound
from milpcount.sampling.parity import Parity
from milpcount.sampling.parity_patterns import ProvedPatterns
from tests.shared import hand_cases, net, random_net

KINDS = ["normal", "integer", "sparse"]
DOMAINS: list[mc.Domain] = [
    mc.Box(-1, 1),
    mc.WholeSpace(),
    mc.Box([0, -1], [0, 1]),
    mc.Box([0, -np.inf], [np.inf, 0]),
    mc.Polytope([[1, 1], [-1, 0], [0, -1]], [1, 0, 0]),
]


def _patterns(problem: CountProblem) -> set[tuple[int, ...]]:
    return {leaf.bits for leaf in enumerate_brute(problem, Watch(), Outcome())}


# --- clauses --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_no_clause_excludes_a_pattern_that_exists(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = [[2, 3, 3, 1], [2, 2, 2, 2, 1], [2, 4, 2, 1]][seed // 3 % 3]
    # Negative slopes, slopes above 1 and the identity bend the proof's cases.
    slopes = None if seed % 2 else rng.choice([0.0, 0.5, 1.0, 2.0, -1.0], size=len(widths) - 2)
    network = random_net(rng, widths, KINDS[seed % 3], None if slopes is None else list(slopes))
    definition = ("full", "nonempty")[seed // 2 % 2]
    problem = CountProblem.of(network, DOMAINS[seed % len(DOMAINS)], definition)
    existing = _patterns(problem)
    outcome = Outcome()
    proved = ProvedPatterns(problem, outcome)
    theory = Theory(problem, proved, outcome)
    literals = []
    for bits in product((0, 1), repeat=problem.n_units):
        clause = theory.check(bits)
        assert (clause is None) == (bits in existing)
        if clause is not None:
            assert not any(bits[u] == sign for u, sign in clause)
            assert all(any(other[u] == sign for u, sign in clause) for other in existing)
            literals.append(len(clause))
    assert {leaf.bits for leaf in proved.leaves(0)} == existing
    if literals:
        assert min(literals) < problem.n_units


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_zero_forms_behind_inactive_units(definition: str) -> None:
    # Where both first units are off, the second layer's forms are 0: inactive, in full regions.
    network = net(([[1, 0], [0, 1]], [0, 0]), ([[1, -1], [-1, 1], [1, 1], [-1, -1]], [0, 0, 0, 0]))
    problem = CountProblem.of(network, mc.Box(-1, 1), definition)
    existing = _patterns(problem)
    assert (0,) * 6 in existing
    outcome = Outcome()
    theory = Theory(problem, ProvedPatterns(problem, outcome), outcome)
    for bits in product((0, 1), repeat=6):
        clause = theory.check(bits)
        assert (clause is None) == (bits in existing)
        if clause is not None:
            assert all(any(o[u] == s for u, s in clause) for o in existing), (bits, clause)


# --- the master problem ---------------------------------------------------------------------


def test_parity_constraints_come_and_go() -> None:
    master = CpMaster(3)
    try:
        master.add([frozenset({(0, 1)})])
        master.demand(Parity(0b011, 0))
        master.demand(Parity(0b110, 1))
        assert master.solve(10.0) == (SolveStatus.FOUND, (1, 1, 0))
        master.demand(Parity(0b100, 1))
        assert master.solve(10.0)[0] is SolveStatus.INFEASIBLE
        master.drop_parities()
        status, bits = master.solve(10.0)
        assert (status, bits[0]) == (SolveStatus.FOUND, 1)
        master.demand(Parity(0, 0))
        assert master.solve(10.0)[0] is SolveStatus.FOUND
        master.demand(Parity(0, 1))
        assert master.solve(10.0)[0] is SolveStatus.INFEASIBLE
    finally:
        master.close()
    with pytest.raises(SolverError, match="has ended"):
        master.solve(1.0)


# --- counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_it_counts_what_brute_counts(seed: int) -> None:
    rng = np.random.default_rng([9, seed])
    slopes = [0.5, -1.0] if seed % 2 else None
    network = random_net(rng, [2, 4, 3, 1], KINDS[seed % 3], slopes)
    definition = ("full", "nonempty")[seed % 2]
    problem = CountProblem.of(network, DOMAINS[seed % len(DOMAINS)], definition, seed > 2)
    outcome = Outcome()
    found = [leaf.bits for leaf in run_engine("cpsat", problem, Watch(), outcome, {})
             for leaf in leaf.leaves()]  # fmt: skip
    assert len(found) == len(set(found))
    assert set(found) == _patterns(problem)
    assert outcome.statistics["missed_by_solver"] == 0
    assert outcome.statistics["solver_claims_complete"]


def test_what_cp_sat_misses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_net(np.random.default_rng(1), [2, 4, 3, 1])
    truth = mc.count(network, mc.Box(-1, 1), engine="brute").lower
    solve, calls = CpMaster.solve, iter(range(10**6))

    def forgetful(self: CpMaster, seconds: float | None) -> tuple[SolveStatus, tuple[int, ...]]:
        return solve(self, seconds) if next(calls) < 3 else (SolveStatus.INFEASIBLE, ())

    monkeypatch.setattr(CpMaster, "solve", forgetful)
    result = mc.count(network, mc.Box(-1, 1), engine="cpsat")
    assert (result.lower, result.exact) == (truth, True)
    assert result.statistics["missed_by_solver"] > 0


def test_a_broken_child_leaves_the_count_right(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_net(np.random.default_rng(1), [2, 4, 3, 1])
    truth = mc.count(network, mc.Box(-1, 1), engine="brute").lower

    def broken(self: CpMaster, seconds: float | None) -> Any:
        raise SolverError("the CP-SAT process ended: killed")

    monkeypatch.setattr(CpMaster, "solve", broken)
    result = mc.count(network, mc.Box(-1, 1), engine="cpsat")
    assert (result.lower, result.exact) == (truth, True)
    assert "killed" in result.statistics["solver_failure"]
    assert not result.statistics["solver_claims_complete"]


# --- samples --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 3])
def test_samples_are_those_of_the_milp(size: int | None) -> None:
    # No unit is stable by intervals or by LP, so both draw from the same units.
    network = random_net(np.random.default_rng(1), [4, 6, 4, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    arguments: dict[str, Any] = {"confidence": 0.95, "seed": 1, "parity_size": size}
    one = estimate_cpsat(problem, Watch(), **arguments)
    two = estimate_mipbound(problem, Watch(), preactivation="interval", **arguments)
    assert one.history["depths"] == two.history["depths"]
    assert one.history["binomial"] == two.history["binomial"]
    assert estimate_cpsat(problem, Watch(), **arguments).history == one.history
    assert one.lower <= len(_patterns(problem))


def test_domains_that_no_milp_has() -> None:
    network = random_net(np.random.default_rng(3), [2, 5, 3, 1])
    for domain in (mc.WholeSpace(), mc.Slice.plane([0, 0], [1, 0], [0, 1], -1, 1)):
        problem = CountProblem.of(network, domain, "nonempty")
        truth = len(_patterns(problem))
        result = estimate_cpsat(problem, Watch(), confidence=0.95, seed=0)
        assert truth / 8 <= result.lower <= truth


def test_limits_leave_valid_bounds() -> None:
    network = random_net(np.random.default_rng(1), [4, 6, 4, 1])
    problem = CountProblem.of(network, mc.Box(-1, 1))
    truth = len(_patterns(problem))
    nothing = estimate_cpsat(problem, Watch(mc.Budget(seconds=1e-6)), confidence=0.95, seed=0)
    assert (nothing.lower, nothing.termination.limit) == (0, mc.Limit.TIME)
    brief = estimate_cpsat(problem, Watch(), confidence=0.95, seed=0, solve_seconds=0.01)
    assert 0 <= brief.lower <= truth
    few = estimate_cpsat(problem, Watch(mc.Budget(regions=3)), confidence=0.95, seed=0)
    assert few.termination.limit is mc.Limit.REGIONS
    assert 3 <= few.lower <= truth

    def interrupt(_: mc.Progress) -> None:
        raise KeyboardInterrupt

    result = estimate_cpsat(problem, Watch(progress=interrupt), confidence=0.95, seed=0)
    assert result.termination.limit is mc.Limit.INTERRUPT
    assert 1 <= result.lower <= truth


@pytest.mark.parametrize("case", hand_cases()[::4], ids=str)
def test_networks_counted_by_hand(case: Any) -> None:
    problem = CountProblem.of(case.net, case.domain)
    result = estimate_cpsat(problem, Watch(), confidence=0.99, seed=0, runs=7)
    assert 1 <= result.lower <= case.full


def test_linear_pieces_are_no_problem_of_their_own() -> None:
    with pytest.raises(mc.UnsupportedError, match="linear pieces are unions"):
        CountProblem.of(net(([[1]], [0])), mc.Box(-1, 1), "linear")
