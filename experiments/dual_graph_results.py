"""Table and figures of the experiment with dual graphs: pure functions of its records."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.study.figures.style import plain_axes, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_degrees", "draw_diameters", "means"]

Record = dict[str, Any]

# Gaines and Bi: regions, degree and diameter by (inputs, depth) at width 16, over the whole space.
_PUBLISHED = {
    (4, 1): (2517, 7.32, 22.5),
    (5, 1): (6885, 9.02, 23.2),
    (4, 2): (4.2e4, 7.72, 41.1),
    (5, 2): (2.7e5, 9.61, 42.6),
    (4, 4): (6.2e5, 7.85, 76.4),
    (5, 4): (5.0e6, 9.80, 70.9),
}
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
_MARKERS = ("o", "s", "^", "D")
_WHERE = {"space": "whole space", "box": "box"}


def means(records: Sequence[Record]) -> pd.DataFrame:
    """Means over the seeds, one row a domain and architecture.

    ``explored`` graphs were carried to a limit: of these there is ``explored_degree`` alone, the
    mean over regions drawn from those found.  ``diameter`` and ``diameter_upper`` are means of
    proved bounds, the same where all diameters are exact.
    """
    rows = []
    key = lambda r: (r["domain"], r["inputs"], r["depth"], r["width"])  # noqa: E731
    for (domain, inputs, depth, width), group in itertools.groupby(sorted(records, key=key), key):
        part = list(group)
        whole = [r for r in part if r["complete"]]
        published = _PUBLISHED.get((inputs, depth)) if domain == "space" and width == 16 else None
        regions, degree, diameter = published or (None, None, None)
        rows.append(
            {
                "domain": domain,
                "inputs": inputs,
                "hidden": "-".join([str(width)] * depth),
                "graphs": len(part),
                "explored": len(part) - len(whole),
                "regions": _mean([int(r["regions"]) for r in whole], 1),
                "degree": _mean([r["mean_degree"] for r in whole], 3),
                "2d": 2 * inputs,
                "diameter": _mean([r["diameter"][0] for r in whole], 1),
                "diameter_upper": _mean([r["diameter"][1] for r in whole], 1),
                "bound": (width + 1) ** depth,
                "explored_degree": _mean([r["mean_degree"] for r in part if r not in whole], 2),
                "published_regions": regions,
                "published_degree": degree,
                "published_diameter": diameter,
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _mean(values: Sequence[float], digits: int) -> float | None:
    return round(sum(values) / len(values), digits) if values else None


def draw_degrees(records: Sequence[Record], title: str) -> Figure:
    """Degree distributions of complete graphs, a panel for each number of inputs and domain.

    All widths and seeds together, a curve a depth; the dotted line is ``2 d``.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = sorted({r["domain"] for r in records}, reverse=True)
    columns = sorted({r["inputs"] for r in records})
    depths = sorted({r["depth"] for r in records})
    figure = Figure(figsize=(2.6 * len(columns) + 0.8, 2.5 * len(rows) + 0.8), layout="constrained")
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for (i, domain), (j, inputs) in itertools.product(enumerate(rows), enumerate(columns)):
        panel = axes[i][j]
        for k, depth in enumerate(depths):
            shares = _shares(
                r
                for r in records
                if r["complete"]
                and (r["domain"], r["inputs"], r["depth"]) == (domain, inputs, depth)
            )
            panel.plot(
                *zip(*shares, strict=True) if shares else ((), ()),
                color=_COLOURS[k % 4],
                marker=_MARKERS[k % 4],
                markersize=3,
                linewidth=1,
                label=f"{depth} hidden layer{'s' if depth > 1 else ''}",
            )
        panel.axvline(2 * inputs, color="#444444", linewidth=0.8, linestyle=":")
        panel.set_title(f"{inputs} inputs, {_WHERE[domain]}", fontsize=9)
        panel.set_ylim(bottom=0)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        plain_axes(panel)
    figure.supxlabel("facets crossed (dotted: twice the inputs)", fontsize=9)
    figure.supylabel("share of regions", fontsize=9)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(depths), frameon=False, fontsize=8,
        title=f"{title}: degrees", title_fontsize=10,
    )  # fmt: skip
    return figure


def _shares(records: Iterable[Record]) -> list[tuple[int, float]]:
    """The degrees of the regions of some graphs together, and their shares."""
    counts: Counter[int] = Counter()
    for record in records:
        counts.update({int(degree): int(count) for degree, count in record["degrees"].items()})
    total = counts.total()
    return [(degree, count / total) for degree, count in sorted(counts.items())]


def draw_diameters(records: Sequence[Record], title: str) -> Figure:
    """Diameters of complete graphs against the product of ``width + 1`` over the layers.

    A bar joins the proved bounds where a diameter is not known exactly; the dotted line is the
    product itself.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    domains = sorted({r["domain"] for r in records}, reverse=True)
    inputs_of = sorted({r["inputs"] for r in records})
    figure = Figure(figsize=(4.2 * len(domains) + 0.4, 4.2), layout="constrained")
    axes = figure.subplots(1, len(domains), squeeze=False, sharey=True)[0]
    for panel, domain in zip(axes, domains, strict=True):
        for k, inputs in enumerate(inputs_of):
            part = [
                r
                for r in records
                if r["complete"] and (r["domain"], r["inputs"]) == (domain, inputs)
            ]
            # Side by side, so that equal products do not hide each other.
            at = [_bound(r) * 1.14 ** (k - (len(inputs_of) - 1) / 2) for r in part]
            low, high = [r["diameter"][0] for r in part], [r["diameter"][1] for r in part]
            panel.vlines(at, low, high, color=_COLOURS[k % 4], linewidth=1)
            panel.plot(
                at,
                low,
                color=_COLOURS[k % 4],
                marker=_MARKERS[k % 4],
                markersize=3.5,
                markerfacecolor="none",
                linestyle="none",
                label=f"{inputs} inputs",
            )
        # The line ends where the diameters do, or it would squeeze them.
        tops = [r["diameter"][1] for r in records if r["complete"]]
        low_end, high_end = min(map(_bound, records), default=5), max(tops, default=10)
        panel.plot([low_end, high_end], [low_end, high_end], color="#444444", lw=0.8, ls=":")
        panel.set_xscale("log")
        panel.set_yscale("log", base=2)
        panel.yaxis.set_major_formatter(ScalarFormatter())
        panel.set_title(_WHERE[domain], fontsize=9)
        plain_axes(panel)
    axes[0].set_ylabel("diameter", fontsize=9)
    figure.supxlabel(
        "product of (width + 1) over the layers (dotted: where the diameter is as large)",
        fontsize=9,
    )
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(inputs_of), frameon=False,
        fontsize=8, title=f"{title}: diameters", title_fontsize=10,
    )  # fmt: skip
    return figure


def _bound(record: Record) -> int:
    return int((record["width"] + 1) ** record["depth"])
