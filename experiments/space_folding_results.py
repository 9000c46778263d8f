"""Tables and figures of the experiment with space folding: pure functions of its records."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.study.figures import save_figure
from milpcount.study.figures.style import (
    MARKERS,
    OTHER_COLOURS,
    plain_axes,
    require_matplotlib,
    shade,
)
from milpcount.study.tables.architecture import to_markdown
from milpcount.study.whole_files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cantor_table", "claims_table", "folding_table", "layers_table", "write_results"]

Record = dict[str, Any]

KINDS = ("within", "between")
_LOW_ERROR = 0.10  # a test error below it counts as low in the table of claims
_WEAK = 0.2  # a rank correlation below it is called no trend

_CLAIMS = """
The claims are those of the abstract of Lewandowski et al. (arXiv 2503.08502), shortened: folding
grows with depth where the generalisation error is low, and decreases where the error increases.
Their networks, pairs and measure of the error are not the ones of this study, so `as claimed` is
about these networks alone.  `rho` is Spearman's rank correlation over the networks of the row, of
chi with depth or with error, which is {error}; below {weak} in size it is called no trend.
Untrained networks come in only where it is said.  At one depth a network's error falls with the
length of its training, so what holds there of the error may as well be said of the training.
"""


def write_results(
    cantor: Sequence[Record], walked: Sequence[Record], title: str, folder: Path
) -> list[Path]:
    """Write every table and figure; return the files."""
    error = "the test error" if walked[0]["data"] == "mnist" else "the error on the training points"
    pairs = walked[0]["pairs"]
    tables = {
        "cantor": (cantor_table(cantor), _CANTOR),
        "folding": (folding_table(walked), _FOLDING.format(pairs=pairs, error=error)),
        "layers": (layers_table(walked), _LAYERS),
        "subsets": (subsets_table(walked), _SUBSETS),
        "claims": (claims_table(walked), _CLAIMS.format(error=error, weak=_WEAK)),
    }
    files = []
    for name, (frame, note) in tables.items():
        files += [folder / f"{name}.csv", folder / f"{name}.md"]
        write_text(files[-2], frame.to_csv(index=False, lineterminator="\n"))
        write_text(files[-1], f"{title}: {name}\n\n{to_markdown(frame)}{note}")
    figures = {
        "cantor": draw_cantor(cantor, title),
        "by_depth": draw_by_depth(walked, title),
        "by_error": draw_by_error(walked, title, error),
        "by_layer": draw_by_layer(walked, title),
    }
    for name, figure in figures.items():
        files += save_figure(figure, name, folder)
    return files


_CANTOR = """
The walk from (0, 3/4) to (1, 3/4), units of all layers and the top unit: `exact` passes every
region, `n points` are the patterns at n equidistant points, in rational arithmetic; `wrong` lists
the samples whose value is another one.  Right of them the exact walk seen by some of the units.
"""

_FOLDING = """
Means over the seeds; `error` is {error}, in percent.
Folding chi over {pairs} pairs of points of one class (within) and {pairs} of two classes (between):
its mean, its 95th percentile, and the largest one of all seeds; walks are exact.  `pieces` is the
mean number of regions that a walk passes.
"""

_LAYERS = """
Part of the mean chi that comes from each layer, over all seeds: (r2 of the layer - its distance at
the first piece that is farthest from the start) / r2.  The parts of a row add up to its chi.
"""

_SUBSETS = """
The same walks seen by the units of some layers alone; means over the seeds, the maximum over all.
"""


def cantor_table(records: Sequence[Record]) -> pd.DataFrame:
    """Exact walk and samples, one row a depth; values as fractions."""
    rows = []
    for record in records:
        wrong = [n for n, chi in record["sampled"].items() if chi != record["chi"]]
        rows.append(
            {
                "depth": record["depth"],
                "pieces": int(record["pieces"]),
                "r1": int(record["r1"]),
                "r2": int(record["r2"]),
                "exact": record["chi"],
                **{f"{n} points": chi for n, chi in record["sampled"].items()},
                "wrong": ", ".join(wrong) or "none",
                **record["subsets"],
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _groups(records: Sequence[Record]) -> Iterator[tuple[int, str, int, list[Record]]]:
    """Depth, widths and epochs, and the networks of all seeds."""
    key = lambda r: (len(r["hidden"]), r["hidden"], r["epochs"])  # noqa: E731
    for (depth, hidden, epochs), group in itertools.groupby(sorted(records, key=key), key):
        yield depth, "-".join(map(str, hidden)), epochs, list(group)


def folding_table(records: Sequence[Record]) -> pd.DataFrame:
    """Mean, 95th percentile and maximum of chi, one row an architecture and length of training."""
    rows = []
    for depth, hidden, epochs, group in _groups(records):
        row: dict[str, Any] = {
            "depth": depth,
            "hidden": hidden,
            "epochs": epochs,
            "networks": len(group),
            "error": round(100 * _mean(r["error"] for r in group), 2),
        }
        for kind in KINDS:
            row |= _of_subset(group, kind, "all", f"{kind}_")
            row[f"{kind}_pieces"] = round(_mean(r[f"pieces_{kind}"] for r in group), 1)
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def subsets_table(records: Sequence[Record]) -> pd.DataFrame:
    """The same by subset of layers, one row a kind of pairs and a subset."""
    rows = []
    for depth, hidden, epochs, group in _groups(records):
        for kind, subset in itertools.product(KINDS, group[0]["within"]):
            head = {"depth": depth, "hidden": hidden, "epochs": epochs, "pairs": kind}
            rows.append({**head, "subset": subset, **_of_subset(group, kind, subset, "")})
    return pd.DataFrame(rows, dtype=object)


def layers_table(records: Sequence[Record]) -> pd.DataFrame:
    """The part of each layer, one row an architecture, length of training and kind of pairs."""
    deepest = max(len(r["hidden"]) for r in records)
    rows = []
    for depth, hidden, epochs, group in _groups(records):
        for kind in KINDS:
            parts = [
                _mean(column) for column in zip(*(r[f"parts_{kind}"] for r in group), strict=True)
            ]
            row = {"depth": depth, "hidden": hidden, "epochs": epochs, "pairs": kind}
            row["chi"] = round(_mean(r[kind]["all"]["mean"] for r in group), 4)
            for k in range(1, deepest + 1):
                row[f"layer {k}"] = round(parts[k - 1], 4) if k <= depth else None
            rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def claims_table(records: Sequence[Record]) -> pd.DataFrame:
    """The paper's two claims, as claims, beside what these networks show."""
    trained = [r for r in records if r["epochs"]]
    low = [r for r in trained if r["error"] < _LOW_ERROR]
    rows = [
        _claim(
            "chi grows with depth at low error",
            "rises",
            f"error below {_LOW_ERROR:.0%}",
            low,
            "depth",
        )
    ]
    longest = max(r["epochs"] for r in records)
    last = [r for r in records if r["epochs"] == longest]
    rows.append(
        _claim(
            "chi grows with depth at low error", "rises", f"after {longest} epochs", last, "depth"
        )
    )
    falls = "chi falls when the error rises"
    rows.append(_claim(falls, "falls", "all trained networks", trained, "error"))
    if len(trained) < len(records):
        rows.append(_claim(falls, "falls", "untrained ones too", records, "error"))
    for depth in sorted({len(r["hidden"]) for r in records}):
        if depth > 1:
            part = [r for r in trained if len(r["hidden"]) == depth]
            rows.append(_claim(falls, "falls", f"trained, depth {depth}", part, "error"))
    return pd.DataFrame(rows, dtype=object)


