#!/usr/bin/env python3
"""Counting engines side by side: regions a second, ratio to ``tree-highs``, memory.

    python benchmarks/bench_counting.py [--networks NAME ...] [--engines E ...] [--seconds 10]
    python benchmarks/bench_counting.py --growth units|inputs|regions [--most 100000000]

Every engine runs every network in a process of its own, one after the other, on one core; loading
and compiling come first and are not timed.  An engine that is not done after ``--seconds`` is
measured by the regions it has proved until then.  A "forward pass" is one input through the
network in NumPy, in batches of 1,000.  Networks named by a file are shared ones, looked for in the
folder that ``MILPCOUNT_DATA`` names; the rest are made here or lie in ``results/counting``.

Tables are written to ``results/counting`` (``--output`` for another folder).
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import milpcount as mc
from milpcount import zoo

ROOT = Path(__file__).resolve().parent.parent
BASELINE = "tree-highs"


def uniform_network(widths: list[int], seed: int) -> mc.ReLUNetwork:
    """Weights and biases uniform in ``[-1, 1] / sqrt(inputs)``, as PyTorch starts its layers."""
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    for inputs, units in itertools.pairwise(widths):
        ends = inputs**-0.5
        weights.append(rng.uniform(-ends, ends, size=(units, inputs)).astype(np.float32))
        biases.append(rng.uniform(-ends, ends, size=units).astype(np.float32))
    return mc.ReLUNetwork(weights, biases)


def ternary_layer(inputs: int, units: int, seed: int) -> mc.ReLUNetwork:
    """One layer with weights -1, 0 and 1 and biases that are halves of them."""
    rng = np.random.default_rng(seed)
    weights, biases = rng.integers(-1, 2, size=(units, inputs)), rng.integers(-1, 2, size=units)
    return mc.ReLUNetwork([weights, np.zeros((1, units))], [biases / 2, [0.0]])


def shared(name: str) -> mc.ReLUNetwork:
    """A network of the shared folder."""
    folder = os.environ.get("MILPCOUNT_DATA")
    if not folder:
        raise mc.InputError(f"{name} is a shared network; set MILPCOUNT_DATA")
    return mc.load_network(Path(folder) / "networks" / f"{name}.npz")


@dataclass(frozen=True)
class Entry:
    """A network of the table, its domain and the engines that count it."""

    name: str
    load: Callable[[], mc.ReLUNetwork]
    domain: mc.Domain | None
    engines: tuple[str, ...] = (BASELINE, "tree", "auto")


BOX = mc.Box(-1, 1)
PIXELS = mc.Box(0, 1)
SPACE = mc.WholeSpace()
FLAT = ("arrangement", "subdivision", "tree", "auto")
ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("random_d", lambda: shared("random_d"), None),
        Entry("random_f", lambda: shared("random_f"), None),
        Entry("random_g", lambda: shared("random_g"), None),
        Entry("random_i", lambda: shared("random_i"), None),
        Entry("bunny_3_3x16", lambda: shared("bunny_3_3x16"), BOX),
        Entry("uniform 2; 64-64-64", lambda: uniform_network([2, 64, 64, 64, 1], 0), BOX),
        Entry("uniform 8; 16-16", lambda: uniform_network([8, 16, 16, 1], 0), BOX),
        Entry(
            "MNIST 784; 8-8",
            lambda: mc.load_network(ROOT / "results/counting/mnist_8-8.npz"),
            PIXELS,
        ),
        Entry(
            "MNIST 784; 4-18",
            lambda: mc.load_network(ROOT / "results/counting/mnist_4-18.npz"),
            PIXELS,
        ),
        Entry("resonance 5, R^5", lambda: zoo.resonance(5).net, SPACE, FLAT),
        Entry("resonance 6, R^6", lambda: zoo.resonance(6).net, SPACE, ("arrangement", "auto")),
        Entry("resonance 6, box", lambda: zoo.resonance(6).net, BOX, ("arrangement", "auto")),
        Entry("resonance 7, R^7", lambda: zoo.resonance(7).net, SPACE, ("arrangement", "auto")),
        Entry("catalan 6, [0, 3]^6", lambda: zoo.catalan(6).net, mc.Box(0, 3), FLAT),
        Entry("ternary 6; 20", lambda: ternary_layer(6, 20, 0), BOX, FLAT),
        Entry("uniform 5; 40, R^5", lambda: uniform_network([5, 40, 1], 0), SPACE, FLAT),
    )
}


def measure(entry: Entry, engine: str, seconds: float | None) -> dict[str, Any]:
    """Count in this process, everything loaded and compiled before."""
    import resource

    network = entry.load()
    start = time.perf_counter()
    mc.count(network, entry.domain, engine=engine, budget=mc.Budget(regions=1))
    warm = time.perf_counter() - start
    budget = mc.Budget(seconds=seconds)
    results = [mc.count(network, entry.domain, engine=engine, budget=budget)]
    while results[0].exact and sum(r.seconds for r in results) < 2 and len(results) < 5:
        results.append(mc.count(network, entry.domain, engine=engine, budget=budget))
    best = min(results, key=lambda r: r.seconds)
    points = np.random.default_rng(0).uniform(0, 1, size=(1000, network.input_dimension))
    passes = []
    for _ in range(20):
        start = time.perf_counter()
        network.forward(points)
        passes.append((time.perf_counter() - start) / 1000)
    forward = min(passes)
    return {
        "network": entry.name,
        "engine": best.engine,
        "regions": best.lower,
        "exact": best.exact,
        "seconds": best.seconds,
        "loading_seconds": warm,
        "forward_seconds": forward,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "statistics": {k: v for k, v in best.statistics.items() if isinstance(v, int | float)},
    }


def _child(name: str, engine: str, seconds: float | None, queue: Any) -> None:
    queue.put(measure(ENTRIES[name], engine, seconds))


def in_child(name: str, engine: str, seconds: float | None) -> dict[str, Any]:
    """Measure in a fresh process, so that memory and caches are its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_child, args=(name, engine, seconds, queue))
    process.start()
    row: dict[str, Any] = queue.get()
    process.join()
    return row


