#!/usr/bin/env python3
r"""Counts the networks of the stored studies once more, and says where a number changed.

    python benchmarks/recount_stored.py [--most 1000000] [--seconds 3600]

Every stored count that is exact and has at most ``--most`` regions is counted anew by the engine
that "auto" takes today, the small ones first; those of the larger ones are known by random parts
of them (``recount_subtrees.py``).  Networks, domains and definitions come from the studies'
configurations, the numbers from their stores, and those of ``results/counting/engines.jsonl`` from
there.  Writes ``recounts.md`` to ``results/counting``; exit status 1 where a number differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench_counting import ENTRIES

import milpcount as mc
from milpcount.study.config.grid import Run, resolve_domain, resolve_runs
from milpcount.study.config.schema import CountSettings, load_config
from milpcount.study.store import ResultStore

ROOT = Path(__file__).resolve().parent.parent
STUDIES = ("mnist8/paper", "mnist22/paper", "mnist22/epochs", "mnist22/output", "sweep/paper")
TABLE = ROOT / "results" / "counting"


@dataclass(frozen=True)
class Stored:
    """A number that is stored, and how to count it again."""

    source: str
    label: str
    regions: int
    count: Callable[[], mc.CountResult]


@dataclass
class Row:
    """What was done of one source."""

    stored: int = 0
    recounted: int = 0
    regions: int = 0
    seconds: float = 0.0
    left: int = 0
    left_regions: int = 0
    engines: set[str] = field(default_factory=set)
    different: list[str] = field(default_factory=list)


def of_study(name: str) -> Iterator[Stored]:
    """The exact counts of a study."""
    config, _ = load_config(ROOT / "configs" / f"{name}.yaml")
    records = ResultStore(ROOT / "results" / name).read()
    for run in resolve_runs(config, ROOT):
        record = records.get(run.key)
        if record is not None and isinstance(run.settings, CountSettings) and record["exact"]:
            yield Stored(f"results/{name}", run.label, int(record["lower"]), _counting(run))


def _counting(run: Run) -> Callable[[], mc.CountResult]:
    settings = run.settings
    assert isinstance(settings, CountSettings)
    return lambda: mc.count(
        run.source.load(),
        resolve_domain(run.domain),
        definition=settings.definition,
        with_output=settings.with_output,
    )


def of_benchmark() -> Iterator[Stored]:
    """The exact counts of the engines that were measured side by side, one a network."""
    lines = (TABLE / "engines.jsonl").read_text(encoding="utf-8").splitlines()
    for row in {row["network"]: row for row in map(json.loads, lines) if row["exact"]}.values():
        entry = ENTRIES[row["network"]]
        yield Stored(
            "results/counting/engines.jsonl",
            entry.name,
            int(row["regions"]),
            lambda entry=entry: mc.count(entry.load(), entry.domain),  # type: ignore[misc]
        )


def recount(listed: list[Stored], most: int, seconds: float) -> dict[str, Row]:
    """Count again what is not too large, until the time is over; a row a source."""
    rows = {stored.source: Row() for stored in listed}
    start = time.perf_counter()
    for stored in sorted(listed, key=lambda stored: stored.regions):
        row = rows[stored.source]
        row.stored += 1
        if stored.regions > most or time.perf_counter() - start > seconds:
            row.left, row.left_regions = row.left + 1, row.left_regions + stored.regions
            continue
        begin = time.process_time()
        result = stored.count()
        row.seconds += time.process_time() - begin
        row.recounted, row.regions = row.recounted + 1, row.regions + stored.regions
        row.engines.add(result.engine)
        if not result.exact or result.lower != stored.regions:
            row.different.append(f"{stored.label}: stored {stored.regions:,}, now {result.lower:,}")
            print(stored.source, row.different[-1], flush=True)
    return rows


def table(rows: dict[str, Row], most: int) -> str:
    """The table, in Markdown."""
    out = [
        "# Stored counts, recounted",
        "",
        f"Every stored exact count of at most {most:,} regions, counted again by today's engines;",
        "the others are *left*: `results/mnist22/recounts.md` has random parts of them. Made by",
        "`benchmarks/recount_stored.py`; CPU seconds, loading included.",
        "",
        "| stored in | counts | recounted | regions | engines | differ | CPU s "
        "| left | regions of those left |",
        "|---|--:|--:|--:|---|--:|--:|--:|--:|",
    ]
    for source, row in rows.items():
        out.append(
            f"| {source} | {row.stored:,} | {row.recounted:,} | {row.regions:,} "
            f"| {', '.join(sorted(row.engines))} | {len(row.different)} | {row.seconds:.0f} "
            f"| {row.left} | {row.left_regions:,} |"
        )
    out += ["", *(f"* {source}: {line}" for source, row in rows.items() for line in row.different)]
    return "\n".join(out).rstrip() + "\n"


def main() -> int:
    """Recount and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--most", type=int, default=10**6, help="regions of one count")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after these")
    arguments = parser.parse_args()
    listed = [stored for name in STUDIES for stored in of_study(name)]
    if os.environ.get("MILPCOUNT_DATA"):
        listed += of_benchmark()
    rows = recount(listed, arguments.most, arguments.seconds)
    text = table(rows, arguments.most)
    (TABLE / "recounts.md").write_text(text, encoding="utf-8")
    print(text)
    return int(any(row.different for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
