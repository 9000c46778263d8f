"""How far a polytope reaches along each coordinate, exactly."""

from __future__ import annotations

from fractions import Fraction

from milpcount.core.problem import CountProblem
from milpcount.exact.feasibility import feasible_dictionary
from milpcount.exact.forms import domain_rows, exact_box

__all__ = ["coordinate_ranges"]


def coordinate_ranges(problem: CountProblem) -> list[tuple[Fraction, Fraction]] | None:
    """Exact ranges of the coordinates over the problem's domain; None if it is unbounded.

    Two linear programmes per coordinate, each from the optimum of the last; computed once for a
    problem.  The domain must not be empty.
    """
    return problem.once(_coordinate_ranges)


def _coordinate_ranges(problem: CountProblem) -> list[tuple[Fraction, Fraction]] | None:
    lp = feasible_dictionary(domain_rows(problem), exact_box(problem))
    if lp is None:
        return None
    ranges = []
    for j in range(problem.dimension):
        ends = []
        for direction in (-1, 1):
            if not lp.optimize(j, direction):
                return None
            ends.append(Fraction(*lp.value(j)))
        ranges.append((ends[0], ends[1]))
    return ranges
