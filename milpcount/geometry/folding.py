"""How networks fold the segments between data points."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from milpcount.arguments import network_of, seed_of
from milpcount.core.choice import checked_points, groups_of
from milpcount.errors import DomainError, InputError
from milpcount.geometry.walk import Folding, Walk, Walker

__all__ = ["MaxFolding", "max_folding"]


@dataclass(frozen=True, eq=False)
class MaxFolding:
    """The most folded of the walks between pairs of points.

    Attributes:
        chi: its folding, exactly.
        pair: the rows of the points, the start first.
        walk: the walk.
        walks: how many walks there were.
    """

    chi: Fraction
    pair: tuple[int, int]
    walk: Walk
    walks: int


def max_folding(
    net: Any,
    points: ArrayLike,
    pairs: int | str = "all",
    *,
    seed: int = 0,
    with_output: bool = False,
) -> MaxFolding:
    """Find the largest ``chi`` over walks between pairs of data points.

    ``chi`` depends on which end a walk starts from: both directions are looked at.

    Arguments:
        net: the network.
        points: shape ``(points, inputs)``.
        pairs: "all" pairs, "consecutive" ones, or how many random ones, all different.
        seed: of the random choice.
        with_output: whether the units of the last affine layer count as ReLUs too.

    Raises:
        DomainError: points that do not fit the network, or two equal points of a pair.
        InputError: an unknown choice of pairs, or more than there are.
    """
    net = network_of(net)
    array = checked_points(points, net, 2, "")
    count = None if isinstance(pairs, str) else pairs
    groups = groups_of(
        len(array), 2, "random" if count is not None else str(pairs), count, seed_of(seed)
    )
    walker = Walker(net, with_output)
    best: tuple[Fraction, tuple[int, int], Walk] | None = None
    for i, j in groups:
        try:
            there = walker.walk(array[i], array[j])
        except DomainError as error:
            raise DomainError(f"points {i} and {j}: {error}") from error
        # Steps are the same backwards; distances are those to the other end.
        ways = ((there.folding(), (i, j)), (_backwards(there), (j, i)))
        for folding, pair in ways:
            if best is None or folding.chi > best[0]:
                best = (folding.chi, pair, there)
    if best is None:
        raise InputError("there is no pair of points")
    chi, pair, found = best
    if pair[0] > pair[1] and groups:
        found = walker.walk(array[pair[0]], array[pair[1]])
    return MaxFolding(chi, pair, found, len(groups))


def _backwards(there: Walk) -> Folding:
    distances = np.count_nonzero(there.bits != there.bits[-1], axis=1)
    return Folding(int(distances.max(initial=0)), there.folding().r2)
