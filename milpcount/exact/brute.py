"""Engine ``brute``: all patterns, each prefix decided by an exact rational LP.

The oracle of the tests.  Nothing here is floating point, nothing is inherited from node to node:
a prefix of a pattern (units in layer order) is a system of linear inequalities in the input,
and every pattern whose system is feasible is counted.  A prefix that is infeasible has no
feasible extension, so its patterns are counted out together.
"""

from __future__ import annotations

from collections.abc import Iterator

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.errors import UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import Forms, constraint, domain_rows, problem_stages

__all__ = ["MAX_UNITS", "enumerate_brute"]

MAX_UNITS = 14


def enumerate_brute(problem: CountProblem, watch: Watch, outcome: Outcome) -> Iterator[Leaf]:
    """Yield every pattern of the problem with a rational witness.

    Raises:
        UnsupportedError: more than :data:`MAX_UNITS` units, or the definition ``linear``.
    """
    if problem.n_units > MAX_UNITS:
        raise UnsupportedError(
            f"engine brute is an oracle for at most {MAX_UNITS} units, this problem has "
            f"{problem.n_units}; use engine tree-highs or milp"
        )
    if problem.definition is Definition.LINEAR:
        raise UnsupportedError("engine brute counts the definitions full and nonempty, not linear")
    require_full_dimensional(problem)
    layers = problem_stages(problem)
    box = ExactBox.of(problem.box)
    widths = problem.widths

    def extend(bits: list[int], rows: list[Row], forms: Forms | None, layer: int) -> Iterator[Leaf]:
        if watch.exceeded() is not None:
            return
        unit = len(bits) - sum(widths[:layer])
        if forms is not None and unit == widths[layer]:
            layer, unit = layer + 1, 0
            if layer < len(layers):
                forms = forms.next(layers[layer - 1], bits[-widths[layer - 1] :], layers[layer])
        if layer == len(layers):
            witness = decide(rows, box).witness
            assert witness is not None
            watch.regions += 1
            yield Leaf(tuple(bits), witness)
            watch.report("searching")
            return
        assert forms is not None
        for active in (0, 1):
            wanted = constraint(forms.row(unit), bool(active), problem.definition, box)
            if wanted is False:
                continue
            more = rows if wanted is True else [*rows, wanted]
            outcome.add("linear_programmes")
            if more is rows or decide(more, box).feasible:
                yield from extend([*bits, active], more, forms, layer)

    first = Forms.first(layers[0]) if layers else None
    yield from extend([], list(domain_rows(problem)), first, 0)
    outcome.finish(watch)
