"""ONNX operators that are linear in the input: matrices, convolutions, averages, normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.importers import rounding
from milpcount.importers.image import Image
from milpcount.importers.onnx.node import Array, Handler, Node, Value

__all__ = ["HANDLERS"]

Index = NDArray[np.int64]


def _matmul(node: Node) -> Value:
    return _product(node, node.value(0), node.value(1))


def _gemm(node: Node) -> Value:
    a, b = (
        _transposed(node, node.value(i)) if node.attributes.get(name, 0) else node.value(i)
        for i, name in enumerate(("transA", "transB"))
    )
    if len(a.shape) != 2 or len(b.shape) != 2:
        node.fail(f"has factors of shapes {a.shape} and {b.shape}; matrices are needed")
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if alpha != 1 and not isinstance(b, Image):
        b = node.folder.compute(rounding.multiply, b.astype(np.float64), np.array(alpha))
    elif alpha != 1 and not isinstance(a, Image):
        a = node.folder.compute(rounding.multiply, a.astype(np.float64), np.array(alpha))
    if not node.has(2):
        return _product(node, a, b)
    c = node.value(2)
    if isinstance(c, Image):
        product = _product(node, a, b)
        scaled = node.folder.scale(c, beta)
        if isinstance(product, Image):
            return node.folder.add(product, scaled)
        return node.folder.shift(scaled, product)
    return _product(
        node, a, b, node.folder.compute(rounding.multiply, c.astype(np.float64), np.array(beta))
    )


def _transposed(node: Node, value: Image | Array) -> Image | Array:
    if isinstance(value, Image):
        return node.folder.take(value, value.grid.T)
    return value.T


def _product(
    node: Node, a: Image | Array, b: Image | Array, constant: Array | None = None
) -> Image | Array:
    """``a @ b + constant`` with numpy's rules for shapes."""
    add = np.zeros(()) if constant is None else constant
    if isinstance(a, Image):
        if isinstance(b, Image):
            node.fail(
                "multiplies two tensors that depend on the input, which is not piecewise linear; "
                "only products with constants can be counted"
            )
        return _right_product(node, a, b, add)
    if isinstance(b, Image):
        # C X is the transpose of X^T C^T, and a vector is its own transpose.
        turned = node.folder.take(b, _swapped(b.grid))
        result = _right_product(node, turned, _swapped(a), np.zeros(()))
        if len(b.shape) > 1 and a.ndim > 1:
            result = node.folder.take(result, _swapped(result.grid))
        return result if constant is None else node.folder.shift(result, constant)
    if a.ndim != 2 or b.ndim != 2:
        node.fail("multiplies constant tensors; simplify the graph before the export")
    # As many entries as multiplications: a bound on the time as well.
    node.require_entries(a.shape[0] * a.shape[1] * b.shape[1])
    product = node.folder.compute(rounding.matmul, a.astype(np.float64), b.astype(np.float64))
    return node.folder.compute(rounding.add, product, add)


def _swapped(x: Array) -> Array:
    return x if x.ndim < 2 else np.swapaxes(x, -1, -2)


def _right_product(node: Node, image: Image, matrix: Array, constant: Array) -> Image:
    """``image @ matrix + constant``."""
    left = (1, *image.shape) if len(image.shape) == 1 else image.shape
    right = matrix[:, None] if matrix.ndim == 1 else matrix
    if left[-1] != right.shape[-2]:
        node.fail(f"multiplies shapes {image.shape} and {matrix.shape}, which do not fit")
    inner, columns = right.shape[-2:]
    batch = np.broadcast_shapes(left[:-2], right.shape[:-2])
    full = (*batch, left[-2], columns)
    shape = full[:-1] if matrix.ndim == 1 else full
    if len(image.shape) == 1:
        shape = (*batch, *shape[len(batch) + 1 :])
    node.require_entries(math.prod(full))
    add = np.broadcast_to(constant, shape).ravel()
    if math.prod(left[:-1]) == 1 and right.ndim == 2:
        return node.folder.apply(image, None, right.T, add, shape)
    node.require_entries(math.prod(full) * inner)
    rows = image.grid.reshape(left)[..., :, None, :]
    factors = np.swapaxes(right, -1, -2)[..., None, :, :]
    index = np.broadcast_to(rows, (*full, inner)).reshape(-1, inner)
    values = np.broadcast_to(factors, (*full, inner)).reshape(-1, inner)
    return node.folder.apply(image, index, values, add, shape)


def _conv(node: Node) -> Value:
    image, weight = node.image(0), node.constant(1, "a kernel")
    rank = len(image.shape) - 2
    if rank < 1 or weight.ndim != rank + 2:
        node.fail(f"has input {image.shape} and kernel {weight.shape}; their ranks do not fit")
    samples, channels, *spatial = image.shape
    filters, depth, *kernel = weight.shape
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or filters % groups or depth * groups != channels:
        node.fail(
            f"has {channels} channels, kernel {weight.shape} and {groups} groups, which do not fit"
        )
    if tuple(node.attributes.get("kernel_shape", kernel)) != tuple(kernel):
        node.fail(f"has kernel_shape that is not the shape of its kernel {weight.shape}")
    out, places = _windows(node, spatial, kernel, samples * filters * depth)
    bias = node.constant(2, "a bias") if node.has(2) else np.zeros(filters)
    if bias.shape != (filters,):
        node.fail(f"has a bias of shape {bias.shape} for {filters} filters")
    # Axes: sample, filter, output place, channel of the group, place in the kernel.
    full = (samples, filters, places.shape[0], depth, places.shape[1])
    size = math.prod(spatial)
    group = np.arange(filters) // (filters // groups)
    channel = group[:, None] * depth + np.arange(depth)
    first = np.arange(samples)[:, None, None] * channels + channel
    index = first[:, :, None, :, None] * size + places.clip(0)[None, None, :, None, :]
    values = weight.reshape(1, filters, 1, depth, -1) * (places >= 0)[None, None, :, None, :]
    terms = depth * places.shape[1]
    return node.folder.apply(
        image,
        np.broadcast_to(index, full).reshape(-1, terms),
        np.broadcast_to(values, full).reshape(-1, terms),
        np.broadcast_to(bias[None, :, None], full[:3]).ravel(),
        (samples, filters, *out),
    )


