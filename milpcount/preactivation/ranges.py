"""What is known of the pre-activations over a domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PreactivationBounds"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PreactivationBounds:
    """Valid lower and upper bounds on every pre-activation over the domain.

    Attributes:
        lo, hi: one array of shape ``(n_l,)`` per counted layer; every input of the domain has
            ``lo <= g <= hi``.
        x_lo, x_hi: a finite box around the domain, shape ``(n_0,)``; on a slice, the ends of its
            coordinates.
        method: the strongest method that was asked for.
    """

    lo: tuple[Float, ...]
    hi: tuple[Float, ...]
    x_lo: Float
    x_hi: Float
    method: str

    @property
    def big_m(self) -> tuple[tuple[Float, ...], tuple[Float, ...]]:
        """The paper's constants ``(H, H_bar)``: ``max(hi, 0)`` and ``max(-lo, 0)`` per layer."""
        return (
            tuple(np.maximum(hi, 0.0) for hi in self.hi),
            tuple(np.maximum(-lo, 0.0) for lo in self.lo),
        )

    @property
    def stable_active(self) -> tuple[NDArray[np.bool_], ...]:
        """Units whose pre-activation is above 0 everywhere."""
        return tuple(lo > 0 for lo in self.lo)

    @property
    def stable_inactive(self) -> tuple[NDArray[np.bool_], ...]:
        """Units whose pre-activation is nowhere above 0."""
        return tuple(hi <= 0 for hi in self.hi)
