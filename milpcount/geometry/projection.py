"""Points of a box with given images, by projections in turn.

The inputs that go to a given ``y`` are an affine space; where it meets the box, projecting onto
one and the other leads there.  Far cheaper than a linear programme, for proposals alone: what
comes out is in the box, and its image near to what was asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.space import Space

__all__ = ["step_in_box"]

Float = NDArray[np.float64]

_PROJECTIONS = 12
_SHRINK = 1.0 - 2.0**-20  # of the box, seen from the centre: its ends do not count as inside


def step_in_box(space: Space, centre: Float, goal: Float) -> Float:
    """A step of the inputs from a centre inside the box that moves ``y`` by about ``goal``."""
    low, high = _SHRINK * (space.lo - centre), _SHRINK * (space.hi - centre)
    step = space.pull @ goal
    for _ in range(_PROJECTIONS):
        inside = np.minimum(np.maximum(step, low), high)
        if np.array_equal(inside, step):
            break
        step = inside + space.pull @ (goal - space.lift @ inside)
    return np.asarray(np.minimum(np.maximum(step, low), high))
