"""Times and sizes of pictures of many polygons, as ratios to the time of the polygons themselves.

``python benchmarks/bench_drawing.py [--units N]`` draws lines of so many units in general position
(555 units: some 100,000 polygons) and prints CPU seconds and megabytes of each file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import milpcount as mc


def lines(units: int) -> mc.ReLUNetwork:
    """One layer whose units' lines cross the square in all directions."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(units, 2))
    weights /= np.linalg.norm(weights, axis=1)[:, None]
    biases = rng.uniform(-0.8, 0.8, units)
    return mc.ReLUNetwork([weights, rng.normal(size=(1, units))], [biases, [-5.0]])


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=555)
    net, box = lines(parser.parse_args().units), mc.Box(-1, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mc.draw.save(lines(5), folder / "warm.png", box)
        mc.draw.save(lines(5), folder / "warm.html", box)
        base = seconds(lambda: mc.polyhedral_complex(net, box))
        print(f"{len(mc.polyhedral_complex(net, box))} polygons in {base:.2f} s")
        print(f"{'file':24} {'seconds':>8} {'ratio':>7} {'MB':>7}")
        for color, ending in (
            *(("random", "png"), ("random", "html"), ("random", "pdf")),
            *(("output", "png"), ("output", "html"), ("pattern", "png"), ("linear", "png")),
        ):
            path = folder / f"{color}.{ending}"
            took = seconds(lambda p=path, c=color: mc.draw.save(net, p, box, color=c))  # type: ignore[misc]
            size = path.stat().st_size / 1e6
            print(f"{path.name:24} {took:8.2f} {took / base:7.2f} {size:7.2f}")


if __name__ == "__main__":
    main()
