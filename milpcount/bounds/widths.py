"""Checked widths, and the sums of binomial coefficients that every bound is made of."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from itertools import accumulate

from milpcount.errors import InputError

__all__ = ["binomial_sum", "binomials", "check_ranks", "check_widths", "smallest_so_far"]


def _whole(value: object, what: str, least: int) -> int:
    """``value`` as an int of at least ``least``; refuses booleans, floats and text."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least:
        raise InputError(f"{what} is {value!r}: give a whole number of at least {least}")
    return number


def check_widths(widths: Iterable[object]) -> tuple[int, ...]:
    """``(n_0, n_1, ..., n_L)`` as ints: the input dimension and every counted layer, ``L >= 1``.

    Raises:
        InputError: fewer than two numbers, or one that is no positive whole number.
    """
    try:
        values = tuple(widths)
    except TypeError:
        raise InputError(
            f"the widths are {widths!r}: give a list such as [784, 11, 11, 10]"
        ) from None
    if len(values) < 2:
        raise InputError(
            f"{len(values)} width(s) given: give the input dimension and at least one layer, "
            "such as 784 11 11 10"
        )
    return tuple(_whole(value, f"width {i}", 1) for i, value in enumerate(values))


def check_ranks(ranks: Sequence[object] | None, widths: tuple[int, ...]) -> tuple[int, ...]:
    """One rank per layer, ``min(n_{l-1}, n_l)`` where none is given.

    A rank above the true one is harmless in an upper bound, so ranks are only checked against the
    shapes.

    Raises:
        InputError: not one rank per layer, or a rank that the shape of its layer rules out.
    """
    largest = tuple(min(pair) for pair in zip(widths[:-1], widths[1:], strict=True))
    if ranks is None:
        return largest
    if len(ranks) != len(largest):
        raise InputError(f"{len(ranks)} ranks for {len(largest)} layers: give one per layer")
    checked = tuple(_whole(rank, f"rank {i}", 0) for i, rank in enumerate(ranks, 1))
    for i, (rank, most) in enumerate(zip(checked, largest, strict=True), 1):
        if rank > most:
            raise InputError(f"rank {i} is {rank}: layer {i} allows at most {most}")
    return checked


def binomials(n: int, top: int) -> list[int]:
    """``C(n, 0), ..., C(n, min(top, n))``, each from the one before."""
    row = [1]
    for j in range(min(top, n)):
        row.append(row[-1] * (n - j) // (j + 1))
    return row


def binomial_sum(n: int, k: int) -> int:
    """``sum_{j=0}^{k} C(n, j)``: the cells of ``n`` hyperplanes in general position in ``R^k``."""
    if k < 0:
        return 0
    if k >= n:
        return 1 << n
    if 2 * k > n:  # the complement has fewer terms
        return (1 << n) - binomial_sum(n, n - k - 1)
    return sum(binomials(n, k))


def smallest_so_far(widths: Sequence[int]) -> list[int]:
    """Running minima ``min(n_0, ..., n_l)`` for ``l = 0..L``."""
    return list(accumulate(widths, min))


def product(factors: Iterable[int]) -> int:
    """Product of the factors; sizes stay balanced, so that hundreds of long factors are cheap."""
    values = list(factors)
    while len(values) > 1:
        values = [math.prod(values[i : i + 2]) for i in range(0, len(values), 2)]
    return values[0] if values else 1
