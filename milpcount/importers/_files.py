"""Reading untrusted files: what is claimed is checked before memory is taken."""

from __future__ import annotations

import ast
import math
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InputError

__all__ = [
    "MAX_BYTES",
    "read_bytes",
    "read_npy",
    "read_text",
    "require_bytes",
    "require_file",
    "too_big",
]

MAX_BYTES = 2 * 2**30
"""No importer takes more memory than this for one array, one file or one expanded network."""

_MAX_TEXT = 2**28
_MAX_HEADER = 1000  # characters; numpy writes about a hundred


def require_file(path: Path, error: type[InputError]) -> int:
    """The size of a regular file in bytes.

    Raises:
        error: the file is missing, a directory or another special file, or above the limit.
    """
    if path.is_dir():
        raise error(f"{path} is a directory; give the file inside it")
    if not path.exists():
        raise error(f"{path} does not exist; check the path")
    if not path.is_file():
        raise error(f"{path} is not a regular file")
    size = path.stat().st_size
    if size == 0:
        raise error(f"{path} is empty; write or download it again")
    require_bytes(size, str(path), error)
    return size


def too_big(size: int) -> bool:
    """Whether something takes more than :data:`MAX_BYTES`."""
    return size > MAX_BYTES


def require_bytes(size: int, what: str, error: type[InputError]) -> None:
    """Refuse ``what`` when it needs more than :data:`MAX_BYTES`."""
    if too_big(size):
        raise error(
            f"{what} needs {size / 2**30:.1f} GiB, over the limit of {MAX_BYTES / 2**30:g} GiB; "
            "use a smaller network"
        )


def read_bytes(path: Path, error: type[InputError]) -> bytes:
    """The content of a regular file within the limit."""
    require_file(path, error)
    try:
        return path.read_bytes()
    except OSError as cause:
        raise error(f"{path} cannot be read: {os.strerror(cause.errno or 0)}") from cause


def read_text(path: Path, error: type[InputError]) -> str:
    """The content of a UTF-8 text file of at most 256 MiB."""
    size = require_file(path, error)
    if size > _MAX_TEXT:
        raise error(f"{path} has {size / 2**20:.0f} MiB of text, over the limit of 256 MiB")
    try:
        return read_bytes(path, error).decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error(
            f"{path} is not a text file (byte {cause.start} is not UTF-8); "
            "check that the suffix fits the content"
        ) from cause


def read_npy(stream: IO[bytes], size: int, what: str, error: type[InputError]) -> NDArray[Any]:
    """One array in ``.npy`` format from ``stream``, which holds ``size`` bytes.

    The header's shape is believed only when it accounts for exactly the bytes that are there;
    ``numpy.load`` takes the memory first.

    Raises:
        error: bad magic, a malformed header, pickled objects, or another number of bytes.
    """
    try:
        shape, fortran, dtype = _npy_header(stream)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as cause:
        reason = str(cause).partition("\n")[0]
        raise error(f"{what} is not an array in .npy format ({reason}); save it again") from cause
    if dtype.hasobject or dtype.kind not in "fiubU":
        raise error(
            f"{what} holds {dtype} data (pickled objects are never loaded); save plain numbers"
        )
    if min(shape, default=0) < 0 or math.prod(max(1, length) for length in shape) > MAX_BYTES:
        raise error(f"{what} claims the impossible shape {shape}; save it again")
    left = size - stream.tell()
    need = math.prod(shape) * dtype.itemsize
    if need != left:
        raise error(
            f"{what} claims shape {shape} of {dtype}, {need} bytes, but holds {left}; "
            "the file is truncated or damaged, save it again"
        )
    require_bytes(need, what, error)
    data = stream.read(need)
    if len(data) != need:
        raise error(f"{what} ends after {len(data)} of {need} bytes; save it again")
    if need == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and dtype; numpy's own reader has no limits to rely on."""
    major, _ = np.lib.format.read_magic(stream)
    width = 2 if major == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    header = ast.literal_eval(stream.read(length).decode("utf-8" if major == 3 else "latin1"))
    match header:
        case {"descr": descr, "fortran_order": bool(fortran), "shape": tuple(shape), **rest}:
            if not rest and all(type(extent) is int for extent in shape):
                return shape, fortran, np.lib.format.descr_to_dtype(descr)
    raise ValueError("a header without dtype, order and shape")
