"""Connected components and Betti numbers over GF(2) of closed complexes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.face_sets import FaceSet

__all__ = ["betti_numbers", "component_labels"]

Ints = NDArray[np.int64]


def component_labels(faces: Sequence[FaceSet]) -> tuple[Ints, ...]:
    """For each dimension the connected component of each face, numbered from 0.

    A face hangs together with its facets.
    """
    offsets = np.cumsum([0, *(len(part) for part in faces)])
    total = int(offsets[-1])
    ends = []
    for k, part in enumerate(faces):
        if k:
            above = np.repeat(np.arange(len(part)), np.diff(part.facet_begin)) + offsets[k]
            ends.append(np.column_stack([above, part.facets + offsets[k - 1]]))
    links = np.concatenate(ends) if ends else np.zeros((0, 2), dtype=np.int64)
    label = np.arange(total)
    a, b = links.T
    while True:
        # Hook the greater of two labels on the smaller, then shorten all paths.
        low = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        while not np.array_equal(label, label[label]):
            label = label[label]
        if np.array_equal(before, label):
            break
    _, label = np.unique(label, return_inverse=True)
    return tuple(label[offsets[k] : offsets[k + 1]] for k in range(len(faces)))


def betti_numbers(faces: Sequence[FaceSet], bounded: bool) -> tuple[int, ...]:
    """Ranks of the homology groups over GF(2), for every dimension.

    Columns of the boundary matrices are reduced from the top dimension down; a face that is the
    last one of a reduced boundary is a cycle's and need not be reduced itself (Chen and Kerber,
    Persistent homology computation with a twist, 2011).
    """
    if not bounded:
        faces = _bounded_part(faces)
    cycles = [len(part) for part in faces]
    boundaries = [0] * (len(faces) + 1)
    paired: set[int] = set()
    for k in range(len(faces) - 1, 0, -1):
        part = faces[k]
        begin, facets = part.facet_begin.tolist(), part.facets.tolist()
        lows: dict[int, set[int]] = {}
        for f in range(len(part)):
            if f in paired:
                continue
            column = set(facets[begin[f] : begin[f + 1]])
            while column:
                low = max(column)
                other = lows.get(low)
                if other is None:
                    lows[low] = column
                    break
                column ^= other
        paired = set(lows)
        boundaries[k] = len(lows)
    return tuple(cycles[k] - boundaries[k] - boundaries[k + 1] for k in range(len(faces)))


def _bounded_part(faces: Sequence[FaceSet]) -> Sequence[FaceSet]:
    raise NotImplementedError
