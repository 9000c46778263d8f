"""Figures as pure functions of the stored runs: PNG for the screen, PDF for the paper."""

from __future__ import annotations

import importlib.util
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.errors import MissingDependencyError
from milpcount.study.files import write_bytes
from milpcount.study.sweep_figure import sweep_figure
from milpcount.study.tables import WAY, Records, architecture_table, runs_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "require_matplotlib", "write_figure"]

# Okabe and Ito's palette: told apart by readers who do not see all colours.
_COUNT_COLOURS = ("#0072B2", "#56B4E9", "#000000", "#999999")
_BOUND_COLOURS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#7F6000")
_MARKERS = ("s", "^", "D", "v", "P")
_DASHES = ("-", (0, (6, 2)), (0, (3, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_TOO_HIGH = 10**300
_NAMES = {
    "naive": "$2^N$ (Montúfar et al. 2014)",
    "raghu2017": "Raghu et al. 2017",
    "montufar2017": "Montúfar 2017",
    "serra2018": "Serra et al. 2018",
    "activation_based": "activation-based",
    "hinz2019": "Hinz & van de Geer 2019",
}


def _hidden(shape: str) -> str:
    """Return the hidden widths of a shape: 784-4-18-10 as 4,18."""
    return ",".join(shape.split("-")[1:-1])


def bounds_and_counts(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Mean counts with bars from min to max by architecture, against the analytic bounds.

    Every way of counting (engine, definition, with or without outputs) is a series of its own.
    """
    table = architecture_table(records, bounds)
    shapes = list(dict.fromkeys(table["architecture"]))
    figure, axes = _canvas(max(5.4, 3.4 + 0.45 * len(shapes)), title)
    ways = dict.fromkeys(table[list(WAY)].itertuples(index=False, name=None))
    for k, name in enumerate(name for name in bounds if table[name].notna().any()):
        # Of the ways of counting the weakest bound: with outputs there are more units.
        heights = [max(_heights(table[table["architecture"] == s][name])) for s in shapes]
        axes.plot(
            range(len(shapes)),
            heights,
            color=_BOUND_COLOURS[k % len(_BOUND_COLOURS)],
            # Bounds are often equal: hollow markers that shrink, and dashes, let all be seen.
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=max(3, 9 - 1.5 * k),
            markerfacecolor="none",
            linestyle=_DASHES[k % len(_DASHES)],
            linewidth=1.2,
            label=_NAMES.get(name, name),
        )
    for k, way in enumerate(ways):
        part = table[(table[list(WAY)] == pd.Series(way, index=WAY)).all(axis=1)]
        means = _heights(part["mean"])
        below = [m - v for m, v in zip(means, _heights(part["min"]), strict=True)]
        above = [v - m for m, v in zip(means, _heights(part["max"]), strict=True)]
        # Side by side, so that equal counts do not hide each other.
        shift = 0.12 * (k - (len(ways) - 1) / 2)
        axes.errorbar(
            [shapes.index(shape) + shift for shape in part["architecture"]],
            means,
            yerr=[below, above],
            color=_COUNT_COLOURS[k % len(_COUNT_COLOURS)],
            marker="o",
            markersize=4,
            linewidth=1.4,
            linestyle="-" if len(ways) == 1 else "none",
            capsize=3,
            label=_way_label(way, len(ways)),
            zorder=3,
        )
    _count_axis(axes)
    axes.set_xticks(range(len(shapes)), [_hidden(shape) for shape in shapes])
    axes.set_xlabel("units in the hidden layers")
    _legend_beside(axes)
    return figure


def _way_label(way: tuple[Any, ...], ways: int) -> str:
    engine, definition, with_output = way
    if ways == 1:
        return "counted: mean, min to max"
    return f"counted: {engine}, {definition}{', with output' if with_output else ''}"


def _heights(values: Iterable[Any]) -> list[float]:
    """Heights in a logarithmic picture; what lies outside of any is left out."""
    return [float(v) if v is not None and 0 < v < _TOO_HIGH else float("nan") for v in values]


def counts_and_accuracy(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Counts against test accuracy, one point a network, coloured by architecture."""
    runs = runs_table(records, bounds)
    runs = runs[runs["test_accuracy"].notna()]
    figure, axes = _canvas(5.4, title)
    shapes = list(dict.fromkeys(runs["architecture"]))
    for k, shape in enumerate(shapes):
        part = runs[runs["architecture"] == shape]
        axes.scatter(
            [100 * float(v) for v in part["test_accuracy"]],
            _heights(part["lower"]),
            color=_shade(k, len(shapes)),
            s=22,
            label=_hidden(shape),
        )
    _count_axis(axes)
    axes.set_xlabel("test accuracy (%)")
    if shapes:
        _legend_beside(axes, "hidden units")
    return figure


FIGURES: Mapping[str, Callable[[Records, Sequence[str], str], Figure]] = {
    "bounds_and_counts": bounds_and_counts,
    "counts_and_accuracy": counts_and_accuracy,
    "sweep": sweep_figure,
}


def write_figure(
    name: str, records: Records, bounds: Sequence[str], title: str, folder: Path
) -> list[Path]:
    """Draw a figure of :data:`FIGURES`; write and return ``name.png`` and ``name.pdf``.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figure = FIGURES[name](records, bounds, title)
    paths = []
    # No dates in the files: the same runs give the same bytes.
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        content = io.BytesIO()
        figure.savefig(content, format=suffix[1:], dpi=160, bbox_inches="tight", metadata=metadata)
        path = folder / f"{name}{suffix}"
        write_bytes(path, content.getvalue())
        paths.append(path)
    return paths


def require_matplotlib() -> None:
    """Check that figures can be drawn.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError("matplotlib", "drawing figures", "plots")


def _canvas(width: float, title: str) -> tuple[Figure, Axes]:
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6), layout="constrained")
    axes: Axes = figure.add_subplot()
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(title, fontsize=10)
    return figure, axes


def _count_axis(axes: Axes) -> None:
    """Counts on a logarithmic scale; plain numbers on it where it spans few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_ylabel("activation regions")
    if not math.isfinite(axes.dataLim.minposy):
        return  # nothing to draw
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high / low < 10**3.5 and high < 10**6:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _legend_beside(axes: Axes, title: str | None = None) -> None:
    """Put the legend right of the picture, where it hides nothing."""
    axes.legend(
        frameon=False, fontsize=8, title=title, loc="center left", bbox_to_anchor=(1.0, 0.5)
    )


def _shade(k: int, of: int) -> Any:
    from matplotlib import colormaps

    return colormaps["viridis"](k / max(1, of - 1) * 0.92)
