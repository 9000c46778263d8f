"""What a certificate may ask of its reader: kept by who writes one, enforced by who checks one.

Nothing is computed for a file that goes beyond them.
"""

from __future__ import annotations

from collections.abc import Sequence

from milpcount.core.domain import Box, Domain, Polytope, Slice
from milpcount.core.stage import Stage

__all__ = [
    "MOST_DOMAIN",
    "MOST_NUMBERS",
    "MOST_PRODUCTS",
    "MOST_SLICE",
    "MOST_WEIGHTS",
    "beyond",
    "rows_a_byte",
    "stage_products",
]

MOST_DOMAIN = 1 << 25  # bytes
MOST_NUMBERS, MOST_WEIGHTS = 1 << 21, 1 << 22  # of rows or points, and of the box around them
MOST_SLICE = 64  # dimensions: whether points are independent takes their cube
MOST_PRODUCTS = 1 << 26  # of numbers, to compute the rows of one stage once: some seconds
_ROWS_A_BYTE = 16  # that the file makes one compute; those that the writers leave have about 1
_PRODUCTS_A_BYTE = 1 << 15  # for rows so short that more of them take no time


def _row_products(stages: Sequence[Stage], coordinates: int) -> list[int]:
    """Multiplications for one row, on so many coordinates, of every later stage."""
    widths = [0, *(stage.width for stage in stages)]
    return [(sum(widths[k] for k in stage.reads) + 1) * (coordinates + 1) for stage in stages[1:]]


def stage_products(stages: Sequence[Stage], coordinates: int) -> int:
    """Multiplications for the rows, on so many coordinates, of the costliest later stage."""
    rows = _row_products(stages, coordinates)
    return max((s.width * row for s, row in zip(stages[1:], rows, strict=True)), default=0)


def rows_a_byte(stages: Sequence[Stage], coordinates: int) -> int:
    """How many rows every byte of a file may make one compute.

    A region of a deep, narrow network over few coordinates has few bytes, and its point makes one
    evaluate all stages; but its rows are short.
    """
    dearest = max(_row_products(stages, coordinates), default=1)
    return max(_ROWS_A_BYTE, _PRODUCTS_A_BYTE // dearest)


def beyond(domain: Domain, around: bool, stages: Sequence[Stage], coordinates: int) -> str | None:
    """Why no certificate of such a count is read, None if it is.

    Arguments:
        domain: with as many inputs as the network.
        around: whether the certificate proves a box around it.
        stages: the counted ones.
        coordinates: that rows are on.
    """
    if isinstance(domain, Slice):
        n, count, most = domain.input_dimension, domain.dimension, MOST_SLICE
        size, weights = 8 * ((count + 1) * n + 2 * count), 0
        if count > most:
            return f"a slice of {count} dimensions; at most {most} are read"
    elif isinstance(domain, Polytope):
        count, n = domain.A.shape
        size, weights = 8 * (count * (n + 1) + 2 * n), 2 * n * (count + 1) if around else 0
    elif isinstance(domain, Box):
        count, n, weights = 0, len(domain.lo), 0
        size = 16 * n
    else:
        return None
    if count and (count + 1) * n > MOST_NUMBERS:
        return f"{count} rows or points of {n} numbers; at most {MOST_NUMBERS} numbers are read"
    if size > MOST_DOMAIN:
        return f"a domain of {size} bytes; at most {MOST_DOMAIN} are read"
    if weights > MOST_WEIGHTS:
        return f"a polytope in a box that takes {weights} weights; at most {MOST_WEIGHTS} are read"
    products = stage_products(stages, coordinates)
    if products > MOST_PRODUCTS:
        return (
            f"stages so wide that the rows of one take {products} products of numbers; at most "
            f"{MOST_PRODUCTS} are computed"
        )
    return None
