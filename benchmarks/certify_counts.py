r"""Certify the published counts: one certificate a network, each checked, and a table of them.

Run it from the root of the repository with the folder that holds counts.json in MILPCOUNT_DATA:

    python benchmarks/certify_counts.py results/certificates --study results/mnist8 \
        --also results/counting/mnist_4-18.npz results/counting/mnist_8-8.npz \
        results/mnist22/networks/{1-21,2-20,3-19,4-18,5-17}_s0.npz

Certificates below 100 kB (60 kB where output units count) are kept there, the others are thrown
away after the check.  One that is there already is checked before it is written anew, and the table
that is there tells how long certificates were before.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import milpcount as mc

BEFORE = "bytes, 0.1.0"
KEPT = 100_000  # bytes
SMALL = 60_000  # the same where output units count


@dataclass(frozen=True)
class Job:
    """A count to certify: what is published about it, None for nothing."""

    name: str
    path: Path
    domain: mc.Domain | None
    shown: str
    definition: str
    with_output: bool
    published: int | None
    source: str


def study_jobs(study: Path) -> Iterator[Job]:
    """The counts of a study of this repository; with the output units too, which it leaves out."""
    lines = (study / "paper" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    for run in sorted(map(json.loads, lines), key=lambda run: str(run["network"])):
        path = study / "networks" / f"{run['network']}.npz"
        source = f"{study.name} study, engine {run['engine']}"
        common = (path.stem, path, None, "in the file", run["definition"])
        yield Job(*common, run["with_output"], int(run["lower"]), source)
        if not run["with_output"]:
            yield Job(*common, True, None, "")


def jobs(data: Path, more: list[Path]) -> Iterator[Job]:
    """Everything that counts.json states, the other definition too, and further networks."""
    for entry in json.loads((data / "counts.json").read_text(encoding="utf-8"))["counts"]:
        path = data / entry["network"]
        domain, shown = resolved(entry["domain"], path)
        for with_output in (False, True):
            published = entry.get("with_output" if with_output else "hidden")
            if published is None:
                continue
            common = (path.stem, path, domain, shown)
            yield Job(*common, "full", with_output, published, entry["source"])
            if not with_output:
                source = entry["source"] if "nonempty" in entry else ""
                yield Job(*common, "nonempty", False, entry.get("nonempty"), source)
    for path in more:
        yield Job(path.stem, path, None, "in the file", "full", False, None, "")


def resolved(domain: Any, path: Path) -> tuple[mc.Domain | None, str]:
    """The domain of an entry; how the table names it."""
    if isinstance(domain, list):
        lo, hi = zip(*domain, strict=True)
        return mc.Box(lo, hi), " x ".join(f"[{a:.4g}, {b:.4g}]" for a, b in domain)
    if domain.startswith("R^"):
        return mc.WholeSpace(), domain
    return None, "in the file"


def certify(job: Job, folder: Path) -> dict[str, Any]:
    """Count, count with a certificate, check it; measured one after the other in this process."""
    net = mc.load_network(job.path)
    name = f"{job.name}.{job.definition}{'.output' if job.with_output else ''}.cert"
    target = folder / name
    common: dict[str, Any] = {"definition": job.definition, "with_output": job.with_output}
    stored = None
    if target.exists():
        stored = mc.verify(target, net, job.domain, definition=job.definition).header.count
    start = time.process_time()
    plain = mc.count(net, job.domain, engine="tree", **common)
    middle = time.process_time()
    counted = mc.count(net, job.domain, engine="tree", certificate=target, **common)
    end = time.process_time()
    proved = mc.verify(target, net, job.domain, definition=job.definition)
    checked = time.process_time() - end
    size = target.stat().st_size
    kept = size <= (SMALL if job.with_output else KEPT)
    if not kept:
        target.unlink()
    if plain.lower != counted.lower or proved.header.count != counted.lower:
        raise mc.InvariantError(f"{name}: counts differ")
    if stored not in (None, counted.lower):
        raise mc.InvariantError(f"{name}: the stored certificate proves {stored} regions")
    return {
        "network": job.name,
        "units": "hidden and output" if job.with_output else "hidden",
        "domain": job.shown,
        "definition": job.definition,
        "published": job.published,
        "source": job.source,
        "certified": proved.header.count,
        "bytes": size,
        "stored": stored is not None,
        "count": middle - start,
        "with": end - middle,
        "verify": checked,
        "kept": kept,
    }


def lengths_before(path: Path) -> dict[tuple[str, ...], str]:
    """Bytes by network, domain, units and definition: of version 0.1.0, in a table of before."""
    lengths: dict[tuple[str, ...], str] = {}
    columns: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        cells = [cell.strip(" *") for cell in line.split("|")[1:-1]]
        if cells[:1] == ["network"]:
            columns = cells
        elif columns and len(cells) == len(columns):
            row = dict(zip(columns, cells, strict=True))
            lengths[tuple(cells[:4])] = row.get(BEFORE, row["bytes"])
    return lengths


def table(rows: list[dict[str, Any]], before: dict[tuple[str, ...], str]) -> str:
    """The table, in Markdown; ``before`` as :func:`lengths_before` gives it."""
    lines = [
        "# Certified counts",
        "",
        "Every count below is proved by a certificate that `milpcount verify` accepts (exact",
        "rational arithmetic, no code of the engines). Made by `benchmarks/certify_counts.py`;",
        "CPU seconds: counting with engine tree, the same with a certificate, checking.",
        "`published` is the number of counts.json, with its source; where nothing is published the",
        "place is empty. Certificates marked * are in this folder. Before they were written anew,",
        f"{sum(r['stored'] for r in rows)} that earlier versions had left here were checked too.",
        "",
        "| network | domain | units | definition | published | certified "
        f"| bytes | {BEFORE} | bytes/region "
        "| count s | with certificate s | verify s | regions/s verified | source |",
        "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for r in rows:
        published = "" if r["published"] is None else str(r["published"])
        mark = " *" if r["kept"] else ""
        lines.append(
            f"| {r['network']}{mark} | {r['domain']} | {r['units']} | {r['definition']} "
            f"| {published} | {r['certified']} | {r['bytes']} "
            f"| {before.get((r['network'], r['domain'], r['units'], r['definition']), '')} "
            f"| {r['bytes'] / max(r['certified'], 1):.0f} | {r['count']:.3f} | {r['with']:.3f} "
            f"| {r['verify']:.2f} | {r['certified'] / r['verify']:.0f} | {r['source']} |"
        )
    different = [r for r in rows if r["published"] not in (None, r["certified"])]
    lines.append("")
    if different:
        lines.append("Published numbers that differ from the certified ones:")
        lines += [
            f"* {r['network']}, {r['units']} units, {r['definition']}: published {r['published']} "
            f"({r['source']}), certified {r['certified']}."
            for r in different
        ]
    else:
        lines.append("No published number differs from the certified one.")
    return "\n".join(lines) + "\n"


def warm_up(folder: Path) -> None:
    """Load compiled code before the clock runs: of the cube, and of the first layer's image."""
    for inputs in (1, 20):
        net = mc.ReLUNetwork([[[1.0] * inputs], [[1.0]]], [[0.0], [0.0]])
        for path in (None, folder / "warm.cert"):
            mc.count(net, mc.Box(-1, 1), engine="tree", certificate=path)
    (folder / "warm.cert").unlink()


def main() -> None:
    """Make all certificates and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="further networks")
    parser.add_argument("--study", type=Path, nargs="*", default=[], help="folders of studies")
    arguments = parser.parse_args()
    data = os.environ.get("MILPCOUNT_DATA")
    if data is None:
        sys.exit("set MILPCOUNT_DATA to the folder with counts.json")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    warm_up(arguments.folder)
    rows = []
    listed = [*jobs(Path(data), arguments.also)]
    for study in arguments.study:
        listed += study_jobs(study)
    for job in listed:
        rows.append(certify(job, arguments.folder))
        r = rows[-1]
        print(r["network"], r["definition"], r["published"], r["certified"], f"{r['verify']:.1f} s")
    path = arguments.folder / "certificates.md"
    path.write_text(table(rows, lengths_before(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
