"""Decimal text of integers of any size.

Python refuses ``str`` and ``int`` beyond 4,300 digits, because its algorithms are quadratic; bounds
of deep networks pass that.  Those go through FLINT, which is fast at any size.
"""

from __future__ import annotations

__all__ = ["from_decimal", "to_decimal"]

_DIGITS = 4000
_BITS = 13000  # below 4,000 digits


def to_decimal(value: int) -> str:
    """Decimal digits of an integer."""
    if value.bit_length() < _BITS:
        return str(value)
    from flint import fmpz

    return str(fmpz(value))


def from_decimal(text: str) -> int:
    """Return the integer that decimal digits stand for."""
    if len(text) < _DIGITS:
        return int(text)
    from flint import fmpz

    return int(fmpz(text))