def compare(names: list[str], engines: list[str] | None, seconds: float) -> list[dict[str, Any]]:
    """The rows of the comparison, with the ratio to the baseline in the same run."""
    for name in names:
        ENTRIES[name].load()  # what is missing is said here, not by a process that ends
    print(HEAD, flush=True)
    rows: list[dict[str, Any]] = []
    for name in names:
        base = None
        done = set()
        mine: list[dict[str, Any]] = []
        for engine in engines or ENTRIES[name].engines:
            row = in_child(name, engine, seconds)
            if row["engine"] in done:
                continue  # what auto picked has run already
            done.add(row["engine"])
            rate = row["regions"] / row["seconds"]
            if row["engine"] == BASELINE:
                base = rate
            row["auto"] = engine == "auto"
            row["rate"] = rate
            row["ratio"] = None if base is None else rate / base
            mine.append(row)
        # One forward pass for all engines: in some processes memory for it costs more.
        forward = min(row["forward_seconds"] for row in mine)
        for row in mine:
            row["forward_seconds"] = forward
            print(line(row), flush=True)
        rows += mine
    return rows


HEAD = (
    "| network | engine | regions | exact | seconds | µs a region | regions a second "
    "| ratio to tree-highs | forward passes a region | peak MB |\n"
    "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def line(row: dict[str, Any]) -> str:
    """One row of the table in Markdown."""
    each = row["seconds"] / max(row["regions"], 1)
    ratio = "" if row.get("ratio") is None else f"{row['ratio']:,.0f}"
    return (
        f"| {row['network']} | {row['engine']} | {row['regions']:,} | "
        f"{'yes' if row['exact'] else 'no'} | {row['seconds']:.3f} | {1e6 * each:,.1f} | "
        f"{1 / each:,.0f} | {ratio} | {each / row['forward_seconds']:.1f} | {row['peak_mb']:.0f} |"
    )


def growth(what: str, most: int, seconds: float | None) -> list[dict[str, Any]]:
    """Counts of random networks that grow in one respect, until ``most`` regions."""
    shapes = {
        "units": [[2, w, w, 1] for w in (8, 16, 32, 64, 128, 256)],
        "inputs": [[n, 12, 8, 1] for n in range(1, 13)],
        "regions": [[4, w, w, 1] for w in (8, 12, 20, 32, 48, 72, 104, 160, 240)],
    }[what]
    rows = []
    for widths in shapes:
        name = f"{widths[0]}; {'-'.join(map(str, widths[1:-1]))}"
        entry = Entry(name, lambda widths=widths: uniform_network(widths, 0), BOX)  # type: ignore[misc]
        ENTRIES[name] = entry
        row = measure(entry, "auto", seconds)
        rows.append(row)
        print(line(row), flush=True)
        if row["regions"] >= most or not row["exact"]:
            break
    return rows


def main() -> int:
    """Run one of the two modes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--networks", nargs="+", choices=list(ENTRIES), default=list(ENTRIES))
    parser.add_argument("--engines", nargs="+")
    parser.add_argument("--seconds", type=float, default=10.0, help="limit of one count")
    parser.add_argument("--growth", choices=("units", "inputs", "regions"))
    parser.add_argument("--most", type=int, default=10**8, help="regions at which growth ends")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "counting")
    arguments = parser.parse_args()
    try:
        if arguments.growth:
            print(HEAD, flush=True)
            limit = arguments.seconds if "--seconds" in sys.argv else None
            rows = growth(arguments.growth, arguments.most, limit)
            stem = f"growth_{arguments.growth}"
        else:
            rows = compare(arguments.networks, arguments.engines, arguments.seconds)
            stem = "engines"
    except mc.MilpcountError as error:
        print(f"bench_counting: {error}", file=sys.stderr)
        return 2
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = "\n".join([HEAD, *(line(row) for row in rows)])
    (arguments.output / f"{stem}.md").write_text(text + "\n", encoding="utf-8")
    with (arguments.output / f"{stem}.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
