"""A plane through three images of digits: exact regions and classes of a classifier there."""

import sys

from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import milpcount as mc


def main(path: str = "digits.png", width: int = 32) -> None:
    """Fit 8 by 8 digits, and draw the plane through a zero, a one and a two."""
    x, y = load_digits(return_X_y=True)
    model = MLPClassifier([width, width], tol=0.01, random_state=0, max_iter=500).fit(x / 16, y)
    corners = [x[(y == digit).argmax()] / 16 for digit in (0, 1, 2)]
    plane = mc.Slice.plane(*corners, lo=-0.4, hi=1.4)
    axes = mc.draw.regions(mc.load_network(model), plane, color="class", points=corners)
    for digit, place in enumerate([(0, 0), (1, 0), (0, 1)]):
        axes.annotate(str(digit), place, (4, 4), textcoords="offset points", fontsize=9)
    axes.figure.savefig(path, dpi=150, bbox_inches="tight")


if __name__ == "__main__":
    main(*sys.argv[1:])
