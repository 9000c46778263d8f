"""Text for people: numbers that read back as themselves, words without control sequences."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

__all__ = ["nearest", "number_text", "printable"]

# Categories of Unicode that draw nothing and may steer: controls, formats (which turn the reading
# direction), halves of pairs, private use, unassigned, separators of lines and paragraphs.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def number_text(value: float) -> str:
    """The shortest decimal text that reads back as this float: 1, 0.1, 1.0000004, 1e-300."""
    return repr(float(value)).removesuffix(".0")


def printable(text: str) -> str:
    """The text with everything that a terminal could obey written out as Python escapes.

    Line ends and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _STEERING else _written_out(c)
        for c in text
    )


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def nearest(name: object, known: Iterable[str]) -> str:
    """A hint for a name that is none of the known: the nearest of them, or all."""
    known = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
