"""The dual graph in its place, and the affine maps of the same regions as points."""

import sys
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

import milpcount as mc


def main(path: str = "graph.png", width: int = 9) -> None:
    """Draw both beside each other."""
    rng = np.random.default_rng(8)
    sizes = [2, width, width, 1]
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) * 0.7 for b in sizes[1:]]
    K = mc.polyhedral_complex(mc.ReLUNetwork(weights, biases), mc.Box(-1, 1))
    left, right = (figure := Figure(figsize=(6.6, 3.0), layout="constrained")).subplots(1, 2)
    mc.draw.dual_graph(K, ax=left)
    mc.draw.local_maps(K, ax=right)
    figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
