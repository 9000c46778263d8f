"""Polygons in space, drawn by Plotly to be turned, or by Matplotlib for paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.palette import INK
from milpcount.draw.plane import fan, plain_name
from milpcount.errors import InputError
from milpcount.support.backends import require_matplotlib, require_plotly
from milpcount.support.text import nearest

__all__ = ["BACKENDS", "Solid", "show_solid"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

BACKENDS = ("plotly", "matplotlib")
_LIFT = 0.004  # of the height: how far lines lie above the surface, so that they are seen


@dataclass(frozen=True, eq=False)
class Solid:
    """What is drawn.

    Attributes:
        points: shape ``(N, 3)``.
        begin, corners: polygons, as of :class:`~milpcount.draw.fills.Fill`.
        colours: shape ``(polygons, 3)``, in [0, 1].
        heights: a value at each point, where colours vary within polygons.
        creases: shape ``(S, 2, 3)``, thin lines.
        zero: shape ``(S, 2, 3)``, thick lines.
        names: of the axes.
        cube: whether all axes have one unit; else the third is scaled to the others.
    """

    points: Float
    begin: Ints
    corners: Ints
    colours: Float
    heights: Float | None
    creases: Float
    zero: Float
    names: tuple[str, str, str]
    cube: bool


def show_solid(solid: Solid, backend: str, ax: Any = None) -> Any:
    """A Plotly figure, or Matplotlib's axes.

    Raises:
        InputError: no such backend, or axes for Plotly.
        MissingDependencyError: the library is not installed.
    """
    if backend not in BACKENDS:
        raise InputError(f"no backend {backend!r}; {nearest(backend, BACKENDS)}")
    if backend == "plotly":
        if ax is not None:
            raise InputError(
                'axes belong to Matplotlib; leave ax out, or take backend="matplotlib"'
            )
        require_plotly()
        return _plotly(solid)
    require_matplotlib()
    return _matplotlib(solid, ax)


def _plotly(solid: Solid) -> Any:
    from plotly import graph_objects as go

    triangles, owner = fan(solid.begin, solid.corners)
    # Few colours as numbers and a list of colours: names for each triangle would fill the file.
    palette, which = np.unique(np.round(solid.colours * 255), axis=0, return_inverse=True)
    look: dict[str, Any] = {
        "intensity": which.reshape(-1)[owner].astype(np.int32),
        "intensitymode": "cell",
        "colorscale": _steps(palette),
        "cmin": -0.5,
        "cmax": len(palette) - 0.5,
        "showscale": False,
    }
    if solid.heights is not None:
        look = {
            "intensity": solid.heights,
            "colorscale": "YlGnBu",
            "colorbar": {"title": {"text": solid.names[2]}, "thickness": 14, "len": 0.6},
        }
    traces = [
        go.Mesh3d(
            **_columns(solid.points),
            i=triangles[:, 0].astype(np.int32),
            j=triangles[:, 1].astype(np.int32),
            k=triangles[:, 2].astype(np.int32),
            **look,
            flatshading=True,
            lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
            hoverinfo="x+y+z",
        )
    ]
    for segments, width, name in ((solid.creases, 2, "edges"), (solid.zero, 6, "zero level")):
        if len(segments):
            gaps = np.full((len(segments), 1, 3), np.nan)
            path = np.concatenate([segments, gaps], axis=1).reshape(-1, 3)
            traces.append(
                go.Scatter3d(
                    **_columns(path),
                    mode="lines",
                    line={"color": INK, "width": width},
                    name=name,
                    hoverinfo="skip",
                )
            )
    figure = go.Figure(traces)
    scene: dict[str, Any] = {
        f"{letter}axis": {"title": {"text": plain_name(name)}}
        for letter, name in zip("xyz", solid.names, strict=True)
    }
    scene["aspectmode"] = "data" if solid.cube else "manual"
    if not solid.cube:
        wide, deep = np.ptp(solid.points[:, :2], axis=0) / np.ptp(solid.points[:, :2], axis=0).max()
        scene["aspectratio"] = {"x": float(wide), "y": float(deep), "z": 0.6}
    figure.update_layout(
        scene=scene,
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        template="plotly_white",
    )
    return figure


def _columns(points: Float) -> dict[str, Float]:
    return {letter: points[:, k].astype(np.float32) for k, letter in enumerate("xyz")}


def _steps(palette: Float) -> list[tuple[float, str]]:
    """A scale of steps, one a colour."""
    n = len(palette)
    out = []
    for k, (r, g, b) in enumerate(palette.astype(int).tolist()):
        out += [(k / n, f"rgb({r},{g},{b})"), ((k + 1) / n, f"rgb({r},{g},{b})")]
    return out


def _matplotlib(solid: Solid, ax: Any) -> Any:
    from matplotlib.colors import LightSource
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

    axes = ax
    if axes is None:
        axes = Figure(figsize=(3.6, 3.3)).add_axes((0.0, 0.02, 0.94, 0.96), projection="3d")
    low, high = solid.points.min(axis=0), solid.points.max(axis=0)
    high = np.where(high > low, high, low + 1.0)
    polygons = Poly3DCollection(
        np.split(solid.points[solid.corners], solid.begin[1:-1]),
        facecolors=solid.colours,
        # Edges with their polygons: those behind others stay hidden.
        edgecolors=[INK] * len(solid.colours),
        linewidths=float(np.clip(6.0 / np.sqrt(len(solid.colours)), 0.05, 0.5)),
        shade=solid.cube,
        lightsource=LightSource(azdeg=200, altdeg=50) if solid.cube else None,
    )
    axes.add_collection3d(polygons)
    above = np.array([0.0, 0.0, _LIFT * (high[2] - low[2])])
    if len(solid.zero):
        lines = Line3DCollection(list(solid.zero + above), colors=INK, linewidths=1.8)
        axes.add_collection3d(lines)
        # Else the order of whole collections hides the lines under the surface.
        axes.computed_zorder = False
        lines.set_zorder(polygons.get_zorder() + 1)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    size = high - low
    axes.set_box_aspect(tuple(size) if solid.cube else (*(size[:2] / size[:2].max()), 0.6))
    for name, axis in zip(solid.names, (axes.xaxis, axes.yaxis, axes.zaxis), strict=True):
        axis.set_label_text(name, fontsize=8)
        axis.labelpad = 0 if axis is axes.zaxis else -6
        axis.set_tick_params(labelsize=6, pad=1 if axis is axes.zaxis else -3)
        axis.set_major_locator(_few_ticks())
        axis.set_pane_color((1, 1, 1, 1))
    axes.grid(visible=False)
    axes.view_init(elev=28, azim=-58)
    return axes


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)
