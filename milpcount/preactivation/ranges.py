"""What is known of the pre-activations over a domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PreactivationBounds"]

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PreactivationBounds:
    """Valid lower and upper bounds on every pre-activation over the domain.

    Attributes:
        lo, hi: one array of shape ``(n_l,)`` per counted stage, linear units among them; every
            input of the domain has ``lo <= g <= hi``.
        linear: which units have no state, likewise.
        x_lo, x_hi: a finite box around the domain, shape ``(n_0,)``; on a slice, the ends of its
            coordinates.
        method: the strongest method that was asked for.
    """

    lo: tuple[Float, ...]
    hi: tuple[Float, ...]
    linear: tuple[Bools, ...]
    x_lo: Float
    x_hi: Float
    method: str

    @property
    def big_m(self) -> tuple[tuple[Float, ...], tuple[Float, ...]]:
        """The paper's constants ``(H, H_bar)``: ``max(hi, 0)`` and ``max(-lo, 0)`` per stage."""
        return (
            tuple(np.maximum(hi, 0.0) for hi in self.hi),
            tuple(np.maximum(-lo, 0.0) for lo in self.lo),
        )

    @property
    def stable_active(self) -> tuple[Bools, ...]:
        """Units with a state whose pre-activation is above 0 everywhere."""
        return tuple((lo > 0) & ~free for lo, free in zip(self.lo, self.linear, strict=True))

    @property
    def stable_inactive(self) -> tuple[Bools, ...]:
        """Units with a state whose pre-activation is nowhere above 0."""
        return tuple((hi <= 0) & ~free for hi, free in zip(self.hi, self.linear, strict=True))

    @property
    def states(self) -> NDArray[np.int8]:
        """What is known of each bit of a pattern: 1, 0, or -1 where it is open."""
        active = np.concatenate([np.zeros(0, dtype=bool), *self.stable_active])
        inactive = np.concatenate([np.zeros(0, dtype=bool), *self.stable_inactive])
        linear = np.concatenate([np.zeros(0, dtype=bool), *self.linear])
        known = np.full(len(linear), -1, dtype=np.int8)
        known[active], known[inactive] = 1, 0
        states: NDArray[np.int8] = known[~linear]
        return states
