"""Layers of Keras that work on any tensor: dense ones, normalisation, sums, moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers import rounding
from milpcount.importers.image import Image
from milpcount.importers.keras.context import Context, Handler
from milpcount.importers.products import batch_norm, einsum, product
from milpcount.importers.unit_ops import maximum, minimum
from milpcount.importers.values import MAXIMUM
from milpcount.importers.windows import require_entries

__all__ = ["LAYERS", "MERGING"]

Float = NDArray[np.float64]


def _dense(context: Context, x: Any) -> Any:
    layer = context.layer
    bias = context.array(layer.bias) if layer.use_bias else None
    result = product(context.folder, context.image(x), context.array(layer.kernel), bias)
    return context.activated(context.image(result))


def _einsum_dense(context: Context, x: Any) -> Any:
    layer, folder = context.layer, context.folder
    operands: tuple[Image | Float, ...] = (context.image(x), context.array(layer.kernel))
    result = context.image(einsum(folder, layer.equation, operands))
    if layer.bias is not None:
        result = folder.shift(result, context.array(layer.bias))
    return context.activated(result)


def _batch_normalization(context: Context, x: Any, **_mode: Any) -> Any:
    layer, image = context.layer, context.image(x)
    mean, variance = context.array(layer.moving_mean), context.array(layer.moving_variance)
    scale = context.array(layer.gamma) if layer.scale else np.ones(mean.shape)
    offset = context.array(layer.beta) if layer.center else np.zeros(mean.shape)
    axis = int(layer.axis) % len(image.shape)
    parameters = scale, offset, mean, variance
    return batch_norm(context.folder, image, axis, parameters, float(layer.epsilon))


def _normalization(context: Context, x: Any) -> Any:
    """``(x - mean) / sqrt(variance)``, or its inverse."""
    layer, folder, image = context.layer, context.folder, context.image(x)
    mean, variance = context.array(layer.mean), context.array(layer.variance)
    if np.any(variance <= 0):
        context.refuse("has a variance of 0 or less")
    if layer.invert:
        inverse = folder.compute(rounding.over_root, np.ones(variance.size), variance.ravel(), 0.0)
        roots = folder.compute(rounding.divide, np.ones(inverse.shape), inverse)
        return folder.affine(image, roots.reshape(variance.shape), mean)
    factor = folder.compute(rounding.over_root, np.ones(variance.size), variance.ravel(), 0.0)
    return folder.scale(folder.shift(image, -mean), factor.reshape(variance.shape))


def _rescaling(context: Context, x: Any) -> Any:
    layer = context.layer
    scale, offset = (np.asarray(v, dtype=np.float64) for v in (layer.scale, layer.offset))
    return context.folder.affine(context.image(x), scale, offset)


def _add(context: Context, values: Sequence[Any]) -> Image:
    total = context.image(values[0])
    for value in values[1:]:
        total = context.folder.add(total, context.image(value))
    return total


def _subtract(context: Context, values: Sequence[Any]) -> Any:
    a, b = (context.image(value) for value in values)
    return context.folder.add(a, context.folder.scale(b, -1.0))


def _average(context: Context, values: Sequence[Any]) -> Any:
    return context.folder.divide(_add(context, values), float(len(values)))


def _maximum(context: Context, values: Sequence[Any]) -> Any:
    return _extreme(context, values, upper=True)


def _minimum(context: Context, values: Sequence[Any]) -> Any:
    return _extreme(context, values, upper=False)


def _extreme(context: Context, values: Sequence[Any], upper: bool) -> Any:
    if len(values) != 2:
        context.folder.fail(MAXIMUM)
    a, b = (context.image(value) for value in values)
    return (maximum if upper else minimum)(context.folder, a, b)


def _concatenate(context: Context, values: Sequence[Any]) -> Any:
    images = [context.image(value) for value in values]
    axis = int(context.layer.axis) % len(images[0].shape)
    return context.folder.concat(images, axis)


def _flatten(context: Context, x: Any) -> Any:
    image = context.image(x)
    grid = image.grid
    if context.layer.data_format == "channels_first" and grid.ndim > 2:
        grid = np.moveaxis(grid, 1, -1)
    return context.folder.take(image, grid.reshape(len(grid), -1))


def _reshape(context: Context, x: Any) -> Any:
    image = context.image(x)
    if hasattr(context.layer, "newshape"):  # the operation, whose shape has the batch
        shape = tuple(-1 if n is None else int(n) for n in context.layer.newshape)
    else:
        shape = (image.shape[0], *(int(n) for n in context.layer.target_shape))
    return context.folder.take(image, image.grid.reshape(shape))


def _permute(context: Context, x: Any) -> Any:
    image = context.image(x)
    return context.folder.take(image, np.transpose(image.grid, (0, *context.layer.dims)))


def _repeat(context: Context, x: Any) -> Any:
    image, count = context.image(x), int(context.layer.n)
    shape = (image.shape[0], count, *image.shape[1:])
    require_entries(context.folder, math.prod(shape))
    return context.folder.take(image, np.broadcast_to(image.grid[:, None], shape))


def _same(context: Context, x: Any, **_mode: Any) -> Any:
    return context.image(x)


def _several(context: Context, *_args: Any, **_kwargs: Any) -> Any:
    context.folder.fail(MAXIMUM)


LAYERS: dict[str, Handler] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "BatchNormalization": _batch_normalization,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Average": _average,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat,
    **dict.fromkeys(
        (
            *("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout"),
            *("GaussianNoise", "Identity", "SpatialDropout1D", "SpatialDropout2D"),
            *("SpatialDropout3D",),
        ),
        _same,
    ),
    **dict.fromkeys(
        (
            *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "MaxPooling1D"),
            *("MaxPooling2D", "MaxPooling3D", "Max", "Min"),
        ),
        _several,
    ),
}
MERGING: dict[str, Handler] = {
    "Add": _add,
    "Concatenate": _concatenate,
    "Maximum": _maximum,
    "Minimum": _minimum,
    "Subtract": _subtract,
}
"""Layers that take a list; operations of the same names take their operands one by one."""
