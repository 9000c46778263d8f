"""Networks as ``.npz`` archives.

Layout: ``W0, b0, W1, b1, ...``, each ``W`` of shape (out, in), each ``b`` of shape (out,); a ReLU
follows every layer but the last.  Optional: ``lo``, ``hi`` (the input box, a number or one per
input) and ``slope0, slope1, ...`` (per hidden layer the factor on negative pre-activations, a
number or one per unit; 0 where absent).  Keys that start with ``meta_`` are the writer's own;
``meta_notes`` (strings) comes back as :attr:`ReLUNetwork.notes`.  Any other key is an error, so
that a misspelled one is never left out in silence.

A float32 weight is an exact number; it is widened to float64 without rounding.
"""

from __future__ import annotations

import difflib
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, NetworkError
from milpcount.importers._files import read_npy, require_file

__all__ = ["load_metadata", "load_npz", "read_archive", "save_npz"]

_LAYER_KEY = re.compile(r"(W|b|slope)(0|[1-9]\d{0,5})")
_META = "meta_"
_MOST_BYTES = 2**29  # of all arrays; some four copies are held while they are checked
_NOTES = "notes"

Array = NDArray[Any]
Arrays = dict[str, Array]


def load_npz(path: str | Path, *, name: str | None = None) -> ReLUNetwork:
    """Read a network from an ``.npz`` archive (layout above).

    Arguments:
        path: the file.
        name: the network's name; the file's name if None.

    Raises:
        NetworkError: missing or damaged file, missing, unknown or misshapen arrays.
        DomainError: ``lo`` and ``hi`` do not make a box.
    """
    path = Path(path)
    arrays = read_archive(path)
    depth = _depth(arrays, path)
    weights = [arrays[f"W{i}"] for i in range(depth + 1)]
    biases = [arrays[f"b{i}"] for i in range(depth + 1)]
    notes = np.ravel(arrays.get(_META + _NOTES, np.array([], dtype=str)))
    return ReLUNetwork(
        weights,
        biases,
        [_slope(arrays, i, weights[i].shape[:1], path) for i in range(depth)],
        input_box=_box(arrays, path),
        name=name or path.name,
        notes=[str(note) for note in notes],
    )


def load_metadata(path: str | Path) -> Arrays:
    """The arrays stored under ``meta_`` keys, without the prefix.

    Raises:
        NetworkError: missing or damaged file.
    """
    arrays = read_archive(Path(path))
    return {key[len(_META) :]: value for key, value in arrays.items() if key.startswith(_META)}


