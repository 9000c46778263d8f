"""The libraries that draw: imported on use, and named with the extra that brings them."""

from __future__ import annotations

import importlib.util

from milpcount.errors import MissingDependencyError

__all__ = ["require_matplotlib", "require_plotly"]


def require_matplotlib() -> None:
    """Check that figures can be drawn.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    _require("matplotlib", "drawing figures")


def require_plotly() -> None:
    """Check that pictures to turn can be drawn.

    Raises:
        MissingDependencyError: plotly is not installed.
    """
    _require("plotly", "drawing what a reader can turn")


def _require(package: str, purpose: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise MissingDependencyError(package, purpose, "plots")
