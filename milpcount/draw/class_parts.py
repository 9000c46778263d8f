"""Polygons cut where the class changes: for pictures, in floats.

On a polygon every output is affine, so the points where output ``i`` is the greatest are a convex
part of it.  If one output is the greatest at all corners it is so on the whole polygon; a class
that is greatest at no corner may still be so in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.plane import Plane

__all__ = ["ClassParts", "class_parts"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClassParts:
    """Convex parts of polygons, on each of which one class is greatest.

    Attributes:
        points, begin, corners: as of :class:`~milpcount.draw.fills.Fill`.
        classes: of each part.
        region: the polygon that it is a part of.
    """

    points: Float
    begin: Ints
    corners: Ints
    classes: Ints
    region: Ints


def class_parts(plane: Plane) -> ClassParts:
    """Cut the polygons that belong to several classes; a single output's classes are its signs."""
    scores = plane.values
    if scores.shape[1] == 1:
        scores = np.concatenate([-scores, scores], axis=1)
    best = scores.max(axis=1, keepdims=True)
    # Corners at which a class is among the greatest; ties belong to all.
    among = (scores >= best)[plane.corners]
    whole = np.logical_and.reduceat(among, plane.begin[:-1], axis=0)
    keep = np.flatnonzero(whole.any(axis=1))
    sizes = np.diff(plane.begin)
    entries = np.isin(plane.owners, keep)
    points, corners = [plane.points], [plane.corners[entries]]
    counts, classes, region = [sizes[keep]], [whole[keep].argmax(axis=1)], [keep]
    size = len(plane.points)
    for p in np.flatnonzero(~whole.any(axis=1)).tolist():
        own = plane.corners[plane.begin[p] : plane.begin[p + 1]]
        for k in range(scores.shape[1]):
            part = _greatest(plane.points[own], scores[own], k)
            if len(part) < 3:
                continue
            points.append(part)
            corners.append(np.arange(size, size + len(part)))
            counts.append(np.array([len(part)]))
            classes.append(np.array([k]))
            region.append(np.array([p]))
            size += len(part)
    return ClassParts(
        np.concatenate(points),
        np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        np.concatenate(corners),
        np.concatenate(classes),
        np.concatenate(region),
    )


def _greatest(points: Float, scores: Float, k: int) -> Float:
    """The part of a convex polygon where score ``k`` is the greatest (Sutherland and Hodgman)."""
    whole = np.concatenate([points, scores], axis=1)
    for j in range(scores.shape[1]):
        if j == k or not len(whole):
            continue
        lead = whole[:, 2 + k] - whole[:, 2 + j]
        if lead.min() >= 0:
            continue
        if lead.max() <= 0:
            return np.zeros((0, 2))
        following, ahead = np.roll(whole, -1, axis=0), np.roll(lead, -1)
        out = []
        for a, b, u, v in zip(whole, following, lead, ahead, strict=True):
            if u >= 0:
                out.append(a)
            if (u > 0 > v) or (u < 0 < v):
                out.append(a + (b - a) * (u / (u - v)))
        whole = np.array(out)
    return whole[:, :2]
