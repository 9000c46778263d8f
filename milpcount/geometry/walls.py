"""Walls: what can bound a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.space import Side

__all__ = ["Crossing", "Wall"]


@dataclass(frozen=True, slots=True)
class Wall:
    """Rows that vanish together: units, ascending, and a side of the domain if there is one."""

    units: tuple[int, ...]
    side: Side | None


@dataclass(frozen=True, eq=False)
class Crossing:
    """A ray that meets one wall of a region before all others.

    It starts at ``start`` inside and meets the wall at ``start + t direction``, 0 < t < 1; on the
    wall ``units`` vanish.
    """

    start: NDArray[np.float64]
    direction: NDArray[np.float64]
    t: float
    units: tuple[int, ...] = ()
