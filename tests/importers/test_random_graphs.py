"""Random graphs with skips, clips and folds in any order, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.importers.onnx_helpers import agree, node, onnx, write

WIDTH = 3


class Graph:
    """A graph that grows by random operations on tensors that it has."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.tensors = ["x"]

    def constant(self, *shape: int, positive: bool = False) -> str:
        name = f"c{len(self.constants)}"
        values = self.rng.normal(size=shape)
        self.constants[name] = np.abs(values) + 0.5 if positive else values
        return name

    def grow(self) -> None:
        pick = self.rng.integers(11)
        # Mostly what came last, so that the graph is deep, and now and then something old.
        old = self.tensors[int(self.rng.integers(len(self.tensors)))]
        a = self.tensors[-1] if self.rng.random() < 0.6 else old
        b = self.tensors[int(self.rng.integers(len(self.tensors)))]
        out, last = f"t{len(self.nodes)}", self.tensors[-1]
        c = self.constant
        match pick:
            case 0 | 1:
                made = [node("Relu", [a], out)]
            case 2:
                made = [node("LeakyRelu", [a], out, alpha=float(self.rng.choice([-1, 0.5, 1])))]
            case 3:
                low, high = c(), c()
                self.constants[high] = self.constants[low] + 1.0
                made = [node("Clip", [a, low, high], out)]
            case 4:
                made = [node("Add", [a, b], out)]
            case 5:
                made = [node("Sub", [a, last], out)]
            case 6:
                made = [node("Mul", [a, c(WIDTH)], out)]
            case 7:
                names = [c(WIDTH), c(WIDTH), c(WIDTH), c(WIDTH, positive=True)]
                made = [node("BatchNormalization", [a, *names], out)]
            case 8:
                made = [
                    node("Concat", [a, b], f"{out}c", axis=1),
                    node("Gemm", [f"{out}c", c(2 * WIDTH, WIDTH), c(WIDTH)], out),
                ]
            case 9:
                made = [node("Abs", [a], out)]
            case _:
                made = [node("Gemm", [a, c(WIDTH, WIDTH), c(WIDTH)], out)]
        self.nodes += made
        self.tensors.append(out)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(tmp_path: Path, seed: int) -> None:
    graph = Graph(np.random.default_rng(seed))
    for _ in range(int(graph.rng.integers(3, 14))):
        graph.grow()
    used, wanted = [], {graph.tensors[-1]}
    for made in reversed(graph.nodes):
        if wanted.intersection(made.output):
            wanted.update(made.input)
            used.append(made)
    end = node("Add", [graph.tensors[-1], graph.constant(WIDTH)], "y")
    nodes = [*used[::-1], end]
    names = {name for n in nodes for name in n.input}
    if "x" not in names:
        pytest.fail("a random graph that does not use its input")
    constants = {key: value for key, value in graph.constants.items() if key in names}
    path = write(tmp_path / "n.onnx", nodes, constants, element=onnx.TensorProto.DOUBLE)
    agree(path, seed, tolerance=1e-9, points=5, clear=0.0)  # a ReLU of a ReLU is often at 0
