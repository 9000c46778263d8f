"""ONNX operators beyond dense layers and plain convolutions, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import agree, helper, node, onnx, quarters, write

RNG = np.random.default_rng(23)
W, V = quarters(RNG, 3, 4), quarters(RNG, 4, 2)
GEMM, END = node("MatMul", ["x", "W"], "g"), node("MatMul", ["h", "V"], "y")
F32 = np.float32


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("unit", "constants", "opset", "units"),
    [
        (node("Abs", ["g"], "h"), {}, 17, 4),
        (node("Clip", ["g", "a", "b"], "h"), {"a": F32(-0.5), "b": F32(0.75)}, 17, 8),
        (node("Clip", ["g"], "h", min=-0.25, max=6.0), {}, 10, 8),
        (node("Clip", ["g", "", "b"], "h"), {"b": F32(0.5)}, 17, 4),
        (node("Clip", ["g", "a"], "h"), {"a": F32(0.5)}, 17, 4),
        (node("HardSigmoid", ["g"], "h", alpha=0.25, beta=0.5), {}, 17, 8),
        (node("HardSigmoid", ["g"], "h"), {}, 17, 8),
        (node("Max", ["g", "a"], "h"), {"a": F32([0.5, 0, -1, 2])}, 17, 4),
        (node("Min", ["a", "g"], "h"), {"a": F32(0.25)}, 17, 4),
        (node("PRelu", ["g", "a"], "h"), {"a": F32([-1, 1, 2.5, 0.1])}, 17, 4),
    ],
)  # fmt: skip
def test_units(
    tmp_path: Path, unit: Any, constants: dict[str, np.ndarray], opset: int, units: int
) -> None:
    constants = {"W": W, "V": V, **constants}
    path = write(tmp_path / "n.onnx", [GEMM, unit, END], constants, opset=opset)
    net = agree(path, tolerance=1e-5)
    assert sum(net.counted_widths) == units


@pytest.mark.parametrize(
    ("nodes", "constants", "units"),
    [
        ([node("Max", ["g", "q"], "h")], {}, 4),
        ([node("Min", ["g", "q"], "h")], {}, 4),
        ([node("Greater", ["g", "z"], "p"), node("Where", ["p", "g", "z"], "h")], {}, 4),
        ([node("LessOrEqual", ["g", "z"], "p"), node("Where", ["p", "z", "g"], "h")], {}, 4),
        ([node("Less", ["g", "z"], "p"), node("Not", ["p"], "o"),
          node("Mul", ["g", "half"], "m"), node("Where", ["o", "g", "m"], "h")], {}, 4),
        ([node("GreaterOrEqual", ["g", "half"], "p"), node("Where", ["p", "g", "half"], "h")],
         {}, 4),
        ([node("Greater", ["g", "z"], "p"), node("Neg", ["g"], "n"),
          node("Where", ["p", "n", "g"], "h")], {}, 4),
        ([node("Greater", ["g", "z"], "p"), node("Cast", ["p"], "c", to=1),
          node("Mul", ["c", "g"], "h")], {}, 4),
        ([node("Greater", ["q", "g"], "p"), node("Where", ["p", "q", "g"], "h")], {}, 4),
        ([node("Shrink", ["g"], "h", lambd=0.5, bias=0.5)], {}, 8),
        ([node("ThresholdedRelu", ["g"], "h", alpha=0.0)], {}, 4),
        ([node("Mean", ["g", "q", "q"], "m"), node("Relu", ["m"], "h")], {}, 4),
    ],
)  # fmt: skip
def test_choices_and_maxima_of_two(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray], units: int
) -> None:
    constants = {"W": W, "V": V, "U": quarters(RNG, 3, 4), "z": F32(0), "half": F32(0.5)}
    other = node("Gemm", ["x", "U"], "q")
    path = write(tmp_path / "n.onnx", [GEMM, other, *nodes, END], constants)
    net = agree(path, tolerance=1e-5, units=False)
    assert sum(net.counted_widths) == units


def test_a_leaky_choice_is_one_unit_of_that_slope(tmp_path: Path) -> None:
    nodes = [
        GEMM,
        node("Greater", ["g", "z"], "p"),
        node("Mul", ["g", "s"], "m"),
        node("Where", ["p", "g", "m"], "h"),
        END,
    ]
    constants = {"W": W, "V": V, "z": F32(0), "s": F32(0.1)}
    net = load_onnx(write(tmp_path / "n.onnx", nodes, constants))
    assert net.is_chain
    assert np.array_equal(net.slopes[0], np.full(4, float(F32(0.1))))


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", ["h", "g"], "s"), node("Gemm", ["s", "V"], "y")],
        [node("Concat", ["x", "h"], "c", axis=1), node("Gemm", ["c", "T"], "t"),
         node("Relu", ["t"], "u"), node("Concat", ["c", "u"], "d", axis=1),
         node("Slice", ["d", "one", "six", "one"], "y")],
        [node("Gemm", ["h", "S"], "a"), node("Relu", ["a"], "b"), node("Add", ["b", "h"], "c"),
         node("Relu", ["c"], "d"), node("Sub", ["d", "g"], "e"), node("Gemm", ["e", "V"], "y")],
        [node("Gemm", ["h", "S", "g"], "y")],
        [node("Split", ["x"], "lost"), node("Relu", ["lost"], "y")],
    ],
    ids=["add", "dense", "residual", "gemm", "split"],
)  # fmt: skip
def test_skips(tmp_path: Path, nodes: list[Any]) -> None:
    constants = {
        "W": W, "V": V, "S": quarters(RNG, 4, 4), "T": quarters(RNG, 7, 3),
        "one": ints(1), "six": ints(6),
    }  # fmt: skip
    hidden = [] if "lost" in nodes[0].output else [GEMM, node("Relu", ["g"], "h")]
    net = agree(write(tmp_path / "n.onnx", [*hidden, *nodes], constants))
    assert net.notes == () or net.is_chain


@pytest.mark.parametrize(
    ("weight", "attributes"),
    [
        ((2, 3, 2, 3), {"strides": [2, 3]}),
        ((2, 1, 3, 2), {"pads": [1, 0, 0, 1], "strides": [2, 1]}),
        ((2, 2, 2, 2), {"group": 2, "dilations": [2, 1]}),
        ((2, 1, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        ((2, 1, 3, 3), {"strides": [2, 2], "output_shape": [6, 5]}),
        ((2, 1, 3, 2), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ((2, 1, 3, 4), {"strides": [2, 3], "auto_pad": "SAME_LOWER"}),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_transposed_convolutions(
    tmp_path: Path, weight: tuple[int, ...], attributes: dict[str, Any], bias: bool
) -> None:
    constants = {"K": quarters(RNG, *weight)}
    if bias:
        constants["B"] = quarters(RNG, weight[1] * attributes.get("group", 1))
    nodes = [node("ConvTranspose", ["x", *constants], "g", **attributes), node("Relu", ["g"], "y")]
    agree(write(tmp_path / "n.onnx", nodes, constants, (1, 2, 3, 2)), points=3)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "ceil"},
        {"coordinate_transformation_mode": "align_corners"},
        {"coordinate_transformation_mode": "pytorch_half_pixel"},
        {"nearest_mode": "round_prefer_ceil"},
    ],
)
@pytest.mark.parametrize("sizes", [(1, 2, 5, 4), (1, 2, 2, 3), (1, 2, 6, 6)])
def test_resizing_to_the_nearest(
    tmp_path: Path, attributes: dict[str, str], sizes: tuple[int, ...]
) -> None:
    nodes = [node("Resize", ["x", "", "", "s"], "g", **attributes), node("Relu", ["g"], "y")]
    agree(write(tmp_path / "n.onnx", nodes, {"s": ints(*sizes)}, (1, 2, 3, 3)), points=2)


def test_resizing_by_scales_and_upsampling(tmp_path: Path) -> None:
    scales = F32([1, 1, 2, 3])
    for op, inputs, opset in (("Resize", ["x", "", "s"], 17), ("Upsample", ["x", "s"], 9)):
        nodes = [node(op, inputs, "g"), node("Relu", ["g"], "y")]
        path = write(tmp_path / "n.onnx", nodes, {"s": scales}, (1, 1, 2, 3), opset=opset)
        assert agree(path, points=2).widths == (36,)


@pytest.mark.parametrize(
    ("nodes", "constants", "shape"),
    [
        ([node("Einsum", ["x", "W"], "g", equation="bi,ij->bj")], {}, (1, 3)),
        ([node("Einsum", ["W", "x"], "g", equation="ij,bi->jb")], {}, (1, 3)),
        ([node("Einsum", ["x", "K"], "g", equation="bij,kj->bik")], {"K": quarters(RNG, 2, 3)},
         (1, 4, 3)),
        ([node("Einsum", ["x"], "g", equation="bij->bj")], {}, (1, 4, 3)),
        ([node("Einsum", ["x", "W"], "g", equation="...i,ij->...j")], {}, (1, 2, 3)),
        ([node("Einsum", ["x", "W"], "g", equation="bi,ij")], {}, (1, 3)),
        ([node("Tile", ["x", "t"], "g")], {"t": ints(1, 2)}, (1, 3)),
        ([node("DepthToSpace", ["x"], "g", blocksize=2)], {}, (1, 4, 2, 3)),
        ([node("DepthToSpace", ["x"], "g", blocksize=2, mode="CRD")], {}, (1, 8, 1, 2)),
        ([node("SpaceToDepth", ["x"], "g", blocksize=2)], {}, (1, 2, 4, 2)),
        ([node("Pad", ["x", "p", "v"], "g")], {"p": ints(0, 1, 0, 2), "v": F32(0.5)}, (1, 3)),
        ([node("Pad", ["x", "p"], "g", mode="reflect")], {"p": ints(0, 1, 0, 2)}, (1, 3)),
        ([node("Pad", ["x", "p"], "g", mode="edge")], {"p": ints(0, 1, 0, 2)}, (1, 3)),
        ([node("Where", ["c", "x", "k"], "g")],
         {"c": np.array([True, False, True]), "k": F32([[0.25], [0.5]])}, (1, 3)),
        ([node("AveragePool", ["x"], "g", kernel_shape=[2], strides=[2], ceil_mode=1)], {},
         (1, 1, 5)),
        ([node("AveragePool", ["x"], "g", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
               pads=[1, 1, 1, 1], count_include_pad=1)], {}, (1, 1, 6, 4)),
    ],
    ids=lambda v: v[0].op_type if isinstance(v, list) else None,
)  # fmt: skip
def test_linear_operators(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray], shape: tuple[int, ...]
) -> None:
    used = {name for n in nodes for name in n.input}
    constants = {key: v for key, v in {"W": W, **constants}.items() if key in used}
    path = write(tmp_path / "n.onnx", [*nodes, node("Relu", ["g"], "y")], constants, shape)
    agree(path, tolerance=1e-6, points=3)


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("ReduceL2", ["W"], "n", axes=[0]), node("Div", ["W", "n"], "K")], {}),
        ([node("ReduceL1", ["W"], "n", axes=[1]), node("Mul", ["W", "n"], "K")], {}),
        ([node("ReduceSumSquare", ["W"], "n"), node("Sqrt", ["n"], "r"),
          node("Div", ["W", "r"], "K")], {}),
        ([node("Exp", ["W"], "K")], {}),
        ([node("Tanh", ["W"], "t"), node("Abs", ["t"], "K")], {}),
        ([node("Pow", ["W", "two"], "K")], {"two": F32(2)}),
        ([node("Reciprocal", ["P"], "K")], {"P": F32([[1, 2, 4, 8], [3, 5, 7, 9], [1, 1, 2, 1]])}),
        ([node("Softmax", ["W"], "K", axis=0)], {}),
        ([node("Greater", ["W", "zero"], "c"), node("Where", ["c", "W", "zero"], "K")],
         {"zero": F32(0)}),
        ([node("Clip", ["W", "zero"], "K")], {"zero": F32(0)}),
        ([node("Max", ["W", "zero"], "a"), node("Min", ["a", "one"], "K")],
         {"zero": F32(0), "one": F32(1)}),
        ([node("DequantizeLinear", ["Q", "s", "o"], "K", axis=1)],
         {"Q": np.arange(12, dtype=np.uint8).reshape(3, 4), "s": F32([0.25, 0.5, 1, 0.1]),
          "o": np.uint8([1, 2, 3, 4])}),
        ([node("DequantizeLinear", ["Q", "s"], "K")],
         {"Q": (np.arange(12) - 6).astype(np.int8).reshape(3, 4), "s": F32(0.125)}),
        ([node("Trilu", ["W"], "K")], {}),
        ([node("EyeLike", ["W"], "K", k=1)], {}),
        ([node("Gather", ["W", "i"], "K", axis=1), node("Range", ["a", "b", "a"], "i")],
         {"a": np.array(1), "b": np.array(4)}),
        ([node("GatherElements", ["W", "i"], "K", axis=0)],
         {"i": np.array([[0, 1, 2, 0], [1, 1, 1, 1], [2, 0, 0, 2]])}),
        ([node("ScatterND", ["W", "i", "u"], "K")],
         {"i": np.array([[0], [2]]), "u": quarters(RNG, 2, 4)}),
        ([node("CumSum", ["W", "one"], "K")], {"one": np.array(1)}),
        ([node("Einsum", ["W", "M"], "K", equation="ij,jk->ik")], {"M": quarters(RNG, 4, 4)}),
        ([node("MatMul", ["W3", "M"], "m"), node("Squeeze", ["m"], "K")],
         {"W3": W[None], "M": quarters(RNG, 4, 4)}),
        ([node("OneHot", ["i", "d", "v"], "K")],
         {"i": np.array([0, 3, 1]), "d": np.array(4), "v": F32([-1, 2])}),
        ([node("Neg", ["W"], "n"), node("Sign", ["n"], "K")], {}),
        ([node("Erf", ["W"], "K")], {}),
        ([node("ReduceMean", ["W"], "m", axes=[0]), node("Sub", ["W", "m"], "K")], {}),
        ([node("ReduceMax", ["W"], "m", axes=[1]), node("Floor", ["m"], "f"),
          node("Add", ["W", "f"], "K")], {}),
    ],
    ids=lambda v: "+".join(n.op_type for n in v) if isinstance(v, list) else None,
)  # fmt: skip
def test_constant_subgraphs(
    tmp_path: Path, nodes: list[Any], constants: dict[str, np.ndarray]
) -> None:
    constants = {"W": W, **constants}
    used = {name for n in nodes for name in n.input}
    constants = {key: value for key, value in constants.items() if key in used}
    graph = [*nodes, node("MatMul", ["x", "K"], "g"), node("Relu", ["g"], "y")]
    path = write(tmp_path / "n.onnx", graph, constants)
    agree(path, tolerance=1e-5, points=4, units=False)


def test_shapes_that_are_computed(tmp_path: Path) -> None:
    """As PyTorch writes Unflatten: the rest of a shape by Mod and Div."""
    nodes = [
        node("Shape", ["x"], "s", start=1),
        node("Div", ["s", "two"], "half"),
        node("Mod", ["s", "two"], "rest"),
        node("Add", ["two", "rest"], "width"),
        node("Concat", ["one", "half", "width"], "shape", axis=0),
        node("Reshape", ["x", "shape"], "g"),
        node("Relu", ["g"], "y"),
    ]
    path = write(tmp_path / "n.onnx", nodes, {"one": ints(1), "two": ints(2)}, (1, 6))
    assert agree(path).widths == (6,)


def test_fused_operators_of_a_runtime(tmp_path: Path) -> None:
    fused = [
        helper.make_node(
            "FusedGemm", ["x", "W"], ["h"], domain="com.microsoft", activation="LeakyRelu",
            activation_alpha=0.25,
        ),
        helper.make_node("FusedMatMul", ["h", "V"], ["g"], domain="com.microsoft", alpha=0.5),
        node("Relu", ["g"], "y"),
    ]  # fmt: skip
    path = write(tmp_path / "n.onnx", fused, {"W": W, "V": V})
    model = onnx.load(str(path))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    path.write_bytes(model.SerializeToString())
    net = agree(path, tolerance=1e-6, units=False)
    assert net.counted_widths == (4, 2)
    assert np.array_equal(net.slopes[0], np.full(4, 0.25))


def test_scaling_of_the_machine_learning_set(tmp_path: Path) -> None:
    scaler = helper.make_node(
        "Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.5, 0.0, -1.0], scale=[2.0, 0.5, 1.0]
    )
    nodes = [scaler, node("Gemm", ["s", "W"], "g"), node("Relu", ["g"], "y")]
    path = write(tmp_path / "n.onnx", nodes, {"W": W})
    model = onnx.load(str(path))
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    path.write_bytes(model.SerializeToString())
    assert agree(path, tolerance=1e-6).notes


def test_a_folded_batch_norm_of_the_input_and_the_output(tmp_path: Path) -> None:
    nodes = [
        node("BatchNormalization", ["x", "s", "o", "m", "v"], "n"),
        node("Gemm", ["n", "W"], "g"),
        node("Relu", ["g"], "h"),
        node("Gemm", ["h", "V"], "t"),
        node("Mul", ["t", "third"], "y"),
    ]
    constants = {
        "s": F32([1, 2, 0.3]), "o": F32([0.1, 0.2, 0.3]), "m": F32([0.5, -0.5, 0.1]),
        "v": F32([0.5, 1.5, 1]), "W": W, "V": V, "third": F32(1 / 3),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants), tolerance=1e-5)
    assert net.counted_widths == (0, 4)
