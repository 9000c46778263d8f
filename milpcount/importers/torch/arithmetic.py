"""Sums and multiples of what a function of PyTorch is given: stand-ins, tensors and numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.torch.trace_walk import Walk

__all__ = ["plus", "times"]

Float = NDArray[np.float64]


def plus(walk: Walk, a: Image | Float, b: Image | Float) -> Image:
    """The sum, which depends on the input."""
    if isinstance(a, Image):
        return walk.folder.add(a, b) if isinstance(b, Image) else walk.folder.shift(a, b)
    if isinstance(b, Image):
        return walk.folder.shift(b, a)
    return walk.fail("adds what does not depend on the input")


def times(walk: Walk, value: Image | Float, factor: float) -> Image | Float:
    """The multiple."""
    if factor == 1:
        return value
    return walk.folder.scale(value, factor) if isinstance(value, Image) else value * factor
