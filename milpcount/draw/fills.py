"""What colour a polygon gets, and what the colour says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.class_parts import class_parts
from milpcount.draw.colouring import neighbour_colours
from milpcount.draw.palette import CLASSES, TINTS, cycled, rgb, sequential
from milpcount.draw.plane import Plane
from milpcount.errors import InputError
from milpcount.linear.circuit import Circuit
from milpcount.linear.groups import equal_maps
from milpcount.linear.index import Components
from milpcount.support.text import nearest

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

__all__ = ["COLOURS", "Fill", "Scale", "fill_of", "require_output"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = 8192  # patterns that are numbers at once


@dataclass(frozen=True)
class Scale:
    """What a continuous colour means."""

    label: str
    norm: Normalize


@dataclass(frozen=True, eq=False)
class Fill:
    """Coloured polygons.

    Attributes:
        points: shape ``(N, 2)``.
        begin, corners: polygon ``p`` has the corners ``points[corners[begin[p] : begin[p + 1]]]``.
        colours: shape ``(polygons, 3)``, in [0, 1].
        region: the region that each polygon is, or is a part of.
        scale: what a continuous colour means, None where there is none.
        smooth: values at the points, where the colour varies within polygons.
        legend: names and colours of classes.
        joined: edges to leave out, because the polygons beside them are one piece.
    """

    points: Float
    begin: Ints
    corners: Ints
    colours: Float
    region: Ints
    scale: Scale | None = None
    smooth: Float | None = None
    legend: tuple[tuple[str, str], ...] = ()
    joined: NDArray[np.bool_] | None = None


def fill_of(plane: Plane, color: str, output: int = 0, seed: int = 0) -> Fill:
    """The polygons of a complex in the colours of :data:`COLOURS`.

    Raises:
        InputError: no such colouring, or no such output.
    """
    if color not in COLOURS:
        raise InputError(f"no colouring {color!r}; {nearest(color, COLOURS)}")
    require_output(plane, output)
    return COLOURS[color](plane, output, seed)


def require_output(plane: Plane, output: int) -> None:
    """Refuse an output that the network does not have.

    Raises:
        InputError: it has fewer.
    """
    most = plane.problem.network.output_dimension
    if isinstance(output, bool) or not isinstance(output, int) or not 0 <= output < most:
        known = "only output 0" if most == 1 else f"outputs 0 to {most - 1}"
        raise InputError(f"there is no output {output!r}: the network has {known}")


def _plain(plane: Plane, colours: Float, **more: object) -> Fill:
    everyone = np.arange(len(plane))
    return Fill(plane.points, plane.begin, plane.corners, colours, everyone, **more)  # type: ignore[arg-type]


def _random(plane: Plane, output: int, seed: int) -> Fill:
    colours = neighbour_colours(len(plane), plane.sides[plane.inner], seed)
    return _plain(plane, rgb(TINTS)[colours])


def _pattern(plane: Plane, output: int, seed: int) -> Fill:
    """Lightness is the share of active units; the hue comes from which they are.

    Each unit has a direction in the plane of hues, and a pattern the mean of those of its active
    units, so patterns that differ in few units have similar colours, in every picture of networks
    of one shape.
    """
    states = plane.states
    n = max(1, states.shape[1])
    # Directions at the golden angle: no two units alike, whatever their number.
    turns = np.arange(n) * np.pi * (3 - np.sqrt(5)) + seed
    ways = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (2 / np.sqrt(n))
    parts = range(0, len(states), _ROWS)
    way = np.concatenate([(states[k : k + _ROWS] - 0.5) @ ways for k in parts])
    strength = np.tanh(np.linalg.norm(way, axis=1))
    hue = np.arctan2(way[:, 1], way[:, 0])
    share = states.mean(axis=1) if states.size else np.zeros(len(plane))
    spread = (share - share.min()) / max(float(np.ptp(share)), 1e-9)
    light, chroma = 92 - 36 * spread, 10 + 32 * strength
    return _plain(plane, _lab(light, chroma * np.cos(hue), chroma * np.sin(hue)))


def _lab(light: Float, a: Float, b: Float) -> Float:
    """CIELAB to sRGB in [0, 1], shape ``(n, 3)``; out of range is clipped."""
    y = (light + 16) / 116
    t = np.stack([y + a / 500, y, y - b / 200], axis=1)
    xyz = np.where(t > 6 / 29, t**3, (t - 4 / 29) * 3 * (6 / 29) ** 2) * [0.9505, 1.0, 1.089]
    mix = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    linear = np.clip(xyz @ mix.T, 0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear > 0.0031308, curved, 12.92 * linear))


def _gradient(plane: Plane, output: int, seed: int) -> Fill:
    length = np.linalg.norm(plane.maps[0][:, output], axis=1)
    return _scaled(plane, length, f"length of the gradient{_of(plane, output)}")


def _output(plane: Plane, output: int, seed: int) -> Fill:
    values = plane.values[:, output]
    sums = np.add.reduceat(values[plane.corners], plane.begin[:-1])
    return _scaled(plane, sums / np.diff(plane.begin), f"output{_of(plane, output)}", values)


def _volume(plane: Plane, output: int, seed: int) -> Fill:
    return _scaled(plane, plane.areas, "area", log=True)


def _distance(plane: Plane, output: int, seed: int) -> Fill:
    """Facets crossed from the polygon that holds, or is nearest to, the centre of the picture."""
    low, high = plane.extent
    start = int(np.argmin(np.linalg.norm(plane.centres - (low + high) / 2, axis=1)))
    steps = _steps(len(plane), plane.sides[plane.inner], start)
    return _scaled(plane, steps.astype(np.float64), "edges crossed from the centre")


def _steps(count: int, pairs: Ints, start: int) -> Ints:
    """Distances in a graph, layer by layer."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    distance = np.full(count, -1, dtype=np.int64)
    distance[start] = step = 0
    while True:
        at = (distance[both[:, 0]] == step) & (distance[both[:, 1]] < 0)
        if not at.any():
            return distance
        step += 1
        distance[both[at, 1]] = step


