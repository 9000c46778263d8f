"""Figures as pure functions of the stored runs: PNG for the screen, PDF for the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milpcount.errors import MissingDependencyError
from milpcount.study.tables import Records, architecture_table, runs_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "write_figure"]

# Okabe and Ito's palette: told apart by readers who do not see all colours.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("s", "^", "D", "v", "P", "X")
_NAMES = {
    "naive": "$2^N$ (Montúfar et al. 2014)",
    "raghu2017": "Raghu et al. 2017",
    "montufar2017": "Montúfar 2017",
    "serra2018": "Serra et al. 2018",
    "hinz2019": "Hinz & van de Geer 2019",
}


def _hidden(shape: str) -> str:
    """Return the hidden widths of a shape: 784-4-18-10 as 4,18."""
    return ",".join(shape.split("-")[1:-1])


def bounds_and_counts(records: Records, bounds: Sequence[str], title: str) -> Figure:
    """Mean counts with bars from min to max by architecture, against the analytic bounds."""
    table = architecture_table(records, bounds)
    figure, axes = _canvas(max(4.6, 1.8 + 0.45 * len(table)), title)
    places = range(len(table))
    for k, name in enumerate(bound for bound in bounds if bound in table):
        axes.plot(
            places,
            [float(v) for v in table[name]],
            color=_COLOURS[1 + k % 5],
            marker=_MARKERS[1 + k % 5],
            markersize=4,
            linewidth=1,
            label=_NAMES.get(name, name),
        )
    means = [float(v) for v in table["mean"]]
    spread = [
        [m - float(v) for m, v in zip(means, table["min"], strict=True)],
        [float(v) - m for m, v in zip(means, table["max"], strict=True)],
    ]
    axes.errorbar(
        places,
        means,
        yerr=spread,
        color=_COLOURS[0],
        marker="o",
        markersize=4,
        linewidth=1.4,
        capsize=3,
        label="counted: mean, min to max",
    )
    axes.set_yscale("log")
    axes.set_xticks(list(places), [_hidden(shape) for shape in table["architecture"]])
    axes.set_xlabel("units in the hidden layers")
    axes.set_ylabel("activation regions")
    axes.legend(frameon=False, fontsize=8)
    return figure


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
            [float(v) for v in part["lower"]],
            color=_shade(k, len(shapes)),
            s=22,
            label=_hidden(shape),
        )
    axes.set_yscale("log")
    axes.set_xlabel("test accuracy (%)")
    axes.set_ylabel("activation regions")
    if shapes:
        axes.legend(
            frameon=False,
            fontsize=8,
            title="hidden units",
            loc="center left",
            bbox_to_anchor=(1, 0.5),
        )
    return figure


FIGURES: Mapping[str, Callable[[Records, Sequence[str], str], Figure]] = {
    "bounds_and_counts": bounds_and_counts,
    "counts_and_accuracy": counts_and_accuracy,
}


def write_figure(
    name: str, records: Records, bounds: Sequence[str], title: str, folder: Path
) -> list[Path]:
    """Draw a figure of :data:`FIGURES`; write and return ``name.png`` and ``name.pdf``.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figure = FIGURES[name](records, bounds, title)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    # No dates in the files: the same runs give the same bytes.
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        path = folder / f"{name}{suffix}"
        figure.savefig(path, dpi=160, bbox_inches="tight", metadata=metadata)
        paths.append(path)
    return paths


def _canvas(width: float, title: str) -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", "drawing figures", "plots") from error
    figure = Figure(figsize=(width, 3.6), layout="constrained")
    axes: Axes = figure.add_subplot()
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(title, fontsize=10)
    return figure, axes


def _shade(k: int, of: int) -> Any:
    from matplotlib import colormaps

    return colormaps["viridis"](k / max(1, of - 1) * 0.92)
