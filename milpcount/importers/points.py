"""Points of the input space from a file."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import DomainError, NetworkError
from milpcount.importers._files import read_bytes, read_npy, read_text
from milpcount.importers.npz import read_archive

__all__ = ["load_point", "load_points"]

_SUFFIXES = ".npy, .npz (with one array), .csv, .txt"


def load_point(path: str | Path) -> NDArray[np.float64]:
    """The vector in a file, shape (n,).

    ``.npy`` and ``.npz`` hold one array, of any shape, read in C order (an image comes out row by
    row).  ``.csv`` and ``.txt`` hold decimal numbers between commas, semicolons or white space;
    ``#`` starts a comment.

    Raises:
        DomainError: a missing or damaged file, another suffix, no number, or a NaN or infinity.
    """
    path = Path(path)
    array = _array(path)
    if array is None:
        numbers = [number for _, row in _text_rows(path) for number in row]
        array = np.array(numbers, dtype=np.float64)
    point = _plain(array, path).ravel()
    bad = np.flatnonzero(~np.isfinite(point))
    if bad.size:
        raise DomainError(f"{path} has a NaN or infinite value at place {bad[0]}; correct it")
    return point


def load_points(
    path: str | Path, dimension: int | None = None, count: int | None = None
) -> NDArray[np.float64]:
    """The points in a file, one a row, shape (points, n).

    The array of ``.npy`` and ``.npz`` files has the points along its first axis; what follows is
    read in C order (images come out row by row).  In ``.csv`` and ``.txt`` files every line that
    is not empty or a comment is a point.

    Arguments:
        path: of the file, in a format of :func:`load_point`.
        dimension: how many coordinates are needed, any number if None.
        count: how many points are needed, any number if None.

    Raises:
        DomainError: as :func:`load_point`; rows of different lengths; another number of points
            or coordinates than is needed.
    """
    path = Path(path)
    array = _array(path)
    if array is None:
        array = _text_matrix(path)
    elif array.ndim < 2:
        raise DomainError(
            f"{path} holds one array of shape {array.shape}; save the points one a row, "
            "shape (points, coordinates)"
        )
    points = _plain(array, path)
    points = points.reshape(points.shape[0], -1)
    bad = np.argwhere(~np.isfinite(points))
    if bad.size:
        raise DomainError(
            f"{path}: point {bad[0, 0]} has a NaN or infinite value at place {bad[0, 1]}; "
            "correct it"
        )
    if count is not None and points.shape[0] != count:
        raise DomainError(
            f"{path} holds {points.shape[0]} point(s), one a row; {count} are needed here"
        )
    if dimension is not None and points.shape[1] != dimension:
        raise DomainError(
            f"{path}: the points have {points.shape[1]} coordinates, the network {dimension} inputs"
        )
    return points


def _array(path: Path) -> NDArray[Any] | None:
    """The array of a file of NumPy's, None for a text file."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        data = read_bytes(path, DomainError)
        return read_npy(io.BytesIO(data), len(data), str(path), DomainError)
    if suffix == ".npz":
        return _only_array(path)
    if suffix in (".csv", ".txt"):
        return None
    raise DomainError(f"{path}: a point is read from {_SUFFIXES}; save it as one of these")


def _plain(array: NDArray[Any], path: Path) -> NDArray[np.float64]:
    """The array as floats; refuses other data, and none."""
    if array.dtype.kind not in "fiub":
        raise DomainError(f"{path} holds {array.dtype} data; save plain numbers")
    if not array.size:
        raise DomainError(f"{path} holds no number; save one per network input")
    return np.asarray(array, dtype=np.float64)


def _only_array(path: Path) -> NDArray[Any]:
    try:
        arrays = read_archive(path)
    except NetworkError as error:
        raise DomainError(str(error)) from error
    if len(arrays) != 1:
        raise DomainError(
            f"{path} holds {len(arrays)} arrays ({', '.join(sorted(arrays)[:8])}); "
            "save the array of the point or points alone"
        )
    return next(iter(arrays.values()))


def _text_matrix(path: Path) -> NDArray[np.float64]:
    rows = [(line, row) for line, row in _text_rows(path) if row]
    for line, row in rows:
        if len(row) != len(rows[0][1]):
            raise DomainError(
                f"{path}, line {line}: a point of {len(row)} coordinates, the first point has "
                f"{len(rows[0][1])}; write every point on a line of its own"
            )
    return np.array([row for _, row in rows], dtype=np.float64)


def _text_rows(path: Path) -> Iterator[tuple[int, list[float]]]:
    """Number and numbers of every line."""
    for line, text in enumerate(read_text(path, DomainError).splitlines(), start=1):
        numbers = []
        for word in re.split(r"[,;\s]+", text.partition("#")[0].strip()):
            if not word:
                continue
            try:
                numbers.append(float(word))
            except ValueError as error:
                raise DomainError(f"{path}, line {line}: {word!r} is not a number") from error
        yield line, numbers
