"""Connected components and Betti numbers over GF(2) of closed complexes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.face_sets import FaceSet, rows_of

__all__ = ["betti_numbers", "bounded_modulo_lines", "component_labels"]

Bools = NDArray[np.bool_]
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


def bounded_modulo_lines(faces: Sequence[FaceSet]) -> tuple[int, tuple[Bools, ...]]:
    """The dimension of the lines in all faces, and which faces are bounded but for these.

    Either every face of a network's complex holds the same lines, those that the first stage does
    not see, or none holds any: on a face the signs of the first stage are fixed, so along a line
    in it nothing of the first stage changes.  The smallest faces then are translates of the span
    of the lines.  Divide by it: a ray is an edge with one end, and a face of dimension two or more
    is bounded if and only if its facets are, since the extreme rays of its cone of directions lie
    in facets.
    """
    least = next((k for k, part in enumerate(faces) if len(part)), 0)
    masks: list[Bools] = []
    for k, part in enumerate(faces):
        if k <= least:
            masks.append(np.ones(len(part), dtype=bool))
        elif k == least + 1:
            masks.append(np.diff(part.facet_begin) == 2)
        else:
            far = ~masks[-1][part.facets]
            owner = np.repeat(np.arange(len(part)), np.diff(part.facet_begin))
            masks.append(np.bincount(owner[far], minlength=len(part)) == 0)
    return least, tuple(masks)


def betti_numbers(faces: Sequence[FaceSet], bounded: bool) -> tuple[int, ...]:
    """Ranks of the homology groups over GF(2), for every dimension.

    A closed set made of unbounded faces shrinks to its bounded ones: those of each face are
    contractible, so Quillen's theorem A applies to the inclusion of the posets.  Lines in all faces
    shift dimensions and change nothing else.

    The kernel ``src/chains.hpp`` says how they are found.
    """
    from milpcount.kernels import native

    least, masks = (0, None) if bounded else bounded_modulo_lines(faces)
    counts, begins, below = [], [np.zeros(1, dtype=np.int64)], []
    total = start = 0
    number = np.zeros(0, dtype=np.int64)
    for k in range(least, len(faces)):
        part = faces[k]
        chosen = np.arange(len(part)) if masks is None else np.flatnonzero(masks[k])
        if k > least:
            begin, facets = rows_of(part.facet_begin, number[part.facets], chosen)
            below.append(facets)
        else:
            begin = np.zeros(len(chosen) + 1, dtype=np.int64)
        begins.append(begin[1:] + total)
        total += int(begin[-1])
        number = np.full(len(part), -1, dtype=np.int64)
        number[chosen] = start + np.arange(len(chosen))
        counts.append(len(chosen))
        start += len(chosen)
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *below])
    found = native.betti(np.array(counts, dtype=np.int64), np.concatenate(begins), flat)
    return (*found.tolist(), *[0] * least)
