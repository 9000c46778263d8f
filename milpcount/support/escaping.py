"""Text from files and names as data: escaped for the language of the file that it goes to.

HTML is escaped by the standard library, terminals by :func:`milpcount.support.text.printable`.
"""

from __future__ import annotations

import html
import re

from milpcount.support.text import printable

__all__ = ["csv_text", "latex_text", "markdown_text", "mathtext", "unescaped_cells"]

_LATEX = str.maketrans(
    {c: "\\" + c for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textasciigrave{}"}
    | {"≥": r"$\ge$", "≈": r"$\approx$"}
)
# An underscore within a word is no emphasis, and names are full of them.
# A bracket matters where an address follows.
_MARKDOWN = re.compile(r"[\\|`*~$]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _line(text: str) -> str:
    """The text on one line, nothing in it that steers."""
    return printable(" ".join(text.split()))


def latex_text(text: str) -> str:
    """Text for LaTeX, in which no character commands."""
    return _line(text).translate(_LATEX)


def markdown_text(text: str) -> str:
    """Text for a line or a cell of Markdown: no column, link, emphasis, formula or HTML."""
    plain = re.sub(r"&(?=#?\w+;)", "&amp;", _line(text))
    escaped = _MARKDOWN.sub(r"\\\g<0>", plain).replace("<", "&lt;").replace(">", "&gt;")
    return f"\\{escaped}" if escaped[:1] in ("#", "-", "+") else escaped


def unescaped_cells(row: str) -> list[str]:
    """The cells of a row of a Markdown table as they were before :func:`markdown_text`."""
    cells = re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|"))
    return [html.unescape(re.sub(r"\\(.)", r"\1", cell.strip())) for cell in cells]


def csv_text(text: str) -> str:
    """Text for a cell of CSV that no spreadsheet takes for a formula."""
    safe = printable(text)
    return f"'{safe}" if safe.startswith(_STARTS_FORMULA) else safe


def mathtext(text: str) -> str:
    """Text for a picture of Matplotlib, which reads formulas between dollar signs."""
    return _line(text).replace("\\", "\\\\").replace("$", r"\$") if "$" in text else _line(text)
