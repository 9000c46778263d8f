"""Points as users give them, and where they lie, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.errors import DomainError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import domain_rows
from milpcount.geometry.prepared import Prepared

__all__ = ["checked_point", "closure_contains", "require_in_domain", "row_value"]

Float = NDArray[np.float64]


def checked_point(x: ArrayLike, dimension: int, what: str) -> Float:
    """The point as a vector of finite floats.

    Raises:
        DomainError: not numbers, another length, or a NaN or infinity.
    """
    try:
        point = np.array(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"{what} is not a vector of numbers: {error}") from error
    point = point.reshape(-1) if point.ndim <= 1 else point
    if point.ndim != 1 or point.shape[0] != dimension:
        raise DomainError(
            f"{what} has shape {point.shape}; a vector of {dimension} coordinates is needed"
        )
    bad = np.flatnonzero(~np.isfinite(point))
    if bad.size:
        raise DomainError(f"{what} is not finite in coordinate {bad[0]}; correct it")
    return point


def require_in_domain(problem: CountProblem, point: Float, what: str) -> None:
    """Refuse a point outside the closed domain, decided exactly.

    Raises:
        DomainError: it names the coordinate or the row, and by how much it is missed.
    """
    if isinstance(problem.domain, Box):
        below, above = problem.domain.lo - point, point - problem.domain.hi
        miss = np.maximum(below, above)
        j = int(np.argmax(miss))
        if miss[j] > 0:
            end = problem.domain.lo[j] if below[j] > 0 else problem.domain.hi[j]
            side = "below the lower" if below[j] > 0 else "above the upper"
            raise DomainError(
                f"{what} is outside the domain: coordinate {j} is {point[j]:.17g}, "
                f"{miss[j]:.3g} {side} end {end:g}"
            )
        return
    exact = Point.of_floats(point)
    for k, row in enumerate(domain_rows(problem)):
        if row_value(row, exact) < 0:
            excess = float(problem.domain.A[k] @ point - problem.domain.c[k])
            raise DomainError(
                f"{what} is outside the domain: row {k} of the polytope is exceeded by {excess:.3g}"
            )


def row_value(row: Row, point: Point) -> int:
    """A positive multiple of the row at a point."""
    c = row.coefficients
    value = sum(a * b for a, b in zip(c, point.numerators, strict=False) if a)
    return value + c[-1] * point.denominator


def closure_contains(prepared: Prepared, bits: NDArray[np.uint8], point: Float) -> bool:
    """Whether the closure of the region with these bits holds a point of the problem."""
    problem = prepared.problem
    exact = Point.of_floats(point)
    if not ExactBox.of(problem.box).contains(exact):
        return False
    if any(row_value(row, exact) < 0 for row in domain_rows(problem)):
        return False
    space = prepared.space
    x = point[list(space.free)]
    y, blur = space.reduce(x[:, None])
    sign = np.where(bits, 1.0, -1.0)
    values, errors = space.float_forms(bits).at(y, blur)
    at = sign * values[:, 0]
    if np.any(at < -errors[:, 0]):
        return False
    doubtful = np.flatnonzero(~(at > errors[:, 0]))
    here = Point.of_floats(x)
    for unit in doubtful.tolist():
        form = space.on_inputs(Row(space.exact_row(bits, unit), False))
        if row_value(form, here) * (1 if bits[unit] else -1) < 0:
            return False
    return True
