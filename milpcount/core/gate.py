"""Gates: what the units of a stage make of their pre-activations.

A unit of a :class:`ReLUGate` has two states, 1 (active) where its pre-activation is above 0 and 0
elsewhere; active it passes the pre-activation on, inactive ``slope`` times it.  A *linear* unit
passes its pre-activation on, has no state and cuts nothing: a stage may mix both.  Slope 1 alone
does not make a unit linear: a PReLU of slope 1 has its two states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gate", "LinearGate", "ReLUGate"]

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, init=False)
class ReLUGate:
    """Units that are ReLUs, leaky or not, but for those marked as linear.

    Attributes:
        slope: shape ``(units,)``, the factor on pre-activations that are not positive (0 for a
            plain ReLU, -1 for the absolute value, 1 for linear units).
        linear: shape ``(units,)``, the units without a state.
    """

    slope: Float
    linear: Bools

    def __init__(self, slope: Float, linear: Bools | None = None) -> None:
        units = np.shape(slope)
        mask = np.zeros(units, dtype=bool) if linear is None else np.array(linear, dtype=bool)
        slope = np.where(mask, 1.0, np.asarray(slope, dtype=np.float64))
        slope.flags.writeable = mask.flags.writeable = False
        object.__setattr__(self, "slope", slope)
        object.__setattr__(self, "linear", mask)


@dataclass(frozen=True, eq=False)
class LinearGate:
    """Units that pass on what they compute."""

    units: int

    @property
    def slope(self) -> Float:
        """Ones, as kernels and forms read them."""
        return np.ones(self.units)

    @property
    def linear(self) -> Bools:
        """All of them."""
        return np.ones(self.units, dtype=bool)


Gate = ReLUGate | LinearGate
