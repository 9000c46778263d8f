"""What several test modules share: the data folder, small networks, known counts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from milpcount.core.domain import Box, Domain, WholeSpace
from milpcount.core.network import ReLUNetwork


def data_folder() -> Path:
    """The folder of shared networks; skips the test, with the reason, where there is none."""
    named = os.environ.get("MILPCOUNT_DATA")
    if not named:
        pytest.skip("MILPCOUNT_DATA is not set: the shared networks are not here")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"MILPCOUNT_DATA names {named}, which is no folder")
    return folder


@dataclass(frozen=True)
class Case:
    """A network with a count known by hand or by exact geometry."""

    name: str
    net: ReLUNetwork
    domain: Domain
    full: int
    nonempty: int

    def __str__(self) -> str:
        return self.name


def net(*layers: tuple[object, object], slopes: object = None, output: bool = False) -> ReLUNetwork:
    """A network of hidden (weight, bias) pairs; an output layer of zeros unless it is given."""
    weights = [np.array(w, dtype=float) for w, _ in layers]
    biases = [np.array(b, dtype=float) for _, b in layers]
    if not output:
        weights.append(np.zeros((1, weights[-1].shape[0])))
        biases.append(np.zeros(1))
    return ReLUNetwork(weights, biases, slopes)  # type: ignore[arg-type]


def _lines_through_origin(k: int) -> np.ndarray:
    return np.array([[i + 1, (i + 1) ** 2 - 3 * k] for i in range(k)], dtype=float)


def hand_cases() -> list[Case]:
    """Degenerate and ordinary networks whose counts follow by hand.

    A pattern counts as non-empty if some input has it, active meaning > 0.
    """
    unit = Box(-1, 1)
    plane = Box([-1, -1], [1, 1])
    return [
        # One unit, its zero inside.
        Case("one-unit", net(([[1]], [0])), unit, 2, 2),
        # x and -x: 10, 01, and 00 at the origin alone.
        Case("opposite", net(([[1], [-1]], [0, 0])), unit, 2, 3),
        # The same unit twice.
        Case("twice", net(([[1], [1]], [0, 0])), unit, 2, 2),
        # A dead unit (zero weights, zero bias), one always on, one always off.
        Case("constant-units", net(([[0], [0], [0], [1]], [0, 1, -1, 0])), unit, 2, 2),
        # The zero set is the end of the domain: active everywhere but at -1; never active.
        Case("end-of-domain", net(([[1], [-1]], [1, -1])), unit, 1, 2),
        # Active only beyond the face, where it is zero: -x + ... <= 0 with equality at x = 1.
        Case("corner", net(([[1, 1]], [-2])), plane, 1, 1),
        Case("corner-inside-out", net(([[-1, -1]], [2])), plane, 1, 2),
        # Three lines through one point: 6 sectors; patterns on the rays and at the centre.
        Case("three-concurrent", net(([[1, 0], [0, 1], [1, 1]], [0, 0, 0])), plane, 6, 6),
        Case("three-concurrent-cone", net(([[1, 0], [0, 1], [-1, -1]], [0, 0, 0])), plane, 6, 7),
        # Eight lines through the origin: 16 sectors.
        Case("eight-lines", net((_lines_through_origin(8), np.zeros(8))), plane, 16, -1),
        # Parallel lines.
        Case("parallel", net(([[1, 0], [1, 0], [1, 0]], [0, 0.25, -0.5])), plane, 4, 4),
        # A slab thinner than any LP tolerance.
        Case("thin-slab", net(([[1, 0], [1, 0]], [0, -(2.0**-60)])), plane, 3, 3),
        # A dead layer: below it everything is constant.
        Case("dead-layer", net(([[1], [1]], [-2, -3]), ([[1, 1], [1, -1]], [0, 1])), unit, 1, 1),
        # relu(x) = 0 on half the line, where the second layer's zero-bias unit is identically 0.
        Case("dead-half", net(([[1]], [0]), ([[1], [-1]], [0, 0])), unit, 2, 2),
        # A fold: |x| built of two units, cut at 1/2: four pieces; 00 only at the origin.
        Case("fold", net(([[1], [-1]], [0, 0]), ([[1, 1]], [-0.5])), unit, 4, 5),
        # A leaky unit passes half of the negative side on: zeros of x/2 + 1/4 and of x - 3/4.
        Case("leaky", net(([[1]], [0]), ([[1], [1]], [0.25, -0.75]), slopes=[0.5, 0]), unit, 4, 4),
        # |x| as one unit of slope -1.
        Case("absolute", net(([[1]], [0]), ([[1]], [-0.5]), slopes=[-1, 0]), unit, 4, 4),
        # Fixed input: regions relative to the box.
        Case("fixed-input", net(([[1, 1], [0, 1]], [0, 0])), Box([-1, 0.5], [1, 0.5]), 2, 2),
        Case("fixed-on-line", net(([[1, 0], [0, 1]], [0, 0])), Box([-1, 0], [1, 0]), 2, 2),
        # No hidden unit at all.
        Case("affine", ReLUNetwork([[[1.0]]], [[0.0]]), unit, 1, 1),
    ]


def whole_space_cases() -> list[Case]:
    """Classical arrangements over the whole space, full-dimensional counts."""

    def braid(n: int) -> ReLUNetwork:
        rows = [
            [1.0 if k == i else -1.0 if k == j else 0.0 for k in range(n)]
            for i in range(n)
            for j in range(i + 1, n)
        ]
        return net((rows, np.zeros(len(rows))))

    def shifted(n: int, shifts: tuple[int, ...]) -> ReLUNetwork:
        rows, constants = [], []
        for i in range(n):
            for j in range(i + 1, n):
                for s in shifts:
                    rows.append([1.0 if k == i else -1.0 if k == j else 0.0 for k in range(n)])
                    constants.append(-float(s))
        return net((rows, constants))

    def resonance(n: int) -> ReLUNetwork:
        rows = [[float(mask >> k & 1) for k in range(n)] for mask in range(1, 2**n)]
        return net((rows, np.zeros(len(rows))))

    whole = WholeSpace()
    return [
        Case("braid-3", braid(3), whole, 6, -1),
        Case("braid-4", braid(4), whole, 24, -1),
        Case("shi-3", shifted(3, (0, 1)), whole, 16, -1),
        Case("shi-4", shifted(4, (0, 1)), whole, 125, -1),
        Case("catalan-3", shifted(3, (-1, 0, 1)), whole, 30, -1),
        Case("catalan-4", shifted(4, (-1, 0, 1)), whole, 336, -1),
        Case("resonance-2", resonance(2), whole, 6, -1),
        Case("resonance-3", resonance(3), whole, 32, -1),
        Case("resonance-4", resonance(4), whole, 370, -1),
    ]


def random_net(
    rng: np.random.Generator, widths: list[int], kind: str = "normal", slopes: object = None
) -> ReLUNetwork:
    """A random network; kind "normal", "integer" (small integers, many ties) or "sparse"."""
    weights, biases = [], []
    for rows, columns in zip(widths[1:], widths[:-1], strict=True):
        if kind == "normal":
            weights.append(rng.normal(size=(rows, columns)))
            biases.append(0.5 * rng.normal(size=rows))
        else:
            weight = rng.integers(-2, 3, size=(rows, columns)).astype(float)
            if kind == "sparse":
                weight *= rng.random(size=weight.shape) < 0.5
            weights.append(weight)
            biases.append(rng.integers(-1, 2, size=rows).astype(float))
    return ReLUNetwork(weights, biases, slopes)  # type: ignore[arg-type]


def known_counts() -> list[dict[str, object]]:
    """The entries of counts.json."""
    text = (data_folder() / "counts.json").read_text(encoding="utf-8")
    return list(json.loads(text)["counts"])