def save_npz(
    net: ReLUNetwork, path: str | Path, *, narrow: bool = True, **metadata: ArrayLike
) -> None:
    """Write a network in the layout above; the file appears whole or not at all.

    Arguments:
        net: the network.
        path: where to, with suffix ``.npz``; an existing file is replaced.
        narrow: store each array as float32 where that loses nothing.
        metadata: further arrays, stored as ``meta_<name>``.

    Raises:
        NetworkError: another suffix, metadata that would need pickling or is called ``notes``,
            or a path that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise NetworkError(f"{path} does not end in .npz; give it that suffix")
    arrays: Arrays = {}
    for i, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        arrays[f"W{i}"], arrays[f"b{i}"] = w, b
    for i, slope in enumerate(net.slopes):
        if np.any(slope != 0):
            arrays[f"slope{i}"] = slope
    if net.input_box is not None:
        arrays["lo"], arrays["hi"] = net.input_box.lo, net.input_box.hi
    if narrow:
        arrays = {key: _narrowed(value) for key, value in arrays.items()}
    for key, value in metadata.items():
        array = np.asarray(value)
        if array.dtype.kind not in "fiubU":
            raise NetworkError(f"metadata {key!r} has dtype {array.dtype}; give numbers or strings")
        if key == _NOTES:
            raise NetworkError(f"metadata {key!r} is taken by the network's own notes; rename it")
        arrays[_META + key] = array
    if net.notes:
        arrays[_META + _NOTES] = np.array(net.notes, dtype=str)
    _write(arrays, path)


def _write(arrays: Arrays, path: Path) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        os.replace(part, path)
    except OSError as error:
        raise NetworkError(f"{path} cannot be written: {os.strerror(error.errno or 0)}") from error
    finally:
        part.unlink(missing_ok=True)


def _narrowed(array: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        narrow = array.astype(np.float32)
    return narrow if np.array_equal(narrow.astype(np.float64), array) else array


def read_archive(path: Path) -> Arrays:
    """All arrays of an ``.npz`` archive; sizes are checked before any of them is read.

    Raises:
        NetworkError: missing file, not a zip archive, damaged or encrypted members, pickled
            objects, or more data than the limit.
    """
    require_file(path, NetworkError)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _require_size(sum(m.file_size for m in members), 1, path)
            arrays: Arrays = {}
            for member in members:
                key, dot, suffix = member.filename.rpartition(".")
                if not dot or suffix != "npy":
                    raise NetworkError(
                        f"{path} has the member {member.filename!r}, which is not an array; "
                        "write the archive with numpy.savez"
                    )
                if key in arrays:
                    raise NetworkError(f"{path} has two arrays {key!r}; save it again")
                with archive.open(member) as stream:
                    what = f"{path}: {key}"
                    arrays[key] = read_npy(stream, member.file_size, what, NetworkError)
                # Numbers of one byte become eight times as many.
                _require_size(sum(array.size for array in arrays.values()), 8, path)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # a compression method that zipfile lacks
        RuntimeError,  # an encrypted member
        OSError,
    ) as error:
        raise NetworkError(
            f"{path} is not a readable .npz archive ({error}); write it again with numpy.savez"
        ) from error
    return arrays


def _require_size(count: int, each: int, path: Path) -> None:
    """Refuse more than :data:`_MOST_BYTES`, of which zeros compress to a thousandth."""
    size = count * each
    if size > _MOST_BYTES:
        raise NetworkError(
            f"{path} unpacked needs {size / 2**30:.1f} GiB as float64, over the limit of "
            f"{_MOST_BYTES / 2**30:g} GiB; use a smaller network"
        )


def _depth(arrays: Arrays, path: Path) -> int:
    """Number of hidden layers; refuses gaps and unknown keys."""
    layers = sum(1 for key in arrays if re.fullmatch(r"W\d+", key))
    if not layers:
        raise NetworkError(f"{path} has no array W0; name the layers W0, b0, W1, b1, ...")
    required = {f"{letter}{i}" for i in range(layers) for letter in "Wb"}
    known = required | {"lo", "hi"} | {f"slope{i}" for i in range(layers - 1)}
    missing = sorted(required - arrays.keys())
    if missing:
        raise NetworkError(f"{path} has {layers} weight arrays but no {missing[0]}; store it")
    for key, array in arrays.items():
        if key not in known and not key.startswith(_META):
            raise NetworkError(f"{path} has {_complaint(key, known, layers)}")
        if key in known and array.dtype.kind == "U":
            raise NetworkError(f"{path}: {key} holds strings; store numbers")
    return layers - 1


def _complaint(key: str, known: set[str], layers: int) -> str:
    if _LAYER_KEY.fullmatch(key):
        return f"the array {key!r}, but layers 0..{layers - 1} (no slope at the last); remove it"
    folded = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(key.casefold(), folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    return f"the unknown array {key!r}; {hint}own data goes under keys that start with 'meta_'"


def _slope(arrays: Arrays, layer: int, units: tuple[int, ...], path: Path) -> Array | float:
    slope = arrays.get(f"slope{layer}")
    if slope is None:
        return 0.0
    if slope.shape not in ((), units):
        raise NetworkError(
            f"{path}: slope{layer} has shape {slope.shape}; give a number or one per unit {units}"
        )
    return slope


def _box(arrays: Arrays, path: Path) -> Box | None:
    if "lo" not in arrays and "hi" not in arrays:
        return None
    if "lo" not in arrays or "hi" not in arrays:
        raise DomainError(f"{path} has only one of 'lo' and 'hi'; store both ends of the input box")
    try:
        return Box(arrays["lo"], arrays["hi"])
    except DomainError as error:
        raise DomainError(f"{path}: {error}") from error
