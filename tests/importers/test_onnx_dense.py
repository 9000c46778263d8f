"""Fully connected ONNX graphs, in the shapes that exporters give them, against onnxruntime."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import agree, helper, node, numpy_helper, onnx, quarters, write

RNG = np.random.default_rng(11)
W, B = quarters(RNG, 4, 3), quarters(RNG, 4)
V, C = quarters(RNG, 2, 4), quarters(RNG, 2)
GEMM_V = node("Gemm", ["h", "V", "C"], "y", transB=1)
TAIL = [node("Relu", ["g"], "h"), GEMM_V]
CONSTANTS = {"W": W, "B": B, "V": V, "C": C}


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_gemm_chain_is_taken_as_it_is(tmp_path: Path) -> None:
    path = write(
        tmp_path / "n.onnx", [node("Gemm", ["x", "W", "B"], "g", transB=1), *TAIL], CONSTANTS
    )
    net = agree(path)
    assert net.architecture == (3, 4, 2)
    assert np.array_equal(net.weights[0], W)
    assert np.array_equal(net.biases[1], C)
    assert net.notes == ()
    assert net.name == "n.onnx"
    assert load_onnx(path, name="mine").name == "mine"


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, -2.0)])
@pytest.mark.parametrize("bias", [(), (4,), (1, 4), (1, 1), None])
def test_gemm_attributes(
    tmp_path: Path,
    trans_a: int,
    trans_b: int,
    alpha: float,
    beta: float,
    bias: tuple[int, ...] | None,
) -> None:
    constants = {"W": W if trans_b else W.T.copy()}
    inputs = ["x", "W"]
    if bias is not None:
        constants["B"] = quarters(np.random.default_rng(1), *bias)
        inputs.append("B")
    gemm = node("Gemm", inputs, "g", transA=trans_a, transB=trans_b, alpha=alpha, beta=beta)
    shape = (3, 1) if trans_a else (1, 3)
    net = agree(write(tmp_path / "n.onnx", [gemm, node("Relu", ["g"], "y")], constants, shape))
    assert net.widths == (4,)


def test_gemm_with_the_input_on_the_right_and_added(tmp_path: Path) -> None:
    nodes = [
        node("Gemm", ["W", "x", "B"], "g", transB=1, alpha=2.0),
        node("Relu", ["g"], "h"),
        node("Gemm", ["V", "h", "h2"], "y", beta=0.5),
    ]
    constants = {"W": W, "B": B[:, None], "V": quarters(RNG, 4, 4)}
    nodes.insert(2, node("Mul", ["h", "two"], "h2"))
    constants["two"] = np.array(2, dtype=np.float32)
    agree(write(tmp_path / "n.onnx", nodes, constants))


@pytest.mark.parametrize(
    ("shape", "left", "right"),
    [
        ((1, 3), None, (3, 4)),
        ((3,), None, (3, 4)),
        ((3,), None, (3,)),
        ((1, 3), None, (3,)),
        ((1, 1, 3), None, (3, 4)),
        ((2, 3), None, (3, 4)),
        ((2, 1, 3), None, (3, 4)),
        ((1, 3), None, (2, 3, 4)),
        ((3,), None, (2, 3, 4)),
        ((1, 2, 2, 3), None, (2, 3, 4)),
        ((3, 1), (4, 3), None),
        ((3,), (4, 3), None),
        ((3,), (3,), None),
        ((3, 2), (4, 3), None),
        ((3, 2), (3,), None),
        ((2, 3, 2), (4, 3), None),
        ((3, 2), (2, 4, 3), None),
        ((1, 3, 1), (2, 4, 3), None),
    ],
)
def test_matmul_on_either_side(
    tmp_path: Path,
    shape: tuple[int, ...],
    left: tuple[int, ...] | None,
    right: tuple[int, ...] | None,
) -> None:
    rng = np.random.default_rng(5)
    constants = {"M": quarters(rng, *(left or right or ()))}
    product = node("MatMul", ["M", "x"] if left else ["x", "M"], "g")
    path = write(tmp_path / "n.onnx", [product, node("Relu", ["g"], "y")], constants, shape)
    net = agree(path)
    assert any("ends in a ReLU" in note for note in net.notes)


def test_matmul_add_with_a_shifted_scaled_input(tmp_path: Path) -> None:
    """As in ACAS Xu, with numbers that make folding exact."""
    nodes = [
        node("Sub", ["x", "mean"], "centred"),
        node("Div", ["centred", "range"], "scaled"),
        node("Flatten", ["scaled"], "flat"),
        node("MatMul", ["flat", "W"], "p"),
        node("Add", ["p", "B"], "g"),
        *TAIL,
    ]
    constants = {
        **CONSTANTS,
        "W": W.T.copy(),
        "mean": quarters(RNG, 3),
        "range": np.array([2, 0.5, -4], dtype=np.float32),
    }
    net = agree(write(tmp_path / "n.onnx", nodes, constants, (1, 1, 1, 3)))
    assert net.notes == ()


def exactly(net: ReLUNetwork, x: np.ndarray) -> list[Fraction]:
    """The network's output in rational arithmetic."""
    outputs = [[Fraction(float(v)) for v in x]]
    for stage in (*net.stages, net.output):
        total = [Fraction(b) for b in stage.bias.tolist()]
        for read, weight in zip(stage.reads, stage.weights, strict=True):
            for i, row in enumerate(dense(weight).tolist()):
                total[i] += sum(Fraction(w) * h for w, h in zip(row, outputs[read], strict=True))
        slopes = [Fraction(s) for s in stage.slope.tolist()]
        outputs.append([g if g > 0 else s * g for g, s in zip(total, slopes, strict=True)])
    return outputs[-1]


