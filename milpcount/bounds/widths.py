"""What the bounds share: the check of widths, rows and running sums of binomials."""

from __future__ import annotations

from collections.abc import Sequence

from milpcount.errors import InputError
from milpcount.support.decimal_text import to_decimal

__all__ = ["binomial_row", "require_affordable", "require_ranks", "require_widths"]

_MOST_INPUTS = 10**12
_MOST_UNITS = 10**6
_MOST_BITS = 2**30  # of one row of numbers; some five rows are held at once
_MOST_WORK = 2**34  # bits of all rows


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


def require_affordable(widths: Sequence[int]) -> None:
    """Refuse widths whose bounds are numbers too long to compute.

    A layer takes rows of ``min(n_0, n_l)`` numbers of as many bits as there are units.

    Raises:
        InputError: more than 10^6 units, or rows of more than 2^30 bits, 2^34 in all layers.
    """
    inputs, *layers = widths
    units = sum(layers)
    for what, number, most in (("inputs", inputs, _MOST_INPUTS), ("units", units, _MOST_UNITS)):
        if number > most:
            text = to_decimal(number)
            shown = text if len(text) <= 30 else f"{text[:6]}... ({len(text)} digits)"
            raise InputError(f"{shown} {what}, over the limit of {most:,} for bounds")
    rows = [min(inputs, width) * units for width in layers]
    if max(rows) > _MOST_BITS or sum(rows) > _MOST_WORK:
        raise InputError(
            f"the bounds of these widths take rows of {5 * max(rows) / 2**33:.1f} GiB, over the "
            f"limit of {5 * _MOST_BITS / 2**33:.1f}, or too many of them; give narrower layers"
        )


def require_ranks(ranks: Sequence[int] | None, layers: Sequence[int]) -> tuple[int, ...]:
    """Return one rank per layer, the widths where none are given.

    A number above the true rank only weakens an upper bound, so it is not refused.

    Raises:
        InputError: not one rank per layer, or one that is not a whole number of at least 0.
    """
    if ranks is None:
        return tuple(layers)
    if len(ranks) != len(layers):
        raise InputError(f"{len(ranks)} ranks given for {len(layers)} layers")
    for rank in ranks:
        if isinstance(rank, bool) or not hasattr(rank, "__index__") or rank < 0:
            raise InputError(f"rank {rank!r} is not a whole number of at least 0")
    return tuple(min(int(rank), width) for rank, width in zip(ranks, layers, strict=True))


def binomial_row(n: int, top: int) -> list[int]:
    """``C(n, 0), ..., C(n, min(n, top))``, each from the one before."""
    row = [1]
    for j in range(min(n, top)):
        row.append(row[-1] * (n - j) // (j + 1))
    return row
