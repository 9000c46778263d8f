"""The regions of a random network: neighbours differ, edges say which layer bends there."""

import sys
from itertools import pairwise

import numpy as np

import milpcount as mc


def main(path: str = "regions.png", width: int = 16) -> None:
    """Draw a network of three layers over a square."""
    rng = np.random.default_rng(5)
    sizes = [2, width, width, width, 1]
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) * 0.5 for b in sizes[1:]]
    net = mc.ReLUNetwork(weights, biases)
    axes = mc.draw.regions(net, mc.Box(-1, 1), boundary=False)
    axes.figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