def test_a_scale_that_would_round_becomes_linear_units(tmp_path: Path) -> None:
    nodes = [
        node("Mul", ["x", "scale"], "scaled"),
        node("Gemm", ["scaled", "W", "B"], "g", transB=1),
        *TAIL,
    ]
    scale, weight = np.array([0.3, 1.1, 1]), RNG.normal(size=(4, 3))
    constants = {k: v.astype(float) for k, v in CONSTANTS.items()} | {"scale": scale, "W": weight}
    path = write(tmp_path / "n.onnx", nodes, constants, element=onnx.TensorProto.DOUBLE)
    net = agree(path, tolerance=1e-12)
    assert net.notes == ()
    assert net.widths == (3, 4)
    assert net.counted_widths == (0, 4)
    x = [Fraction(v) for v in (0.1, -0.7, 0.4)]
    scaled = [Fraction(float(s)) * v for s, v in zip(scale, x, strict=True)]
    hidden = [
        max(Fraction(0), sum(Fraction(float(w)) * v for w, v in zip(row, scaled, strict=True)) + b)
        for row, b in zip(weight, map(Fraction, B.tolist()), strict=True)
    ]
    true = [
        sum(Fraction(float(w)) * h for w, h in zip(row, hidden, strict=True)) + Fraction(float(c))
        for row, c in zip(V, C, strict=True)
    ]
    assert exactly(net, np.array([0.1, -0.7, 0.4])) == true


def test_constants_that_no_float_is_are_noted(tmp_path: Path) -> None:
    nodes = [
        node("Div", ["x", "range"], "scaled"),
        node("Gemm", ["scaled", "W", "B"], "g", transB=1),
        *TAIL,
    ]
    path = write(tmp_path / "n.onnx", nodes, {**CONSTANTS, "range": np.float32([3, 1, 1])})
    net = agree(path, tolerance=1e-5)
    (note,) = net.notes
    assert "constants of node Div 'scaled' are no float64 numbers" in note


def test_a_scaled_input_of_many_entries_keeps_few_dimensions(tmp_path: Path) -> None:
    nodes = [
        node("Mul", ["x", "scale"], "s"),
        node("Gemm", ["s", "M"], "g"),
        node("Relu", ["g"], "y"),
    ]
    constants = {"scale": np.array([0.3]), "M": RNG.normal(size=(40, 4))}
    double = onnx.TensorProto.DOUBLE
    path = write(tmp_path / "n.onnx", nodes, constants, (1, 40), element=double)
    net = agree(path, tolerance=1e-12)
    assert net.widths == (4,)
    assert any("nearest to the products" in note for note in net.notes)


