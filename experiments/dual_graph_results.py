"""Table and figures of the experiment with dual graphs: pure functions of its records."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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


def means(records: Sequence[Record]) -> pd.DataFrame:
    """Means over the seeds, one row a domain and architecture; "explored" counts marked graphs."""
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
                "regions": _mean([int(r["regions"]) for r in part], 1),
                "degree": _mean([r["mean_degree"] for r in whole], 3),
                "2d": 2 * inputs,
                "diameter": _mean([sum(r["diameter"]) / 2 for r in whole], 1),
                "bound": (width + 1) ** depth,
                "published_regions": regions,
                "published_degree": degree,
                "published_diameter": diameter,
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _mean(values: Sequence[float], digits: int) -> float | None:
    return round(sum(values) / len(values), digits) if values else None


def draw_degrees(records: Sequence[Record], title: str) -> Figure:
    """Degree distributions, one panel an input dimension and domain; the line is ``2 d``."""
    require_matplotlib()
    from matplotlib.figure import Figure

    panels = sorted({(r["domain"], r["inputs"]) for r in records})
    figure = Figure(figsize=(3.2 * max(len(panels) // 2, 1) + 1.2, 5.2), layout="constrained")
    rows = sorted({domain for domain, _ in panels})
    columns = sorted({inputs for _, inputs in panels})
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for domain, inputs in panels:
        panel = axes[rows.index(domain)][columns.index(inputs)]
        depths = sorted({r["depth"] for r in records})
        for k, depth in enumerate(depths):
            counts: dict[int, int] = {}
            for r in records:
                if (r["domain"], r["inputs"], r["depth"]) == (domain, inputs, depth):
                    for degree, count in r["degrees"].items():
                        counts[int(degree)] = counts.get(int(degree), 0) + int(count)
            total = sum(counts.values())
            shares = sorted((degree, count / total) for degree, count in counts.items())
            panel.plot(
                [degree for degree, _ in shares],
                [share for _, share in shares],
                color=_COLOURS[k % 4],
                marker=_MARKERS[k % 4],
                markersize=3,
                linewidth=1,
                label=f"{depth} hidden",
            )
        panel.axvline(2 * inputs, color="#444444", linewidth=0.8, linestyle=":")
        panel.set_title(f"{inputs} inputs, {domain}", fontsize=8)
        panel.set_xlabel("facets crossed", fontsize=8)
        panel.set_ylabel("share of regions", fontsize=8)
        plain_axes(panel)
    axes[0][-1].legend(frameon=False, fontsize=7)
    figure.suptitle(f"{title}: degrees", fontsize=10)
    return figure


def draw_diameters(records: Sequence[Record], title: str) -> Figure:
    """Diameters against the product of ``width + 1`` over the layers, complete graphs alone."""
    require_matplotlib()
    from matplotlib.figure import Figure

    domains = sorted({r["domain"] for r in records})
    figure = Figure(figsize=(4.2 * len(domains) + 0.8, 3.8), layout="constrained")
    axes = figure.subplots(1, len(domains), squeeze=False)[0]
    for panel, domain in zip(axes, domains, strict=True):
        for k, inputs in enumerate(sorted({r["inputs"] for r in records})):
            part = [
                r
                for r in records
                if r["complete"] and (r["domain"], r["inputs"]) == (domain, inputs)
            ]
            panel.plot(
                [(r["width"] + 1) ** r["depth"] for r in part],
                [sum(r["diameter"]) / 2 for r in part],
                color=_COLOURS[k % 4],
                marker=_MARKERS[k % 4],
                markersize=4,
                linestyle="none",
                label=f"{inputs} inputs",
            )
        low, high = 4, max(((r["width"] + 1) ** r["depth"] for r in records), default=10)
        panel.plot([low, high], [low, high], color="#444444", linewidth=0.8, linestyle=":")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("product of (width + 1)", fontsize=8)
        panel.set_ylabel("diameter", fontsize=8)
        panel.set_title(domain, fontsize=8)
        plain_axes(panel)
    axes[-1].legend(frameon=False, fontsize=7)
    figure.suptitle(f"{title}: diameters", fontsize=10)
    return figure
