"""Tables and figures of the experiment with local maps: pure functions of its records.

Ours and the paper's numbers never share a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from milpcount.study.figures import save_figure
from milpcount.study.figures.style import plain_axes, require_matplotlib
from milpcount.study.tables.architecture import to_markdown
from milpcount.study.whole_files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_accuracies", "write_results"]

Record = dict[str, Any]

# Sattelberg et al., correct of 10,000 test images: by clusters of each output, and without.
CLUSTERS = (1, 10, 100, 1000, 10000)
PUBLISHED: dict[str, tuple[int, tuple[int, ...]]] = {
    "dense": (9603, (8679, 9231, 9434, 9508, 9554)),
    "conv": (9807, (6766, 8639, 9382, 9586, 9696)),
    "Inception-v3": (9908, (974, 9660, 9689, 9695, 9752)),
    "ResNet-152": (9892, (1432, 8166, 8458, 8982, 9381)),
}
# After a map from the network of the row to that of the column.
MAPPED = {
    "dense": {"conv": 9536, "Inception-v3": 9290, "ResNet-152": 9068},
    "conv": {"dense": 9567, "Inception-v3": 9662, "ResNet-152": 9588},
    "Inception-v3": {"dense": 8868, "conv": 9488, "ResNet-152": 9536},
    "ResNet-152": {"dense": 9320, "conv": 9738, "Inception-v3": 9838},
}
_COLOURS = {
    "dense": "#0072B2",
    "conv": "#D55E00",
    "Inception-v3": "#009E73",
    "ResNet-152": "#777777",
}


def write_results(
    records: Sequence[Record], folder: Path, title: str, notes: Sequence[str]
) -> list[Path]:
    """Write the tables and the figure; return the files."""
    tables = {
        "clusters": ("Accuracy by clusters of each output", cluster_table(records)),
        "mapped": ("Accuracy after a map between networks", mapping_table(records)),
        "choices": ("Choices that the paper leaves open", choice_table(records)),
        "census": ("Regions and maps among the training images, dense networks", census(records)),
        "xor_given": ("XOR: the given network, over the plane", xor_given(records)),
        "xor_trained": ("XOR: trained networks, over [-1, 1]^2", xor_trained(records)),
    }
    files, parts = [], [f"# {title}"]
    for name, (head, table) in tables.items():
        if table.empty:
            continue
        path = folder / f"{name}.csv"
        write_text(path, table.to_csv(index=False, lineterminator="\n"))
        files.append(path)
        parts.append(f"## {head}\n\n{to_markdown(table)}")
    notes = [
        *notes,
        *_outside(tables["clusters"][1], ("network", "clusters")),
        *_outside(tables["mapped"][1], ("from", "to")),
        *_on_boundaries(records),
    ]
    parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in notes))
    write_text(folder / "local_maps.md", "\n\n".join(parts) + "\n")
    files.append(folder / "local_maps.md")
    if any(r["what"] == "clusters" for r in records):
        files += save_figure(draw_accuracies(records), "accuracies", folder)
    return files


def cluster_table(records: Sequence[Record]) -> pd.DataFrame:
    """One row a network and number of clusters; in per cent, ours then the paper's."""
    rows = []
    if not any(r["what"] == "accuracy" for r in records):
        return pd.DataFrame()
    for network, (whole, parts) in PUBLISHED.items():
        for k in (*CLUSTERS, None):
            what = "accuracy" if k is None else "clusters"
            ours = _of(records, what=what, network=network, clusters=k)
            published = whole if k is None else parts[CLUSTERS.index(k)]
            rows.append(
                {
                    "network": network,
                    "clusters": "all maps" if k is None else k,
                    **_spread(ours),
                    "method": ours[0].get("method", "") if ours else _missing(network),
                    "the paper's": published / 100,
                }
            )
    return pd.DataFrame(rows, dtype=object)


def mapping_table(records: Sequence[Record]) -> pd.DataFrame:
    """One row a pair of networks; in per cent, ours then the paper's."""
    rows = []
    if not any(r["what"] == "map" for r in records):
        return pd.DataFrame()
    for source, goals in MAPPED.items():
        for goal, published in goals.items():
            ours = _of(records, what="map", network=source, to=goal)
            ranks = [rank for r in ours for rank in r["ranks"]]
            left = [value for r in ours for value in r["residuals"]]
            rows.append(
                {
                    "from": source,
                    "to": goal,
                    **_spread(ours),
                    "ranks": f"{min(ranks)} to {max(ranks)}" if ranks else "",
                    "residuals": f"{min(left):.3f} to {max(left):.3f}"
                    if left
                    else _missing(source, goal),
                    "the paper's": published / 100,
                }
            )
    return pd.DataFrame(rows, dtype=object)


def choice_table(records: Sequence[Record]) -> pd.DataFrame:
    """One row a network trained otherwise; in per cent, ours then the paper's."""
    return pd.DataFrame(
        [
            {
                "network": r["network"],
                "pixels": f"(p - {r['shift']:g}) / {r['divisor']:g}",
                "dropout": r["dropout"],
                "ours, all maps": round(100 * r["correct"] / r["points"], 2),
                "ours, 1 cluster": round(100 * r["correct_with_mean"] / r["points"], 2),
                "the paper's, all maps": PUBLISHED[r["network"]][0] / 100,
                "the paper's, 1 cluster": PUBLISHED[r["network"]][1][0] / 100,
            }
            for r in _of(records, what="choice")
        ],
        dtype=object,
    )