def test_two_matrices_without_a_relu_are_multiplied_or_kept_apart(tmp_path: Path) -> None:
    nodes = [
        node("Gemm", ["x", "W", "B"], "a", transB=1),
        node("Gemm", ["a", "V", "C"], "g", transB=1),
        node("Relu", ["g"], "y"),
    ]
    net = agree(write(tmp_path / "n.onnx", nodes, CONSTANTS))
    assert np.array_equal(net.weights[0], V.astype(float) @ W.astype(float))
    assert len(net.notes) == 1  # that it ends in a ReLU
    rough = {**CONSTANTS, "V": RNG.normal(size=(2, 4)), "W": RNG.normal(size=(4, 3))}
    rough = {key: value.astype(np.float64) for key, value in rough.items()}
    path = write(tmp_path / "n.onnx", nodes, rough, element=onnx.TensorProto.DOUBLE)
    net = agree(path, tolerance=1e-12)
    assert net.counted_widths == (0, 2)
    assert np.array_equal(dense(net.stages[0].weights[0]), rough["W"])
    assert np.array_equal(dense(net.stages[1].weights[0]), rough["V"])


def test_elementwise_arithmetic(tmp_path: Path) -> None:
    nodes = [
        node("Neg", ["x"], "a"),
        node("Mul", ["a", "row"], "b"),
        node("Add", ["column", "b"], "c"),  # to shape (2, 3)
        node("Sub", ["one", "c"], "d"),
        node("Sum", ["d", "c", "d"], "e"),
        node("Sub", ["e", "b"], "f"),
        node("Relu", ["f"], "y"),
    ]
    constants = {
        "row": quarters(RNG, 3),
        "column": quarters(RNG, 2, 1),
        "one": np.array([1], dtype=np.float32),
    }
    net = agree(write(tmp_path / "n.onnx", nodes, constants))
    assert net.widths == (6,)


def test_constants_are_folded(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Constant", [], ["t"], value=numpy_helper.from_array(quarters(RNG, 3, 4))),
        node("Neg", ["t"], "n"),
        node("Mul", ["n", "two"], "m"),
        node("Add", ["m", "two"], "k"),
        node("Sub", ["k", "t"], "s"),
        node("Div", ["s", "two"], "q"),
        node("Transpose", ["q"], "r"),
        node("MatMul", ["square", "r"], "f"),
        node("Gemm", ["x", "f"], "g", transB=1),
        node("Relu", ["g"], "y"),
    ]
    net = agree(write(tmp_path / "n.onnx", nodes, {"square": quarters(RNG, 4, 4)}))
    assert net.widths == (4,)


def test_dynamic_flatten_as_exporters_write_it(tmp_path: Path) -> None:
    """Shape, Gather, Unsqueeze, Concat, Reshape; the batch dimension is open."""
    nodes = [
        node("Shape", ["x"], "shape"),
        node("Gather", ["shape", "zero"], "n"),
        node("Unsqueeze", ["n", "axes"], "n1"),
        node("Concat", ["n1", "rest"], "target", axis=0),
        node("Reshape", ["x", "target"], "flat"),
        node("Gemm", ["flat", "W", "B"], "g", transB=1),
        *TAIL,
    ]
    constants = {
        **CONSTANTS, "W": quarters(RNG, 4, 6), "zero": np.array(0), "axes": ints(0),
        "rest": ints(-1),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants, ("batch", 2, 3)))
    assert net.input_dimension == 6


def test_integer_arithmetic_on_shapes(tmp_path: Path) -> None:
    nodes = [
        node("Shape", ["x"], "shape", start=1),
        node("Slice", ["shape", "i0", "i1"], "a"),
        node("Slice", ["shape", "i1", "i2"], "b"),
        node("Mul", ["a", "b"], "ab"),
        node("Add", ["ab", "i2"], "c"),
        node("Sub", ["c", "i2"], "d"),
        node("Div", ["d", "i1"], "e"),
        node("Cast", ["e"], "f", to=onnx.TensorProto.FLOAT),
        node("Cast", ["f"], "g0", to=onnx.TensorProto.INT64),
        node("Concat", ["i1", "g0"], "target", axis=0),
        node("Reshape", ["x", "target"], "y0"),
        node("Relu", ["y0"], "y"),
    ]
    constants = {"i0": ints(0), "i1": ints(1), "i2": ints(2)}
    net = agree(write(tmp_path / "n.onnx", nodes, constants, (1, 2, 3)))
    assert net.widths == (6,)


