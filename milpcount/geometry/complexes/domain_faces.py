"""What the domain alone says of a complex: its sides, and its Euler characteristic."""

from __future__ import annotations

import numpy as np

from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import integer_matrix
from milpcount.geometry.walls import Side

__all__ = ["domain_sides", "euler_characteristics"]


def domain_sides(problem: CountProblem) -> tuple[Side, ...]:
    """The sides that the domain has, in the order of the columns of ``sides``."""
    rows = len(problem.rows[1])
    if rows:
        return tuple(Side("row", k) for k in range(rows))
    out = []
    for j in np.flatnonzero(problem.box.lo < problem.box.hi).tolist():
        if np.isfinite(problem.box.lo[j]):
            out.append(Side("lower", j))
        if np.isfinite(problem.box.hi[j]):
            out.append(Side("upper", j))
    return tuple(out)


def euler_characteristics(problem: CountProblem, bounded: bool) -> tuple[int, ...]:
    """What the alternating sum of a domain's faces can be.

    With lines of dimension ``l`` in it, a domain is bounded but for these, and then has
    ``(-1)^l``, or it is not, and has 0.
    """
    n = int((problem.box.lo < problem.box.hi).sum())
    if bounded:
        return (1,)
    matrix, right = problem.rows
    if len(right):
        integers, _ = integer_matrix(matrix)
        lines = n - integers.rank()
    else:
        lines = int((np.isinf(problem.box.lo) & np.isinf(problem.box.hi)).sum())
    if lines == n:
        return ((-1) ** n,)
    return (0, (-1) ** lines) if lines else (0,)
