"""How the regions change while a network is trained: GIF, MP4, or a page with a slider."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.core.domain import Domain
from milpcount.draw.canvas import paint
from milpcount.draw.files import ending, write_page
from milpcount.draw.plane import MAX_POLYGONS, plane_of
from milpcount.draw.scene import Scene, map_scene, marks_of
from milpcount.draw.web_page import scene_page
from milpcount.draw.zero_lines import boundary_segments
from milpcount.errors import InputError
from milpcount.support.backends import require_matplotlib
from milpcount.support.regular_files import require_writable, writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FILMS", "evolution", "evolution_scenes", "film"]

FILMS = (".gif", ".mp4", ".html")


def evolution(
    networks: Sequence[Any],
    domain: Domain | None,
    path: str | Path,
    *,
    color: str = "pattern",
    edges: str = "layer",
    boundary: bool = True,
    points: Any = None,
    titles: Sequence[str] | None = None,
    output: int = 0,
    frames_per_second: float = 8.0,
    max_polygons: int = MAX_POLYGONS,
) -> Path:
    """Draw the regions of several networks one after the other, as a film.

    Arguments:
        networks: one a frame, each with two inputs that vary, or their complexes.
        domain: where; each network's own box when None.
        path: the file: .gif, .mp4 (by the program ffmpeg) or .html (with a slider).
        color: of the regions; see :func:`~milpcount.draw.regions`.
        edges: how edges are coloured.
        boundary: whether the decision boundary is drawn.
        points: a data set, in every frame.
        output: which output, for colours that show one.
        max_polygons: refuse frames of more.
        titles: a line above each frame.
        frames_per_second: of the film.

    Returns the file.  Without ffmpeg that is a .gif instead of the .mp4, and a warning says so.

    Raises:
        InputError: no networks, another ending, or as :func:`~milpcount.draw.regions`.
        OutputError: the file cannot be written.
    """
    require_matplotlib()
    target = Path(path)
    kind = ending(target, FILMS)
    require_writable(target)
    if not frames_per_second > 0:
        raise InputError(f"frames_per_second must be above 0, not {frames_per_second}")
    scenes = evolution_scenes(
        networks, domain, color, edges, boundary, points, titles, output, max_polygons
    )
    if kind == ".html":
        write_page(target, scene_page(scenes, "regions during training"))
        return target
    figures = []
    for scene in scenes:
        figure = _figure()
        paint(figure.axes[0], scene, legend=False)
        figures.append(figure)
    return film(figures, target, frames_per_second)


def evolution_scenes(
    networks: Sequence[Any],
    domain: Domain | None,
    color: str,
    edges: str,
    boundary: bool,
    points: Any,
    titles: Sequence[str] | None,
    output: int = 0,
    max_polygons: int = MAX_POLYGONS,
) -> list[Scene]:
    """One scene a network.

    Raises:
        InputError: no networks, or another number of titles.
    """
    nets = list(networks)
    if not nets:
        raise InputError("a film needs at least one network")
    if titles is not None and len(titles) != len(nets):
        raise InputError(f"{len(nets)} networks need as many titles, not {len(titles)}")
    scenes = []
    for k, net in enumerate(nets):
        plane = plane_of(net, domain, max_polygons)
        zero = boundary_segments(plane) if boundary else None
        title = f"frame {k + 1}: {len(plane)} regions" if titles is None else titles[k]
        marks = marks_of(plane, points)
        scenes.append(map_scene(plane, color, edges, zero, marks, output, 0, title))
    return scenes


def film(figures: Sequence[Figure], path: Path, frames_per_second: float) -> Path:
    """Write figures of one size as a film; returns the file, a .gif where ffmpeg is missing.

    Raises:
        OutputError: the file cannot be written.
    """
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        path = path.with_suffix(".gif")
        warnings.warn(
            f"the program ffmpeg, which .mp4 needs, is not installed: {path} is written instead",
            stacklevel=3,
        )
    pictures = [_pixels(figure) for figure in figures]
    with writing(path, "choose another file, or make room"):
        if path.suffix.lower() == ".mp4":
            _mp4(pictures, path, frames_per_second)
        else:
            _gif(pictures, path, frames_per_second)
    return path


def _figure() -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0, 4.2), dpi=120)
    figure.add_axes((0.12, 0.1, 0.84, 0.84))
    return figure


def _pixels(figure: Figure) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _gif(pictures: Sequence[Any], path: Path, frames_per_second: float) -> None:
    """One palette for all frames, so that colours stay, and the file is small."""
    from PIL import Image

    frames = [Image.fromarray(picture) for picture in pictures]
    some = frames[:: max(1, len(frames) // 8)]
    sheet = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for k, frame in enumerate(some):
        sheet.paste(frame, (0, k * frame.height))
    palette = sheet.quantize(128, dither=Image.Dither.NONE)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    pause = max(20, round(1000 / frames_per_second))
    shown[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=shown[1:],
        # The last frame stays for a while.
        duration=[pause] * (len(shown) - 1) + [max(pause, 2000)],
        loop=0,
        optimize=True,
    )


def _mp4(pictures: Sequence[Any], path: Path, frames_per_second: float) -> None:
    from matplotlib.animation import FFMpegWriter
    from matplotlib.figure import Figure

    height, width = pictures[0].shape[:2]
    # The codec takes even sizes.
    figure = Figure(figsize=((width // 2 * 2) / 100, (height // 2 * 2) / 100), dpi=100)
    image = figure.figimage(pictures[0])
    writer = FFMpegWriter(fps=max(1, round(frames_per_second)))
    with writer.saving(figure, str(path), dpi=100):
        for picture in pictures:
            image.set_data(picture)
            writer.grab_frame()
