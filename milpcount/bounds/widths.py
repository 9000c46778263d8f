"""What the bounds share: the check of widths, rows and running sums of binomials."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from milpcount.errors import InputError

__all__ = ["binomial_row", "binomial_sums", "require_widths"]


def require_widths(widths: object) -> tuple[int, ...]:
    """Return ``(n_0, n_1, ..., n_L)`` as integers: the inputs and at least one layer.

    Raises:
        InputError: fewer than two numbers, or one that is not a whole number above 0.
    """
    if not isinstance(widths, Sequence) or isinstance(widths, str):
        raise InputError(f"widths are a list such as [784, 11, 11, 10], not {widths!r}")
    values = list(widths)
    for value in values:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise InputError(f"width {value!r} is not a whole number")
        if value < 1:
            raise InputError(f"width {value} is not above 0; leave empty layers out")
    if len(values) < 2:
        raise InputError(
            f"{len(values)} width(s) given: name the inputs and at least one ReLU layer, "
            "as in 784 11 11 10"
        )
    return tuple(int(value) for value in values)


def binomial_row(n: int) -> list[int]:
    """``C(n, 0), ..., C(n, n)``, each from the one before."""
    row = [1]
    for j in range(n):
        row.append(row[-1] * (n - j) // (j + 1))
    return row


def binomial_sums(n: int) -> list[int]:
    """``sum_{j <= d} C(n, j)`` for ``d = 0..n``: regions of n hyperplanes in dimension d."""
    return list(itertools.accumulate(binomial_row(n)))