@pytest.mark.parametrize(
    ("nodes", "constants", "opset"),
    [
        ([node("Transpose", ["x"], "g", perm=[2, 0, 1])], {}, 17),
        ([node("Transpose", ["x"], "g")], {}, 17),
        ([node("Flatten", ["x"], "g", axis=0)], {}, 17),
        ([node("Flatten", ["x"], "g", axis=-1)], {}, 17),
        ([node("Reshape", ["x", "s"], "g")], {"s": ints(0, -1)}, 17),
        ([node("Reshape", ["x", "s"], "g")], {"s": ints(4, 3, 2)}, 17),
        ([node("Unsqueeze", ["x", "s"], "u"), node("Squeeze", ["u", "s"], "g")],
         {"s": ints(1)}, 13),
        ([node("Unsqueeze", ["x"], "u", axes=[0, 4]), node("Squeeze", ["u"], "g")], {}, 11),
        ([node("Slice", ["x", "a", "b", "c", "d"], "g")],
         {"a": ints(-1, 1), "b": ints(-100, 10), "c": ints(2, 1), "d": ints(-2, 1)}, 17),
        ([node("Slice", ["x"], "g", starts=[1], ends=[3], axes=[2])], {}, 9),
        ([node("Gather", ["x", "i"], "g", axis=2)], {"i": ints(3, 0, -1, 0)}, 17),
        ([node("Gather", ["x", "i"], "g", axis=1)], {"i": np.array(1)}, 17),
        ([node("Expand", ["x", "s"], "g")], {"s": ints(2, 1, 1, 4)}, 17),
        ([node("Pad", ["x", "p"], "g")], {"p": ints(0, 1, 0, 0, 0, 2)}, 17),
        ([node("Pad", ["x", "p", "v", "a"], "g")],
         {"p": ints(1, 2), "v": np.float32(0), "a": ints(-1)}, 18),
        ([node("Pad", ["x"], "g", pads=[0, 0, 1, 0, 0, 0])], {}, 9),
        ([node("Pad", ["x", "p"], "g")], {"p": ints(0, 1, -1, 0, -1, 2)}, 17),
        ([node("GatherElements", ["x", "i"], "g", axis=-1)],
         {"i": ints(3, -1, 0, 0).reshape(1, 2, 2)}, 17),
        ([node("GatherND", ["x", "i"], "g")], {"i": ints(1, 2, 0, 0).reshape(2, 2)}, 17),
        ([node("Concat", ["x", "k", "x"], "g", axis=1)], {"k": quarters(RNG, 2, 2, 4)}, 17),
        ([node("Identity", ["x"], "i"), node("Dropout", ["i"], "g")], {}, 17),
        ([node("Cast", ["x"], "d", to=onnx.TensorProto.DOUBLE),
          node("Cast", ["d"], "g", to=onnx.TensorProto.FLOAT)], {}, 17),
        ([node("ReduceMean", ["x"], "g", axes=[2], keepdims=0)], {}, 17),
        ([node("ReduceMean", ["x", "a"], "g")], {"a": ints(0, -1)}, 18),
        ([node("ReduceSum", ["x", "a"], "g", keepdims=1)], {"a": ints(1)}, 17),
        ([node("ReduceSum", ["x"], "g", keepdims=0)], {}, 17),
        ([node("ReduceSum", ["x"], "g", noop_with_empty_axes=1)], {}, 17),
        ([node("ReduceSum", ["x"], "g", axes=[0, 1])], {}, 11),
    ],
    ids=lambda v: "+".join(n.op_type for n in v) if isinstance(v, list) else None,
)  # fmt: skip
def test_moves_and_sums(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray], opset: int
) -> None:
    """On a tensor of shape (2, 3, 4), before the units and again after them."""
    shaped = node("Reshape", ["x0", "s0"], "x")
    constants = {**constants, "s0": ints(2, 3, 4)}
    path = write(
        tmp_path / "n.onnx",
        [node("Identity", ["x"], "x0"), *renamed([shaped, *nodes], {"x": "x1"}), END],
        constants,
        (24,),
        opset=opset,
    )
    agree(path, points=3)
    first = [
        node("Reshape", ["x", "s0"], "x0"),
        node("MatMul", ["x0", "M"], "m"),
        node("Relu", ["m"], "x1"),
    ]
    mix = {**constants, "M": quarters(RNG, 4, 4)}
    after = [*first, *renamed(nodes, {"x": "x1"}), END]
    path = write(tmp_path / "n.onnx", after, mix, (24,), opset=opset)
    assert agree(path, points=3).depth == 2


