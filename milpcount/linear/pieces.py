"""What merging gives: a label for every region, and a proved interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearPieces"]


@dataclass(frozen=True, eq=False)
class LinearPieces:
    """The linear pieces of a network's function, as sets of activation regions.

    Two regions with the same label lie in one piece, always.  Two regions with different labels
    lie in different pieces if ``finished``; if not, they may still be the same piece.

    Attributes:
        labels: the piece of each region, ``0 .. count - 1`` in the order of first appearance.
        count: number of labels.
        maps: affine maps proved to be different; all of them if ``finished``.
        finished: whether every merge was decided.
        map_of: a number for the affine map of each region, equal for equal maps; None where not
            all maps were compared.
    """

    labels: NDArray[np.int64]
    count: int
    maps: int
    finished: bool
    map_of: NDArray[np.int64] | None = None

    @property
    def lower(self) -> int:
        """Proved lower bound on the number of pieces: a piece has one map."""
        return self.count if self.finished else self.maps

    @property
    def upper(self) -> int:
        """Proved upper bound on the number of pieces: the merges still to come only lower it."""
        return self.count
