"""What a notebook shows of an object: a heading, numbers in a table, perhaps a picture.

All text is escaped: names come from files, and a notebook is a page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from milpcount.support.decimal_text import to_decimal
from milpcount.support.text import printable

__all__ = ["card", "data_uri_image", "interval_text", "whole_text"]

_LONG = 10**15
_CELL = "padding:1px 10px 1px 0;text-align:left;vertical-align:top;border:0;background:none"
_NAME = f"{_CELL};font-weight:normal;opacity:.7;white-space:nowrap"
_VALUE = f"{_CELL};overflow-wrap:anywhere"


def card(heading: str, rows: Iterable[tuple[str, object]], picture: str = "") -> str:
    """HTML of an object; ``picture`` is markup made by this package, all else is text."""
    lines = "".join(
        f'<tr><th style="{_NAME}">{_text(name)}</th><td style="{_VALUE}">{_text(value)}</td></tr>'
        for name, value in rows
    )
    table = f'<table style="border:0;border-collapse:collapse">{lines}</table>' if lines else ""
    body = f"<div><b>{_text(heading)}</b>{table}</div>"
    shown = f'<div style="margin-right:14px">{picture}</div>' if picture else ""
    return f'<div class="milpcount" style="display:flex;align-items:flex-start">{shown}{body}</div>'


def data_uri_image(png: str, words: str, width: int) -> str:
    """A picture within the page; ``png`` is its base64."""
    return f'<img src="data:image/png;base64,{png}" width="{width}" alt="{_text(words)}">'


def whole_text(value: int) -> str:
    """A whole number of any size in few characters: 12,345 or 1.234e+50."""
    if abs(value) < _LONG:
        return f"{value:,}"
    digits = to_decimal(value).lstrip("-")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:4]}e+{len(digits) - 1}"


def interval_text(lower: int, upper: int | None) -> str:
    """A number that is exact, or the proved ends around it."""
    if upper == lower:
        return whole_text(lower)
    low = whole_text(lower)
    return f"at least {low}" if upper is None else f"{low} to {whole_text(upper)}"


def _text(value: object) -> str:
    return html.escape(" ".join(printable(str(value)).split()))
