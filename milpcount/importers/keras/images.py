"""Layers of Keras that work on images: convolutions, pools, padding, enlarging."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.keras.context import Context, Handler
from milpcount.importers.products import total
from milpcount.importers.windows import (
    Windows,
    average_pool,
    convolve,
    convolve_transposed,
    require_entries,
)

__all__ = ["LAYERS"]

Float = NDArray[np.float64]


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    return (int(value),) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def _last(context: Context) -> bool:
    """Whether the channels are the last axis."""
    return bool(getattr(context.layer, "data_format", "channels_last") != "channels_first")


def _channels_first(context: Context, x: Any) -> Image:
    image = context.image(x)
    if not _last(context):
        return image
    return context.folder.take(image, np.moveaxis(image.grid, -1, 1))


def _back(context: Context, image: Image) -> Image:
    if not _last(context):
        return image
    return context.folder.take(image, np.moveaxis(image.grid, 1, -1))


def _windows(
    context: Context,
    spatial: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: Any,
    dilations: Any,
) -> Windows:
    rank = len(spatial)
    steps, spread = _sizes(strides, rank), _sizes(dilations, rank)
    padding = context.layer.padding
    none = (0,) * rank
    if padding == "same":
        return Windows.same(kernel, steps, spread, spatial, more_before=False)
    if padding == "causal":
        before = tuple((k - 1) * d for k, d in zip(kernel, spread, strict=True))
        return Windows(kernel, steps, spread, before, none)
    return Windows(kernel, steps, spread, none, none)


def _conv(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    kernel = context.array(layer.kernel)
    weight = np.moveaxis(kernel, (-1, -2), (0, 1))
    windows = _windows(
        context, image.shape[2:], weight.shape[2:], layer.strides, layer.dilation_rate
    )
    bias = context.array(layer.bias) if layer.use_bias else np.zeros(len(weight))
    result = convolve(context.folder, image, weight, bias, windows, int(layer.groups))
    return context.activated(_back(context, result))


def _depthwise(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    result = _by_channel(context, image, context.array(layer.kernel), layer.use_bias)
    return context.activated(_back(context, result))


def _by_channel(context: Context, image: Image, kernel: Float, biased: bool) -> Image:
    layer = context.layer
    # (taps..., channels, multiplier) to (channels * multiplier, 1, taps...)
    weight = np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(-1, 1, *kernel.shape[:-2])
    windows = _windows(
        context, image.shape[2:], weight.shape[2:], layer.strides, layer.dilation_rate
    )
    bias = context.array(layer.bias) if biased else np.zeros(len(weight))
    return convolve(context.folder, image, weight, bias, windows, image.shape[1])


def _separable(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    deep = _by_channel(context, image, context.array(layer.depthwise_kernel), biased=False)
    weight = np.moveaxis(context.array(layer.pointwise_kernel), (-1, -2), (0, 1))
    ones = (1,) * (weight.ndim - 2)
    none = (0,) * (weight.ndim - 2)
    bias = context.array(layer.bias) if layer.use_bias else np.zeros(len(weight))
    windows = Windows(ones, ones, ones, none, none)
    result = convolve(context.folder, deep, weight, bias, windows, 1)
    return context.activated(_back(context, result))


def _conv_transpose(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    weight = np.moveaxis(context.array(layer.kernel), (-1, -2), (0, 1))
    spatial, kernel = image.shape[2:], weight.shape[2:]
    rank = len(spatial)
    strides, dilations = _sizes(layer.strides, rank), _sizes(layer.dilation_rate, rank)
    if getattr(layer, "output_padding", None) is not None or max(dilations) > 1:
        context.refuse("has an output padding or a dilation, which is not read")
    before, out = [], []
    for size, taps, stride in zip(spatial, kernel, strides, strict=True):
        more = max(taps - stride, 0)
        same = layer.padding == "same"
        out.append(size * stride + (0 if same else more))
        before.append(more // 2 if same else 0)
    windows = Windows(kernel, strides, dilations, tuple(before), tuple(before))
    bias = context.array(layer.bias) if layer.use_bias else np.zeros(weight.shape[1])
    result = convolve_transposed(context.folder, image, weight, bias, windows, 1, out)
    return context.activated(_back(context, result))


def _average_pooling(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    rank = len(image.shape) - 2
    kernel = _sizes(layer.pool_size, rank)
    windows = _windows(context, image.shape[2:], kernel, layer.strides, (1,) * rank)
    if _on_torch() and windows.before != windows.after:
        # Keras on torch repeats the border where the two ends differ; other backends leave it out.
        ends = [(0, 0), (0, 0), *zip(windows.before, windows.after, strict=True)]
        image = context.folder.take(image, np.pad(image.grid, ends, mode="edge"))
        windows = replace(windows, before=(0,) * rank, after=(0,) * rank)
    return _back(context, average_pool(context.folder, image, windows, whole=False))


def _on_torch() -> bool:
    import keras

    return str(keras.backend.backend()) == "torch"


def _global_average(context: Context, x: Any) -> Any:
    image = context.image(x)
    axes = range(1, len(image.shape) - 1) if _last(context) else range(2, len(image.shape))
    keep = bool(context.layer.keepdims)
    return total(context.folder, image, tuple(axes), keep=keep, mean=True)


def _ends(value: Any, rank: int) -> list[tuple[int, int]]:
    """Numbers for both ends of each spatial axis."""
    given = (value,) * rank if isinstance(value, int) else tuple(value)
    if rank == 1 and len(given) == 2:
        return [(int(given[0]), int(given[1]))]
    return [(int(g), int(g)) if isinstance(g, int) else (int(g[0]), int(g[1])) for g in given]


def _zero_padding(context: Context, x: Any) -> Any:
    image = _channels_first(context, x)
    widths = [(0, 0), (0, 0), *_ends(context.layer.padding, len(image.shape) - 2)]
    entries = math.prod(n + a + b for n, (a, b) in zip(image.shape, widths, strict=True))
    require_entries(context.folder, entries)
    padded = np.pad(image.grid, widths, constant_values=-1)
    return _back(context, context.folder.take(image, padded))


def _cropping(context: Context, x: Any) -> Any:
    image = _channels_first(context, x)
    ends = _ends(context.layer.cropping, len(image.shape) - 2)
    cut = tuple(slice(a, n - b) for n, (a, b) in zip(image.shape[2:], ends, strict=True))
    return _back(context, context.folder.take(image, image.grid[(slice(None), slice(None), *cut)]))


def _up_sampling(context: Context, x: Any) -> Any:
    layer, image = context.layer, _channels_first(context, x)
    if getattr(layer, "interpolation", "nearest") != "nearest":
        context.refuse(f"interpolates by {layer.interpolation!r}; only the nearest entry is taken")
    times = _sizes(layer.size, len(image.shape) - 2)
    require_entries(context.folder, math.prod(image.shape) * math.prod(times))
    grid = image.grid
    for axis, count in enumerate(times, 2):
        grid = np.repeat(grid, count, axis=axis)
    return _back(context, context.folder.take(image, grid))


LAYERS: dict[str, Handler] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), _conv),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _conv_transpose),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"), _average_pooling),
    **dict.fromkeys(
        ("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
        _global_average,
    ),
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"), _zero_padding),
    **dict.fromkeys(("Cropping1D", "Cropping2D", "Cropping3D"), _cropping),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "UpSampling3D"), _up_sampling),
}
"""Handlers of layers by class."""
