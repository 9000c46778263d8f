"""ONNX operators that are linear in the input: matrices, convolutions, averages, normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from milpcount.importers import rounding
from milpcount.importers.image import Image
from milpcount.importers.onnx.node import Array, Handler, Node, Value
from milpcount.importers.products import batch_norm, einsum, product, total
from milpcount.importers.windows import Windows, average_pool, convolve, convolve_transposed

__all__ = ["HANDLERS", "conv", "gemm"]


def _matmul(node: Node) -> Value:
    return product(node.folder, _real(node.value(0)), _real(node.value(1)))


def _real(value: Image | Array) -> Image | Array:
    return value if isinstance(value, Image) else value.astype(np.float64)


def gemm(node: Node) -> Image | Array:
    """``alpha A B + beta C``."""
    a, b = (
        _transposed(node, _real(node.value(i)))
        if node.attributes.get(name, 0)
        else _real(node.value(i))
        for i, name in enumerate(("transA", "transB"))
    )
    if len(a.shape) != 2 or len(b.shape) != 2:
        node.fail(f"has factors of shapes {a.shape} and {b.shape}; matrices are needed")
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if alpha != 1 and not isinstance(b, Image):
        b = node.folder.compute(rounding.multiply, b, np.array(alpha))
    elif alpha != 1 and not isinstance(a, Image):
        a = node.folder.compute(rounding.multiply, a, np.array(alpha))
    if not node.has(2) or beta == 0:
        return product(node.folder, a, b)
    c = node.value(2)
    if isinstance(c, Image):
        result = product(node.folder, a, b)
        scaled = node.folder.scale(c, beta)
        if isinstance(result, Image):
            return node.folder.add(result, scaled)
        return node.folder.shift(scaled, result)
    added = node.folder.compute(rounding.multiply, c.astype(np.float64), np.array(beta))
    return product(node.folder, a, b, added)


def _gemm(node: Node) -> Value:
    return gemm(node)


def _transposed(node: Node, value: Image | Array) -> Image | Array:
    if isinstance(value, Image):
        return node.folder.take(value, value.grid.T)
    return value.T


def _einsum(node: Node) -> Value:
    text = node.attributes.get("equation", b"").decode("ascii", "replace")
    values = [_real(node.value(i)) for i in range(len(node.inputs))]
    return einsum(node.folder, text, values)


def conv(node: Node) -> Image:
    """A convolution."""
    image, weight = node.image(0), node.constant(1, "a kernel").astype(np.float64)
    _require_rank(node, image, weight)
    windows = _windows(node, image.shape[2:], weight.shape[2:])
    bias = _bias(node, len(weight))
    return convolve(node.folder, image, weight, bias, windows, _groups(node))


def _require_rank(node: Node, image: Image, weight: Array) -> None:
    if weight.ndim < 3 or weight.ndim != len(image.shape):
        node.fail(f"has input {image.shape} and kernel {weight.shape}; their ranks do not fit")


def _groups(node: Node) -> int:
    return int(node.attributes.get("group", 1))


def _bias(node: Node, filters: int) -> Array:
    return node.constant(2, "a bias").astype(np.float64) if node.has(2) else np.zeros(filters)


def _conv(node: Node) -> Value:
    return conv(node)


def _conv_transpose(node: Node) -> Value:
    image, weight = node.image(0), node.constant(1, "a kernel").astype(np.float64)
    _require_rank(node, image, weight)
    rank, spatial, groups = len(image.shape) - 2, image.shape[2:], _groups(node)
    kernel = node.lengths("kernel_shape", weight.shape[2:])
    strides = node.lengths("strides", (1,) * rank)
    dilations = node.lengths("dilations", (1,) * rank)
    pads = node.lengths("pads", (0,) * (2 * rank))
    extra = node.lengths("output_padding", (0,) * rank)
    mode = node.attributes.get("auto_pad", b"NOTSET")
    windows = Windows(kernel, strides, dilations, pads[:rank], pads[rank:])
    windows.require(node.folder, rank)
    if kernel != weight.shape[2:] or len(extra) != rank:
        node.fail(f"has kernel_shape that is not the shape of its kernel {weight.shape}")
    full = [
        stride * (size - 1) + more + (taps - 1) * dilation + 1
        for size, stride, more, taps, dilation in zip(
            spatial, strides, extra, kernel, dilations, strict=True
        )
    ]
    out = node.lengths("output_shape", ())[-rank:]
    if mode in (b"SAME_UPPER", b"SAME_LOWER") and not out:
        out = tuple(size * stride for size, stride in zip(spatial, strides, strict=True))
    if out:  # padding follows from the shape, the odd entry on the side that the mode names
        gone = [max(0, f - o) for f, o in zip(full, out, strict=True)]
        upper = mode == b"SAME_UPPER"
        before = tuple(g // 2 if upper else g - g // 2 for g in gone)
        windows = Windows(kernel, strides, dilations, before, before)
    else:
        before, after = pads[:rank], pads[rank:]
        out = tuple(f - b - a for f, b, a in zip(full, before, after, strict=True))
    bias = _bias(node, weight.shape[1] * max(groups, 1))
    return convolve_transposed(node.folder, image, weight, bias, windows, groups, out)


def _average_pool(node: Node) -> Value:
    image = node.image(0)
    if len(image.shape) < 3:
        node.fail(f"pools shape {image.shape}, which has no spatial axes; export it again")
    windows = _windows(node, image.shape[2:], node.lengths("kernel_shape", ()))
    whole = bool(node.attributes.get("count_include_pad", 0))
    return average_pool(node.folder, image, windows, whole)


def _windows(node: Node, spatial: Sequence[int], kernel: Sequence[int]) -> Windows:
    rank = len(spatial)
    if node.lengths("kernel_shape", kernel) != tuple(kernel):
        node.fail(f"has kernel_shape that is not the shape of its kernel {tuple(kernel)}")
    strides = node.lengths("strides", (1,) * rank)
    dilations = node.lengths("dilations", (1,) * rank)
    pads = node.lengths("pads", (0,) * (2 * rank))
    mode = node.attributes.get("auto_pad", b"NOTSET")
    if mode != b"NOTSET":
        pads = (0,) * (2 * rank)
    ceil = bool(node.attributes.get("ceil_mode", 0))
    before, after = pads[:rank], pads[rank:]
    windows = Windows(tuple(kernel), strides, dilations, before, after, ceil)
    windows.require(node.folder, rank)
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        return Windows.same(kernel, strides, dilations, spatial, mode == b"SAME_LOWER")
    return windows


def _global_average(node: Node) -> Value:
    image = node.image(0)
    axes = tuple(range(2, len(image.shape)))
    return total(node.folder, image, axes, keep=True, mean=True)


def _reduce_mean(node: Node) -> Value:
    return _reduce(node, mean=True)


def _reduce_sum(node: Node) -> Value:
    return _reduce(node, mean=False)


def _reduce(node: Node, mean: bool) -> Value:
    image = node.image(0)
    axes = node.integers("axes", 1, since=18 if mean else 13)
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            return image
        axes = tuple(range(len(image.shape)))
    keep = bool(node.attributes.get("keepdims", 1))
    return total(node.folder, image, axes, keep=keep, mean=mean)


def _batch_normalization(node: Node) -> Value:
    image = node.image(0)
    if node.attributes.get("training_mode", 0) or not node.attributes.get("is_test", 1):
        node.fail("is in training mode; export the network in inference mode")
    if len(image.shape) < 2 or not node.attributes.get("spatial", 1):
        node.fail(f"works on shape {image.shape}, which has no channels; export it again")
    scale, offset, mean, variance = (node.constant(i, "a parameter") for i in range(1, 5))
    # Attributes are stored as float32; so is the default of the standard.
    epsilon = float(node.attributes.get("epsilon", np.float32(1e-5)))
    return batch_norm(node.folder, image, 1, (scale, offset, mean, variance), epsilon)


def _scaler(node: Node) -> Value:
    """``(x - offset) * scale``, of the operator set ai.onnx.ml."""
    image = node.image(0)
    offset, scale = (
        np.array(node.attributes.get(name) or [default], dtype=np.float64)
        for name, default in (("offset", 0.0), ("scale", 1.0))
    )
    width = image.shape[-1] if image.shape else 1
    if offset.size not in (1, width) or scale.size not in (1, width):
        node.fail(f"has {offset.size} offsets and {scale.size} scales for {width} columns")
    return node.folder.scale(node.folder.shift(image, -offset), scale)


HANDLERS: dict[str, Handler] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "MatMul": _matmul,
    "ReduceMean": _reduce_mean,
    "ReduceSum": _reduce_sum,
    "Scaler": _scaler,
}
