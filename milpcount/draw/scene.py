"""A picture in the plane before it is drawn: coloured polygons, lines, points, what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.fills import Fill, fill_of
from milpcount.draw.palette import INK, LAYERS, UNITS, cycled, rgb
from milpcount.draw.plane import Plane
from milpcount.errors import InputError
from milpcount.support.text import nearest

__all__ = [
    "EDGES",
    "Lines",
    "Marks",
    "Scene",
    "edge_lines",
    "map_scene",
    "marks_of",
    "outline",
    "thin",
]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

EDGES = ("layer", "unit", "none")
_MARKS = ("o", "^", "s", "D", "v", "P", "X", "*")


@dataclass(frozen=True, eq=False)
class Lines:
    """Segments.

    Attributes:
        segments: shape ``(S, 2, 2)``.
        colours: shape ``(S, 3)``, in [0, 1].
        widths: shape ``(S,)``, in points.
        legend: names, with the colour and width of each.
        halo: whether a white line lies beneath, so that they are seen on every colour.
    """

    segments: Float
    colours: Float
    widths: Float
    legend: tuple[tuple[str, str, float], ...] = ()
    halo: bool = False

    @classmethod
    def plain(
        cls, segments: Float, colour: str, width: float, label: str = "", halo: bool = False
    ) -> Lines:
        """Segments of one colour and width."""
        n = len(segments)
        legend = ((label, colour, width),) if label and n else ()
        colours = np.tile(rgb((colour,)), (n, 1))
        return cls(segments, colours, np.full(n, width), legend, halo)


@dataclass(frozen=True, eq=False)
class Marks:
    """Points of a data set.

    Attributes:
        points: shape ``(N, 2)``.
        labels: shape ``(N,)``, whole numbers from 0; one shape of mark each.
    """

    points: Float
    labels: Ints

    @staticmethod
    def shape(label: int) -> str:
        """The mark of a label, in Matplotlib's letters."""
        return _MARKS[label % len(_MARKS)]


@dataclass(frozen=True, eq=False)
class Scene:
    """What a picture shows.

    Attributes:
        plane: where polygons and axes come from.
        fill: the polygons, None for none.
        lines: in the order in which they are drawn.
        marks: points on top, None for none.
        title: one line, or nothing.
    """

    plane: Plane
    fill: Fill | None
    lines: tuple[Lines, ...] = ()
    marks: Marks | None = None
    title: str = ""


def map_scene(
    plane: Plane,
    color: str,
    edges: str,
    boundary: Float | None,
    marks: Marks | None,
    output: int = 0,
    seed: int = 0,
    title: str = "",
) -> Scene:
    """Regions in colours, their edges, the decision boundary, points.

    Raises:
        InputError: no such colouring, edges or output.
    """
    if edges not in EDGES:
        raise InputError(f"no edges {edges!r}; {nearest(edges, EDGES)}")
    fill = fill_of(plane, color, output, seed)
    lines = [outline(plane)]
    if edges != "none":
        inner = plane.inner if fill.joined is None else plane.inner[~fill.joined[plane.inner]]
        lines.append(edge_lines(plane, inner, edges))
    if boundary is not None and len(boundary):
        lines.append(Lines.plain(boundary, INK, 1.7, "decision boundary", halo=True))
    return Scene(plane, fill, tuple(lines), marks, title)


def edge_lines(plane: Plane, which: Ints, edges: str, width: float | None = None) -> Lines:
    """Edges of the polygons, coloured by the layer or by the unit that turns there."""
    stages = np.maximum(plane.stages[which], 0)
    # Later layers are thinner: told apart without colours.
    widths = thin(len(plane)) * np.maximum(0.55, 1.25 - 0.25 * stages)
    if width is not None:
        widths = np.full(len(which), width)
    if edges == "unit":
        return Lines(
            plane.segments[which], cycled(UNITS, np.maximum(plane.units[which], 0)), widths
        )
    shown = np.unique(stages).tolist()
    legend = [(plane.layers[k][0], LAYERS[k % len(LAYERS)], 1.4 - 0.2 * min(k, 4)) for k in shown]
    several = tuple(legend) if len(shown) > 1 else ()
    return Lines(plane.segments[which], cycled(LAYERS, stages), widths, several)


def outline(plane: Plane) -> Lines:
    """The sides of the domain, and what else has no polygon beyond."""
    outer = np.flatnonzero(np.any(plane.sides < 0, axis=1))
    return Lines.plain(plane.segments[outer], INK, 0.6)


def thin(count: int) -> float:
    """A width for lines in a picture of so many polygons, in points."""
    return float(np.clip(0.75 * (150 / max(count, 1)) ** 0.33, 0.04, 0.75))


def marks_of(plane: Plane, points: Any) -> Marks | None:
    """Points to draw: ``X``, or ``(X, y)`` with a label each.

    ``X`` has the problem's coordinates, or on a slice the network's inputs, which are projected.

    Raises:
        InputError: arrays of another shape.
    """
    if points is None:
        return None
    has_labels = isinstance(points, tuple) and len(points) == 2 and np.ndim(points[0]) == 2
    x, y = points if has_labels else (points, None)
    try:
        at = np.asarray(x, dtype=np.float64)
        labels = np.zeros(len(at), dtype=np.int64)
        if y is not None:
            labels = np.unique(np.asarray(y).reshape(-1), return_inverse=True)[1]
    except (TypeError, ValueError) as error:
        raise InputError(f"points: give an array of points, or (X, y), not {error}") from error
    problem = plane.problem
    if at.ndim != 2 or len(labels) != len(at):
        raise InputError(
            f"points: give an array of shape (points, {problem.dimension}), or a pair with as "
            f"many labels, not shapes {at.shape} and {labels.shape}"
        )
    if problem.slice is not None and at.shape[1] == problem.slice.input_dimension:
        origin, *corners = problem.slice.points
        at = np.linalg.lstsq((np.array(corners) - origin).T, (at - origin).T, rcond=None)[0].T
    if at.shape[1] == problem.dimension and at.shape[1] != 2:
        at = at[:, plane.vary]
    if at.shape[1] != 2:
        raise InputError(
            f"points: they have {at.shape[1]} coordinates, the domain {problem.dimension}"
        )
    return Marks(at, labels)


def legend_of(scenes: Sequence[Scene]) -> list[tuple[str, str, float | None]]:
    """Names, colours and (for lines) widths, each once: of classes, then of lines."""
    out: dict[str, tuple[str, str, float | None]] = {}
    for scene in scenes:
        for label, colour in scene.fill.legend if scene.fill is not None else ():
            out.setdefault(label, (label, colour, None))
        for lines in scene.lines:
            for label, colour, width in lines.legend:
                out.setdefault(label, (label, colour, width))
    return list(out.values())
