"""Pictures as files: the ending says which kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from milpcount.errors import InputError
from milpcount.support.regular_files import writing

__all__ = ["PICTURES", "ending", "write_figure_file", "write_page"]

PICTURES = (".png", ".pdf", ".svg", ".html")
_DPI = 300


def ending(path: Path, known: Sequence[str] = PICTURES) -> str:
    """The ending of a file to write, in small letters.

    Raises:
        InputError: another one than these.
    """
    kind = path.suffix.lower()
    if kind not in known:
        given = f"the ending {path.suffix}" if path.suffix else "no ending"
        raise InputError(f"{path} has {given}; possible are {', '.join(known)}")
    return kind


def write_figure_file(figure: Any, path: Path) -> None:
    """Write a figure of Matplotlib; the same picture gives the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    kind = ending(path)[1:]
    dates = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    with writing(path, "choose another file, or make room"):
        figure.savefig(
            path, format=kind, dpi=_DPI, bbox_inches="tight", pad_inches=0.03, metadata=dates[kind]
        )


def write_page(path: Path, text: str) -> None:
    """Write a page.

    Raises:
        OutputError: the file cannot be written.
    """
    with writing(path, "choose another file, or make room"):
        path.write_text(text, encoding="utf-8")
