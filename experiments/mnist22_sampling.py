"""Lower bounds by sampling, exact counts and upper bounds by split, with their times.

After Serra and Ramalingam (AAAI 2020), figure 2: parity constraints of two sizes on the MILP, and
the methods that came later, on one network of every split.
"""

from __future__ import annotations

SMOKE = "configs/mnist22/smoke.yaml"
PAPER = "configs/mnist22/sampling.yaml"
RESULTS = "results/mnist22/sampling"
TABLES = ("estimates", "gap_closed")
FIGURES = ("sampling_and_bounds",)
