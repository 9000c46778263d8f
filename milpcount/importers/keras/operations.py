"""Operations of ``keras.ops`` in graphs; those that share a name with a layer serve both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.keras.context import Context, Handler
from milpcount.importers.keras.keras_layers import MERGING
from milpcount.importers.products import product, total
from milpcount.importers.unit_ops import clip, maximum, minimum

__all__ = ["OPERATIONS"]

Float = NDArray[np.float64]


def _merging(name: str, pairwise: Handler) -> Handler:
    """A layer takes a list, an operation its operands one by one."""

    def handler(context: Context, first: Any, *others: Any, **kwargs: Any) -> Any:
        if isinstance(first, list | tuple):
            return MERGING[name](context, first)
        return pairwise(context, first, *others, **kwargs)

    return handler


def _plus(context: Context, a: Image | Float, b: Image | Float) -> Image:
    if isinstance(a, Image):
        return context.folder.add(a, b) if isinstance(b, Image) else context.folder.shift(a, b)
    return context.folder.shift(context.image(b), a)


def _negative(context: Context, value: Image | Float) -> Image | Float:
    return context.folder.scale(value, -1.0) if isinstance(value, Image) else -value


def _add(context: Context, a: Any, b: Any) -> Any:
    return _plus(context, context.operand(a), context.operand(b))


def _subtract(context: Context, a: Any, b: Any) -> Any:
    return _plus(context, context.operand(a), _negative(context, context.operand(b)))


def _multiply(context: Context, a: Any, b: Any = None) -> Any:
    x, y = (context.operand(v) for v in (a if isinstance(a, list | tuple) else (a, b)))
    if isinstance(x, Image):
        if isinstance(y, Image):
            context.refuse("multiplies two tensors that depend on the input")
        return context.folder.scale(x, y)
    return context.folder.scale(context.image(y), x)


def _divide(context: Context, a: Any, b: Any) -> Any:
    divisor = context.operand(b)
    if isinstance(divisor, Image):
        context.refuse("divides by what depends on the input")
    return context.folder.divide(context.image(a), divisor)


def _negate(context: Context, x: Any) -> Any:
    return context.folder.scale(context.image(x), -1.0)


def _matmul(context: Context, a: Any, b: Any) -> Any:
    return product(context.folder, context.operand(a), context.operand(b))


def _extreme(upper: bool) -> Handler:
    def handler(context: Context, a: Any, b: Any) -> Any:
        x, y = context.operand(a), context.operand(b)
        if isinstance(x, Image) and isinstance(y, Image):
            return (maximum if upper else minimum)(context.folder, x, y)
        image, bound = (x, y) if isinstance(x, Image) else (y, x)
        ends = (bound, np.inf) if upper else (-np.inf, bound)
        return clip(context.folder, context.image(image), *ends)

    return handler


def _clip(context: Context, x: Any, *given: Any) -> Any:
    layer = context.layer
    low, high = given if len(given) == 2 else (layer.x_min, layer.x_max)
    return clip(context.folder, context.image(x), context.array(low), context.array(high))


def _concatenate(context: Context, *_args: Any, **_kwargs: Any) -> Any:
    context.refuse("brings together what is no list of tensors")


def _reduced(mean: bool) -> Handler:
    def handler(context: Context, x: Any, **_more: Any) -> Any:
        image, layer = context.image(x), context.layer
        axes = layer.axis
        if axes is None:
            axes = tuple(range(len(image.shape)))
        axes = tuple(axes) if isinstance(axes, list | tuple) else (int(axes),)
        return total(context.folder, image, axes, keep=bool(layer.keepdims), mean=mean)

    return handler


def _get_item(context: Context, x: Any, key: Any) -> Any:
    image = context.image(x)
    return context.folder.take(image, image.grid[key])


def _transpose(context: Context, x: Any) -> Any:
    image = context.image(x)
    return context.folder.take(image, np.transpose(image.grid, context.layer.axes))


def _expand_dims(context: Context, x: Any) -> Any:
    image = context.image(x)
    return context.folder.take(image, np.expand_dims(image.grid, context.layer.axis))


def _squeeze(context: Context, x: Any) -> Any:
    image = context.image(x)
    return context.folder.take(image, np.squeeze(image.grid, axis=context.layer.axis))


OPERATIONS: dict[str, Handler] = {
    "Add": _merging("Add", _add),
    "Subtract": _merging("Subtract", _subtract),
    "Maximum": _merging("Maximum", _extreme(upper=True)),
    "Minimum": _merging("Minimum", _extreme(upper=False)),
    "Concatenate": _merging("Concatenate", _concatenate),
    "Multiply": _multiply,
    "Divide": _divide,
    "TrueDivide": _divide,
    "Negative": _negate,
    "Matmul": _matmul,
    "Clip": _clip,
    "Mean": _reduced(mean=True),
    "Sum": _reduced(mean=False),
    "GetItem": _get_item,
    "Transpose": _transpose,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
}
"""Handlers of operations by class."""
