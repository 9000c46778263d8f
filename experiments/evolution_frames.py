"""Frames of the experiment with training: the regions, and the curves up to the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from milpcount import draw
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
from milpcount.study.figures.style import plain_axes, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Frame", "draw_frame"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A network during training.

    Attributes:
        epoch: so many were done.
        complex: its regions in the box.
        boundary: length of the decision boundary.
        loss: mean over the points.
        right: share of points in the class that the network says.
    """

    epoch: int
    complex: PolyhedralComplex
    boundary: float
    loss: float
    right: float

    @property
    def regions(self) -> int:
        """Number of regions."""
        return len(self.complex)

    def numbers(self) -> dict[str, Any]:
        """What a table says of it."""
        return {
            "regions": self.regions,
            "boundary_length": round(self.boundary, 4),
            "loss": round(self.loss, 5),
            "accuracy": round(self.right, 4),
        }


def draw_frame(frames: Sequence[Frame], k: int, points: Any) -> Figure:
    """Frame ``k``: the classes, regions and data, and the curves beside with a dot at ``k``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.8, 3.9), dpi=100)
    now = frames[k]
    panel = figure.add_axes((0.085, 0.19, 0.43, 0.74))
    draw.regions(now.complex, ax=panel, color="class", points=points)
    panel.set_title(
        f"epoch {now.epoch}: {now.regions} regions, {100 * now.right:.1f} % right", fontsize=9
    )
    epochs = [frame.epoch for frame in frames]
    curves = (
        ("regions", [float(frame.regions) for frame in frames]),
        ("boundary length", [frame.boundary for frame in frames]),
        ("loss", [frame.loss for frame in frames]),
    )
    for row, (name, values) in enumerate(curves):
        axes = figure.add_axes((0.63, 0.70 - 0.285 * row, 0.34, 0.22))
        plain_axes(axes)
        axes.plot(epochs, values, color="#0072B2", linewidth=1.1)
        axes.plot(epochs[k], values[k], "o", color="#D55E00", markersize=5)
        axes.set_ylabel(name, fontsize=8)
        axes.set_ylim(0.0, 1.1 * max(*values, 1e-9))
        axes.tick_params(labelsize=7)
        if row < 2:
            axes.set_xticklabels([])
    axes.set_xlabel("epoch", fontsize=8)
    return figure
