"""Numbers that are not what they seem: tables must not show them like exact counts."""

from __future__ import annotations

import pandas as pd

__all__ = ["About", "AtLeast", "at_least", "marks_in"]


class AtLeast:
    """A proved lower end, from a count that was stopped; tables write a sign before it."""


class _AtLeastInt(AtLeast, int):
    pass


class _AtLeastFloat(AtLeast, float):
    pass


class About(float):
    """An estimate of a count; tables write a sign before it."""


def at_least(value: int | float) -> int | float:
    """Mark a number as a proved lower end; it stays the number that it is."""
    return _AtLeastInt(value) if isinstance(value, int) else _AtLeastFloat(value)


def marks_in(frame: pd.DataFrame) -> str:
    """Say in words what the marks in a table mean; nothing where it has none."""
    values = [value for column in frame.columns for value in frame[column]]
    notes = []
    if any(isinstance(value, AtLeast) for value in values):
        notes.append("≥: counting was stopped, this is the proved lower end")
    if any(isinstance(value, About) for value in values):
        notes.append("≈: estimated, for the networks whose count was stopped")
    return "; ".join(notes)