END = node("Relu", ["g"], "y")


def renamed(nodes: list[Any], names: dict[str, str]) -> list[Any]:
    """Copies of nodes with other names of tensors."""
    return [
        helper.make_node(
            n.op_type,
            [names.get(i, i) for i in n.input],
            [names.get(o, o) for o in n.output],
            **{a.name: helper.get_attribute_value(a) for a in n.attribute},
        )
        for n in nodes
    ]


@pytest.mark.parametrize(
    ("opset", "inputs", "attributes"),
    [(17, ["x", "parts"], {}), (11, ["x"], {"split": [1, 3]}), (18, ["x"], {"num_outputs": 2})],
)
def test_split(tmp_path: Path, opset: int, inputs: list[str], attributes: dict[str, Any]) -> None:
    nodes = [
        helper.make_node("Split", inputs, ["a", "b"], axis=1, **attributes),
        node("Concat", ["b", "a"], "g", axis=1),
        node("Relu", ["g"], "y"),
    ]
    constants = {"parts": ints(1, 3)} if len(inputs) > 1 else {}
    agree(write(tmp_path / "n.onnx", nodes, constants, (1, 4), opset=opset))


def test_parallel_branches_of_equal_depth_make_one_layer(tmp_path: Path) -> None:
    """A duelling head: value + advantage - mean(advantage), each with units of its own."""
    rng = np.random.default_rng(2)
    nodes = [
        node("Gemm", ["x", "W", "B"], "g0", transB=1),
        node("Relu", ["g0"], "h0"),
        node("Gemm", ["h0", "V1"], "g1", transB=1),
        node("Relu", ["g1"], "value_units"),
        node("Gemm", ["value_units", "v"], "value", transB=1),
        node("Gemm", ["h0", "V2"], "g2", transB=1),
        node("Relu", ["g2"], "advantage_units"),
        node("Gemm", ["advantage_units", "a"], "advantage", transB=1),
        node("ReduceMean", ["advantage"], "mean", axes=[1]),
        node("Sub", ["advantage", "mean"], "centred"),
        node("Add", ["centred", "value"], "y"),
    ]
    constants = {
        "W": W, "B": B, "V1": quarters(rng, 3, 4), "V2": quarters(rng, 5, 4),
        "v": quarters(rng, 1, 3), "a": quarters(rng, 4, 5),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants))
    assert net.architecture == (3, 4, 8, 4)


@pytest.mark.parametrize(
    ("unit", "constants", "opset", "slope"),
    [
        (node("LeakyRelu", ["g"], "h", alpha=0.25), {}, 17, 0.25),
        (node("LeakyRelu", ["g"], "h"), {}, 17, float(np.float32(0.01))),
        (node("PRelu", ["g", "s"], "h"), {"s": np.float32([0.5, 0, -1, 2])}, 17, [0.5, 0, -1, 2]),
        (node("PRelu", ["g", "s"], "h"), {"s": np.float32([0.5])}, 17, 0.5),
        (node("Clip", ["g", "z"], "h"), {"z": np.float32(0)}, 17, 0),
        (node("Clip", ["g"], "h", min=0.0), {}, 10, 0),
        (node("Max", ["z", "g"], "h"), {"z": np.float32(0)}, 17, 0),
    ],
)  # fmt: skip
def test_units(
    tmp_path: Path, unit: Any, constants: dict[str, np.ndarray], opset: int, slope: Any
) -> None:
    nodes = [node("Gemm", ["x", "W", "B"], "g", transB=1), unit, GEMM_V]
    path = write(tmp_path / "n.onnx", nodes, {**CONSTANTS, **constants}, opset=opset)
    net = agree(path, tolerance=1e-6)
    assert np.array_equal(net.slopes[0], np.broadcast_to(slope, (4,)))


