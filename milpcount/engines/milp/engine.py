"""Engine ``milp``: the MILP of Serra et al. 2018, every answer of the solver checked.

Three steps.  *Enumerate*: solve the big-M model, forbid the pattern found with a no-good cut,
repeat until the solver says infeasible.  *Confirm*: evaluate the network at the solver's point
in exact arithmetic; where that is not the solver's pattern, decide the pattern by exact LP.
*Close*: the solver's last word is not believed either (a false "infeasible" of HiGHS on a real
MNIST network lost 4 of 188 regions), so the patterns found are put into a tree over the units in
layer order and every missing branch is proved empty or searched.  Only then is the count exact;
regions that the closing finds are counted and reported as ``missed_by_solver``.  A solver that
fails on the way (``solver_failure``) leaves more to the closing, and the count exact all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.engines.milp.enumeration import Candidate, NoGoodEnumerator
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.feasibility import Row, check_point
from milpcount.exact.forms import domain_rows, exact_box
from milpcount.exact.ladder import Ladder
from milpcount.exact.prefix import pattern_rows, state_signs
from milpcount.exact.tree import enumerate_tree_highs

__all__ = ["enumerate_milp"]


def enumerate_milp(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    *,
    solver: str = "highs",
    variant: str = "feasibility",
    preactivation: str = "lp",
    cuts: str = "nested",
) -> Iterator[Leaf]:
    """Yield every pattern of the problem with a rational witness.

    Arguments:
        problem: what to count; its domain must be bounded.
        watch: limits and progress.
        outcome: filled with the termination and statistics.
        solver: "highs", "mathopt-highs" or "mathopt-scip".
        variant: "feasibility" (any pattern with a margin) or "max_f" (the paper's objective).
        preactivation: how the constants H and H_bar are found: "interval", "lp" or "milp".
        cuts: "plain", one no-good cut a pattern as in the paper; or "nested": after each find the
            layers before the last are fixed to its signs until the solver says that nothing is
            left there, and one cut then forbids those signs as a whole.

    Raises:
        DomainError: the domain is unbounded, so no big-M constants exist.
        InputError: an unknown solver, variant or method.
    """
    require_full_dimensional(problem)
    confirm = _Confirmation(problem, outcome)
    found: dict[tuple[int, ...], Point] = {}
    enumerator = NoGoodEnumerator(
        problem,
        solver=solver,
        variant=variant,
        preactivation=preactivation,
        cuts=cuts,
        watch=watch,
    )
    try:
        while watch.exceeded() is None:
            candidate = enumerator.next()
            if candidate is None:
                break
            for leaf in confirm(candidate):
                if leaf.bits in found:
                    continue
                if leaf.bits != tuple(int(b) for b in candidate.bits):
                    enumerator.forbid(leaf.bits)
                found[leaf.bits] = leaf.witness
                watch.regions += 1
                yield leaf
            watch.report("enumerating")
    finally:
        enumerator.close()
        outcome.statistics.update(enumerator.statistics())
        outcome.statistics["found_by_solver"] = len(found)
    outcome.statistics["missed_by_solver"] = 0
    if watch.exceeded() is None:
        for leaf in enumerate_tree_highs(problem, watch, outcome, found):
            outcome.add("missed_by_solver")
            yield leaf
    outcome.finish(watch)


class _Confirmation:
    """Turns the solver's candidates into regions that are proved to exist."""

    def __init__(self, problem: CountProblem, outcome: Outcome) -> None:
        self._problem, self._outcome = problem, outcome
        self._box = exact_box(problem)
        self._domain_rows = domain_rows(problem)
        self._ladder = Ladder(problem.box, outcome)

    def __call__(self, candidate: Candidate) -> list[Leaf]:
        """Return the regions that the candidate shows: its own pattern, and that of its point."""
        claimed = tuple(int(b) for b in candidate.bits)
        point = Point.of_floats(candidate.x)
        leaves = []
        if check_point(self._domain_rows, self._box, point):
            signs = state_signs(self._problem, point)
            actual = tuple(int(s > 0) for s in signs)
            if self._shows_region(signs, actual, point):
                self._outcome.add("confirmed_by_evaluation")
                leaves.append(Leaf(actual, point))
                if actual == claimed:
                    return leaves
        rows = pattern_rows(self._problem, claimed)
        witness = None if rows is None else self._ladder.decide(rows).witness
        if witness is None:
            self._outcome.add("rejected_candidates")
        else:
            self._outcome.add("confirmed_by_exact_lp")
            leaves.append(Leaf(claimed, witness))
        return leaves

    def _shows_region(self, signs: Sequence[int], actual: tuple[int, ...], point: Point) -> bool:
        """Whether the point proves that its own pattern counts."""
        if self._problem.definition is Definition.NONEMPTY or 0 not in signs:
            return True
        # On a zero set: a full region only if every form that vanishes here is constant.
        rows: list[Row] | None = pattern_rows(self._problem, actual)
        return rows is not None and check_point(rows, self._box, point)
