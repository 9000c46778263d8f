"""A point of the input space from a file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import DomainError, NetworkError
from milpcount.importers._files import read_bytes, read_npy, read_text
from milpcount.importers.npz import read_archive

__all__ = ["load_point"]

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
    suffix = path.suffix.lower()
    if suffix == ".npy":
        data = read_bytes(path, DomainError)
        array = read_npy(io.BytesIO(data), len(data), str(path), DomainError)
    elif suffix == ".npz":
        array = _only_array(path)
    elif suffix in (".csv", ".txt"):
        array = _numbers(path)
    else:
        raise DomainError(f"{path}: a point is read from {_SUFFIXES}; save it as one of these")
    if array.dtype.kind not in "fiub":
        raise DomainError(f"{path} holds {array.dtype} data; save plain numbers")
    point = np.asarray(array, dtype=np.float64).ravel()
    if not point.size:
        raise DomainError(f"{path} holds no number; save one per network input")
    bad = np.flatnonzero(~np.isfinite(point))
    if bad.size:
        raise DomainError(f"{path} has a NaN or infinite value at place {bad[0]}; correct it")
    return point


def _only_array(path: Path) -> NDArray[Any]:
    try:
        arrays = read_archive(path)
    except NetworkError as error:
        raise DomainError(str(error)) from error
    if len(arrays) != 1:
        raise DomainError(
            f"{path} holds {len(arrays)} arrays ({', '.join(sorted(arrays)[:8])}); "
            "save the point alone"
        )
    return next(iter(arrays.values()))


def _numbers(path: Path) -> NDArray[np.float64]:
    numbers = []
    for line, text in enumerate(read_text(path, DomainError).splitlines(), start=1):
        for word in re.split(r"[,;\s]+", text.partition("#")[0].strip()):
            if not word:
                continue
            try:
                numbers.append(float(word))
            except ValueError as error:
                raise DomainError(f"{path}, line {line}: {word!r} is not a number") from error
    return np.array(numbers, dtype=np.float64)