def _claim(claim: str, way: str, which: str, records: Sequence[Record], by: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "claim_of_the_paper": claim,
        "networks_here": which,
        "number": len(records),
    }
    found = []
    for kind in KINDS:
        frame = pd.DataFrame(
            {
                "x": [len(r["hidden"]) if by == "depth" else r["error"] for r in records],
                "chi": [r[kind]["all"]["mean"] for r in records],
            }
        )
        few = len(frame) < 3
        rho = math.nan if few else float(frame["x"].rank().corr(frame["chi"].rank()))
        row[f"rho_{kind}"] = None if math.isnan(rho) else round(rho, 2)
        found.append(_trend(rho))
    row["here_chi"] = found[0] if found[0] == found[1] else f"{found[0]} within, {found[1]} between"
    row["as_claimed"] = "yes" if set(found) == {way} else "no"
    return row


def _trend(rho: float) -> str:
    if math.isnan(rho):
        return "-"
    return "no trend" if abs(rho) < _WEAK else "rises" if rho > 0 else "falls"


def _of_subset(group: Sequence[Record], kind: str, subset: str, prefix: str) -> dict[str, Any]:
    parts = [r[kind][subset] for r in group]
    return {
        f"{prefix}mean": round(_mean(p["mean"] for p in parts), 4),
        f"{prefix}p95": round(_mean(p["p95"] for p in parts), 4),
        f"{prefix}max": str(max(Fraction(p["max"]) for p in parts)),
    }


def _mean(values: Any) -> float:
    listed = list(values)
    return float(sum(listed) / len(listed))


def draw_cantor(records: Sequence[Record], title: str) -> Figure:
    """Folding of the exact walk and of the samples by depth."""
    figure, axes = _panels(1, 5.4)
    panel = axes[0]
    depths = [r["depth"] for r in records]
    for k, n in reversed(list(enumerate(records[0]["sampled"]))):
        values = [float(Fraction(r["sampled"][n])) for r in records]
        panel.plot(
            depths, values, color=OTHER_COLOURS[k], marker=MARKERS[k], markersize=4 + 1.5 * k,
            linewidth=1, label=f"{n} points",
        )  # fmt: skip
    exact = [float(Fraction(r["chi"])) for r in records]
    panel.plot(depths, exact, color="black", marker="o", markersize=3, linewidth=1.4, label="exact")
    panel.set_xlabel("depth of the CantorNet")
    panel.set_ylabel("folding of the walk")
    panel.set_xticks(depths)
    panel.legend(frameon=False, fontsize=8)
    figure.suptitle(f"{title}: samples and the exact walk", fontsize=10)
    return figure


