"""Pictures of the experiment with local maps: dual points of XOR networks, gradients of a digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import milpcount as mc
from experiments.local_maps_xor import CORNERS, TARGETS, XorTraining, given, trained
from milpcount.study.figures import require_matplotlib, save_figure

__all__ = ["draw_gradients", "draw_xor"]


def draw_xor(how: XorTraining, folder: Path) -> list[Path]:
    """The given network and a trained one of each width, on the grid of the square [-1, 1]^2."""
    require_matplotlib()
    from matplotlib.figure import Figure

    networks = [("given network, bias 2", given(2.0))]
    if how.seeds:
        networks += [(f"{width} hidden units", trained(width, 0, how)[0]) for width in how.hidden]
    figure = Figure(figsize=(3.7 * len(networks), 3.3), layout="constrained")
    panels = np.ravel(figure.subplots(1, len(networks), squeeze=False))
    classes = (TARGETS > 0).astype(np.int64)
    for panel, (name, net) in zip(panels, networks, strict=True):
        mc.draw.local_maps(net, ax=panel, points=(CORNERS, classes))
        panel.set_title(name, fontsize=9)
    return save_figure(figure, "xor", folder)


def draw_gradients(module: Any, name: str, image: NDArray[np.float32], folder: Path) -> list[Path]:
    """The gradient image of each output for one digit."""
    panels = mc.draw.gradients(module, image, shape=(28, 28))
    return save_figure(panels[0].figure, f"gradients_{name}", folder)
