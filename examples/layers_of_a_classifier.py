"""Layer by layer, where the units of a classifier bend, and the boundary that they make."""

import sys

from sklearn.datasets import make_circles
from sklearn.neural_network import MLPClassifier

import milpcount as mc


def main(path: str = "layers.png", width: int = 8) -> None:
    """Fit a ring and what it surrounds, and draw a panel a layer."""
    x, y = make_circles(300, noise=0.08, factor=0.4, random_state=0)
    model = MLPClassifier([width] * 3, learning_rate_init=0.01, random_state=1)
    model.max_iter, model.tol = 2000, 1e-3
    model.fit(x, y)
    axes = mc.draw.layers(mc.load_network(model), mc.Box(-1.4, 1.4), points=(x[::3], y[::3]))
    axes[0].figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
