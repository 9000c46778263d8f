"""Do estimates keep what they promise?  Many seeds on networks whose exact counts are known.

For every way of estimating: how often the lower bound held, against the confidence stated; by how
many bits it lay below the count; how far off the estimate was, and how often its interval held.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from milpcount.api import count, estimate
from milpcount.core.result import Budget
from milpcount.study.config.grid import resolve_domain, resolve_runs
from milpcount.study.config.schema import CountSettings, StudyConfig, load_config
from milpcount.study.figures import require_matplotlib
from milpcount.study.tables.architecture import to_csv, to_markdown
from milpcount.study.tables.calibration_table import bits_below, calibration_table
from milpcount.study.whole_files import write_bytes, write_text
from milpcount.support.escaping import markdown_text, mathtext

__all__ = ["calibrate"]

Record = dict[str, Any]


def calibrate(path: Path, tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Run the calibration that a file describes; write its records, table and figure.

    Returns:
        The files written: ``estimates.jsonl``, ``calibration.csv``, ``.md``, ``.png``, ``.pdf``.
    """
    require_matplotlib()
    config, _ = load_config(path)
    root = path.parent / config.root
    records = _records(config, root, tell)
    folder = (root / config.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    table = calibration_table(records)
    files = {
        "estimates.jsonl": "".join(json.dumps(r) + "\n" for r in records),
        "calibration.csv": to_csv(table),
        "calibration.md": f"{markdown_text(config.title)}\n\n{to_markdown(table)}",
    }
    for name, text in files.items():
        write_text(folder / name, text)
    return [*(folder / name for name in files), *_draw(records, config.title, folder)]


def _records(config: StudyConfig, root: Path, tell: Callable[[str], None]) -> list[Record]:
    records = []
    for run in resolve_runs(config, root):
        if not isinstance(run.settings, CountSettings):
            continue
        network = run.source.load()
        domain = resolve_domain(run.domain)
        counted = count(network, domain, engine=run.settings.engine)
        if not counted.exact:
            tell(f"{run.source.name}: no exact count, left out")
            continue
        for grid in config.estimates:
            options: dict[str, Any] = dict(grid.options)
            for seed in range(grid.seeds):
                result = estimate(
                    network,
                    domain,
                    method=grid.method,
                    confidence=grid.confidence,
                    seed=seed,
                    budget=Budget(seconds=grid.time_limit),
                    **options,
                )
                records.append(
                    {
                        "kind": "estimate",
                        "network": run.source.name,
                        "label": grid.label or grid.method,
                        "exact": str(counted.lower),
                        "exact_seconds": counted.seconds,
                        **{
                            key: value
                            for key, value in result.to_json().items()
                            if key not in ("history", "guarantee", "assumptions")
                        },
                    }
                )
            tell(f"{run.source.name}: {grid.label or grid.method}, {grid.seeds} seeds")
    return records


def _draw(records: Sequence[Record], title: str, folder: Path) -> list[Path]:
    """Every bound as a point: bits below the count, one column a method; above 0 it was wrong."""
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(r["label"] for r in records))
    networks = list(dict.fromkeys(r["network"] for r in records))
    figure = Figure(figsize=(max(5.4, 1.5 * len(labels) + 1.5), 3.6), layout="constrained")
    axes = figure.add_subplot()
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    for k, network in enumerate(networks):
        points: list[tuple[float, float]] = []
        for column, label in enumerate(labels):
            part = [r for r in records if (r["network"], r["label"]) == (network, label)]
            for i, r in enumerate(part):
                shift = 0.7 * ((k + (i + 0.5) / len(part)) / len(networks) - 0.5)
                points.append((column + shift, -bits_below(r)))
        axes.scatter(
            [x for x, _ in points],
            [y for _, y in points],
            s=6,
            color=colours[k % len(colours)],
            label=mathtext(network),
        )
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.set_xticks(range(len(labels)), [mathtext(label) for label in labels], fontsize=8)
    axes.set_ylabel("log2 (bound / count)")
    axes.set_title(mathtext(title), fontsize=10)
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    paths = []
    # No dates in the files: the same runs give the same bytes.
    for suffix, metadata in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        content = io.BytesIO()
        figure.savefig(content, format=suffix[1:], dpi=160, metadata=metadata)
        paths.append(folder / f"calibration{suffix}")
        write_bytes(paths[-1], content.getvalue())
    return paths
