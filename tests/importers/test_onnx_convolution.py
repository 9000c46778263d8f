"""Convolutions and average pooling, expanded to matrices, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import agree, node, onnx, quarters, write

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("shape", "kernel", "attributes"),
    [
        ((1, 1, 5), (2, 1, 3), {}),
        ((1, 2, 5, 4), (3, 2, 3, 2), {}),
        ((1, 2, 5, 4), (3, 2, 3, 2), {"pads": [1, 0, 2, 1]}),
        ((1, 2, 5, 4), (3, 2, 2, 2), {"strides": [2, 3], "pads": [1, 1, 0, 1]}),
        ((1, 2, 6, 5), (3, 2, 2, 2), {"dilations": [2, 3]}),
        ((1, 4, 3, 3), (6, 2, 2, 2), {"group": 2}),
        ((1, 3, 3, 3), (6, 1, 2, 2), {"group": 3, "kernel_shape": [2, 2]}),
        ((2, 2, 3, 3), (2, 2, 2, 2), {}),
        ((1, 1, 5, 6), (1, 1, 2, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ((1, 1, 5, 6), (1, 1, 2, 3), {"auto_pad": "SAME_LOWER", "strides": [1, 2]}),
        ((1, 1, 5, 6), (1, 1, 2, 3), {"auto_pad": "VALID"}),
        ((1, 1, 3, 4, 3), (2, 1, 2, 2, 2), {"pads": [0, 1, 0, 1, 0, 0]}),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_conv(
    tmp_path: Path,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    attributes: dict[str, Any],
    bias: bool,
) -> None:
    constants = {"K": quarters(RNG, *kernel)}
    if bias:
        constants["B"] = quarters(RNG, kernel[0])
    conv = node("Conv", ["x", *constants], "g", **attributes)
    net = agree(
        write(tmp_path / "n.onnx", [conv, node("Relu", ["g"], "y")], constants, shape), points=3
    )
    assert not any("rounded" in note for note in net.notes)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((1, 2, 4, 4), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ((1, 1, 5, 4), {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1]}),
        ((1, 1, 5, 4), {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1], "count_include_pad": 1}),
        ((1, 2, 5), {"kernel_shape": [3], "strides": [2], "ceil_mode": 1}),
        ((1, 1, 5, 5), {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ],
)
def test_average_pool(tmp_path: Path, shape: tuple[int, ...], attributes: dict[str, Any]) -> None:
    nodes = [node("AveragePool", ["x"], "g", **attributes), node("Relu", ["g"], "y")]
    agree(write(tmp_path / "n.onnx", nodes, {}, shape), tolerance=1e-6, points=3)


def test_global_average_pool(tmp_path: Path) -> None:
    nodes = [node("GlobalAveragePool", ["x"], "g"), node("Relu", ["g"], "y")]
    net = agree(write(tmp_path / "n.onnx", nodes, {}, (1, 3, 2, 2)))
    assert net.widths == (3,)
    assert not any("rounded" in note for note in net.notes)


def test_small_convolutional_network(tmp_path: Path) -> None:
    """Channels last as in TensorFlow, padding, overlapping pooling after the units."""
    nodes = [
        node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]),
        node("Pad", ["t", "pads"], "p"),
        node("Conv", ["p", "K1", "b1"], "g1"),
        node("Relu", ["g1"], "h1"),
        node("AveragePool", ["h1"], "a1", kernel_shape=[2, 2], strides=[1, 1]),
        node("Conv", ["a1", "K2", "b2"], "g2", strides=[2, 2]),
        node("Relu", ["g2"], "h2"),
        node("Transpose", ["h2"], "u", perm=[0, 2, 3, 1]),
        node("Flatten", ["u"], "f"),
        node("Gemm", ["f", "W"], "y"),
    ]
    constants = {
        "pads": np.array([0, 0, 1, 0, 0, 0, 0, 1], dtype=np.int64),
        "K1": quarters(RNG, 3, 2, 2, 2), "b1": quarters(RNG, 3),
        "K2": quarters(RNG, 2, 3, 2, 2), "b2": quarters(RNG, 2), "W": quarters(RNG, 8, 3),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants, (1, 5, 6, 2)), points=4)
    assert net.depth == 2
    assert net.notes == ()  # quarters: the overlapping windows add up without rounding


def test_stages_of_many_terms_are_folded_through_a_product(tmp_path: Path) -> None:
    """Three linear stages in a row, each entry of the last reading every entry of the input."""
    nodes = [
        node("Conv", ["x", "K"], "a", pads=[1, 1, 1, 1]),
        node("Conv", ["a", "K"], "b", pads=[1, 1, 1, 1]),
        node("AveragePool", ["b"], "c", kernel_shape=[4, 4]),
        node("Gemm", ["f", "W"], "g"),
        node("Relu", ["g"], "y"),
    ]
    nodes.insert(3, node("Flatten", ["c"], "f"))
    constants = {"K": quarters(RNG, 1, 1, 3, 3), "W": quarters(RNG, 1, 4)}
    net = agree(write(tmp_path / "n.onnx", nodes, constants, (1, 1, 4, 4)))
    assert net.widths == (4,)
    assert not any("rounded" in note for note in net.notes)


def test_convolution_after_batch_normalisation(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "K"], "a"),
        node("BatchNormalization", ["a", "s", "o", "m", "v"], "g"),
        node("Relu", ["g"], "y"),
    ]
    constants = {
        "K": quarters(RNG, 3, 1, 2, 2), "s": quarters(RNG, 3), "o": quarters(RNG, 3),
        "m": quarters(RNG, 3), "v": np.float32([0.5, 1, 3]),
    }  # fmt: skip
    net = agree(write(tmp_path / "n.onnx", nodes, constants, (1, 1, 3, 3)), tolerance=1e-5)
    assert any("constants of node BatchNormalization 'g'" in note for note in net.notes)
    assert net.counted_widths == (0, 12)


def test_expansion_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "K"], "big"), node("Relu", ["big"], "y")]
    path = write(
        tmp_path / "n.onnx", nodes, {"K": np.ones((512, 3, 3, 3), np.float32)}, (1, 3, 224, 224)
    )
    with pytest.raises(NetworkError, match=r"Conv 'big'.*over the limit of 2 GiB"):
        load_onnx(path)


torch = pytest.importorskip("torch", reason="the package torch is not installed")


@pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning")
def test_as_pytorch_exports_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, stride=2, padding=1),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(12, 5),
        torch.nn.Dropout(),
        torch.nn.LeakyReLU(0.1),
        torch.nn.Linear(5, 2),
    ).eval()
    path = tmp_path / "n.onnx"
    torch.onnx.export(
        module,
        (torch.zeros(1, 1, 8, 8),),
        str(path),
        dynamo=False,
        input_names=["x"],
        dynamic_axes={"x": {0: "n"}},
    )
    net = agree(path, tolerance=1e-5)
    assert net.architecture == (64, 48, 5, 2)
    assert onnx.load(str(path)).producer_name == "pytorch"
