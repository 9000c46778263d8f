"""Calibration of the probabilistic methods against exact counts.

``python -m experiments.calibration [CONFIG]`` runs it and writes table and figure.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SMOKE = "configs/calibration/smoke.yaml"
PAPER = "configs/calibration/paper.yaml"
RESULTS = "results/calibration/paper"


def main(arguments: list[str]) -> None:
    """Run a calibration."""
    from milpcount.study.calibration import calibrate

    parser = argparse.ArgumentParser(prog="experiments.calibration", description=__doc__)
    parser.add_argument("config", nargs="?", type=Path, default=Path(PAPER), help=f"else {PAPER}")
    options = parser.parse_args(arguments)
    for file in calibrate(options.config, lambda line: print(line, file=sys.stderr)):  # noqa: T201
        print(file)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
