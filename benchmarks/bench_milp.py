#!/usr/bin/env python3
"""Seconds per solution of the MILP engine as cuts grow, by variant, kind of cuts and solver.

    python benchmarks/bench_milp.py NET [NET ...] [--box LO HI] [--seconds 30] [--solver highs ...]

Prints one line a combination: patterns found in the time, and the mean seconds of a solve for
the first tenth, the middle and the last tenth of the solves; every combination runs alone, one
after the other, in this process.  The enumeration only: nothing is confirmed or closed.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

from milpcount import Box, Budget, load_network
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.engines.milp.enumeration import CUTS, NoGoodEnumerator
from milpcount.engines.milp.model import VARIANTS
from milpcount.engines.milp.solvers import SOLVERS
from milpcount.errors import InputError


def main() -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("networks", nargs="+", type=Path)
    parser.add_argument("--box", nargs=2, type=float, metavar=("LO", "HI"))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--solver", nargs="+", choices=list(SOLVERS), default=list(SOLVERS))
    parser.add_argument("--preactivation", default="lp")
    arguments = parser.parse_args()
    heads = ("network", "solver", "variant", "cuts", "found", "complete", "first", "mean", "last")
    print("{:24} {:14} {:12} {:7} {:>6} {:>9} {:>8} {:>8} {:>8}".format(*heads))
    try:
        for path, solver, variant, cuts in product(
            arguments.networks, arguments.solver, VARIANTS, CUTS
        ):
            box = Box(*arguments.box) if arguments.box else None
            problem = CountProblem.of(load_network(path), box)
            found, s = enumerate_for(
                problem, arguments.seconds, solver, variant, cuts, arguments.preactivation
            )
            mean = s["solver_seconds"] / max(1, s["solves"])
            print(
                f"{path.stem:24} {solver:14} {variant:12} {cuts:7} {found:6} "
                f"{'yes' if s['solver_claims_complete'] else 'no':>9} "
                f"{s['seconds_per_solve_first_tenth']:8.3f} {mean:8.3f} "
                f"{s['seconds_per_solve_last_tenth']:8.3f}",
                flush=True,
            )
    except InputError as error:
        print(f"bench_milp: {error}", file=sys.stderr)
        return 2
    return 0


def enumerate_for(
    problem: CountProblem,
    seconds: float,
    solver: str,
    variant: str,
    cuts: str,
    preactivation: str,
) -> tuple[int, dict[str, float]]:
    """Enumerate for so many seconds; return how many patterns, and the run's numbers."""
    enumerator = NoGoodEnumerator(
        problem,
        solver=solver,
        variant=variant,
        preactivation=preactivation,
        cuts=cuts,
        watch=Watch(Budget(seconds=seconds)),
    )
    found = 0
    try:
        while enumerator.next() is not None:
            found += 1
        return found, enumerator.statistics()
    finally:
        enumerator.close()


if __name__ == "__main__":
    sys.exit(main())
