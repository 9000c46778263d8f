"""The one place that makes a HiGHS model.

highspy 1.16 tells on descriptor 1 who it is when the first model of a process gets its callbacks,
at the end of the constructor, where no option can be set yet.  Here the output is turned off
before that, in the model itself: no descriptor is turned aside, which would take along what other
threads print and what child processes inherit.
"""

from __future__ import annotations

from collections.abc import Mapping

import highspy

__all__ = ["make_highs"]


class _Quiet(highspy.Highs):  # type: ignore[misc]
    """A model that says nothing from the first moment on."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is highspy's
        """Enable them, quietly."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def make_highs(options: Mapping[str, bool | int | float | str] | None = None) -> highspy.Highs:
    """Return an empty model of one thread that prints nothing, with these options."""
    highs = _Quiet()
    for name, value in {"output_flag": False, "threads": 1, **(options or {})}.items():
        highs.setOptionValue(name, value)
    return highs
