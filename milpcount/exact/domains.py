"""Checks on the domain that need exact arithmetic."""

from __future__ import annotations

from milpcount.core.domain import Polytope
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.errors import DomainError
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import domain_rows, exact_box

__all__ = ["require_full_dimensional"]


def require_full_dimensional(problem: CountProblem) -> None:
    """Refuse a polytope that is empty or flat, and for full regions a single point.

    A box with some coordinates fixed is full-dimensional relative to itself; one with all of them
    fixed has no interior that a region could fill.

    Raises:
        DomainError: no interior point exists, proved in rational arithmetic.
    """
    if isinstance(problem.domain, Polytope):
        problem.once(_check_interior)
    elif problem.definition is not Definition.NONEMPTY and problem.domain.is_point:
        raise DomainError(
            f"the domain {problem.domain} is a single point, which has no interior: widen it, "
            "or count its one pattern with the definition nonempty"
        )


def _check_interior(problem: CountProblem) -> None:
    box = exact_box(problem)
    weak = [row for row in domain_rows(problem) if any(row.coefficients)]
    if not decide([Row(row.coefficients, True) for row in weak], box).feasible:
        if not decide(weak, box).feasible:
            raise DomainError("the polytope is empty: no point satisfies A x <= c")
        raise DomainError(
            "the polytope is flat: it has no interior point; describe it in coordinates of its "
            "own affine hull, or relax the rows that hold with equality"
        )
