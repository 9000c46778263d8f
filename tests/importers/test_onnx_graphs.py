"""Whole graphs: order, functions, outputs, heads, batches, open axes, old operator sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.errors import InputError, NetworkError, UnsupportedError
from milpcount.importers import load_network
from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import agree, helper, node, onnx, quarters, write

RNG = np.random.default_rng(31)
W, V, S = quarters(RNG, 3, 4), quarters(RNG, 4, 2), quarters(RNG, 4, 4)
B = quarters(RNG, 4)
CONSTANTS = {"W": W, "V": V, "B": B}
CHAIN = [
    node("Gemm", ["x", "W", "B"], "g"),
    node("Relu", ["g"], "h"),
    node("Gemm", ["h", "V"], "y"),
]


def test_nodes_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "n.onnx", CHAIN, CONSTANTS)
    expected = load_onnx(path).sha256
    for order in ([2, 1, 0], [1, 0, 2], [2, 0, 1]):
        write(path, [CHAIN[k] for k in order], CONSTANTS)
        assert load_onnx(path).sha256 == expected


def function_model(path: Path, functions: list[Any], nodes: list[Any]) -> Path:
    write(path, nodes, CONSTANTS)
    model = onnx.load(str(path))
    model.functions.extend(functions)
    model.opset_import.append(helper.make_opsetid("local", 1))
    path.write_bytes(model.SerializeToString())
    return path


def function(name: str, inputs: list[str], nodes: list[Any], attributes: list[str]) -> Any:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, inputs, ["out"], nodes, opsets, attributes)


def test_functions_of_the_model(tmp_path: Path) -> None:
    slope = helper.make_node("LeakyRelu", ["t"], ["u"])
    reference = onnx.AttributeProto(name="alpha", ref_attr_name="a", type=onnx.AttributeProto.FLOAT)
    slope.attribute.append(reference)
    unit = function(
        "Unit", ["in"], [node("Neg", ["in"], "t"), slope, node("Neg", ["u"], "out")], ["a"]
    )
    layer = function(
        "Layer",
        ["in", "w"],
        [
            node("MatMul", ["in", "w"], "t"),
            helper.make_node("Unit", ["t"], ["out"], domain="local", a=0.25),
        ],
        [],
    )
    calls = [
        helper.make_node("Layer", ["x", "W"], ["h"], domain="local", name="first"),
        helper.make_node("Layer", ["h", "V"], ["y"], domain="local", name="second"),
    ]
    net = agree(function_model(tmp_path / "n.onnx", [unit, layer], calls), units=False)
    assert net.counted_widths == (4, 2)


def test_functions_that_grow_are_refused_before_they_do(tmp_path: Path) -> None:
    doubling = []
    for k in range(40):
        inner = f"F{k + 1}" if k < 39 else "Neg"
        domain = "local" if k < 39 else ""
        body = [
            helper.make_node(inner, ["in"], ["t"], domain=domain),
            helper.make_node(inner, ["t"], ["out"], domain=domain),
        ]
        doubling.append(function(f"F{k}", ["in"], body, []))
    call = [helper.make_node("F0", ["x"], ["y"], domain="local")]
    with pytest.raises(NetworkError, match="more than 100000 nodes"):
        load_onnx(function_model(tmp_path / "n.onnx", doubling, call))
    endless = function("F", ["in"], [helper.make_node("F", ["in"], ["out"], domain="local")], [])
    call = [helper.make_node("F", ["x"], ["y"], domain="local")]
    with pytest.raises(NetworkError, match="calls itself"):
        load_onnx(function_model(tmp_path / "n.onnx", [endless], call))


def test_the_output_that_another_one_comes_from(tmp_path: Path) -> None:
    nodes = [*CHAIN, node("Softmax", ["y"], "p"), node("ArgMax", ["p"], "c", axis=1)]
    for outputs in (("c", "p"), ("p", "y"), ("c", "y", "p")):
        net = load_network(write(tmp_path / "n.onnx", nodes, CONSTANTS, outputs=outputs))
        assert np.array_equal(net.weights[-1], V.T)
        assert net.notes
    other = [*nodes, node("Relu", ["h"], "q")]
    path = write(tmp_path / "n.onnx", other, CONSTANTS, outputs=("p", "q"))
    with pytest.raises(NetworkError, match=r"2 outputs \(it has 'p', 'q'\).*--output NAME"):
        load_network(path)
    assert load_network(path, output="q").widths == (4, 4)
    assert load_network(path, output="p").widths == (4,)


def test_names_of_classes_behind_a_head(tmp_path: Path) -> None:
    """As skl2onnx writes a classifier whose classes are words."""
    named = helper.make_node("ArrayFeatureExtractor", ["names", "c"], ["n"], domain="ai.onnx.ml")
    nodes = [*CHAIN, node("Softmax", ["y"], "p"), node("ArgMax", ["p"], "c", axis=1), named]
    path = write(tmp_path / "n.onnx", nodes, CONSTANTS, outputs=("n", "p"))
    model = onnx.load(str(path))
    words = helper.make_tensor("names", onnx.TensorProto.STRING, [2], [b"cat", b"dog"])
    model.graph.initializer.append(words)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    path.write_bytes(model.SerializeToString())
    assert load_network(path).architecture == (3, 4, 2)
    model.graph.node.append(node("Add", ["y", "names"], "q"))
    model.graph.output.append(helper.make_empty_tensor_value_info("q"))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(NetworkError, match="NaN"):
        load_network(path, output="q")


def sigmoid(y: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-y)))


@pytest.mark.parametrize(
    ("nodes", "constants", "head"),
    [
        ([node("Tanh", ["t"], "y")], {}, np.tanh),
        ([node("Tanh", ["t"], "u"), node("Mul", ["u", "k"], "v"), node("Add", ["v", "k"], "y")],
         {"k": np.float32([2, 3])}, lambda y: np.tanh(y) * [2, 3] + [2, 3]),
        ([node("Exp", ["t"], "y")], {}, np.exp),
        ([node("Softplus", ["t"], "y")], {}, lambda y: np.log1p(np.exp(y))),
        ([node("Sigmoid", ["t"], "u"), node("Sub", ["k", "u"], "y")], {"k": np.float32(1)},
         lambda y: 1 - sigmoid(y)),
        ([node("ReduceMax", ["t"], "m", axes=[1]), node("Sub", ["t", "m"], "d"),
          node("Exp", ["d"], "e"), node("ReduceSum", ["e", "one"], "s"),
          node("Div", ["e", "s"], "y")], {"one": np.array([1])},
         lambda y: np.exp(y) / np.exp(y).sum()),
        ([node("ReduceL2", ["t"], "n", axes=[1]), node("Div", ["t", "n"], "y")], {},
         lambda y: y / np.linalg.norm(y)),
        ([node("Sigmoid", ["t"], "u"), node("Shape", ["u"], "n"), node("Reshape", ["u", "n"], "y")],
         {}, sigmoid),
    ],
    ids=lambda v: "+".join(n.op_type for n in v) if isinstance(v, list) else None,
)  # fmt: skip
def test_heads(
    tmp_path: Path,
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    head: Callable[[np.ndarray], np.ndarray],
) -> None:
    start = [*CHAIN[:2], node("Gemm", ["h", "V"], "t")]
    path = write(tmp_path / "n.onnx", [*start, *nodes], {**CONSTANTS, **constants})
    net = agree(path, tolerance=1e-5, head=head, units=False)
    assert net.architecture == (3, 4, 2)
    assert sum("output head" in note for note in net.notes) == 1


def test_what_is_no_head(tmp_path: Path) -> None:
    """A maximum at the end has states of its own; tensors from elsewhere are not normalised."""
    path = write(tmp_path / "n.onnx", [*CHAIN[:2], node("ReduceMax", ["h"], "y")], CONSTANTS)
    with pytest.raises(NetworkError, match="maximum or minimum of several entries"):
        load_onnx(path)
    gated = [*CHAIN[:2], node("Sigmoid", ["g"], "s"), node("Mul", ["s", "h"], "y")]
    with pytest.raises(NetworkError, match="brings it together with another tensor"):
        load_onnx(write(path, gated, CONSTANTS))


@pytest.mark.parametrize("samples", [2, 5])
@pytest.mark.parametrize(
    ("nodes", "constants", "rest"),
    [
        (CHAIN, CONSTANTS, (3,)),
        ([node("Reshape", ["x", "s"], "f"), *CHAIN[:1], *CHAIN[1:]], CONSTANTS, (1, 3)),
        ([node("Conv", ["x", "K"], "c", pads=[1, 1, 1, 1]), node("Relu", ["c"], "r"),
          node("AveragePool", ["r"], "p", kernel_shape=[2, 2]), node("Flatten", ["p"], "f"),
          node("Relu", ["f"], "y")], {"K": quarters(RNG, 2, 1, 3, 3)}, (1, 3, 2)),
        ([node("Transpose", ["x"], "t"), node("MatMul", ["M", "t"], "g"), node("Relu", ["g"], "h"),
          node("Transpose", ["h"], "y")], {"M": quarters(RNG, 2, 3)}, (3,)),
        ([*CHAIN[:2], node("Gemm", ["h", "S"], "a"), node("Concat", ["x", "h", "a"], "c", axis=1),
          node("Relu", ["c"], "y")], {**CONSTANTS, "S": S}, (3,)),
        ([node("BatchNormalization", ["x", "a", "a", "a", "a"], "n"), node("Abs", ["n"], "y")],
         {"a": np.float32([1, 2, 3])}, (3,)),
    ],
    ids=["dense", "reshape", "convolution", "transpose", "concat", "normalised"],
)  # fmt: skip
def test_a_fixed_batch_is_reduced_to_one_sample(
    tmp_path: Path,
    samples: int,
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    rest: tuple[int, ...],
) -> None:
    if nodes[0].op_type == "Reshape":
        constants = {**constants, "s": np.array([samples, 3])}
        nodes = [nodes[0], node("Gemm", ["f", "W", "B"], "g"), *nodes[2:]]
    used = {name for n in nodes for name in n.input}
    constants = {key: value for key, value in constants.items() if key in used}
    path = write(tmp_path / "n.onnx", nodes, constants, (samples, *rest))
    # Where the samples are another axis of what units get, only outputs are compared.
    plain = nodes[0].op_type != "Transpose" and "S" not in constants
    net = agree(path, tolerance=1e-5, points=3, units=plain)
    assert net.input_dimension == int(np.prod(rest))
    assert any(f"fixed batch of {samples} samples" in note for note in net.notes)
    one = [("s", np.array([1, 3]))] if "s" in constants else []
    single = load_onnx(write(path, nodes, {**constants, **dict(one)}, (1, *rest)))
    assert net.sha256 == single.sha256


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([*CHAIN[:2], node("ReduceMean", ["h"], "y", axes=[0])], {}),
        ([*CHAIN[:2], node("Add", ["h", "D"], "y")], {"D": quarters(RNG, 2, 4)}),
        ([*CHAIN[:2], node("Reshape", ["h", "s"], "y")], {"s": np.array([1, 8])}),
        ([*CHAIN[:2], node("Gather", ["h", "s"], "y", axis=0)], {"s": np.array([1, 0])}),
        ([node("Gemm", ["x", "W", "D"], "g"), *CHAIN[1:]], {"D": quarters(RNG, 2, 4)}),
    ],
)
def test_samples_that_are_not_treated_alike(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray]
) -> None:
    path = write(tmp_path / "n.onnx", nodes, {**CONSTANTS, **constants}, (2, 3))
    with pytest.raises(UnsupportedError) as caught:
        load_onnx(path)
    assert "batch" in str(caught.value)


def test_a_matrix_that_is_no_batch(tmp_path: Path) -> None:
    nodes = [node("Flatten", ["x"], "f", axis=0), node("Gemm", ["f", "M"], "g"), CHAIN[1]]
    nodes[2] = node("Relu", ["g"], "y")
    net = agree(write(tmp_path / "n.onnx", nodes, {"M": quarters(RNG, 6, 4)}, (2, 3)))
    assert net.input_dimension == 6
    assert any("all entries are inputs" in note for note in net.notes)
    nodes = [node("Gemm", ["M", "x"], "g"), node("Relu", ["g"], "y")]
    net = agree(write(tmp_path / "n.onnx", nodes, {"M": quarters(RNG, 4, 3)}, (3, 1)))
    assert net.architecture == (3, 4, 4)


@pytest.mark.parametrize(
    ("nodes", "constants", "shape"),
    [
        (CHAIN, CONSTANTS, ("N", "D")),
        ([node("Sub", ["x", "m"], "c"), node("MatMul", ["c", "W"], "y")],
         {"m": np.float32([1, 2, 3]), "W": W}, (1, "D")),
        ([node("Flatten", ["x"], "f"), node("MatMul", ["f", "W"], "y")], {"W": W}, ("N", "D")),
        ([node("MatMul", ["x", "W"], "y")], {"W": W}, ("D",)),
        ([node("Gemm", ["x", "T"], "y", transB=1)], {"T": W.T.copy()}, ("N", "D")),
        ([node("Conv", ["x", "K"], "y")], {"K": quarters(RNG, 2, 3, 1)}, ("N", "C", 4)),
    ],
)  # fmt: skip
def test_an_open_axis_that_a_weight_fixes(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray], shape: tuple[Any, ...]
) -> None:
    net = load_onnx(write(tmp_path / "n.onnx", nodes, constants, shape))
    assert net.input_dimension == (12 if "C" in shape else 3)


def test_broadcasting_before_opset_7(tmp_path: Path) -> None:
    nodes = [
        node("Add", ["x", "b"], "a", broadcast=1, axis=1),
        node("Mul", ["a", "k"], "m", broadcast=1),
        node("PRelu", ["m", "s"], "y"),
    ]
    constants = {"b": np.float32([1, 2]), "k": np.float32([2, 3, 4]), "s": np.float32([0.5, 0.25])}
    net = load_onnx(write(tmp_path / "n.onnx", nodes, constants, (1, 2, 3), opset=6))
    x = np.arange(6).reshape(2, 3) - 3.0
    g = (x + np.array([[1], [2]])) * [2, 3, 4]
    assert np.array_equal(net.preactivations(x.ravel())[0], g.ravel())
    assert np.array_equal(net.slopes[0], np.repeat([0.5, 0.25], 3))


def test_random_bytes_in_functions_and_attributes_are_input_errors(tmp_path: Path) -> None:
    unit = function("Unit", ["in"], [node("Relu", ["in"], "out")], [])
    calls = [helper.make_node("Unit", ["x"], ["y"], domain="local")]
    path = function_model(tmp_path / "n.onnx", [unit], calls)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    loaded = 0
    for place in range(0, len(data), 2):
        broken = bytearray(data)
        broken[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(broken))
        try:
            load_network(path)
        except InputError:
            continue
        loaded += 1
    assert loaded < len(data) / 2
