"""Decision boundaries and level lines in the plane, from the exact complex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.plane import Plane
from milpcount.errors import DomainError
from milpcount.geometry.complexes.subcomplex import SubComplex

__all__ = ["boundary_segments", "level_segments"]

Float = NDArray[np.float64]


def boundary_segments(plane: Plane) -> Float:
    """Where a single output is zero, or where the greatest of several outputs changes.

    Shape ``(segments, 2, 2)``: the edges of ``K.boundary()``, of several outputs of
    ``K.boundary(argmax=True)``.

    Raises:
        DomainError: the boundary holds whole cells.
    """
    several = plane.problem.network.output_dimension > 1
    try:
        return _edges(plane, plane.complex.boundary(argmax=several))
    except DomainError as error:
        remedy = "a picture without it: boundary=False, --no-boundary"
        raise DomainError(f"{error}; {remedy}") from error


def level_segments(plane: Plane, output: int, level: float) -> Float:
    """Where an output has a level: the edges of ``K.boundary(output, level)``.

    Raises:
        DomainError: it has the level on whole cells.
    """
    return _edges(plane, plane.complex.boundary(output, level))


def _edges(plane: Plane, part: SubComplex) -> Float:
    ends = part.faces(1).vertices.reshape(-1, 2)
    return np.asarray(part.vertices[:, plane.vary][ends])
