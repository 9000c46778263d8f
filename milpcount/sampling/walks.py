"""What random explorations of a tree come to, and the seeds that they start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Plan", "Walk", "seed_of"]


@dataclass(frozen=True)
class Walk:
    """One random search of the tree.

    Attributes:
        value: log2 of the estimate of the count.
        layers: log2 of the estimates of the number of nodes that enter each layer.
        complete: False where a limit stopped it, or a doubtful cell had too many regions: the
            value is then one below that of the complete search.
        exact: whether nothing was left to chance, so that the value is the count.
        regions: regions found.
        nodes: nodes visited.
        signs: in how many of the regions sampled every unit was active; their number comes last.
    """

    value: float
    layers: NDArray[np.float64]
    complete: bool
    exact: bool
    regions: int
    nodes: int
    signs: NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What the pilot found out.

    Attributes:
        sizes: log2 of the mean number of leaves below a node of each class, the root last.
        count: log2 of a first estimate of the count.
        layers: log2 of estimates of the number of cells before each layer, and of regions.
        active: share of the regions sampled in which each unit is active.
        seconds: that one descent took.
        found: regions that the pilot came upon.
    """

    sizes: NDArray[np.float64]
    count: float
    layers: NDArray[np.float64]
    active: NDArray[np.float64]
    seconds: float
    found: int


def seed_of(*path: int) -> np.uint64:
    """The seed of a stream of random numbers, by its place."""
    state = np.random.SeedSequence(list(path)).generate_state(1, np.uint64)
    return np.uint64(state[0])