def _average_pool(node: Node) -> Value:
    image = node.image(0)
    samples, channels, *spatial = image.shape
    kernel = node.lengths("kernel_shape", (), len(spatial), 1)
    out, places = _windows(node, spatial, kernel, samples * channels)
    inside = (places >= 0).astype(np.float64)
    whole = node.attributes.get("count_include_pad", 0)
    counts = np.full(len(inside), float(math.prod(kernel))) if whole else inside.sum(axis=1)
    first = np.arange(samples * channels)[:, None, None] * math.prod(spatial)
    index = (first + places.clip(0)).reshape(-1, places.shape[1])
    values = np.tile(inside, (samples * channels, 1))
    total = node.folder.apply(image, index, values, 0.0, (samples, channels, *out))
    return node.folder.divide(total, counts.reshape(out))


def _windows(
    node: Node, spatial: Sequence[int], kernel: Sequence[int], copies: int
) -> tuple[tuple[int, ...], Index]:
    """Output shape, and the input place (-1 for padding) under every output and kernel place.

    ``copies`` is how often the caller repeats the table; it is checked before memory is taken.
    """
    rank = len(spatial)
    strides = node.lengths("strides", (1,) * rank, rank, 1)
    dilations = node.lengths("dilations", (1,) * rank, rank, 1)
    pads = node.lengths("pads", (0,) * (2 * rank), 2 * rank, 0)
    mode = node.attributes.get("auto_pad", b"NOTSET")
    out, axes = [], []
    for axis, (size, taps, stride, dilation) in enumerate(
        zip(spatial, kernel, strides, dilations, strict=True)
    ):
        reach = (taps - 1) * dilation + 1
        before, after = pads[axis], pads[axis + rank]
        if mode in (b"SAME_UPPER", b"SAME_LOWER"):
            missing = max(0, (-(-size // stride) - 1) * stride + reach - size)
            before, after = missing // 2, missing - missing // 2
            if mode == b"SAME_LOWER":
                before, after = after, before
        elif mode == b"VALID":
            before = after = 0
        free = size + before + after - reach
        if free < 0:
            node.fail(f"has a window of {reach} on {size} entries; export it again")
        if node.attributes.get("ceil_mode", 0) and free % stride:
            node.fail("has windows over the edge (ceil_mode); export it with ceil_mode=False")
        count = free // stride + 1
        node.require_entries(count * taps * copies)
        at = np.arange(count)[:, None] * stride + np.arange(taps) * dilation - before
        out.append(count)
        axes.append(np.where((at >= 0) & (at < size), at, -1))
    node.require_entries(math.prod(out) * math.prod(kernel) * copies)
    places = np.zeros((1, 1), dtype=np.int64)
    for size, at in zip(spatial, axes, strict=True):
        old, new = places[:, None, :, None], at[None, :, None, :]
        joint = np.where((old >= 0) & (new >= 0), old * size + new, -1)
        places = joint.reshape(places.shape[0] * at.shape[0], -1)
    return tuple(out), places


def _global_average(node: Node) -> Value:
    image = node.image(0)
    return _mean(node, image, tuple(range(2, len(image.shape))), keep=True)


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
    return _mean(node, image, axes, keep) if mean else _total(node, image, axes, keep)[0]


def _mean(node: Node, image: Image, axes: tuple[int, ...], keep: bool) -> Image:
    total, count = _total(node, image, axes, keep)
    return node.folder.divide(total, float(count))


def _total(node: Node, image: Image, axes: tuple[int, ...], keep: bool) -> tuple[Image, int]:
    """The sum over axes, and the number of terms of each."""
    rank = len(image.shape)
    gone = sorted({axis % rank for axis in axes if -rank <= axis < rank})
    if len(gone) != len(axes):
        node.fail(f"reduces axes {axes} of a tensor of rank {rank}; export it again")
    count = math.prod(image.shape[axis] for axis in gone)
    index = np.moveaxis(image.grid, gone, range(rank - len(gone), rank)).reshape(-1, count)
    shape = [1 if i in gone else n for i, n in enumerate(image.shape) if keep or i not in gone]
    return node.folder.apply(image, index, np.ones(index.shape), 0.0, tuple(shape)), count


def _batch_normalization(node: Node) -> Value:
    image = node.image(0)
    if node.attributes.get("training_mode", 0) or not node.attributes.get("is_test", 1):
        node.fail("is in training mode; export the network in inference mode")
    if len(image.shape) < 2:
        node.fail(f"works on shape {image.shape}, which has no channels; export it again")
    scale, offset, mean, variance = (node.constant(i, "a parameter") for i in range(1, 5))
    # Attributes are stored as float32; so is the default of the standard.
    epsilon = float(node.attributes.get("epsilon", np.float32(1e-5)))
    return node.folder.batch_norm(image, 1, (scale, offset, mean, variance), epsilon)


HANDLERS: dict[str, Handler] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Conv": _conv,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "MatMul": _matmul,
    "ReduceMean": _reduce_mean,
    "ReduceSum": _reduce_sum,
}
