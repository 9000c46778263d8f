"""Functions of PyTorch on stand-ins: normalisation, convolutions, pools, sums over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from milpcount.importers.image import Image
from milpcount.importers.products import batch_norm, total
from milpcount.importers.torch.trace_walk import Function, Walk
from milpcount.importers.windows import (
    Windows,
    average_pool,
    convolve,
    convolve_transposed,
    pooled_evenly,
)

__all__ = ["FUNCTIONS"]


def _batch_norm(
    walk: Walk,
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Any:
    if running_mean is None or running_var is None or training:
        walk.folder.fail(
            "has no running statistics, so it depends on the batch; train it with "
            "track_running_stats=True"
        )
    image = walk.image(input)
    mean, variance = walk.array(running_mean), walk.array(running_var)
    scale = np.ones(mean.shape) if weight is None else walk.array(weight)
    offset = np.zeros(mean.shape) if bias is None else walk.array(bias)
    if len(image.shape) < 2:
        walk.folder.fail(f"works on shape {image.shape}, which has no channels")
    return batch_norm(walk.folder, image, 1, (scale, offset, mean, variance), float(eps))


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    """One number for every axis, or one an axis."""
    given = tuple(int(v) for v in value) if isinstance(value, list | tuple) else (int(value),)
    return given * rank if len(given) == 1 else given


def _conv(
    walk: Walk,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    image, kernel = walk.image(input), walk.constant(weight, "a kernel")
    rank = kernel.ndim - 2
    if len(image.shape) != kernel.ndim:
        walk.folder.fail(
            f"takes {rank} axes besides the channels and gets shape {image.shape[1:]}; "
            "give the shape of a sample: load_network(module, input_shape=...)"
        )
    strides, dilations = _sizes(stride, rank), _sizes(dilation, rank)
    add = np.zeros(len(kernel)) if bias is None else walk.constant(bias, "a bias")
    taps = kernel.shape[2:]
    if padding == "same":
        reach = [(t - 1) * d for t, d in zip(taps, dilations, strict=True)]
        before = tuple(r // 2 for r in reach)
        after = tuple(r - r // 2 for r in reach)
    else:
        before = after = _sizes(0 if padding == "valid" else padding, rank)
    windows = Windows(taps, strides, dilations, before, after)
    windows.require(walk.folder, rank)
    return convolve(walk.folder, image, kernel, add, windows, groups)


def _conv_transpose(
    walk: Walk,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    image, kernel = walk.image(input), walk.constant(weight, "a kernel")
    rank, taps = kernel.ndim - 2, kernel.shape[2:]
    strides, dilations, pads, extra = (
        _sizes(v, rank) for v in (stride, dilation, padding, output_padding)
    )
    windows = Windows(taps, strides, dilations, pads, pads)
    windows.require(walk.folder, rank)
    out = [
        (size - 1) * s - 2 * p + d * (t - 1) + e + 1
        for size, s, p, d, t, e in zip(
            image.shape[2:], strides, pads, dilations, taps, extra, strict=True
        )
    ]
    filters = kernel.shape[1] * groups
    add = np.zeros(filters) if bias is None else walk.constant(bias, "a bias")
    return convolve_transposed(walk.folder, image, kernel, add, windows, groups, out)


def _avg_pool(
    walk: Walk,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    image = walk.image(input)
    rank = len(image.shape) - 2
    kernel = _sizes(kernel_size, rank)
    strides = kernel if stride in (None, [], ()) else _sizes(stride, rank)
    pads = _sizes(padding, rank)
    windows = Windows(kernel, strides, (1,) * rank, pads, pads, bool(ceil_mode))
    windows.require(walk.folder, rank)
    if divisor_override is not None:
        walk.fail("divides by a number of its own")
    return average_pool(walk.folder, image, windows, count_include_pad)


def _adaptive_avg_pool(walk: Walk, input: Any, output_size: Any) -> Any:
    image = walk.image(input)
    rank = len(image.shape) - 2
    given = output_size if isinstance(output_size, list | tuple) else (output_size,) * rank
    out = [
        size if want is None else int(want)
        for size, want in zip(image.shape[2:], given, strict=True)
    ]
    return pooled_evenly(walk.folder, image, out)


def _mean(walk: Walk, input: Any, dim: Any = None, keepdim: bool = False, **_more: Any) -> Any:
    return _total(walk, input, dim, keepdim, mean=True)


def _sum(walk: Walk, input: Any, dim: Any = None, keepdim: bool = False, **_more: Any) -> Any:
    return _total(walk, input, dim, keepdim, mean=False)


def _total(walk: Walk, input: Any, dim: Any, keepdim: bool, mean: bool) -> Image:
    image = walk.image(input)
    axes = tuple(range(len(image.shape)))
    if dim is not None:
        axes = tuple(dim) if isinstance(dim, list | tuple) else (dim,)
    return total(walk.folder, image, axes, keep=keepdim, mean=mean)


def _dropout(walk: Walk, input: Any, *_args: Any, **_kwargs: Any) -> Any:
    walk.ran_dropout = True
    return walk.image(input)


FUNCTIONS: dict[str, Function] = {
    "batch_norm": _batch_norm,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _conv_transpose),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _avg_pool),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), _adaptive_avg_pool
    ),
    "mean": _mean,
    "sum": _sum,
    **dict.fromkeys(
        (
            *("alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d"),
            *("feature_alpha_dropout", "feature_dropout"),
        ),
        _dropout,
    ),
}
