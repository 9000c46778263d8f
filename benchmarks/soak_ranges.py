"""Compares ranges of pre-activations and upper bounds with exact ones, on random small networks.

    python benchmarks/soak_ranges.py --seconds 60 --seed 0

Each network has weights between 1e-4 and 1e4, or small integers, or decimals that floats only
come near; its domain is a box or a polytope.  For each method (interval, lp, milp) every end of
every range is compared with the exact extreme of the pre-activation: the largest of the optima,
in rational arithmetic, of its affine forms over the regions of the layers before, found by the
exhaustive search in rational arithmetic.  Every analytic upper bound is compared with the exact
count.  The exit status is 1 if any end or any bound is on the wrong side; the excess of the
ranges by MILP, relative to the largest magnitude of the layer, is reported as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

import milpcount as mc
from milpcount.bounds import bound_network
from milpcount.preactivation import METHODS, compute_preactivation_bounds

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.preactivation.oracle import exact_ranges, random_problem


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, default=0, help="of the networks")
    arguments = parser.parse_args()
    end = time.perf_counter() + arguments.seconds
    networks = ranges = bounds = wrong = 0
    excess = 0.0
    while time.perf_counter() < end:
        seed = arguments.seed + networks
        networks += 1
        problem = random_problem(np.random.default_rng(seed))
        results = {m: compute_preactivation_bounds(problem, m) for m in METHODS}
        first = results["interval"]
        exact = exact_ranges(problem, mc.Box(first.x_lo, first.x_hi))
        for method, found in results.items():
            for k, layer in enumerate(exact):
                size = max(max(abs(a), abs(b)) for a, b in layer) or Fraction(1)
                for i, (low, high) in enumerate(layer):
                    ranges += 1
                    lo, hi = Fraction(float(found.lo[k][i])), Fraction(float(found.hi[k][i]))
                    if lo > low or hi < high:
                        wrong += 1
                        print(f"seed {seed}, {method}, layer {k + 1}, unit {i}: [{lo}, {hi}]")
                    if method == "milp" and low <= 0 < high:
                        excess = max(excess, float((hi - high + low - lo) / size))
        count = mc.count(problem.network, problem.domain, engine="brute").lower
        for method in METHODS:
            upper = bound_network(problem.network, problem=problem, preactivation=method).upper
            for name, value in upper.items():
                bounds += 1
                if value < count:
                    wrong += 1
                    print(f"seed {seed}, {method}: {name} {value} is below the count {count}")
    print(
        f"{networks} networks from seed {arguments.seed}: {ranges} ranges, {bounds} upper bounds, "
        f"{wrong} wrong; ranges by MILP exceed the exact ones by up to {excess:.1e}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
