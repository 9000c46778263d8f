"""Engine ``brute``: all patterns, each prefix decided by an exact rational LP.

The oracle of the tests.  Nothing here is floating point, nothing is inherited from node to node:
a prefix of a pattern (units in their order) is a system of linear inequalities in the input, and
every pattern whose system is feasible is counted.  A prefix that is infeasible has no feasible
extension, so its patterns are counted out together.
"""

from __future__ import annotations

from collections.abc import Iterator

from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import constraint, domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix

__all__ = ["enumerate_brute"]


def enumerate_brute(problem: CountProblem, watch: Watch, outcome: Outcome) -> Iterator[Leaf]:
    """Yield every pattern of the problem with a rational witness; meant for a few units."""
    require_full_dimensional(problem)
    stages, box = problem_stages(problem), exact_box(problem)

    def extend(
        bits: tuple[int, ...], here: tuple[int, ...], rows: list[Row], prefix: Prefix
    ) -> Iterator[Leaf]:
        """The patterns that begin with ``bits``; ``here`` are states of the present stage."""
        if watch.exceeded() is not None:
            return
        if prefix.is_complete:
            witness = decide(rows, box).witness
            assert witness is not None
            watch.regions += 1
            yield Leaf(bits, witness)
            watch.report("searching")
            return
        stage = stages[prefix.stage]
        if len(here) == stage.width:
            yield from extend(bits, (), rows, prefix.push(here))
            return
        if stage.linear[len(here)]:
            yield from extend(bits, (*here, 1), rows, prefix)
            return
        for active in (0, 1):
            wanted = constraint(prefix.row(len(here)), bool(active), problem.definition, box)
            if wanted is False:
                continue
            more = rows if wanted is True else [*rows, wanted]
            outcome.add("linear_programmes")
            if more is rows or decide(more, box).feasible:
                yield from extend((*bits, active), (*here, active), more, prefix)

    yield from extend((), (), list(domain_rows(problem)), Prefix.root(stages))
    outcome.finish(watch)
