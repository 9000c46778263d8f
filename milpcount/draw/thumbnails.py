"""Small pictures of complexes and regions for notebooks, with their numbers."""

from __future__ import annotations

import base64
import importlib.util
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.draw.cells_in_space import complex3d
from milpcount.draw.region_map import region_scene
from milpcount.errors import MilpcountError
from milpcount.support.cards import card, data_uri_image, whole_text

if TYPE_CHECKING:
    from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
    from milpcount.geometry.region import Region

__all__ = ["complex_card", "region_card"]

_WIDTH = 220  # pixels
_POLYGONS, _CELLS = 20_000, 400  # pictures of more take too long for a glance


def complex_card(found: PolyhedralComplex) -> str:
    """Numbers of a complex, with a picture of up to 20,000 polygons or 400 cells in space."""
    rows: list[tuple[str, object]] = [("cells", whole_text(len(found)))]
    if not found.skeleton:
        rows += [
            ("faces by dimension", ", ".join(map(whole_text, found.f_vector))),
            ("within the domain", ", ".join(map(whole_text, found.interior_f_vector))),
            ("Euler characteristic", found.euler_characteristic),
        ]
    rows += [
        ("complete", "yes" if found.complete else f"no, stopped by {found.termination.limit}"),
        ("domain", _domain(found.problem)),
        ("seconds", f"{found.seconds:.3g}"),
    ]
    return card(f"complex of {found.problem.network.name}", rows, _complex_picture(found))


def _complex_picture(found: PolyhedralComplex) -> str:
    """Markup; nothing where there is no library, no picture, or too much in it."""
    if importlib.util.find_spec("matplotlib") is None or not found.is_bounded:
        return ""
    words = f"{len(found)} regions"
    if found.dimension == 2 and len(found) <= _POLYGONS:
        return _image(_small_map(found).figure, words)
    if found.dimension == 3 and len(found) <= _CELLS and not found.skeleton:
        return _image(complex3d(found, explode=0.2, backend="matplotlib").figure, words)
    return ""


def _small_map(found: PolyhedralComplex) -> Any:
    from milpcount.draw.canvas import new_axes, paint

    axes = new_axes(2.0, 2.0)
    try:
        scene = region_scene(found)
    except MilpcountError:
        # A plateau has no boundary to draw, a refined complex has it among its edges.
        scene = region_scene(found, boundary=False)
    paint(axes, scene, legend=False)
    axes.set_xlabel("")
    axes.set_ylabel("")
    return axes


def _image(figure: Any, words: str) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=2 * _WIDTH / 2.0 / 1.5, metadata={"Software": None})
    return data_uri_image(base64.b64encode(content.getvalue()).decode("ascii"), words, _WIDTH)


def region_card(region: Region) -> str:
    """Numbers of a region, with its polygon where two inputs vary within bounds."""
    problem = region.problem
    rows: list[tuple[str, object]] = [
        ("pattern", _short(str(region.pattern))),
        ("active units", f"{int(region.pattern.bits.sum())} of {problem.n_units}"),
        ("domain", _domain(problem)),
    ]
    vary = np.flatnonzero(problem.box.lo < problem.box.hi)
    picture = ""
    if len(vary) == 2:
        rows.insert(2, ("area", f"{region.volume():.6g}"))
        if problem.box.is_bounded:
            picture = _polygon(region, vary)
    return card(f"region of {problem.network.name}", rows, picture)


def _polygon(region: Region, vary: Any) -> str:
    """The region within its box, as SVG made here: it needs no library."""
    low, high = region.problem.box.lo[vary], region.problem.box.hi[vary]
    corners = region.vertices()[:, vary]
    about = corners - corners.mean(axis=0)
    corners = corners[np.argsort(np.arctan2(about[:, 1], about[:, 0]))]
    tall = float(np.clip((high[1] - low[1]) / (high[0] - low[0]), 0.2, 5.0))
    wide, height = (_WIDTH, _WIDTH * tall) if tall <= 1 else (_WIDTH / tall, _WIDTH)
    at = (corners - low) / (high - low) * [wide, height]
    points = " ".join(f"{x:.2f},{height - y:.2f}" for x, y in at.tolist())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="the region in its box" '
        f'width="{wide:.0f}" height="{height:.0f}" viewBox="0 0 {wide:.2f} {height:.2f}">'
        f'<rect width="{wide:.2f}" height="{height:.2f}" fill="#fff" stroke="#777"/>'
        f'<polygon points="{points}" fill="#86B4DC" stroke="#111" stroke-width="1" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def _domain(problem: Any) -> str:
    return repr(problem.domain if problem.slice is None else problem.slice)


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"
