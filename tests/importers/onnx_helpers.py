"""Small ONNX graphs, and the comparison of an imported network with onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.core.network import ReLUNetwork
from milpcount.importers.onnx.graph import load_onnx

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

UNITS = {"Relu", "LeakyRelu", "PRelu", "Clip", "Max"}


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    """A node called after its output."""
    return helper.make_node(op, list(inputs), [output], name=output, **attributes)


def write(
    path: Path,
    nodes: Sequence[Any],
    constants: dict[str, np.ndarray],
    shape: Sequence[int | str] = (1, 3),
    *,
    opset: int = 17,
    outputs: Sequence[str] = ("y",),
    element: int | None = None,
) -> Path:
    """Write a graph with input ``x`` and output ``y``."""
    element = onnx.TensorProto.FLOAT if element is None else element
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", element, list(shape))],
        [helper.make_tensor_value_info(name, element, None) for name in outputs],
        [numpy_helper.from_array(array, key) for key, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def quarters(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Float32 multiples of 1/4: sums of products of a few of them are exact in float32."""
    return (rng.integers(-8, 9, size=shape) / 4).astype(np.float32)


def run_with_units(path: Path, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Output of onnxruntime and what its units get, unit node by unit node, flattened."""
    model = onnx.load(str(path))
    constants = {tensor.name for tensor in model.graph.initializer}
    units = [n for n in model.graph.node if n.op_type in UNITS]
    watched = [next(name for name in n.input if name not in constants) for n in units]
    first = model.graph.output[0].name
    known = {o.name for o in model.graph.output}
    for name in watched:
        if name not in known:
            model.graph.output.append(helper.make_empty_tensor_value_info(name))
            known.add(name)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = runtime.InferenceSession(model.SerializeToString(), options)
    entry = session.get_inputs()[0]
    shape = [n if isinstance(n, int) else 1 for n in entry.shape]
    kind = np.float64 if "double" in entry.type else np.float32
    results = session.run([first, *watched], {entry.name: x.reshape(shape).astype(kind)})
    return results[0].ravel(), [r.ravel() for r in results[1:]]


def agree(path: Path, seed: int = 0, tolerance: float = 0.0, points: int = 8) -> ReLUNetwork:
    """Load a graph and compare outputs and unit patterns with onnxruntime on random inputs.

    With ``tolerance`` 0 everything must be equal (the inputs are multiples of 1/4).
    """
    net = load_onnx(path)
    rng = np.random.default_rng(seed)
    decided = 0
    for _ in range(points):
        if tolerance:
            x = rng.normal(size=net.input_dimension).astype(np.float32)
        else:
            x = quarters(rng, net.input_dimension)
        output, units = run_with_units(path, x)
        np.testing.assert_allclose(net.forward(x), output, rtol=tolerance, atol=tolerance)
        ours = np.concatenate([np.zeros(0), *net.preactivations(x)])
        theirs = np.concatenate([np.zeros(0), *units])
        assert ours.shape == theirs.shape
        clear = np.abs(theirs) > tolerance
        if not tolerance:
            clear[:] = True
        decided += int(clear.sum())
        assert np.array_equal((ours > 0)[clear], (theirs > 0)[clear])
        assert np.array_equal(net.pattern(x).bits[clear], (theirs > 0)[clear])
    assert decided >= 0.9 * points * sum(net.widths)
    return net
