"""Walls: what can bound a region."""

from __future__ import annotations

from dataclasses import dataclass

from milpcount.geometry.space import Side

__all__ = ["Wall"]


@dataclass(frozen=True, slots=True)
class Wall:
    """Rows that vanish together: units, ascending, and a side of the domain if there is one."""

    units: tuple[int, ...]
    side: Side | None
