"""MIPBound: the bounds' statistics, the constraints, and the MILP that is asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.engines.milp.solvers.base import SolveOutcome
from milpcount.engines.milp.solvers.highs_solver import HighsSolver
from milpcount.errors import SolverError
from milpcount.exact.brute import enumerate_brute
from milpcount.sampling.mip_parity import ENCODINGS
from milpcount.sampling.mipbound import estimate_mipbound
from milpcount.sampling.parity import Parity, draw_parities, mask_of
from milpcount.sampling.parity_bounds import (
    acceptance,
    binomial_tail,
    chernoff_tail,
    default_runs,
    reached,
)
from milpcount.sampling.parity_patterns import ProvedPatterns
from milpcount.sampling.parity_runs import Plan, estimate_by_parity
from tests.shared import hand_cases, net, random_net

HALF = Fraction(1, 2)


def _problem(seed: int, widths: list[int], definition: str = "full") -> CountProblem:
    network = random_net(np.random.default_rng(seed), widths)
    return CountProblem.of(network, mc.Box(-1, 1), definition)


def _leaves(problem: CountProblem) -> list[Leaf]:
    return list(enumerate_brute(problem, Watch(), Outcome()))


# --- statistics -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "binomial", "chernoff"), [(8, 7, 8), (20, 15, 19), (28, 19, 25), (50, 32, 39)]
)
def test_runs_that_have_to_be_feasible_at_95_percent(
    runs: int, binomial: int, chernoff: int
) -> None:
    rule = acceptance(0.95, runs)
    assert (rule.hits, rule.chernoff_hits) == (binomial, chernoff)
    gamma = 1 - Fraction(0.95)
    assert binomial_tail(runs, rule.hits, rule.slack) <= gamma
    assert rule.slack >= HALF
    assert binomial_tail(runs, rule.hits, rule.slack + Fraction(1, 1000)) > gamma
    for hits in range(runs + 1):
        assert binomial_tail(runs, hits, HALF) <= chernoff_tail(runs, hits)


def test_runs_of_the_paper() -> None:
    assert default_runs(1 - Fraction(0.95)) == 8
    assert acceptance(0.95).runs == 8
    assert binomial_tail(8, 8, HALF) == Fraction(1, 256)
    with pytest.raises(mc.InputError, match=r"4 runs cannot reach .* 5 or more can"):
        acceptance(0.95, 4)
    with pytest.raises(mc.InputError, match="between 0 and 1"):
        acceptance(1.0)
    with pytest.raises(mc.InputError, match="above 0"):
        acceptance(0.9, 0)


def test_levels() -> None:
    rule = acceptance(0.95, 8)
    depths = [5, 3, 4, 4, 6, 2, 4, 9]
    assert reached(depths) == [8, 8, 8, 7, 6, 3, 2, 1, 1, 1]
    assert rule.level(depths, 7) == 3
    assert rule.power_of_two(depths) == 4
    assert rule.chernoff(depths) == 2
    assert rule.sharp(depths) == math.ceil(rule.slack * 8) == 5
    # Once two runs are over, what neither has reached is lost.
    assert rule.ceiling([5]) is None
    assert rule.ceiling([5, 3]) == 5
    assert rule.ceiling([5, 3, 4]) == 4
    assert rule.sharp([-1] * 8) == rule.power_of_two([-1] * 8) == rule.chernoff([-1] * 8) == 0
    assert rule.sharp([0] * 8) == 1


class _Open:
    """An oracle that sees the whole set: what a perfect solver would answer."""

    def __init__(self, leaves: Sequence[Leaf], proved: ProvedPatterns) -> None:
        self.leaves, self.proved = leaves, proved

    def begin(self) -> None:
        pass

    def add(self, parity: Parity) -> None:
        pass

    def search(self, parities: Sequence[Parity], seconds: float | None) -> None:
        for leaf in self.leaves:
            if all(p.holds(mask_of(leaf.bits)) for p in parities):
                self.proved.keep(leaf.bits, leaf.witness)
                return

    def close(self) -> None:
        pass


def _binomial_quantile(trials: int, p: float, tail: float) -> int:
    """The least number that so many trials exceed with at most this probability."""
    k = 0
    while binomial_tail(trials, k + 1, Fraction(p)) > tail:
        k += 1
    return k


@pytest.mark.parametrize("size", [None, 2, 3])
@pytest.mark.parametrize(("confidence", "runs"), [(0.8, 5), (0.95, 8)])
def test_failures_are_as_rare_as_claimed(size: int | None, confidence: float, runs: int) -> None:
    problem = _problem(5, [3, 5, 4, 1])
    leaves = _leaves(problem)
    truth, failures, good = len(leaves), 0, 0
    trials = 300
    for seed in range(trials):
        outcome = Outcome()
        proved = ProvedPatterns(problem, outcome)
        result = estimate_by_parity(
            problem,
            Watch(),
            Plan.of(confidence, seed, size, runs, None),
            _Open(leaves, proved),
            proved,
            range(problem.n_units),
            method="test",
            outcome=outcome,
            settings={},
        )
        claims = [int(result.history[name]) for name in ("binomial", "chernoff")]
        assert claims[1] <= claims[0]
        assert int(result.history["binomial_power_of_two"]) <= claims[0]
        failures += claims[0] > truth
        good += 8 * claims[0] >= truth
    # All but one in 1,000 series of fair runs pass; the seeds are fixed.
    assert failures <= _binomial_quantile(trials, 1 - confidence, 1e-3)
    assert good > trials / 2


# --- constraints ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 1, 2, 3, 5, 99])
def test_constraints_are_independent_and_reproducible(size: int | None) -> None:
    units = [0, 2, 3, 5, 8, 13]
    first = list(draw_parities(units, size, 7, 1))
    assert first == list(draw_parities(units, size, 7, 1))
    assert first != list(draw_parities(units, size, 7, 2))
    assert len(first) == len(units)
    assert all(set(p.units) <= set(units) for p in first)
    left = [m for m in range(1 << 14) if not m & ~mask_of([u in units for u in range(14)])]
    for parity in first:
        after = [m for m in left if parity.holds(m)]
        assert 2 * len(after) == len(left)
        left = after
    if size in (1, 3, 5):
        assert all(len(p.units) == size for p in islice(first, 2))


def test_right_hand_sides_are_fair() -> None:
    odd = [p.odd for run in range(400) for p in draw_parities(range(6), 3, 0, run)]
    assert abs(np.mean(odd) - 0.5) < 4 * 0.5 / math.sqrt(len(odd))


# --- the MILP -------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", ["full", "nonempty"])
def test_both_encodings_find_the_same_depths(definition: str) -> None:
    problem = _problem(1, [4, 6, 4, 1], definition)
    truth = len(_leaves(problem))
    for size in (None, 2, 5):
        results = [
            estimate_mipbound(
                problem, Watch(), confidence=0.9, seed=3, parity_size=size, runs=4, encoding=e
            )
            for e in ENCODINGS
        ]
        depths = [r.history["depths"] for r in results]
        assert depths[0] == depths[1]
        assert all(1 <= r.lower <= truth for r in results)
        assert all(r.termination.reason is mc.TerminationReason.COMPLETE for r in results)


def test_it_finds_what_a_perfect_oracle_finds() -> None:
    problem = _problem(2, [3, 5, 4, 1])
    leaves = _leaves(problem)
    for seed in range(3):
        outcome = Outcome()
        proved = ProvedPatterns(problem, outcome)
        ideal = estimate_by_parity(
            problem, Watch(), Plan.of(0.95, seed, None, None, None), _Open(leaves, proved), proved,
            range(problem.n_units), method="", outcome=outcome, settings={},
        )  # fmt: skip
        result = estimate_mipbound(problem, Watch(), confidence=0.95, seed=seed)
        again = estimate_mipbound(problem, Watch(), confidence=0.95, seed=seed)
        assert result.history == again.history
        assert result.lower == again.lower
        if result.history["free_units"] == problem.n_units:
            assert result.history["depths"] == ideal.history["depths"]


def test_most_seeds_are_right_and_close() -> None:
    problem = _problem(4, [3, 5, 3, 1])
    truth = len(_leaves(problem))
    claims = []
    for seed in range(20):
        result = estimate_mipbound(problem, Watch(), confidence=0.95, seed=seed)
        claims.append(int(result.history["binomial"]))
        assert int(result.history["distinct_patterns"]) <= truth
    assert sum(c > truth for c in claims) <= _binomial_quantile(20, 0.05, 1e-3)
    assert sum(8 * c >= truth for c in claims) >= 15


@pytest.mark.parametrize("solver", ["mathopt-highs", "mathopt-scip"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_solvers_find_the_same(solver: str, encoding: str) -> None:
    problem = _problem(1, [3, 5, 3, 1])
    arguments: dict[str, Any] = {"confidence": 0.9, "seed": 0, "runs": 4, "encoding": encoding}
    one = estimate_mipbound(problem, Watch(), **arguments)
    other = estimate_mipbound(problem, Watch(), solver=solver, **arguments)
    assert one.history["depths"] == other.history["depths"]


@pytest.mark.parametrize(
    "case", [c for c in hand_cases() if c.name not in ("eight-lines",)], ids=str
)
def test_networks_counted_by_hand(case: Any) -> None:
    for definition, truth in (("full", case.full), ("nonempty", case.nonempty)):
        problem = CountProblem.of(case.net, case.domain, definition)
        result = estimate_mipbound(problem, Watch(), confidence=0.99, seed=0, runs=7)
        # With 7 runs of 7 the deepest claim fails once in 128 times, and not for this seed.
        assert 1 <= result.lower <= truth


# --- limits and failures --------------------------------------------------------------------


def test_limits_leave_valid_bounds() -> None:
    problem = _problem(1, [4, 6, 4, 1])
    truth = len(_leaves(problem))
    nothing = estimate_mipbound(problem, Watch(mc.Budget(seconds=1e-6)), confidence=0.95, seed=0)
    assert nothing.lower == 0
    assert nothing.termination.limit is mc.Limit.TIME
    assert nothing.history["depths"] == [-1] * 8
    brief = estimate_mipbound(
        problem, Watch(), confidence=0.95, seed=0, solve_seconds=1e-6, encoding="lazy"
    )
    assert 0 <= brief.lower <= truth
    few = estimate_mipbound(problem, Watch(mc.Budget(regions=3)), confidence=0.95, seed=0)
    assert few.termination.limit is mc.Limit.REGIONS
    assert 3 <= few.lower <= truth


def test_interrupts_leave_valid_bounds() -> None:
    problem = _problem(1, [4, 6, 4, 1])

    def interrupt(_: mc.Progress) -> None:
        raise KeyboardInterrupt

    result = estimate_mipbound(problem, Watch(progress=interrupt), confidence=0.95, seed=0)
    assert result.termination.limit is mc.Limit.INTERRUPT
    assert result.lower == 1


def test_failing_solvers_count_as_infeasible(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = _problem(1, [4, 6, 4, 1])
    truth = len(_leaves(problem))
    solve, calls = HighsSolver.solve, iter(range(10**6))

    def failing(self: HighsSolver, columns: Sequence[pyo.Var], seconds: float) -> SolveOutcome:
        if next(calls) % 3 == 2:
            raise SolverError("no answer")
        return solve(self, columns, seconds)

    monkeypatch.setattr(HighsSolver, "solve", failing)
    result = estimate_mipbound(problem, Watch(), confidence=0.95, seed=0)
    assert result.statistics["solver_failures"] > 0
    assert 1 <= result.lower <= truth


def test_false_claims_of_the_solver_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = _problem(1, [4, 6, 4, 1])
    leaves = _leaves(problem)
    solve = HighsSolver.solve

    def lying(self: HighsSolver, columns: Sequence[pyo.Var], seconds: float) -> SolveOutcome:
        outcome = solve(self, columns, seconds)
        for v in columns:
            if v.value is not None and v.is_binary():
                v.set_value(1 - round(v.value))
        return outcome

    monkeypatch.setattr(HighsSolver, "solve", lying)
    result = estimate_mipbound(problem, Watch(), confidence=0.95, seed=0)
    assert int(result.history["distinct_patterns"]) <= len(leaves)
    proved = ProvedPatterns(problem, Outcome())
    existing = {leaf.bits for leaf in leaves}
    rng = np.random.default_rng(0)
    for _ in range(50):
        bits = tuple(rng.integers(0, 2, size=problem.n_units).tolist())
        assert proved.show(bits, rng.uniform(-1, 1, size=4)) == (bits in existing)
    assert {leaf.bits for leaf in proved.leaves(0)} <= existing


def test_what_it_does_not_serve() -> None:
    one = net(([[1, 0]], [0]))
    box = mc.Box(-1, 1)
    line = mc.Slice.segment([0, 0], [1, 1])
    arguments: dict[str, Any] = {"confidence": 0.95, "seed": 0}
    with pytest.raises(mc.UnsupportedError, match=r"serve slices; use method .* or cpsat"):
        mc.estimate(one, line, method="mipbound")
    with pytest.raises(mc.DomainError, match=r"unbounded; use method .* or cpsat"):
        mc.estimate(one, mc.WholeSpace(), method="mipbound")
    problem = CountProblem.of(one, box)
    with pytest.raises(mc.InputError, match="no encoding 'xor'"):
        estimate_mipbound(problem, Watch(), encoding="xor", **arguments)
    with pytest.raises(mc.InputError, match="parity constraint"):
        estimate_mipbound(problem, Watch(), parity_size=0, **arguments)
    with pytest.raises(mc.InputError, match="seed"):
        estimate_mipbound(problem, Watch(), confidence=0.95, seed=-1)
    with pytest.raises(mc.InputError, match="one question"):
        estimate_mipbound(problem, Watch(), solve_seconds=0, **arguments)
