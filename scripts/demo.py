#!/usr/bin/env python3
"""Set everything up and run the main job: python scripts/demo.py.

Counts the linear regions of MNIST networks exactly: 14,614 of one network with the compiled engine,
and those of a whole study with the MILP of Serra et al. (2018), closed by exact linear programmes,
against the analytic bounds.  The networks are in the repository.  One to two minutes after
installation, which compiles the engines.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from _bootstrap import ROOT, ensure_environment

CONFIG = "configs/mnist8/demo.yaml"
FIGURE = "results/mnist8/demo/bounds_and_counts.png"


def main() -> int:
    """Show one network, the bounds of its shape, then count a whole study."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    python = str(ensure_environment("plots"))
    network = "results/mnist8/networks/4-4_s0.npz"
    start = time.perf_counter()
    for title, arguments in (
        ("A network trained on MNIST, 784 inputs and two hidden layers of 4:", ["info", network]),
        ("What any network of that shape may have:", ["bound", "784", "4", "4"]),
        (
            "Counting the regions of a network 784-8-8-10:",
            ["count", "results/counting/mnist_8-8.npz", "--box", "0", "1"],
        ),
        ("The MILP on MNIST networks over [0, 1]^784:", ["run", CONFIG, "--fresh"]),
    ):
        print(f"\n{title}\n$ milpcount {' '.join(arguments)}", flush=True)
        code = subprocess.run(
            [python, "-m", "milpcount", *arguments], cwd=ROOT, check=False
        ).returncode
        if code != 0:
            return code
    print(f"\nDone in {time.perf_counter() - start:.0f} s. The figure: {ROOT / FIGURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
