"""The file that keeps an exploration: NumPy arrays and a line that says of what."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.errors import InputError

__all__ = ["Stored", "load", "save"]

_FORMAT = "milpcount exploration 1"


@dataclass(frozen=True, eq=False)
class Stored:
    """An exploration: see :class:`~milpcount.geometry.region_graph.RegionGraph`."""

    patterns: NDArray[np.uint8]
    pairs: NDArray[np.int64]
    depth: NDArray[np.int64]
    expanded: NDArray[np.bool_]
    seconds: float

    @classmethod
    def beginning(cls, pattern: NDArray[np.uint8]) -> Stored:
        """One region, nothing known of it."""
        none = np.zeros((0, 2), dtype=np.int64)
        return cls(pattern[None, :], none, np.zeros(1, np.int64), np.zeros(1, bool), 0.0)


def save(path: Path, problem: CountProblem, stored: Stored) -> None:
    """Write the file; the old one stays until the new one is whole.

    Raises:
        InputError: the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                head=np.array([_FORMAT, _key(problem)]),
                patterns=np.packbits(stored.patterns, axis=1),
                pairs=stored.pairs,
                depth=stored.depth,
                expanded=stored.expanded,
                seconds=np.array(stored.seconds),
            )
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def load(path: Path, problem: CountProblem) -> Stored | None:
    """Read the file; None where there is none yet.

    Raises:
        InputError: the file is damaged, or keeps the exploration of another problem.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            head = [str(v) for v in archive["head"].tolist()]
            arrays = {name: archive[name] for name in ("patterns", "pairs", "depth", "expanded")}
            seconds = float(archive["seconds"])
        if head[0] != _FORMAT:
            raise ValueError(head[0])
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            f"{path} is no exploration that milpcount has kept; name another"
        ) from error
    if head[1] != _key(problem):
        raise InputError(
            f"{path} keeps the exploration of another network, domain or set of units; name "
            "another file"
        )
    n = len(arrays["depth"])
    pairs = arrays["pairs"]
    fits = (
        n > 0
        and arrays["patterns"].shape == (n, (problem.n_units + 7) // 8)
        and arrays["patterns"].dtype == np.uint8
        and arrays["expanded"].shape == (n,)
        and pairs.ndim == 2
        and pairs.shape[1] == 2
        and pairs.dtype == np.int64
        and (not len(pairs) or (pairs.min() >= 0 and pairs.max() < n))
    )
    if not fits:
        raise InputError(f"{path} is damaged: its arrays do not fit together; name another file")
    patterns = np.unpackbits(arrays["patterns"], axis=1, count=problem.n_units)
    return Stored(
        patterns, pairs, arrays["depth"].astype(np.int64), arrays["expanded"].astype(bool), seconds
    )


def _key(problem: CountProblem) -> str:
    """What tells problems apart."""
    digest = hashlib.sha256(problem.network.sha256.encode())
    digest.update(str(problem.with_output).encode())
    matrix, right = problem.rows
    for array in (problem.box.lo, problem.box.hi, matrix, right):
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    if problem.slice is not None:
        digest.update(np.ascontiguousarray(problem.slice.points, dtype="<f8").tobytes())
    return digest.hexdigest()
