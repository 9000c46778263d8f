"""Many polygons or segments of one look as one path: each path costs Matplotlib some work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.fills import Fill
from milpcount.draw.scene import Lines
from milpcount.geometry.complexes.face_sets import rows_of

__all__ = ["joined_polygons", "joined_segments"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

_BUNDLE = 400  # more at once, and the renderer runs out of cells
_LEVELS = 1024  # colours, above which they are rounded


def joined_polygons(fill: Fill) -> tuple[list[Any], Float]:
    """Paths of polygons of one colour, and the colours."""
    from matplotlib.path import Path

    levels = np.round(fill.colours * 255)
    if len(np.unique(levels, axis=0)) > _LEVELS:
        levels = np.round(levels / 4) * 4
    paths, colours = [], []
    for look, which in _bundles(levels):
        begin, corners = rows_of(fill.begin, fill.corners, which)
        # Each outline ends with a point that closes it.
        place = np.arange(len(corners)) + np.repeat(np.arange(len(which)), np.diff(begin))
        vertices = np.zeros((len(corners) + len(which), 2))
        vertices[place] = fill.points[corners]
        codes = np.full(len(vertices), Path.CLOSEPOLY, dtype=Path.code_type)
        codes[place] = Path.LINETO
        codes[begin[:-1] + np.arange(len(which))] = Path.MOVETO
        paths.append(Path(vertices, codes))
        colours.append(np.minimum(look / 255, 1.0))
    return paths, np.array(colours)


def joined_segments(lines: Lines) -> tuple[list[Any], Float, Float]:
    """Paths of segments of one colour and width, the colours, and the widths."""
    from matplotlib.path import Path

    looks = np.column_stack([np.round(lines.colours * 255), np.round(lines.widths, 4)])
    paths, styles = [], []
    for look, which in _bundles(looks):
        codes = np.tile(np.array([Path.MOVETO, Path.LINETO], dtype=Path.code_type), len(which))
        paths.append(Path(lines.segments[which].reshape(-1, 2), codes))
        styles.append(look)
    table = np.array(styles)
    return paths, table[:, :3] / 255, table[:, 3]


def _bundles(looks: Float) -> Iterator[tuple[Float, Ints]]:
    """Rows that are equal, some hundred at a time: the row, and where it stands."""
    found, which = np.unique(looks, axis=0, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    ends = np.searchsorted(which.reshape(-1)[order], np.arange(len(found) + 1))
    for k, look in enumerate(found):
        for start in range(int(ends[k]), int(ends[k + 1]), _BUNDLE):
            yield look, order[start : min(start + _BUNDLE, int(ends[k + 1]))]
