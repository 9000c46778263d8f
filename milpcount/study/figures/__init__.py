"""Figures as pure functions of the stored runs: PNG for the screen, PDF for the paper."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from milpcount.study.figures.counts import bounds_and_counts, counts_and
from milpcount.study.figures.depth_figure import draw_bounds_by_depth
from milpcount.study.figures.sampling import sampling_and_bounds
from milpcount.study.figures.style import require_matplotlib
from milpcount.study.figures.sweep_figure import sweep
from milpcount.study.figures.training import counts_by_epoch
from milpcount.study.records import Records
from milpcount.study.whole_files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "FIGURES",
    "OF_ALL_RUNS",
    "draw_bounds_by_depth",
    "require_matplotlib",
    "save_figure",
    "write_figure",
]

FIGURES: Mapping[str, Callable[[Records, Sequence[str], str], Figure]] = {
    "bounds_and_counts": bounds_and_counts,
    "counts_and_accuracy": partial(counts_and, "test_accuracy"),
    "counts_and_accuracy_wide": partial(counts_and, "test_accuracy", wide=True),
    "counts_and_loss": partial(counts_and, "test_loss"),
    "counts_and_loss_wide": partial(counts_and, "test_loss", wide=True),
    "sampling_and_bounds": sampling_and_bounds,
    "counts_by_epoch": counts_by_epoch,
    "sweep": sweep,
}

# The others are drawn from counts alone, and are left out where there are none.
OF_ALL_RUNS = frozenset({"bounds_and_counts", "sampling_and_bounds"})


def write_figure(
    name: str, records: Records, bounds: Sequence[str], title: str, folder: Path
) -> list[Path]:
    """Draw a figure of :data:`FIGURES`; write and return ``name.png`` and ``name.pdf``.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    return save_figure(FIGURES[name](records, bounds, title), name, folder)


def save_figure(figure: Figure, name: str, folder: Path) -> list[Path]:
    """Write and return ``name.png`` and ``name.pdf``."""
    paths = []
    # No dates in the files: the same runs give the same bytes.
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        content = io.BytesIO()
        figure.savefig(content, format=suffix[1:], dpi=160, bbox_inches="tight", metadata=metadata)
        path = folder / f"{name}{suffix}"
        write_bytes(path, content.getvalue())
        paths.append(path)
    return paths