def test_a_clip_without_ends_does_nothing(tmp_path: Path) -> None:
    nodes = [node("Clip", ["x"], "c"), node("Gemm", ["c", "W", "B"], "y", transB=1)]
    assert load_onnx(write(tmp_path / "n.onnx", nodes, CONSTANTS)).depth == 0


@pytest.mark.parametrize(
    ("scale", "exact"),
    [((np.float32([2, -1, 0.5, 1]), np.float32([4, 1, 0.25, 1])), True),
     ((np.float32([1, 2, 3, -0.7]), np.float32([0.3, 2, 3, 5])), False)],
)  # fmt: skip
def test_batch_normalisation_is_folded(
    tmp_path: Path, scale: tuple[np.ndarray, np.ndarray], exact: bool
) -> None:
    nodes = [
        node("Gemm", ["x", "W", "B"], "a", transB=1),
        node("BatchNormalization", ["a", "s", "o", "m", "v"], "g", epsilon=0.0 if exact else 1e-3),
        node("Relu", ["g"], "h"),
        node("BatchNormalization", ["h", "s", "o", "m", "v"], "n", epsilon=0.0 if exact else 1e-3),
        node("Gemm", ["n", "V", "C"], "y", transB=1),
    ]
    constants = {
        **CONSTANTS, "s": scale[0], "v": scale[1], "o": quarters(RNG, 4), "m": quarters(RNG, 4),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants), tolerance=1e-5)
    assert sum(net.counted_widths) == 4
    assert net.is_chain is exact
    assert bool(net.notes) is not exact


@pytest.mark.parametrize(
    "head",
    [["Softmax"], ["LogSoftmax"], ["Sigmoid"], ["Softmax", "ArgMax"], ["Softmax", "Identity"]],
)
def test_a_head_at_the_end_is_left_out_with_a_note(tmp_path: Path, head: list[str]) -> None:
    nodes = [node("Gemm", ["x", "W", "B"], "g", transB=1), node("Relu", ["g"], "h")]
    nodes.append(node("Gemm", ["h", "V", "C"], "t0", transB=1))
    for i, op in enumerate(head):
        nodes.append(node(op, [f"t{i}"], f"t{i + 1}" if i + 1 < len(head) else "y"))
    net = load_onnx(write(tmp_path / "n.onnx", nodes, CONSTANTS))
    assert np.array_equal(net.weights[-1], V)
    assert len(net.notes) == 1
    assert f"output head {head[0]}" in net.notes[0]


@pytest.mark.parametrize(
    "kind",
    ["FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE"],
)
@pytest.mark.parametrize("raw", [True, False])
def test_weights_of_every_width_are_widened_exactly(tmp_path: Path, kind: str, raw: bool) -> None:
    element = getattr(onnx.TensorProto, kind)
    dtype = helper.tensor_dtype_to_np_dtype(element)
    weight = np.array([[1.5, -0.333, 3e-5], [100.0, 0.1, 0]]).astype(dtype)
    data = weight.tobytes() if raw else [float(v) for v in weight.ravel()]
    tensor = helper.make_tensor("W", element, weight.shape, data, raw=raw)
    graph = helper.make_graph(
        [node("Gemm", ["x", "W"], "y", transB=1)],
        "graph",
        [helper.make_tensor_value_info("x", element, [1, 3])],
        [helper.make_tensor_value_info("y", element, None)],
        [tensor],
    )
    path = tmp_path / "n.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    net = load_onnx(path)
    assert np.array_equal(net.weights[0], weight.astype(np.float64))


def test_weights_beside_the_file(tmp_path: Path) -> None:
    """External data, as the exporter of PyTorch writes them."""
    path = write(
        tmp_path / "n.onnx", [node("Gemm", ["x", "W", "B"], "g", transB=1), *TAIL], CONSTANTS
    )
    inside = load_onnx(path)
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location="n.onnx.data",
        size_threshold=0,
    )
    assert (tmp_path / "n.onnx.data").exists()
    assert load_onnx(path).sha256 == inside.sha256


def test_one_of_several_outputs(tmp_path: Path) -> None:
    nodes = [node("Gemm", ["x", "W", "B"], "g", transB=1), *TAIL, node("Tanh", ["y"], "z")]
    path = write(tmp_path / "n.onnx", nodes, CONSTANTS, outputs=("z", "y"))
    assert load_onnx(path, output="y").architecture == (3, 4, 2)
