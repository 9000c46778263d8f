"""Decision boundaries and level lines in the plane, from the exact complex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.plane import Plane
from milpcount.errors import DomainError

__all__ = ["boundary_segments", "level_segments"]

Float = NDArray[np.float64]


def boundary_segments(plane: Plane) -> Float:
    """Where a single output is zero, or where the greatest of several outputs changes.

    Shape ``(segments, 2, 2)``: the edges of ``K.boundary()``, of several outputs of
    ``K.boundary(argmax=True)``.

    Raises:
        DomainError: the boundary holds whole cells.
    """
    try:
        if plane.problem.network.output_dimension == 1:
            return level_segments(plane, 0, 0.0)
        part = plane.complex.boundary(argmax=True)
    except DomainError as error:
        raise DomainError(f"{error}; a picture without it: boundary=False") from error
    return part.vertices[:, plane.vary][part.faces(1).vertices.reshape(-1, 2)]


def level_segments(plane: Plane, output: int, level: float) -> Float:
    """Where an output has a level: the edges of ``K.boundary(output, level)``.

    Raises:
        DomainError: it has the level on whole cells.
    """
    zero = plane.complex.refine(output, level)
    # It vanishes on an edge if it does so at both ends: no other signs are needed.
    at = zero.faces(0).signs[:, zero.problem.n_units] == 0
    faces = zero.faces(2)
    if np.logical_and.reduceat(at[faces.vertices], faces.begin[:-1]).any():
        plane.complex.boundary(output, level)  # says on how many cells
    ends = zero.faces(1).vertices.reshape(-1, 2)
    return np.asarray(zero.vertices[:, plane.vary][ends[at[ends].all(axis=1)]])
