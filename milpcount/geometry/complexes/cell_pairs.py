"""Which cells of a complex lie on both sides of its facets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.face_sets import FaceSet

__all__ = ["facet_cells", "joined_cells"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def facet_cells(cells: FaceSet, facets: int) -> Ints:
    """Shape ``(facets, 2)``: the cells on both sides of each facet, -1 for none."""
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.facet_begin))
    order = np.argsort(cells.facets, kind="stable")
    facet, owner = cells.facets[order], owner[order]
    out = np.full((facets, 2), -1, dtype=np.int64)
    second = np.zeros(len(facet), dtype=np.int64)
    second[1:] = facet[1:] == facet[:-1]
    out[facet, second] = owner
    return out


def joined_cells(sides: Ints, inner: Bools, cells: int) -> tuple[Ints, Bools]:
    """Pairs of cells that share a facet; and which cells have a neighbour across every facet.

    Arguments:
        sides: what :func:`facet_cells` gives.
        inner: which facets do not lie on a side of the domain.
        cells: how many there are.
    """
    pairs = sides[np.all(sides >= 0, axis=1)]
    pairs = np.unique(np.sort(pairs, axis=1), axis=0).reshape(-1, 2)
    lonely = np.any(sides < 0, axis=1) & inner
    whole = np.ones(cells, dtype=bool)
    whole[sides[lonely].max(axis=1)] = False
    return pairs, whole
