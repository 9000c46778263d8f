"""Where the units of a problem stand: in the arrays of a search, and in patterns.

The *position* of a unit is its number among all units, stage by stage: that is how arrays of
signs are laid out.  Its *bit* is its number among the units that have a state: that is how
patterns, certificates, parities and clauses count.  Both are the same where no unit is linear.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage

__all__ = ["UnitIndex"]

Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class UnitIndex:
    """The units of some stages.

    Attributes:
        widths: units of each stage.
        starts: position of the first unit of each stage, and the number of all units.
        linear: shape ``(positions,)``, which units have no state.
        positions: the position of each bit.
        bits: the bit of each position, -1 for units without a state.
        first_bits: bit of the first unit of each stage that has a state, and the number of bits.
    """

    widths: tuple[int, ...]
    starts: tuple[int, ...]
    linear: NDArray[np.bool_]
    positions: Int
    bits: Int
    first_bits: tuple[int, ...]

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> UnitIndex:
        """Number the units."""
        widths = tuple(stage.width for stage in stages)
        linear = np.concatenate([np.zeros(0, dtype=bool), *(stage.linear for stage in stages)])
        starts = tuple(accumulate(widths, initial=0))
        if not linear.any():
            places = np.arange(len(linear))
            return cls(widths, starts, linear, places, places, starts)
        bits = np.cumsum(~linear, dtype=np.int64) - 1
        bits[linear] = -1
        states = tuple(accumulate((stage.n_states for stage in stages), initial=0))
        return cls(widths, starts, linear, np.flatnonzero(~linear), bits, states)

    @property
    def n_positions(self) -> int:
        """All units."""
        return self.starts[-1]

    @property
    def n_units(self) -> int:
        """Units with a state: the length of a pattern."""
        return len(self.positions)

    @property
    def counted_widths(self) -> tuple[int, ...]:
        """Units with a state, stage by stage."""
        return tuple(b - a for a, b in pairwise(self.first_bits))

    def stage_of(self, position: int) -> int:
        """The stage (from 0) of the unit at a position."""
        return bisect_right(self.starts, position) - 1

    def place(self, position: int) -> tuple[int, int]:
        """The stage (from 0) of the unit at a position, and its place there."""
        stage = self.stage_of(position)
        return stage, position - self.starts[stage]

    def states(self, signs: NDArray[np.int8]) -> NDArray[np.uint8]:
        """Patterns (0/1, last axis bits) of arrays of signs (last axis positions)."""
        if self.n_units == self.n_positions:
            return (signs > 0).astype(np.uint8)
        return (signs[..., self.positions] > 0).astype(np.uint8)

    def spread(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """0/1 for every position of patterns (last axis bits): linear units are always 1."""
        if self.n_units == self.n_positions:
            return bits
        out = np.ones((*bits.shape[:-1], self.n_positions), dtype=np.uint8)
        out[..., self.positions] = bits
        return out

    def open_signs(self) -> NDArray[np.int8]:
        """Signs of the root: 0 for undecided, 2 for linear units, which count as active."""
        return self._root.copy()

    @cached_property
    def _root(self) -> NDArray[np.int8]:
        return np.where(self.linear, 2, 0).astype(np.int8)
