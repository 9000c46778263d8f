"""Writing files so that a reader finds the whole new content or the whole old one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from milpcount.support.regular_files import require_regular, writing

__all__ = ["write_bytes", "write_text"]


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file at once, making its folder if need be.

    Raises:
        InputError: what is there is no regular file.
        OutputError: the system refuses.
    """
    require_regular(path)
    with writing(path, "the runs are kept: make room, and milpcount report writes it"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def write_text(path: Path, text: str) -> None:
    """Replace a file by UTF-8 text, line ends as they are."""
    write_bytes(path, text.encode())