def census(records: Sequence[Record]) -> pd.DataFrame:
    """Regions and maps among the training images."""
    return pd.DataFrame(
        [
            {
                "network": f"{r['network']}, seed {r['seed']}",
                "images": r["points"],
                "regions": r["regions"],
                "maps": r["maps"],
                "images that share a region": r["sharing_region"],
                "per cent": round(100 * r["sharing_region"] / r["points"], 2),
                "images that share a map": r["sharing_map"],
                "images on a boundary": r["on_boundary"],
            }
            for r in _of(records, what="census")
        ],
        dtype=object,
    )


def xor_given(records: Sequence[Record]) -> pd.DataFrame:
    """Regions and maps of the given network, with both biases."""
    return pd.DataFrame(
        [
            {
                "network": r["network"],
                "pattern": r["pattern"],
                "region": "empty" if r["empty"] else "there",
                "map (x, y, constant)": ", ".join(f"{v:g}" for v in r["map"]),
            }
            for r in _of(records, what="xor")
        ],
        dtype=object,
    )


def xor_trained(records: Sequence[Record]) -> pd.DataFrame:
    """Regions, linear pieces and what a grid sees of them."""
    names = ("hidden", "seed", "loss", "regions", "pieces", "regions_on_grid", "maps_on_grid")
    return pd.DataFrame(
        [
            {
                name.replace("_", " "): f"{r[name]:.1e}" if name == "loss" else r[name]
                for name in names
            }
            for r in _of(records, what="xor-trained")
        ],
        dtype=object,
    )


def _of(records: Sequence[Record], **wanted: Any) -> list[Record]:
    return [r for r in records if all(r.get(name) == value for name, value in wanted.items())]


def _outside(table: pd.DataFrame, names: tuple[str, str]) -> list[str]:
    """Where the paper's number is outside what our seeds vary, and by how much."""
    found = []
    for row in [] if table.empty else table.to_dict("records"):
        ours, published = row["ours"], row["the paper's"]
        if ours is not None and not row["least"] <= published <= row["greatest"]:
            joint = " to " if names[1] == "to" else ", "
            cell = joint.join(str(row[name]) for name in names)
            found.append(f"{cell} {ours - published:+.2f}")
    if not found:
        return []
    return [
        "Where the paper's number is not between our least and greatest, our mean less it, in "
        f"points: {'; '.join(found)}."
    ]


def _on_boundaries(records: Sequence[Record]) -> list[str]:
    """How many test images lie where several maps hold."""
    found = [
        f"{r['network']} {r['seed']}: {r['boundary_test_images']} of {r['points']}"
        for r in _of(records, what="accuracy")
    ]
    if not found:
        return []
    return [
        "Test images exactly on a boundary, whose local map is that of PyTorch's convention (in "
        "windows of a max-pool over a constant background all entries are equal): "
        f"{'; '.join(found)}."
    ]


def _missing(*networks: str) -> str:
    """What stands where there is no number of ours."""
    return "not run" if all(name in ("dense", "conv") for name in networks) else "not run again"


def _spread(ours: Sequence[Record]) -> dict[str, Any]:
    """Mean, least and greatest accuracy over the seeds, in per cent."""
    found = [100 * r["correct"] / r["points"] for r in ours]
    if not found:
        return {"ours": None, "least": None, "greatest": None, "seeds": None}
    return {
        "ours": round(sum(found) / len(found), 2),
        "least": round(min(found), 2),
        "greatest": round(max(found), 2),
        "seeds": len(found),
    }


def draw_accuracies(records: Sequence[Record]) -> Figure:
    """Accuracy against clusters: ours solid, with a mark each seed; the paper's dashed.

    Dotted is what the paper's networks reach themselves.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for network, (whole, published) in PUBLISHED.items():
        colour = _COLOURS[network]
        axes.plot(
            CLUSTERS, [v / 100 for v in published], "--", color=colour, lw=0.9, marker="x", ms=3.5,
            label=f"{network}, the paper's",
        )  # fmt: skip
        axes.axhline(whole / 100, color=colour, lw=0.5, ls=":")
        ours = _of(records, what="clusters", network=network)
        if not ours:
            continue
        counts = sorted({r["clusters"] for r in ours})
        means = [_spread(_of(ours, clusters=k))["ours"] for k in counts]
        axes.plot(counts, means, "-", color=colour, lw=1.4, label=f"{network}, ours")
        axes.plot(
            [r["clusters"] for r in ours], [100 * r["correct"] / r["points"] for r in ours], "o",
            color=colour, ms=3,
        )  # fmt: skip
    axes.plot([], [], ":", color="black", lw=0.8, label="all maps, the paper's")
    axes.set_xscale("log")
    axes.set_ylim(50, 100)
    axes.set_xlabel("clusters of each output")
    axes.set_ylabel("test accuracy (%)")
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    plain_axes(axes)
    return figure
