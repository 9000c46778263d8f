"""Counts of regions on segments by exact walks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from milpcount.core.network import ReLUNetwork
from milpcount.core.result import CountResult, Definition, Termination

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SegmentCounts"]


class SegmentCounts:
    """Full regions on segments of one network, which is prepared once.

    The pieces of a walk are the full regions of the segment: a region meets it in one interval.
    """

    def __init__(self, net: ReLUNetwork, with_output: bool) -> None:
        from milpcount.geometry.walk import Walker

        self._walker = Walker(net, with_output)

    def count(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> CountResult:
        """The regions on the segment from ``a`` to ``b``."""
        start = time.perf_counter()
        pieces = len(self._walker.walk(a, b))
        return CountResult(
            lower=pieces,
            upper=pieces,
            engine="walk",
            definition=Definition.FULL,
            with_output=self._walker.with_output,
            termination=Termination.complete(),
            seconds=time.perf_counter() - start,
            network_sha256=self._walker.net.sha256,
        )
