"""What is not a layered ReLU network is refused with file, node and remedy."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.errors import InputError, MissingDependencyError, NetworkError
from milpcount.importers import load_network
from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import helper, node, numpy_helper, onnx, quarters, write

RNG = np.random.default_rng(4)
SQUARE = quarters(RNG, 3, 3)
GEMM = node("Gemm", ["x", "W"], "g")
RELU = node("Relu", ["g"], "h")
END = node("Gemm", ["h", "W"], "y")


def refusal(path: Path, kind: type[InputError] = NetworkError) -> str:
    with pytest.raises(kind) as caught:
        load_network(path)
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("op", "message"),
    [
        ("Tanh", "not piecewise linear"),
        ("Elu", "not piecewise linear"),
        ("Exp", "not piecewise linear"),
        ("MaxPool", "average pooling, a strided"),
        ("ReduceMax", "maximum or minimum of several entries"),
        ("Bernoulli", "not known to be piecewise linear"),
        ("Softmax", "only an output head at the very end"),
        ("Sigmoid", "only an output head at the very end"),
    ],
)
def test_nodes_are_named(tmp_path: Path, op: str, message: str) -> None:
    unit = helper.make_node(op, ["g"], ["h"], name="the_node")
    text = refusal(write(tmp_path / "n.onnx", [GEMM, unit, END], {"W": SQUARE}))
    assert f"node {op} 'the_node'" in text
    assert message in text


def test_nodes_without_a_name_are_called_after_their_output(tmp_path: Path) -> None:
    unit = helper.make_node("Tanh", ["g"], ["h"])
    assert "Tanh 'h'" in refusal(write(tmp_path / "n.onnx", [GEMM, unit, END], {"W": SQUARE}))


def test_foreign_operators(tmp_path: Path) -> None:
    unit = helper.make_node("FusedGemm", ["g"], ["h"], name="f", domain="com.microsoft")
    text = refusal(write(tmp_path / "n.onnx", [GEMM, unit, END], {"W": SQUARE}))
    assert "FusedGemm 'f'" in text
    unit = helper.make_node("Gelu", ["g"], ["h"], name="f", domain="com.microsoft")
    assert "'com.microsoft'" in refusal(
        write(tmp_path / "n.onnx", [GEMM, unit, END], {"W": SQUARE})
    )


@pytest.mark.parametrize(
    ("bad", "constants", "message"),
    [
        (node("Mul", ["g", "x"], "h"), {}, "multiplies two tensors"),
        (node("MatMul", ["g", "x"], "h"), {}, "multiplies two tensors"),
        (node("Div", ["g", "x"], "h"), {}, "a divisor computed from the network's input"),
        (node("Div", ["g", "k"], "h"), {"k": np.float32([1, 0, 1])}, "divides by zero"),
        (node("Clip", ["g", "k", "l"], "h"), {"k": np.float32(6), "l": np.float32(0)}, "not below"),
        (node("Clip", ["g", "k"], "h"), {"k": np.float32([1, 2])}, "2 numbers for its min"),
        (node("Max", ["g", "x", "g"], "h"), {}, "maximum or minimum of several entries"),
        (node("Min", ["g", "x", "k"], "h"), {"k": np.float32(1)}, "minimum of several entries"),
        (node("Where", ["k", "x", "g"], "h"), {"k": np.array([True] * 4)}, "does not fit"),
        (node("ThresholdedRelu", ["g"], "h"), {}, "jumps"),
        (node("Shrink", ["g"], "h"), {}, "jumps"),
        (node("Resize", ["g", "", "k"], "h", mode="linear"), {"k": np.float32([1, 2])}, "nearest"),
        (node("Resize", ["g", "", "k"], "h"), {"k": np.float32([1, 2, 3])}, "scales"),
        (node("Tile", ["g", "k"], "h"), {"k": np.array([2**40, 1])}, "over the limit"),
        (node("Einsum", ["g", "k"], "h", equation="bi,ii->bi"), {"k": SQUARE}, "equation"),
        (node("Einsum", ["g", "x"], "h", equation="bi,bj->ij"), {}, "multiplies two tensors"),
        (node("DepthToSpace", ["g"], "h", blocksize=2), {}, "blocks of 2"),
        (node("Max", ["g", "k"], "h"), {"k": np.zeros((2, 3), np.float32)}, "broadcasting"),
        (node("PRelu", ["g", "x"], "h"), {}, "a slope computed"),
        (node("Cast", ["g"], "h", to=onnx.TensorProto.INT64), {}, "rounds activations"),
        (node("Pad", ["g", "k"], "h", mode="mirror"), {"k": np.array([0, 1, 0, 0])}, "mode"),
        (node("Gather", ["g", "k"], "h", axis=1), {"k": np.array([9])}, "does not fit"),
        (node("Gather", ["g", "k"], "h", axis=5), {"k": np.array([0])}, "axis 5"),
        (node("Reshape", ["g", "k"], "h"), {"k": np.array([7, -1])}, "does not fit"),
        (node("Reshape", ["g", "k"], "h"), {"k": np.float32([1])}, "not a list of integers"),
        (node("Reshape", ["g", "x"], "h"), {}, "computed from the network's input"),
        (node("Transpose", ["g"], "h", perm=[0, 0]), {}, "does not fit"),
        (node("Squeeze", ["g", "k"], "h"), {"k": np.array([1])}, "does not fit"),
        (node("Unsqueeze", ["g"], "h"), {}, "no axes"),
        (node("Slice", ["g"], "h"), {}, "no starts"),
        (node("Expand", ["g", "k"], "h"), {"k": np.array([2**40, 3])}, "over the limit"),
        (node("Conv", ["g", "k"], "h"), {"k": quarters(RNG, 1, 1, 1)}, "ranks"),
        (node("Gemm", ["g", "k"], "h"), {"k": quarters(RNG, 4, 3)}, "do not fit"),
        (node("MatMul", ["g", "k"], "h"), {"k": quarters(RNG, 4)}, "do not fit"),
        (node("Add", ["g", "k"], "h"), {"k": quarters(RNG, 4)}, "does not fit"),
        (node("BatchNormalization", ["g", "k", "k", "k", "k"], "h"),
         {"k": np.float32([1, 1, -1])}, "variance of 0 or less"),
        (node("BatchNormalization", ["g", "k", "k", "k", "k"], "h"),
         {"k": np.float32([1, 1])}, "for 3 channels"),
        (node("BatchNormalization", ["g", "k", "k", "k", "k"], "h", training_mode=1),
         {"k": np.float32([1, 1, 1])}, "training mode"),
        (node("Dropout", ["g", "k", "l"], "h"),
         {"k": np.float32(0.5), "l": np.array(True)}, "training mode"),
        (node("LeakyRelu", ["W"], "h"), {}, "works on constants only"),
        (node("ReduceMean", ["g"], "h", axes=[4]), {}, "reduces axes"),
        (node("Split", ["g", "k"], "h", axis=1), {"k": np.array([2])}, "splits 3"),
        (node("Constant", [], "h"), {}, "holds no number"),
        (node("Add", ["g", "nowhere"], "h"), {}, "'nowhere', which nothing before it computes"),
        (node("Add", ["g"], "h"), {}, "no input 1"),
        (node("Flatten", ["g"], "h", axis="one"), {}, "attribute 'axis' of a wrong type"),
        (node("ConstantOfShape", ["k"], "h"), {"k": np.array([2**50])}, "over the limit"),
    ],
    ids=lambda v: v.op_type if hasattr(v, "op_type") else None,
)  # fmt: skip
def test_malformed_and_unsupported_nodes(
    tmp_path: Path, bad: Any, constants: dict[str, np.ndarray], message: str
) -> None:
    text = refusal(write(tmp_path / "n.onnx", [GEMM, bad, END], {"W": SQUARE, **constants}))
    assert f"{bad.op_type} 'h'" in text
    assert message in text


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"strides": [0, 1]}, "strides (0, 1)"),
        ({"strides": [1]}, "strides (1,)"),
        ({"pads": [-1, 0, 0, 0]}, "pads (-1"),
        ({"dilations": [9, 9]}, "window of 10"),
        ({"group": 2}, "groups"),
        ({"kernel_shape": [3, 3]}, "kernel_shape"),
    ],
)
def test_malformed_convolutions(tmp_path: Path, attributes: dict[str, Any], message: str) -> None:
    conv = node("Conv", ["x", "k"], "y", **attributes)
    path = write(tmp_path / "n.onnx", [conv], {"k": quarters(RNG, 2, 1, 2, 2)}, (1, 1, 4, 4))
    assert message in refusal(path)


def test_comparisons_are_for_choices(tmp_path: Path) -> None:
    nodes = [GEMM, node("Greater", ["g", "x"], "h"), END]
    assert "Gemm 'y' works on comparisons" in refusal(
        write(tmp_path / "n.onnx", nodes, {"W": SQUARE})
    )


def test_a_cycle_is_named(tmp_path: Path) -> None:
    nodes = [node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b"), node("Relu", ["b"], "y")]
    text = refusal(write(tmp_path / "n.onnx", nodes, {}))
    assert "node Add 'a'" in text
    assert "cycle" in text


def test_a_name_made_twice(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], "y"), node("Neg", ["x"], "y")]
    assert "makes 'y', which is there already" in refusal(write(tmp_path / "n.onnx", nodes, {}))


TALL, WIDE = np.ones((2**15, 1), np.float32), np.ones((1, 2**15), np.float32)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", ["tall", "wide"], "y")],
        [node("Mul", ["tall", "wide"], "y")],
        [node("Div", ["tall", "wide"], "y")],
        [node("MatMul", ["tall", "wide"], "y")],
        [node("Concat", ["wide"] * 2**15, "y", axis=0)],
        [node("Transpose", ["x"], "t"), node("Add", ["x", "t"], "y")],
        [node("Add", ["x", "tall"], "y")],
        [node("Transpose", ["x"], "t"), node("MatMul", ["t", "batches"], "y")],
        [node("Concat", ["x"] * 2**15, "y", axis=0)],
    ],
    ids=lambda nodes: "-".join([nodes[-1].op_type, *list(nodes[-1].input)[:2]]),
)
def test_small_files_that_blow_up(tmp_path: Path, nodes: list[Any]) -> None:
    constants = {"tall": TALL, "wide": WIDE, "batches": np.ones((2**13, 1, 1), np.float32)}
    path = write(tmp_path / "n.onnx", nodes, constants, (1, 2**15))
    assert "over the limit" in refusal(path)


def test_long_windows_and_enlarged_tensors_are_refused_before_they_take_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "n.onnx"
    conv = node("Conv", ["x", "K"], "y")
    write(path, [conv], {"K": np.ones((1, 1, 3000), np.float32)}, (1, 1, 40000))
    assert "over the limit" in refusal(path)
    wide = [node("Expand", ["x", "s"], "e"), node("Relu", ["e"], "y")]
    write(path, wide, {"s": np.array([10_000, 10_000])}, (1, 1))
    assert "over the limit" in refusal(path)
    scales = {"s": np.float32([1, 1, 1e6])}
    write(path, [node("Resize", ["x", "", "s"], "y")], scales, (1, 1, 2))
    assert "over the limit" in refusal(path)


def test_inputs_and_outputs(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    write(path, [GEMM, RELU, END], {"W": SQUARE}, outputs=("y", "h"))
    text = refusal(path)
    assert "2 outputs (it has 'y', 'h')" in text
    assert "--output NAME" in text
    with pytest.raises(NetworkError, match="no output 'q'"):
        load_onnx(path, output="q")
    write(path, [GEMM, RELU, END], {})
    assert "'W', which nothing before it computes" in refusal(path)
    write(path, [node("Identity", ["W"], "y")], {"W": SQUARE})
    assert "does not depend on the input" in refusal(path)
    model = onnx.load(str(write(path, [GEMM, RELU, END], {"W": SQUARE})))
    extra = helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, [1])
    model.graph.input.append(extra)
    path.write_bytes(model.SerializeToString())
    assert "2 inputs ('x', 'z')" in refusal(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [([1, "m", 3], "dimension 1 ('m')"), (["n"], "dimension 0 ('n')"), ([1, 0, 3], "dimension 1"),
     ([], "no shape"), ([1, 2**40], "over the limit")],
)  # fmt: skip
def test_open_shapes(tmp_path: Path, shape: list[int | str], message: str) -> None:
    assert message in refusal(write(tmp_path / "n.onnx", [GEMM, RELU, END], {"W": SQUARE}, shape))


def test_other_element_types(tmp_path: Path) -> None:
    path = write(
        tmp_path / "n.onnx", [GEMM], {"W": SQUARE}, outputs=("g",), element=onnx.TensorProto.INT64
    )
    assert "not a float tensor" in refusal(path)
    path = write(tmp_path / "n.onnx", [GEMM], {"W": SQUARE.astype(np.complex64)}, outputs=("g",))
    assert "tensor 'W' has element type" in refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    weight = SQUARE.copy()
    weight[1, 2] = value
    path = write(tmp_path / "n.onnx", [GEMM, RELU, node("Identity", ["h"], "y")], {"W": weight})
    text = refusal(path)
    assert "Gemm 'g'" in text
    assert "NaN or infinite" in text


def test_old_operator_sets(tmp_path: Path) -> None:
    assert "opset 6" in refusal(write(tmp_path / "n.onnx", [GEMM], {"W": SQUARE}, opset=5))


def model_of(tmp_path: Path) -> tuple[Path, Any]:
    path = write(tmp_path / "n.onnx", [GEMM, RELU, END], {"W": SQUARE})
    return path, onnx.load(str(path))


@pytest.mark.parametrize("dims", [[3, 4], [2**20, 2**20], [-3, -3], [3, 3, 3]])
def test_tensors_that_claim_another_size(tmp_path: Path, dims: list[int]) -> None:
    path, model = model_of(tmp_path)
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    path.write_bytes(model.SerializeToString())
    assert "tensor 'W'" in refusal(path)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"location": "../w.bin"}, "not a regular file beside it"),
        ({"location": "/etc/passwd"}, "not a regular file beside it"),
        ({"location": ".."}, "not a regular file beside it"),
        ({"location": "missing.bin"}, "not a regular file beside it"),
        ({"location": "link.bin"}, "not a regular file beside it"),
        ({}, "not a regular file beside it"),
        ({"location": "w.bin", "offset": "8"}, "which is shorter"),
        ({"location": "w.bin", "offset": "-8"}, "claims"),
        ({"location": "w.bin", "length": "8"}, "claims"),
        ({"location": "w.bin", "offset": "many"}, "claims"),
    ],
)
def test_external_data(tmp_path: Path, entries: dict[str, str], message: str) -> None:
    path, model = model_of(tmp_path)
    (tmp_path / "w.bin").write_bytes(SQUARE.tobytes())
    (tmp_path / "link.bin").symlink_to(tmp_path / "w.bin")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    assert message in refusal(path)


def test_sparse_weights(tmp_path: Path) -> None:
    path, model = model_of(tmp_path)
    values = numpy_helper.from_array(np.float32([1]), "S")
    places = numpy_helper.from_array(np.array([0]))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [3, 3]))
    path.write_bytes(model.SerializeToString())
    assert "sparse" in refusal(path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a model", b"\x08\x01", b"\0" * 100])
def test_other_files(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(data)
    refusal(path)


def test_truncated_files(tmp_path: Path) -> None:
    path, _ = model_of(tmp_path)
    data = path.read_bytes()
    for length in range(1, len(data), 7):
        path.write_bytes(data[:length])
        refusal(path)


def test_damage_anywhere_is_an_input_error(tmp_path: Path) -> None:
    path, _ = model_of(tmp_path)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(broken))
        refused += 1
        # A changed weight, name or version may still be a network.
        with contextlib.suppress(InputError):
            load_network(path)
            refused -= 1
    assert len(data) / 4 < refused < len(data)


def test_the_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = model_of(tmp_path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependencyError, match=r"milpcount\[onnx\]"):
        load_network(path)
