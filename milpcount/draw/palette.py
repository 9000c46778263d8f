"""Colours told apart by readers who do not see all of them, and on paper without any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

__all__ = ["CLASSES", "INK", "LAYERS", "TINTS", "UNITS", "cycled", "rgb", "sequential"]

Float = NDArray[np.float64]

INK = "#111111"
# Light enough for lines on top, each of a lightness of its own: 93, 86, 80, 74, 68, 61 of 100.
TINTS = ("#F6EBD3", "#BFDDF2", "#F4BDA4", "#A2C08F", "#C79CC4", "#6F9AC4")
# Classes: stronger, again from light to dark; the first two are a binary network's.
CLASSES = (
    "#F6E3B4", "#86B4DC", "#CF7A55", "#B9DDC0", "#B58CC0",
    "#6C8F5A", "#E2E2E2", "#B0753B", "#5C6FA8", "#9A9A9A",
)  # fmt: skip
# Lines: Okabe and Ito's palette, without yellow.
LAYERS = ("#333333", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8A6D00")
UNITS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#111111", "#8A6D00",
    "#7A3E9D", "#5A5A5A",
)  # fmt: skip


def rgb(colours: tuple[str, ...]) -> Float:
    """Hexadecimal colours as numbers in [0, 1], one a row."""
    return np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colours]) / 255.0


def cycled(colours: tuple[str, ...], which: NDArray[np.int64]) -> Float:
    """The colours of numbered things, from the start again after the last."""
    return np.asarray(rgb(colours)[which % len(colours)])


def sequential() -> Colormap:
    """From light to dark, so that it reads in grey; without the darkest, for lines on top."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    steps: Any = colormaps["YlGnBu"](np.linspace(0.0, 0.82, 256))
    return ListedColormap(steps, name="milpcount")
