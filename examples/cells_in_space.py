"""The regions of a network with three inputs, moved apart."""

import sys
from itertools import pairwise

import numpy as np

import milpcount as mc


def main(path: str = "cells.png", width: int = 6) -> None:
    """Draw all cells in a cube; backend="plotly" gives a figure to turn."""
    rng = np.random.default_rng(3)
    sizes = [3, width, width - 2, 1]
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) * 0.6 for b in sizes[1:]]
    net = mc.ReLUNetwork(weights, biases)
    axes = mc.draw.complex3d(net, mc.Box(-2, 2), explode=0.5, backend="matplotlib")
    axes.set_axis_off()
    axes.figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
