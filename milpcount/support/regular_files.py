"""Files that are written: which may be, and one error for what goes wrong meanwhile."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from milpcount.errors import InputError, OutputError

__all__ = ["require_regular", "require_writable", "writing"]


def require_regular(path: Path) -> bool:
    """Whether the file is there; if so, it must be a regular one.

    A device may have no end, and would be replaced by what is put in its place; a pipe waits.

    Raises:
        InputError: a folder, a device, a pipe, or a path that cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: {reason}; name another file") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder; name a file")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is a device or a pipe; name a regular file, or a new one")
    return True


def require_writable(path: Path) -> None:
    """Only regular files are written, and what does not exist yet in a folder that does.

    Raises:
        InputError: it is something else, or its folder is not there.
    """
    if not require_regular(path) and not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it, or name another file")


@contextmanager
def writing(path: Path, kept: str) -> Iterator[None]:
    """Around what writes a file; ``kept`` says what is not lost, and what to do.

    Raises:
        OutputError: the system refuses: no space left, no permission.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}; {kept}"
        ) from error
