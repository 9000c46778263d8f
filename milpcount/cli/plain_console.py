"""The console of answers that are tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from milpcount.support.text import printable

__all__ = ["PlainConsole"]


class PlainConsole(Console):
    """A console for which every text is data: no markup, no emoji codes, no control sequences.

    What is to be bold or dim is a :class:`rich.text.Text`.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it is, what a terminal could obey written out."""
        return super().render_str(
            printable(text), **{**options, "markup": False, "emoji": False, "highlight": False}
        )
