"""How kernels are compiled: without the interpreter, cached on disk, division as in IEEE 754.

Numba's cache looks at the file of a function only, not at the files of the functions it calls.
So the folder of the cache is named by a checksum of all kernels.  Nor is it made for processes that
compile the same functions for different arguments at once: whoever calls a kernel for the first
time does so within :func:`compiling`, one process at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numba.core.config
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["borrowed", "compiling", "inlined", "jit", "summing"]

_LOG = logging.getLogger(__name__)


def _folder() -> Path | None:
    """Where compiled code is kept; None where nothing can be written."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    if os.environ.get("NUMBA_CACHE_DIR"):
        base = Path(os.environ["NUMBA_CACHE_DIR"])
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "milpcount" / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        _LOG.warning("compiled code cannot be kept in %s (%s); it is compiled anew", folder, error)
        return None
    return folder


_FOLDER = _folder()


_ready: set[str] = set()
_depth = 0


@contextlib.contextmanager
def compiling(name: str) -> Iterator[None]:
    """Around calls of the kernel with this name: the first, which compiles it, has a lock.

    Other processes wait for it; once the kernel is in the cache nobody locks any more.
    """
    if name in _ready:
        yield
        return
    done = None if _FOLDER is None else _FOLDER / f"{name}.compiled"
    if done is None or done.exists():
        yield
        _ready.add(name)
        return
    with _lock(done.with_name("lock")):
        yield
    with contextlib.suppress(OSError):
        done.touch()
    _ready.add(name)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """An exclusive lock between processes; within a process it may be taken again."""
    global _depth
    _depth += 1
    try:
        if _depth > 1:
            yield
            return
        with path.open("a") as file:
            if sys.platform == "win32":
                import msvcrt

                # Gives up after ten seconds, which is too early.
                while True:
                    with contextlib.suppress(OSError):
                        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                        break
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    finally:
        _depth -= 1


def _compiler(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        config: Any = numba.core.config
        before = config.CACHE_DIR
        # Read when the decorator runs; other users of numba keep theirs.
        config.CACHE_DIR = str(_FOLDER or before)
        try:
            compiled: Callable[..., Any] = numba.njit(
                cache=_FOLDER is not None, nogil=True, error_model="numpy", **options
            )(function)
            return compiled
        finally:
            config.CACHE_DIR = before

    return decorate


jit = _compiler()
# Sums in any order, so that they fill the vector registers; the bounds on rounding allow it.
summing = _compiler(fastmath={"reassoc", "contract"})
# For small functions on the large tuples of state, which are slow to pass.
inlined = _compiler(inline="always")


@intrinsic
def borrowed(typingctx: Any, fields: Any) -> Any:
    """The same named tuple, its arrays without the counter of references.

    Numba counts references to an array whenever it makes a view of it, by atomic operations; in
    small kernels that took a fifth of the time.  The caller has to keep the arrays alive.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = args[0]
        for k, kind in enumerate(signature.args[0]):
            if isinstance(kind, types.Array):
                array = make_array(kind)(context, builder, builder.extract_value(value, k))
                array.meminfo = cgutils.get_null_value(array.meminfo.type)
                value = builder.insert_value(value, array._getvalue(), k)
        return value

    return fields(fields), codegen
