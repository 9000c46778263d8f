#!/usr/bin/env python3
"""What several workers cost and bring: python benchmarks/bench_workers.py [--seconds 10].

A network of about 10^7 regions and a small one, counted by one worker and by two.  On a busy
machine wall time says little: what to look at is regions for each second of CPU, which is what the
sharing costs, and CPU seconds for each second of wall time, which is how many cores worked.  Of
counts that are not done in time no ratio is given: two workers are in other parts of the tree.
"""

from __future__ import annotations

import argparse
import resource
import time

from bench_counting import uniform_network

import milpcount as mc

BOX = mc.Box(-1, 1)


def cpu_seconds() -> float:
    """CPU seconds of this process and of the ended ones that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(times.ru_utime + times.ru_stime for times in used)


def measure(net: mc.ReLUNetwork, engine: str, workers: int, seconds: float) -> dict[str, float]:
    """Count, or as much of it as the time allows."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = mc.count(net, BOX, engine=engine, workers=workers, budget=mc.Budget(seconds=seconds))
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    return {"regions": result.lower, "wall": wall, "cpu": cpu, "exact": result.exact}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--units", type=int, default=104, help="in each of two layers, 4 inputs")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    large = uniform_network([4, arguments.units, arguments.units, 1], 0)
    small = uniform_network([3, 12, 8, 1], 0)
    columns = ("network", "engine", "workers", "regions", "s", "s CPU", "cores", "regions / s CPU")
    print(f"| {' | '.join((*columns, 'ratio'))} |")
    print("| --- | --- |" + " ---: |" * 7)
    for name, net in (("small", small), ("large", large)):
        for engine in ("subdivision", "tree"):
            measure(net, engine, 1, 0.1)
            base = 0.0
            for workers in (1, arguments.workers):
                row = measure(net, engine, workers, arguments.seconds)
                rate = row["regions"] / row["cpu"]
                base = base or (rate if row["exact"] else 0.0)
                ratio = f"{rate / base:.2f}" if base and row["exact"] else ""
                cells = (
                    name, engine, str(workers), f"{row['regions']:,.0f}", f"{row['wall']:.4f}",
                    f"{row['cpu']:.4f}", f"{row['cpu'] / row['wall']:.2f}", f"{rate:,.0f}",
                    ratio,
                )  # fmt: skip
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
