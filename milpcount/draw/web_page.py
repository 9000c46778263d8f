"""Scenes as one HTML file that needs nothing else: dragged, zoomed, with a slider for several."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.draw.fills import Scale
from milpcount.draw.palette import sequential
from milpcount.draw.plane import Plane, plain_name
from milpcount.draw.scene import Lines, Scene, legend_of
from milpcount.draw.viewer import SCRIPT, STYLE

__all__ = ["scene_page"]

Float = NDArray[np.float64]

_STEPS = 64  # colours of a continuous scale
_TOLD = 20_000  # polygons of which the page can tell the pattern
_TEXT = 4_000_000  # characters that this may take


def scene_page(scenes: Sequence[Scene], heading: str) -> str:
    """The page; ``heading`` is text, not markup."""
    lows, highs = zip(*(scene.plane.extent for scene in scenes), strict=True)
    extent = [*np.min(lows, axis=0).tolist(), *np.max(highs, axis=0).tolist()]
    data = {"extent": extent, "frames": [_frame(scene) for scene in scenes]}
    # No tag can end within the data.
    packed = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    several = (
        f'<button id="play">Play</button><input type="range" id="slider" aria-label="frame" '
        f'min="0" max="{len(scenes) - 1}" value="0">'
        if len(scenes) > 1
        else ""
    )
    name = html.escape(heading)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{name}</title><style>{STYLE}</style></head><body>"
        f'<header><h1>{name}</h1>{several}<span id="title">{html.escape(scenes[0].title)}</span>'
        '</header><div id="stage"><canvas role="img" '
        f'aria-label="{name}"></canvas><div id="tip"></div></div>'
        f"<footer>{_legend(scenes)}<span>Drag to move, wheel to zoom, double click for all."
        f'</span></footer><script type="application/json" id="data">{packed}</script>'
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _frame(scene: Scene) -> dict[str, Any]:
    fill = scene.fill
    palette: list[str] = []
    if fill is None:
        points, begin, corners = np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0, np.int64)
        which = np.zeros(0, np.int64)
    else:
        points, begin, corners = fill.points, fill.begin, fill.corners
        which, palette = _palette(fill.colours)
    marks: list[list[float]] = []
    if scene.marks is not None:
        at = np.column_stack([scene.marks.points, scene.marks.labels])
        marks = [[float(f"{x:.6g}"), float(f"{y:.6g}"), int(k)] for x, y, k in at.tolist()]
    shades: dict[str, Any] = {}
    if fill is not None and fill.smooth is not None and fill.scale is not None:
        ramp = np.asarray(sequential()(np.linspace(0, 1, 4 * _STEPS)))[:, :3] * 255
        low, high = _ends(fill.scale)
        shades = {
            "smooth": _packed(fill.smooth, "<f8"),
            "ramp": [_hex(c) for c in ramp],
            "low": low,
            "high": high,
        }
    return {
        **shades,
        "title": scene.title,
        "points": _packed(points, "<f8"),
        "begin": _packed(begin, "<u4"),
        "corners": _packed(corners, "<u4"),
        "colours": _packed(which, "<u2"),
        "palette": palette,
        "info": None if fill is None else _told(scene.plane, fill.region),
        "lines": [_lines(lines) for lines in scene.lines],
        "marks": marks,
    }


def _lines(lines: Lines) -> dict[str, Any]:
    looks = np.column_stack([np.round(lines.colours * 255), np.round(lines.widths, 3)])
    styles, which = np.unique(looks, axis=0, return_inverse=True)
    return {
        "segments": _packed(lines.segments.reshape(-1, 4), "<f8"),
        "looks": _packed(which.reshape(-1), "<u2"),
        "styles": [[_hex(style[:3]), float(style[3])] for style in styles],
        "halo": lines.halo,
    }


def _palette(colours: Float) -> tuple[NDArray[np.int64], list[str]]:
    """Few colours, so that a page fills many polygons at once: rounded where they are many."""
    levels = np.round(colours * 255)
    found, which = np.unique(levels, axis=0, return_inverse=True)
    if len(found) > 4 * _STEPS:
        found, which = np.unique(np.round(levels / 9) * 9, axis=0, return_inverse=True)
    return which.reshape(-1), [_hex(np.minimum(c, 255)) for c in found]


def _told(plane: Plane, region: NDArray[np.int64]) -> list[str] | None:
    """What the page says of each polygon: pattern, area, outputs."""
    net, index = plane.problem.network, plane.problem.index
    outputs = min(net.output_dimension, 3)
    size = len(region) * (index.n_units + 60 * (outputs + 1))
    if len(region) > _TOLD or size > _TEXT:
        return None
    cuts = index.first_bits[1:-1]
    slopes, constants = plane.maps
    x, y = (plain_name(axis) for axis in plane.axis_names)
    texts = []
    for p, states in enumerate(plane.states):
        bits = "".join(map(str, states.tolist()))
        parts = [bits[a:b] for a, b in zip((0, *cuts), (*cuts, len(bits)), strict=True)]
        lines = [f"region {p}", "-".join(parts), f"area {plane.areas[p]:.4g}"]
        for k in range(outputs):
            a, b = slopes[p, k]
            name = "f" if net.output_dimension == 1 else f"f{k}"
            lines.append(f"{name} = {a:.4g} {x} {b:+.4g} {y} {constants[p, k]:+.4g}")
        texts.append("\n".join(lines))
    return [texts[p] for p in region.tolist()]


def _legend(scenes: Sequence[Scene]) -> str:
    parts = []
    for label, colour, width in legend_of(scenes):
        look = (
            f"background:{colour}"
            if width is None
            else f"background:{colour};height:{max(2, round(2 * width))}px;width:20px;border:0"
        )
        parts.append(
            f'<span class="key"><span class="box" style="{look}"></span>{html.escape(label)}</span>'
        )
    scale = next((s.fill.scale for s in scenes if s.fill is not None and s.fill.scale), None)
    if scale is not None:
        ramp = np.asarray(sequential()(np.linspace(0, 1, 9)))[:, :3] * 255
        low, high = (f"{v:.3g}" for v in _ends(scale))
        parts.append(
            f'<span class="key">{html.escape(scale.label)}: {low}<span class="bar" style="'
            f'background:linear-gradient(90deg,{",".join(map(_hex, ramp))})"></span>{high}</span>'
        )
    return "".join(parts)


def _ends(scale: Scale) -> tuple[float, float]:
    """Least and greatest value of a scale."""
    return float(scale.norm.vmin or 0.0), float(scale.norm.vmax or 0.0)


def _packed(array: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode("ascii")


def _hex(colour: NDArray[Any]) -> str:
    return "#" + "".join(f"{round(float(v)):02x}" for v in colour[:3])
