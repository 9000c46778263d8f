"""A fitted function as a surface of flat pieces, and the line where it is zero."""

import sys

import numpy as np
from sklearn.neural_network import MLPRegressor

import milpcount as mc


def main(path: str = "surface.png", width: int = 12) -> None:
    """Fit a ripple and draw what the network makes of it."""
    x = np.random.default_rng(0).uniform(-1, 1, size=(1500, 2))
    y = np.cos(4 * np.linalg.norm(x, axis=1)) + 0.3 * x[:, 0]
    model = MLPRegressor(hidden_layer_sizes=[width, width], learning_rate_init=0.01, random_state=0)
    model.max_iter, model.tol = 2000, 1e-3
    model.fit(x, y)
    axes = mc.draw.surface(mc.load_network(model), mc.Box(-1, 1), backend="matplotlib")
    axes.figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
