"""Engine ``brute``: all patterns, each prefix decided by an exact rational LP.

The oracle of the tests.  Nothing here is floating point: a prefix of a pattern (units in their
order) is a system of linear inequalities in the input, and every pattern whose system is feasible
is counted.  A prefix that is infeasible has no feasible extension, so its patterns are counted
out together.  Of a feasible one a solution is known; an extension that it satisfies too is
feasible, and needs no LP.
"""

from __future__ import annotations

from collections.abc import Iterator

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.feasibility import Row, check_point, decide
from milpcount.exact.forms import constraint, domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix

__all__ = ["enumerate_brute"]


def enumerate_brute(problem: CountProblem, watch: Watch, outcome: Outcome) -> Iterator[Leaf]:
    """Yield every pattern of the problem with a rational witness; meant for a few units."""
    require_full_dimensional(problem)
    stages, box = problem_stages(problem), exact_box(problem)

    def extend(
        bits: tuple[int, ...],
        here: tuple[int, ...],
        rows: list[Row],
        witness: Point,
        prefix: Prefix,
    ) -> Iterator[Leaf]:
        """The patterns that begin with ``bits``; ``here`` are states of the present stage.

        The witness satisfies the rows, which say what ``bits`` mean.
        """
        if watch.exceeded() is not None:
            return
        if prefix.is_complete:
            watch.regions += 1
            yield Leaf(bits, witness)
            watch.report("searching")
            return
        stage = stages[prefix.stage]
        if len(here) == stage.width:
            yield from extend(bits, (), rows, witness, prefix.push(here))
            return
        if stage.linear[len(here)]:
            yield from extend(bits, (*here, 1), rows, witness, prefix)
            return
        form = prefix.row(len(here))
        for active in (0, 1):
            wanted = constraint(form, bool(active), problem.definition, box)
            if wanted is False:
                continue
            more, point = rows, witness
            if wanted is not True:
                more = [*rows, wanted]
                if not check_point([wanted], box, witness):
                    outcome.add("linear_programmes")
                    solved = decide(more, box).witness
                    if solved is None:
                        continue
                    point = solved
            yield from extend((*bits, active), (*here, active), more, point, prefix)

    rows = list(domain_rows(problem))
    witness = decide(rows, box).witness
    assert witness is not None
    yield from extend((), (), rows, witness, Prefix.root(stages))
    outcome.finish(watch)
