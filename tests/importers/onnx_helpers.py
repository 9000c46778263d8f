"""Small ONNX graphs, and the comparison of an imported network with onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.core.network import ReLUNetwork
from milpcount.importers.onnx.graph import load_onnx

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

UNITS = {"Abs", "Clip", "HardSigmoid", "LeakyRelu", "Max", "Min", "PRelu", "Relu"}


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


def run_with_units(
    path: Path, x: np.ndarray, with_units: bool = True
) -> tuple[np.ndarray, list[np.ndarray]]:
    """First output of onnxruntime and what its units get, unit node by unit node."""
    model = onnx.load(str(path))
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    units = [n for n in model.graph.node if n.op_type in UNITS and with_units]
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
    if len([n for n in entry.shape if not isinstance(n, int)]) > 1:
        shape[-1] = x.size
    kind = np.float64 if "double" in entry.type else np.float32
    results = session.run([first, *watched], {entry.name: x.reshape(shape).astype(kind)})
    return results[0], [
        g for unit, result in zip(units, results[1:], strict=True)
        for g in preactivations(unit, result, constants)
    ]  # fmt: skip


def preactivations(unit: Any, x: np.ndarray, constants: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What the ReLUs of a unit node get when the node gets ``x``."""
    attributes = {a.name: helper.get_attribute_value(a) for a in unit.attribute}
    if unit.op_type == "HardSigmoid":
        slope, shift = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
        return [slope * x + shift, slope * x + shift - 1]
    if unit.op_type in ("Max", "Min"):
        bound = next(constants[name] for name in unit.input if name in constants)
        return [x - bound if unit.op_type == "Max" else bound - x]
    if unit.op_type != "Clip":
        return [x]
    ends = {
        key: attributes.get(key, constants.get(unit.input[i]) if len(unit.input) > i else None)
        for i, key in ((1, "min"), (2, "max"))
    }
    low, high = ends["min"], ends["max"]
    if low is None:
        return [high - x]
    return [x - low] if high is None else [x - low, x - high]


def agree(
    path: Path,
    seed: int = 0,
    tolerance: float = 0.0,
    points: int = 8,
    *,
    units: bool = True,
    clear: float = 0.9,
    head: Callable[[np.ndarray], np.ndarray] = np.ravel,
) -> ReLUNetwork:
    """Load a graph and compare outputs and unit patterns with onnxruntime on random inputs.

    With ``tolerance`` 0 everything must be equal (the inputs are multiples of 1/4).  Where the
    file has a batch that the network has not, every sample is compared.  ``head`` is what the
    network leaves out; ``clear`` the share of pre-activations that must be away from 0.
    """
    net = load_onnx(path)
    rng = np.random.default_rng(seed)
    model = onnx.load(str(path), load_external_data=False)
    constants = {t.name for t in model.graph.initializer}
    entry = next(i for i in model.graph.input if i.name not in constants)
    size = int(np.prod([d.dim_value or 1 for d in entry.type.tensor_type.shape.dim]))
    samples = max(1, size // net.input_dimension)
    decided = 0
    for _ in range(points):
        if tolerance:
            x = rng.normal(size=(samples, net.input_dimension)).astype(np.float32)
        else:
            x = quarters(rng, samples, net.input_dimension)
        output, given = run_with_units(path, x, units)
        for k, sample in enumerate(x):
            ours = head(net.forward(sample))
            np.testing.assert_allclose(
                ours, output.reshape(samples, -1)[k], rtol=tolerance, atol=tolerance
            )
            if units:
                theirs = [g.reshape(samples, -1)[k] for g in given]
                decided += compare_units(net, sample, theirs, tolerance)
    if units:
        assert decided >= clear * points * samples * sum(net.counted_widths)
    return net


def compare_units(
    net: ReLUNetwork, x: np.ndarray, given: list[np.ndarray], tolerance: float
) -> int:
    """Compare pre-activations and states of units; gives how many are clear.

    In the order of the graph for a chain, and sorted by value where stages bring together units
    from here and there.
    """
    pre = net.preactivations(x)
    ours = [g[~stage.linear] for g, stage in zip(pre, net.stages, strict=True)]
    mine, theirs = (np.concatenate([np.zeros(0), *parts]) for parts in (ours, given))
    assert mine.shape == theirs.shape
    bits = net.pattern(x).bits
    if not net.is_chain:
        order = np.argsort(mine, kind="stable")
        mine, bits, theirs = mine[order], bits[order], np.sort(theirs)
    np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)
    clear = np.abs(theirs) > tolerance if tolerance else np.ones(theirs.shape, dtype=bool)
    assert np.array_equal(bits[clear], (theirs > 0)[clear])
    return int(clear.sum())
