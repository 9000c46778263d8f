"""Pictures of the experiment with shapes: boundary before and after, and the curves between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.geometry.complexes.subcomplex import SubComplex
from milpcount.study.figures.style import plain_axes, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["State", "draw_states"]

_BEFORE, _AFTER = "#0072B2", "#D55E00"


@dataclass(frozen=True, eq=False)
class State:
    """A boundary.

    Attributes:
        boundary: the exact one.
        regions: of the network in the box.
        compactness: isoperimetric quotient.
        size: area or volume enclosed.
        around: length or area of the boundary.
    """

    boundary: SubComplex
    regions: int
    compactness: float
    size: float
    around: float

    def numbers(self) -> dict[str, Any]:
        """What a table says of it."""
        return {
            "compactness": round(self.compactness, 6),
            "size": round(self.size, 6),
            "around": round(self.around, 6),
            "regions": self.regions,
        }


def draw_states(states: Sequence[State]) -> Figure:
    """The boundary before and after, and how compactness and size went."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.6), dpi=150)
    ends = ((states[0], _BEFORE, "before"), (states[-1], _AFTER, "after"))
    for k, (state, colour, name) in enumerate(ends):
        place = (0.02 + 0.31 * k, 0.08, 0.29, 0.76)
        title = f"{name}: compactness {state.compactness:.3f}"
        (_draw_curve if len(state.boundary.free) == 2 else _draw_surface)(
            figure, place, state, colour, title
        )
    steps = range(len(states))
    curves = (
        ("compactness", [state.compactness for state in states], (0.0, 1.0)),
        ("size / start", [state.size / states[0].size for state in states], (0.9, 1.1)),
    )
    for row, (label, values, (low, high)) in enumerate(curves):
        axes = figure.add_axes((0.74, 0.56 - 0.40 * row, 0.24, 0.32))
        plain_axes(axes)
        axes.plot(steps, values, color="black", linewidth=1.1)
        axes.set_ylabel(label, fontsize=8)
        axes.set_ylim(min(low, *values), max(high, *values))
        axes.tick_params(labelsize=7)
        if row == 0:
            axes.set_xticklabels([])
    axes.set_xlabel("step", fontsize=8)
    return figure


def _draw_curve(
    figure: Figure, place: tuple[float, float, float, float], state: State, colour: str, title: str
) -> None:
    from matplotlib.collections import LineCollection

    axes = figure.add_axes(place)
    part = state.boundary
    points = part.vertices[:, list(part.free)]
    ends = part.faces(1).vertices.reshape(-1, 2)
    axes.add_collection(LineCollection(list(points[ends]), colors=colour, linewidths=1.2))
    axes.plot(*points.T, ".", color=colour, markersize=3)
    axes.set_aspect("equal")
    axes.set_xlim(-1, 1)
    axes.set_ylim(-1, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=9)


def _draw_surface(
    figure: Figure, place: tuple[float, float, float, float], state: State, colour: str, title: str
) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    axes: Any = figure.add_axes(place, projection="3d")
    part = state.boundary
    begin, corners = part.polygons()
    points = part.vertices[:, list(part.free)]
    polygons = [points[corners[a:b]] for a, b in itertools.pairwise(begin)]
    axes.add_collection3d(
        Poly3DCollection(
            polygons, facecolors=colour, edgecolors="black", linewidths=0.3, shade=True
        )
    )
    reach = float(np.abs(points).max(initial=0.1))
    for axis in "xyz":
        getattr(axes, f"set_{axis}lim")(-reach, reach)
    axes.set_box_aspect((1, 1, 1))
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
