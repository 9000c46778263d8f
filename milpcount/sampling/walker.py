"""The native random search with its memory, and what is learned about the tree from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage
from milpcount.kernels import native
from milpcount.sampling.unbiased import log2_sum
from milpcount.search.frames.frame import Frame
from milpcount.search.machine import Machine

__all__ = ["Profile", "Walker"]


@dataclass
class Profile:
    """What is known of the tree: how large the subtrees below nodes of each class are.

    Classes are the numbers of units that cut, layer by layer, then nodes found empty, then leaves.

    Attributes:
        widths: units a layer.
        steps: how often a path led from one class to another; the root is the last row.
    """

    widths: tuple[int, ...]
    steps: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = np.zeros((self.classes + 1, self.classes), dtype=np.int64)

    @property
    def classes(self) -> int:
        """How many."""
        return sum(self.widths) + 2

    @property
    def class_of(self) -> NDArray[np.int64]:
        """Class by layer and number of units that cut (from 1)."""
        table = np.zeros((len(self.widths), max(self.widths) + 1), dtype=np.int64)
        start = 0
        for layer, width in enumerate(self.widths):
            table[layer, 1 : width + 1] = start + np.arange(width)
            start += width
        return table

    def sizes(self) -> NDArray[np.float64]:
        """log2 of the mean number of leaves below a node of each class, the root last.

        A node of a class has two children, and children lie in later layers or have fewer units
        that cut.  Classes that no path came through get a guess from their neighbours.
        """
        size = np.full(self.classes + 1, -math.inf)
        size[self.classes - 1] = 0.0
        starts = np.cumsum([0, *self.widths])
        guess = 0.0
        for layer in range(len(self.widths) - 1, -1, -1):
            for c in range(starts[layer], starts[layer + 1]):
                guess = self._mean(c, size, guess + 0.5) if c > starts[layer] else guess + 0.5
                guess = self._mean(c, size, guess)
                size[c] = guess
            seen = [c for c in range(starts[layer], starts[layer + 1]) if self.steps[c].any()]
            if seen:
                guess = float(size[seen[len(seen) // 2]])
        size[self.classes] = self._mean(self.classes, size, guess + 1.0) - 1.0
        return size

    def _mean(self, c: int, size: NDArray[np.float64], guess: float) -> float:
        """log2 of twice the mean size of the children, the guess where there are none."""
        row = self.steps[c]
        seen = np.flatnonzero(row)
        if not len(seen):
            return guess
        value = 1.0 + log2_sum(np.log2(row[seen] / row.sum()) + size[seen])
        return value if value > -math.inf else 0.0


class Walker(Machine):
    """A random search over one frame.

    Attributes:
        sample: what it remembers besides the search itself.
    """

    def __init__(self, frame: Frame, layers: Sequence[Stage], closed: bool) -> None:
        """Set up; arguments as for :class:`~milpcount.search.machine.Machine`."""
        super().__init__(frame, layers, closed, emit=False)
        widths = tuple(layer.width for layer in layers)
        profile = Profile(widths)
        self.sample = native.Sample(profile.class_of, profile.classes, sum(widths))

    def begin(
        self, signs: NDArray[np.int8], weight: float, targets: NDArray[np.float64], seed: np.uint64
    ) -> bool:
        """Begin at the root with this log2 weight; False if floats cannot find it."""
        points = np.random.default_rng([int(seed), 1]).random(len(targets))
        self.sample.begin(int(seed), np.ascontiguousarray(targets), points, weight)
        return self.start(signs)

    def walk(self, steps: int, single: bool) -> native.Stop:
        """Search on for so many steps: thinned, or one descent to a single leaf.

        After a doubt the caller adds what it finds there, with the weight of the present slot.
        """
        return self._search.run_sample(self.sample, steps, single)

    def weight(self) -> float:
        """log2 of the weight of the present node."""
        return self.sample.weight(max(self.slot, 0))