def _class(plane: Plane, output: int, seed: int) -> Fill:
    """The class: the greatest output, or of a single one its sign."""
    parts = class_parts(plane)
    binary = plane.problem.network.output_dimension == 1
    names = ("output < 0", "output > 0") if binary else None
    shown = np.unique(parts.classes).tolist()
    return Fill(
        parts.points,
        parts.begin,
        parts.corners,
        cycled(CLASSES, parts.classes),
        parts.region,
        legend=tuple(
            (names[k] if names else f"class {k}", CLASSES[k % len(CLASSES)]) for k in shown
        ),
    )


def _linear(plane: Plane, output: int, seed: int) -> Fill:
    """The pieces of the function: polygons with one affine map, joined across their edges."""
    pairs = plane.sides[plane.inner]
    joined = np.zeros(len(plane.ends), dtype=bool)
    labels = np.arange(len(plane))
    if plane.problem.n_units:
        circuit = Circuit.of(plane.problem)
        maps = equal_maps(circuit, circuit.spread(plane.states), lambda: False).map_of
        same = maps[pairs[:, 0]] == maps[pairs[:, 1]]
        joined[plane.inner[same]] = True
        parts = Components(len(plane))
        parts.unite(pairs[same, 0], pairs[same, 1])
        _, labels = np.unique(parts.roots(), return_inverse=True)
    colours = neighbour_colours(int(labels.max()) + 1, labels[pairs], seed)
    return _plain(plane, rgb(TINTS)[colours[labels]], joined=joined)


def _scaled(
    plane: Plane, values: Float, label: str, smooth: Float | None = None, log: bool = False
) -> Fill:
    from matplotlib.colors import LogNorm, Normalize

    shown = values if smooth is None else smooth
    low, high = float(shown.min()), float(shown.max())
    if low == high:
        low, high = (low * 0.9, high * 1.1) if log else (low - 0.5, high + 0.5)
    norm = LogNorm(low, high) if log else Normalize(low, high)
    colours = np.asarray(sequential()(norm(values)))[:, :3]
    return _plain(plane, colours, scale=Scale(label, norm), smooth=smooth)


def _of(plane: Plane, output: int) -> str:
    return "" if plane.problem.network.output_dimension == 1 else f" {output}"


COLOURS: Mapping[str, Callable[[Plane, int, int], Fill]] = {
    "random": _random,
    "pattern": _pattern,
    "gradient": _gradient,
    "output": _output,
    "class": _class,
    "volume": _volume,
    "distance": _distance,
    "linear": _linear,
}
