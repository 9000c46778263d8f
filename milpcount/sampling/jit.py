"""How the kernels of this package are compiled: like those of the search, on which they build.

Numba's cache looks at the file of a function only.  So the cache stands below the folder of the
search's kernels, which is named by their checksum, in a folder named by the checksum of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numba
import numba.core.config

from milpcount.search.compiled import jit as base
from milpcount.search.compiled.jit import compiling as _compiling

__all__ = ["compiling", "jit"]

_HERE = Path(__file__).parent


def _folder() -> Path | None:
    """Where compiled code is kept; None where nothing can be written."""
    above: Path | None = getattr(base, "_FOLDER", None)
    if above is None:
        return None
    digest = hashlib.sha256()
    for path in sorted([_HERE / "jit.py", *_HERE.glob("*kernels.py")]):
        digest.update(path.read_bytes())
    folder = above / f"sampling-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


_FOLDER = _folder()


def compiling(name: str) -> AbstractContextManager[None]:
    """Around calls of the kernel with this name, as for those of the search."""
    return _compiling(f"{_FOLDER.name}-{name}" if _FOLDER is not None else name)


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile without the interpreter, cached on disk, division as in IEEE 754."""
    config: Any = numba.core.config
    before = config.CACHE_DIR
    # Read when the decorator runs; other users of numba keep theirs.
    config.CACHE_DIR = str(_FOLDER or before)
    try:
        compiled: Callable[..., Any] = numba.njit(
            cache=_FOLDER is not None, nogil=True, error_model="numpy"
        )(function)
        return compiled
    finally:
        config.CACHE_DIR = before
