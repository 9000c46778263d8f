"""Tensors as affine functions of the outputs of several stages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "Part", "merged", "same_entries", "selection"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """What a tensor takes from the outputs ``h`` of one stage.

    Row ``r`` takes ``sum_j value[r, j] * h[index[r, j]]``.  No two entries of a row of ``index``
    are equal, unless the value of one of them is 0.

    Attributes:
        stage: the stage, counted from 1; 0 for the network's input.
        index: shape (rows, k), or None for a dense part with ``index[r, j] = j``.
        value: shape (rows, k).
    """

    stage: int
    index: Index | None
    value: Float

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.value.nbytes + (0 if self.index is None else self.index.nbytes)

    def reads_all(self, width: int) -> bool:
        """Whether row ``r`` reads output ``r`` of a stage of ``width`` units, and nothing else."""
        return (
            self.index is not None
            and self.index.shape == (width, 1)
            and np.array_equal(self.index[:, 0], np.arange(width))
        )

    def entries(self) -> tuple[Index, Index, Float]:
        """Rows, places and values of the entries that are not zero, in order of row and place."""
        row, term = np.nonzero(self.value)
        place = term if self.index is None else self.index[row, term]
        order = np.lexsort((place, row))
        return row[order], place[order], self.value[row, term][order]


@dataclass(frozen=True, eq=False)
class Image:
    """A tensor each entry of which is an affine function of outputs of stages.

    With ``batch = (axis, size)`` the tensor holds ``size`` samples along ``axis``, and only the
    rows of one sample are kept: those of the others are the same functions of their samples.

    Attributes:
        shape: of the tensor.
        parts: what it takes from each stage that it reads, by stage, ascending.
        bias: shape (rows,); the rows are the tensor's entries in C order, of one sample.
        batch: axis and number of samples; None where the tensor is one sample.
        needs: the operations that made units on which the tensor depends, as numbers; also where
            weights happen to be 0.
    """

    shape: tuple[int, ...]
    parts: tuple[Part, ...]
    bias: Float
    batch: tuple[int, int] | None = None
    needs: frozenset[int] = frozenset()

    @property
    def rows(self) -> int:
        """Number of entries of one sample."""
        return int(self.bias.shape[0])

    @property
    def grid(self) -> Index:
        """The number of every entry, in the tensor's shape."""
        return np.arange(math.prod(self.shape)).reshape(self.shape)

    @property
    def depth(self) -> int:
        """The last stage that it reads; 0 for the input or a constant."""
        return self.parts[-1].stage if self.parts else 0

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.bias.nbytes + sum(part.nbytes for part in self.parts)


def selection(
    stage: int, shape: tuple[int, ...], first: int, batch: tuple[int, int] | None = None
) -> Image:
    """Outputs ``first, first + 1, ...`` of a stage, in the given shape."""
    rows = math.prod(shape) // (1 if batch is None else batch[1])
    index = first + np.arange(rows)[:, None]
    return Image(shape, (Part(stage, index, np.ones((rows, 1))),), np.zeros(rows), batch)


def same_entries(a: Image, b: Image) -> bool:
    """Whether two tensors hold the same functions in the same order."""
    if a is b:
        return True
    if a.rows != b.rows or len(a.parts) != len(b.parts) or not np.array_equal(a.bias, b.bias):
        return False
    for p, q in zip(a.parts, b.parts, strict=True):
        if p.stage != q.stage or not all(map(np.array_equal, p.entries(), q.entries())):
            return False
    return True


def merged(index: Index, value: Float) -> tuple[Index, Float, bool]:
    """Entries of one row at one place added up; and whether no sum had to round.

    Rows keep their length; an entry that was added to another one becomes 0.
    """
    # Entries of value 0 may repeat a place, and often do; they are no reason to sort everything.
    places = np.where(value != 0, index, -1 - np.arange(index.shape[1]))
    places.sort(axis=1)
    if not np.any(places[:, 1:] == places[:, :-1]):
        return index, value, True
    order = np.argsort(index, axis=1, kind="stable")
    places = np.take_along_axis(index, order, axis=1)
    values = np.take_along_axis(value, order, axis=1)
    same = places[:, 1:] == places[:, :-1]
    exact = True
    with np.errstate(over="ignore", invalid="ignore"):
        for j in range(index.shape[1] - 1, 0, -1):
            b = np.where(same[:, j - 1], values[:, j], 0.0)
            a = values[:, j - 1]
            total = a + b
            part = total - a
            error = (a - (total - part)) + (b - part)
            exact &= not np.any(error)  # NaN, from an overflow, counts as an error
            values[:, j - 1] = total
            values[:, j] = np.where(same[:, j - 1], 0.0, values[:, j])
    return places, values, exact