def draw_by_depth(records: Sequence[Record], title: str) -> Figure:
    """Mean chi (95th percentile dotted) by depth, one line a length of training."""
    figure, axes = _panels(2, 4.0)
    lengths = sorted({r["epochs"] for r in records})
    for panel, kind in zip(axes, KINDS, strict=True):
        for k, epochs in enumerate(lengths):
            groups = [(d, g) for d, _, e, g in _groups(records) if e == epochs]
            depths = [depth for depth, _ in groups]
            colour = shade(k, len(lengths))
            for statistic, style in (("mean", "-"), ("p95", ":")):
                values = [_mean(r[kind]["all"][statistic] for r in g) for _, g in groups]
                label = _length(epochs) if statistic == "mean" else None
                panel.plot(
                    depths, values, style, color=colour, marker="o", markersize=3, label=label
                )
            for depth, group in groups:
                for r in group:
                    panel.plot(depth, r[kind]["all"]["mean"], "_", color=colour, markersize=6)
        panel.set_title(f"pairs {_WORDS[kind]}", fontsize=9)
        panel.set_xlabel(
            "hidden layers (sixty units in all)" if _sixty(records) else "hidden layers"
        )
        panel.set_xticks(sorted({len(r["hidden"]) for r in records}))
    axes[0].set_ylabel("folding: mean, 95th percentile dotted")
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _same_heights(axes)
    figure.suptitle(f"{title} by depth", fontsize=10)
    return figure


def draw_by_error(records: Sequence[Record], title: str, error: str) -> Figure:
    """Mean chi against the error, a point a network."""
    figure, axes = _panels(2, 4.0)
    depths = sorted({len(r["hidden"]) for r in records})
    for panel, kind in zip(axes, KINDS, strict=True):
        for k, depth in enumerate(depths):
            part = [r for r in records if len(r["hidden"]) == depth]
            panel.plot(
                [100 * max(r["error"], 1e-3) for r in part],
                [r[kind]["all"]["mean"] for r in part],
                linestyle="none", marker=MARKERS[k % len(MARKERS)], markersize=4,
                color=shade(k, len(depths)), label=f"{depth} hidden",
            )  # fmt: skip
        panel.set_xscale("log")
        panel.set_title(f"pairs {_WORDS[kind]}", fontsize=9)
        panel.set_xlabel(f"{error.removeprefix('the ')} in percent")
    axes[0].set_ylabel("mean folding")
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _same_heights(axes)
    figure.suptitle(f"{title} against the error", fontsize=10)
    return figure


def draw_by_layer(records: Sequence[Record], title: str) -> Figure:
    """The parts of the layers in the mean chi, after the longest training, stacked."""
    figure, axes = _panels(2, 4.0)
    longest = max(r["epochs"] for r in records)
    groups = [(depth, group) for depth, _, epochs, group in _groups(records) if epochs == longest]
    deepest = max(depth for depth, _ in groups)
    for panel, kind in zip(axes, KINDS, strict=True):
        bottom = dict.fromkeys((depth for depth, _ in groups), 0.0)
        for k in range(deepest):
            here = [
                (depth, _mean(r[f"parts_{kind}"][k] for r in group))
                for depth, group in groups
                if k < depth
            ]
            panel.bar(
                [depth for depth, _ in here], [part for _, part in here],
                bottom=[bottom[depth] for depth, _ in here], color=shade(k, deepest),
                edgecolor="white", linewidth=0.5, width=0.7, label=f"layer {k + 1}",
            )  # fmt: skip
            for depth, part in here:
                bottom[depth] += part
        panel.set_title(f"pairs {_WORDS[kind]}", fontsize=9)
        panel.set_xlabel("hidden layers")
        panel.set_xticks([depth for depth, _ in groups])
    axes[0].set_ylabel("part of the mean folding")
    axes[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _same_heights(axes)
    figure.suptitle(f"{title} by layer, after {longest} epochs", fontsize=10)
    return figure


_WORDS = {"within": "within a class", "between": "between classes"}


def _length(epochs: int) -> str:
    return "untrained" if epochs == 0 else f"{epochs} epoch{'s' if epochs > 1 else ''}"


def _sixty(records: Sequence[Record]) -> bool:
    return all(sum(r["hidden"]) == 60 for r in records)


def _panels(count: int, width: float) -> tuple[Figure, list[Any]]:
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * count + 0.8 * (count > 1), 3.6), layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for panel in axes:
        plain_axes(panel)
    return figure, axes


def _same_heights(axes: Sequence[Any]) -> None:
    top = max(panel.get_ylim()[1] for panel in axes)
    for panel in axes:
        panel.set_ylim(0, top)
