"""Walls: what can bound a region; sides of the domain among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crossing", "Side", "Wall"]


@dataclass(frozen=True, slots=True)
class Side:
    """A side of the domain.

    Attributes:
        kind: "lower" or "upper" end of a coordinate, or a "row" of the polytope.
        index: of the coordinate, or of the row.
    """

    kind: Literal["lower", "upper", "row"]
    index: int

    def __str__(self) -> str:
        if self.kind == "row":
            return f"row {self.index}"
        return f"x{self.index} {'>= lo' if self.kind == 'lower' else '<= hi'}"


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
