"""What all figures share: palette, canvas, scales for counts, legends beside the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from milpcount.support.backends import require_matplotlib
from milpcount.support.escaping import mathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BOUND_NAMES",
    "BOUND_STYLES",
    "COUNT_COLOURS",
    "DASHES",
    "MARKERS",
    "OTHER_COLOURS",
    "canvas",
    "count_axis",
    "heights",
    "hidden",
    "legend_beside",
    "plain_axes",
    "require_matplotlib",
    "shade",
    "split_ticks",
]

# Okabe and Ito's palette: told apart by readers who do not see all colours.
COUNT_COLOURS = ("#0072B2", "#56B4E9", "#000000", "#999999")
# One colour, marker and dash a bound, whatever others a figure shows; seen on white and on black.
BOUND_STYLES: Mapping[str, tuple[str, str, Any]] = {
    "montufar2017": ("#D55E00", "s", "-"),
    "serra2018": ("#009E73", "^", (0, (6, 2))),
    "hinz2019": ("#CC79A7", "D", (0, (3, 2))),
    "activation_based": ("#E69F00", "v", (0, (1, 1.5))),
    "naive": ("#777777", "P", (0, (6, 2, 1, 2))),
    "raghu2017": ("#9A7B1C", "X", (0, (8, 2, 1, 2, 1, 2))),
}
# For what is no bound, in figures that show bounds too.
OTHER_COLOURS = ("#56B4E9", "#8C3F99", "#A65628", "#4D8C1F", "#999999", "#333333")
MARKERS = ("s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = tuple(dash for _, _, dash in BOUND_STYLES.values())
BOUND_NAMES = {
    "naive": "$2^N$ (Montúfar et al. 2014)",
    "raghu2017": "Raghu et al. 2017",
    "montufar2017": "Montúfar 2017",
    "serra2018": "Serra et al. 2018",
    "activation_based": "activation-based",
    "hinz2019": "Hinz & van de Geer 2019",
}
# Scales reach some powers of ten beyond what they show, and floats end at 10^308.
_TOO_HIGH = 10**250
_CROWDED = 8


def canvas(width: float, title: str) -> tuple[Figure, Axes]:
    """A figure with one panel."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6), layout="constrained")
    axes: Axes = figure.add_subplot()
    plain_axes(axes)
    axes.set_title(mathtext(title), fontsize=10)
    return figure, axes


def plain_axes(axes: Axes) -> None:
    """Faint lines at the heights, no frame above and right."""
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def count_axis(axes: Axes, label: str = "activation regions") -> None:
    """Counts on a logarithmic scale; plain numbers on it where it spans few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_ylabel(label)
    if not math.isfinite(axes.dataLim.minposy):
        return  # nothing to draw
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high / low < 10**3.5 and high < 10**6:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif high / low < 10**1.5:
        # Less than two powers of ten lie in view: name what is between them, in short.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(_scientific))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _scientific(value: float, place: int) -> str:
    digits, _, power = f"{value:.0e}".partition("e")
    return rf"${digits}\times 10^{{{int(power)}}}$" if digits != "1" else f"$10^{{{int(power)}}}$"


def legend_beside(axes: Axes, title: str | None = None) -> None:
    """Put the legend right of the picture, where it hides nothing."""
    axes.legend(
        frameon=False, fontsize=8, title=title, loc="center left", bbox_to_anchor=(1.0, 0.5)
    )


def shade(k: int, of: int) -> Any:
    """The colour of the k-th of several ordered things."""
    from matplotlib import colormaps

    return colormaps["viridis"](k / max(1, of - 1) * 0.92)


def hidden(shape: str) -> str:
    """Return the hidden widths of a shape: 784-4-18-10 as 4,18."""
    return ",".join(shape.split("-")[1:-1])


def split_ticks(axes: Axes, shapes: Sequence[str]) -> None:
    """Name the architectures along the axis, upright where they are many."""
    crowded = len(shapes) > _CROWDED
    axes.set_xticks(
        range(len(shapes)),
        [hidden(shape) for shape in shapes],
        rotation=90 if crowded else 0,
        fontsize=8 if crowded else None,
    )
    axes.set_xlabel("units in the hidden layers")


def heights(values: Iterable[Any]) -> list[float]:
    """Heights in a logarithmic picture; what lies outside of any is left out."""
    return [float(v) if v is not None and 0 < v < _TOO_HIGH else float("nan") for v in values]
