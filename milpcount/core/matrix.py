"""Weight matrices: dense arrays, or sparse rows where most entries are zero.

A matrix is what a stage multiplies the outputs of another stage with; its rows are units.  Every
stored float is the rational number that it is, and nothing here rounds but :func:`times`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import NetworkError, UnsupportedError

__all__ = [
    "Matrix",
    "SparseMatrix",
    "checked_matrix",
    "dense",
    "finite_array",
    "nonzeros",
    "row_blocks",
    "times",
]

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_MOST_ENTRIES = 1 << 28  # of a sparse matrix written out: 2 GiB
_BLOCK = 1 << 22  # entries written out at once where a matrix is only passed over


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """Compressed sparse rows.

    Row ``i`` has the entries ``values[starts[i]:starts[i + 1]]`` in the columns
    ``columns[starts[i]:starts[i + 1]]``, which ascend; no other entry is stored, zeros may be.

    Attributes:
        shape: rows and columns.
        starts: shape ``(rows + 1,)``.
        columns, values: one entry each, row by row.
    """

    shape: tuple[int, int]
    starts: Int
    columns: Int
    values: Float

    @classmethod
    def of(cls, matrix: Float) -> SparseMatrix:
        """The non-zero entries of a dense matrix."""
        rows, columns = np.nonzero(matrix)
        return cls.of_entries(matrix.shape, rows, columns, matrix[rows, columns])

    @classmethod
    def of_entries(
        cls, shape: tuple[int, ...], rows: Int, columns: Int, values: Float
    ) -> SparseMatrix:
        """The matrix with these entries, in any order, each place at most once."""
        order = np.lexsort((columns, rows))
        starts = np.zeros(shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
        return cls(
            (int(shape[0]), int(shape[1])),
            starts,
            np.asarray(columns, dtype=np.int64)[order],
            np.asarray(values, dtype=np.float64)[order],
        )

    @property
    def size(self) -> int:
        """Number of stored entries."""
        return int(self.values.size)

    @property
    def rows(self) -> Int:
        """The row of each stored entry."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int64), np.diff(self.starts))

    def block(self, first: int, last: int) -> Float:
        """Rows ``first..last - 1``, dense."""
        out = np.zeros((last - first, self.shape[1]))
        entries = slice(int(self.starts[first]), int(self.starts[last]))
        out[self.rows[entries] - first, self.columns[entries]] = self.values[entries]
        return out


Matrix = Float | SparseMatrix


def finite_array(value: ArrayLike, what: str, ndim: int) -> Float:
    """A read-only float64 copy of ``value``.

    Raises:
        NetworkError: not an array of finite real numbers that float64 holds exactly, or of
            another number of dimensions.
    """
    try:
        source = np.asarray(value)
        if source.dtype.kind not in "fiub":
            raise NetworkError(f"{what} has dtype {source.dtype}; real numbers are needed")
        # Wider floats (long double) and integers above 2^53 would be rounded without a word.
        array = source.astype(np.float64)
        held = source.dtype.itemsize <= (8 if source.dtype.kind == "f" else 4)
        if not held and not np.all(
            (array.astype(source.dtype) == source) | (source != source)  # NaN: see below
        ):
            raise NetworkError(
                f"{what} ({source.dtype}) has values that float64 cannot hold exactly; "
                "round them to float64 first"
            )
    except (TypeError, ValueError) as error:
        raise NetworkError(f"{what} is not an array of numbers: {error}") from error
    if array.ndim != ndim:
        raise NetworkError(f"{what} has shape {array.shape}; {ndim} dimension(s) expected")
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        place = tuple(int(i) for i in bad[0])
        raise NetworkError(
            f"{what} has a NaN or infinite value at index {place} ({len(bad)} in all); "
            "export the network again from finite weights"
        )
    array.flags.writeable = False
    return array


def checked_matrix(value: ArrayLike | SparseMatrix, what: str) -> Matrix:
    """A matrix of finite entries that nobody can change.

    Raises:
        NetworkError: not such a matrix.
    """
    if not isinstance(value, SparseMatrix):
        return finite_array(value, what, 2)
    rows, columns = value.shape
    starts, places = np.asarray(value.starts), np.asarray(value.columns)
    values = finite_array(value.values, f"{what}, its stored values", 1)
    sound = (
        starts.shape == (rows + 1,)
        and places.shape == values.shape
        and starts[0] == 0
        and starts[-1] == values.size
        and bool(np.all(np.diff(starts) >= 0))
        and bool(np.all((places >= 0) & (places < columns)))
    )
    if sound:
        same_row = np.diff(np.repeat(np.arange(rows), np.diff(starts))) == 0
        sound = bool(np.all(np.diff(places)[same_row] > 0))
    if not sound:
        raise NetworkError(f"{what} is not a matrix of sparse rows with ascending columns")
    starts, places = starts.astype(np.int64), places.astype(np.int64)
    starts.flags.writeable = places.flags.writeable = False
    return SparseMatrix((int(rows), int(columns)), starts, places, values)


def dense(matrix: Matrix) -> Float:
    """The matrix written out.

    Raises:
        UnsupportedError: a sparse matrix with more entries than memory should be taken for.
    """
    if not isinstance(matrix, SparseMatrix):
        return matrix
    rows, columns = matrix.shape
    if rows * columns > _MOST_ENTRIES:
        raise UnsupportedError(
            f"a stage of {rows} units that reads {columns} has too many weights to be written "
            "out; take a part of the network"
        )
    return matrix.block(0, rows)


def nonzeros(matrix: Matrix) -> tuple[Int, Int, Float]:
    """Rows, columns and values of the entries that are not zero, row by row."""
    if isinstance(matrix, SparseMatrix):
        keep = matrix.values != 0
        return matrix.rows[keep], matrix.columns[keep], matrix.values[keep]
    rows, columns = np.nonzero(matrix)
    return rows, columns, matrix[rows, columns]


def row_blocks(matrix: Matrix) -> Iterator[Float]:
    """The rows in dense blocks, one after the other, never much memory at once."""
    if not isinstance(matrix, SparseMatrix):
        yield matrix
        return
    rows, columns = matrix.shape
    step = max(1, _BLOCK // max(columns, 1))
    for first in range(0, rows, step):
        yield matrix.block(first, min(first + step, rows))


def times(matrix: Matrix, h: Float) -> Float:
    """``h @ matrix.T`` in float64: shape ``(..., columns)`` to ``(..., rows)``."""
    if not isinstance(matrix, SparseMatrix):
        return h @ matrix.T
    rows = matrix.rows
    flat = h.reshape(-1, matrix.shape[1])
    out = np.empty((len(flat), matrix.shape[0]))
    for k, point in enumerate(flat):
        products = matrix.values * point[matrix.columns]
        out[k] = np.bincount(rows, weights=products, minlength=matrix.shape[0])
    return out.reshape(*h.shape[:-1], matrix.shape[0])
