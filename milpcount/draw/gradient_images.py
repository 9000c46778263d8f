"""Gradients of a network's outputs at one image, as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import DomainError, InputError
from milpcount.geometry.local_maps.around_points import local_maps
from milpcount.support.backends import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["gradients"]

_ROW = 6  # panels beside each other


def gradients(
    net: Any,
    image: ArrayLike,
    ax: Sequence[Axes] | None = None,
    *,
    outputs: Sequence[int] | None = None,
    shape: Sequence[int] | None = None,
    input_shape: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> NDArray[Any]:
    """Draw the gradient of each output at one image, after the image itself.

    All gradients share one scale, white at 0: red entries raise the output, blue ones lower it.

    Arguments:
        net: a network, or a piecewise linear PyTorch module.
        image: the input, of any shape that the network takes.
        ax: as many axes as outputs, and one; a figure is made when None.
        outputs: which outputs; all when None.
        shape: rows and columns of the picture; those of the image if it has two axes (besides axes
            of length 1), else of a square.
        input_shape: as of :func:`milpcount.local_maps`, for an image given as a row.
        names: of the outputs that are drawn; their numbers when None.

    Returns the axes, one a panel.

    Raises:
        InputError: an image that is no picture of that shape, or too few axes or names.
    """
    require_matplotlib()
    given = np.asarray(image)
    rows, columns = _picture(given, shape)
    maps = local_maps(net, given[None], outputs=outputs, input_shape=input_shape)
    slopes = maps.gradients[:, 0].reshape(len(maps), rows, columns)
    numbers = range(len(slopes)) if outputs is None else list(outputs)
    titles = [f"output {j}" for j in numbers] if names is None else list(names)
    if len(titles) != len(slopes):
        raise InputError(f"names: {len(slopes)} outputs are drawn, and {len(titles)} named")
    panels = _panels(len(slopes) + 1) if ax is None else np.ravel(np.asarray(ax, dtype=object))
    if len(panels) <= len(slopes):
        raise InputError(f"gradients needs {len(slopes) + 1} axes here, not {len(panels)}")
    panels[0].imshow(given.reshape(rows, columns), cmap="gray_r", interpolation="nearest")
    panels[0].set_title("input", fontsize=8)
    most = float(np.abs(slopes).max()) or 1.0
    shown = None
    for panel, slope, title in zip(panels[1:], slopes, titles, strict=False):
        shown = panel.imshow(slope, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        panel.set_title(title, fontsize=8)
    used = panels[: len(slopes) + 1]
    for panel in used:
        panel.set_xticks([])
        panel.set_yticks([])
    if ax is None:
        bar = used[0].figure.colorbar(shown, ax=list(panels), fraction=0.025, pad=0.01)
        bar.set_label("gradient", fontsize=8)
        bar.ax.tick_params(labelsize=7, length=2.5, width=0.6)
    return np.asarray(used)


def _picture(image: NDArray[Any], shape: Sequence[int] | None) -> tuple[int, int]:
    """Rows and columns of the picture."""
    if image.size == 0 or image.dtype.kind not in "iuf":
        raise DomainError("the image holds no numbers")
    if shape is not None:
        sizes = tuple(shape)
        if len(sizes) != 2 or int(np.prod(sizes)) != image.size:
            raise InputError(f"shape: {image.size} pixels make no picture of shape {sizes}")
        return int(sizes[0]), int(sizes[1])
    long = [n for n in image.shape if n > 1]
    if len(long) == 2:
        return long[0], long[1]
    side = math.isqrt(image.size)
    if side * side != image.size:
        raise InputError(
            f"{image.size} pixels in shape {image.shape} make no square; give shape=(rows, columns)"
        )
    return side, side


def _panels(count: int) -> NDArray[Any]:
    from matplotlib.figure import Figure

    columns = min(count, _ROW)
    rows = -(-count // columns)
    figure = Figure(figsize=(1.15 * columns + 0.6, 1.3 * rows), layout="constrained")
    flat = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for panel in flat[count:]:
        panel.set_axis_off()
    return flat
