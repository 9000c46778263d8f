"""A picture of a network as a file, in one call: what the command ``draw`` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from milpcount.core.domain import Domain
from milpcount.draw.canvas import new_axes, paint
from milpcount.draw.cells_in_space import MAX_CELLS, complex3d
from milpcount.draw.files import ending, write_figure_file, write_page
from milpcount.draw.graph_picture import dual_graph, graph_scene
from milpcount.draw.layer_panels import layer_scenes, layers
from milpcount.draw.output_surface import surface
from milpcount.draw.plane import MAX_POLYGONS, Plane, complex_of, plane_of
from milpcount.draw.region_map import region_scene
from milpcount.draw.scene import Scene
from milpcount.draw.web_page import scene_page
from milpcount.errors import InputError
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
from milpcount.support.backends import require_matplotlib, require_plotly
from milpcount.support.regular_files import require_writable
from milpcount.support.text import nearest

__all__ = ["STYLES", "save"]

STYLES = ("regions", "layers", "surface", "graph", "complex3d")


def save(
    net_or_complex: Any,
    path: str | Path,
    domain: Domain | None = None,
    style: str = "regions",
    *,
    color: str = "random",
    edges: str = "layer",
    boundary: bool = True,
    output: int = 0,
    seed: int = 0,
    explode: float = 0.0,
    max_polygons: int | None = None,
) -> PolyhedralComplex:
    """Write a picture: .png, .pdf or .svg for paper, .html to move, turn and zoom.

    Arguments:
        net_or_complex: the network, or its complex.
        path: the file; its ending says which kind.
        domain: where; the network's own box when None.
        style: "regions", "layers", "surface", "graph" (two inputs that vary) or "complex3d"
            (three).
        color: of the regions; see :func:`~milpcount.draw.regions`.
        edges: how their edges are coloured.
        boundary: whether the decision boundary is drawn.
        seed: of random colours.
        output: which output, for colours and for the surface.
        explode: of the cells in space.
        max_polygons: refuse pictures of more; 250,000 polygons, 20,000 cells in space when None.

    Returns the complex that was drawn.

    Raises:
        InputError: an argument that is none, or another ending.
        MissingDependencyError: the library that draws it is not installed.
        OutputError: the file cannot be written.
    """
    target = Path(path)
    if style not in STYLES:
        raise InputError(f"no style {style!r}; {nearest(style, STYLES)}")
    page = ending(target) == ".html"
    require_writable(target)
    require_matplotlib()
    solid = style == "complex3d"
    most = max_polygons if max_polygons is not None else MAX_CELLS if solid else MAX_POLYGONS
    if page and style in ("surface", "complex3d"):
        require_plotly()
    found = complex_of(net_or_complex, domain, 3 if solid else 2, most)
    if style in ("surface", "complex3d"):
        backend = "plotly" if page else "matplotlib"
        if solid:
            shown = complex3d(found, explode=explode, backend=backend, seed=seed, max_polygons=most)
        else:
            shown = surface(found, backend=backend, output=output, max_polygons=most)
        if page:
            write_page(target, shown.to_html(default_height="97vh", include_plotlyjs=True))
        else:
            write_figure_file(shown.figure, target)
        return found
    if page:
        scenes = _scenes(found, style, color, edges, boundary, output, seed, most)
        write_page(target, scene_page(scenes, found.problem.network.name))
        return found
    if style == "layers":
        axes = layers(found, max_polygons=most)[0]
    elif style == "graph":
        axes = dual_graph(found, max_polygons=most)
    else:
        axes = new_axes()
        paint(axes, _scenes(found, style, color, edges, boundary, output, seed, most)[0])
    write_figure_file(axes.figure, target)
    return found


def _scenes(
    found: PolyhedralComplex,
    style: str,
    color: str,
    edges: str,
    boundary: bool,
    output: int,
    seed: int,
    most: int,
) -> list[Scene]:
    if style == "regions":
        return [region_scene(found, None, color, edges, boundary, None, output, seed, most)]
    plane: Plane = plane_of(found, None, most)
    return layer_scenes(plane) if style == "layers" else [graph_scene(plane)]
