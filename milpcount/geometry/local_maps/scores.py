"""How many of some labelled points are classified right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import InputError
from milpcount.geometry.local_maps.map_array import checked_points

__all__ = ["Score", "checked_labels", "rows_for", "score"]


@dataclass(frozen=True, eq=False)
class Score:
    """Classified points.

    Attributes:
        correct: points whose largest output is that of their class.
        points: all points.
        values: the outputs, shape ``(points, outputs)``.
        classes: the output that is largest, of equal ones the first, for each point.
    """

    correct: int
    points: int
    values: NDArray[np.float64]
    classes: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """The share of the points that is right."""
        return self.correct / self.points

    def __float__(self) -> float:
        return self.accuracy

    def __repr__(self) -> str:
        return f"Score({self.correct} of {self.points} right)"


def rows_for(maps: NDArray[Any], points: ArrayLike) -> NDArray[np.float64]:
    """Points as rows, that fit local maps.

    Raises:
        InputError: they do not.
    """
    rows = checked_points(points)
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    if rows.shape != (maps.shape[1], maps.shape[2] - 1):
        raise InputError(
            f"points of shape {rows.shape} for local maps of {maps.shape[1]} points with "
            f"{maps.shape[2] - 1} inputs"
        )
    return rows


def checked_labels(labels: ArrayLike, points: int, outputs: int) -> NDArray[np.int64]:
    """Classes of points.

    Raises:
        InputError: another number of them, or one that is no output.
    """
    truth = np.asarray(labels)
    if truth.shape != (points,) or not np.issubdtype(truth.dtype, np.integer):
        raise InputError(
            f"labels: {points} whole numbers are needed, one a point, not {truth.dtype} of shape "
            f"{truth.shape}"
        )
    wrong = np.flatnonzero((truth < 0) | (truth >= outputs))
    if wrong.size:
        raise InputError(
            f"labels: point {wrong[0]} has class {truth[wrong[0]]}, and the outputs are 0 to "
            f"{outputs - 1}"
        )
    return truth.astype(np.int64)


def score(values: NDArray[np.float64], truth: NDArray[np.int64]) -> Score:
    """Classify by the largest value."""
    classes = np.argmax(values, axis=1)
    return Score(int(np.count_nonzero(classes == truth)), len(truth), values, classes)
