"""Activations of Keras, as layers, operations, and parts of other layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from milpcount.importers.image import Image
from milpcount.importers.keras.context import HEADS, Context, Handler
from milpcount.importers.unit_ops import clip

__all__ = ["ACTIVATION_OPS", "activate"]


def activate(context: Context, activation: Any, image: Image) -> Any:
    """What an activation, given as a function or a layer, makes of a tensor."""
    if activation is None:
        return image
    kind = type(activation).__name__
    if kind in ACTIVATION_OPS:
        return ACTIVATION_OPS[kind](Context(context.folder, activation), image)
    name = getattr(activation, "__name__", kind)
    module = str(getattr(activation, "__module__", ""))
    if module.partition(".")[0] != "keras":
        context.refuse(f"has the activation {name!r}, which is not one of Keras,")
    return _named(context, name, image)


def _named(context: Context, name: str, image: Image) -> Any:
    folder = context.folder
    match name:
        case "linear":
            return image
        case "relu":
            return folder.relu(image)
        case "leaky_relu":
            return folder.relu(image, 0.2)
        case "relu6":
            return clip(folder, image, 0.0, 6.0)
        case "hard_tanh":
            return clip(folder, image, -1.0, 1.0)
        case "hard_sigmoid":
            return _hard_sigmoid(context, image)
        case "soft_shrink":
            return _soft_shrink(context, image)
        case _ if name in HEADS:
            return context.head(image)
    return context.refuse(f"has the activation {name!r}, which is not known to be piecewise linear")


def _hard_sigmoid(context: Context, image: Any) -> Any:
    bounded = clip(context.folder, context.folder.shift(context.image(image), 3.0), 0.0, 6.0)
    return context.folder.divide(bounded, 6.0)


def _soft_shrink(context: Context, image: Any) -> Any:
    folder, edge = context.folder, float(getattr(context.layer, "threshold", 0.5))
    x = context.image(image)
    above = folder.relu(folder.shift(x, -edge))
    below = folder.relu(folder.affine(x, -1.0, -edge))
    return folder.add(above, folder.scale(below, -1.0))


def _activation(context: Context, x: Any) -> Any:
    return context.activated(context.image(x))


def _relu_layer(context: Context, x: Any) -> Any:
    """``f(x) = max_value`` above it, ``x`` above the threshold, and a slope below."""
    layer, folder, image = context.layer, context.folder, context.image(x)
    slope = float(getattr(layer, "negative_slope", 0.0) or 0.0)
    threshold = float(getattr(layer, "threshold", 0.0) or 0.0)
    highest = getattr(layer, "max_value", None)
    if threshold:
        context.refuse("jumps at its threshold")
    if highest is None:
        return folder.relu(image, slope)
    if slope:
        return clip(folder, folder.relu(image, slope), -np.inf, float(highest))
    return clip(folder, image, 0.0, float(highest))


def _leaky(context: Context, x: Any) -> Any:
    return context.folder.relu(context.image(x), float(context.layer.negative_slope))


def _prelu(context: Context, x: Any) -> Any:
    image = context.image(x)
    slope = np.broadcast_to(context.array(context.layer.alpha), image.shape)
    return context.folder.relu(image, slope)


def _plain(name: str) -> Handler:
    def handler(context: Context, x: Any, *_args: Any, **_kwargs: Any) -> Any:
        return _named(context, name, context.image(x))

    return handler


def _head(context: Context, x: Any, *_args: Any, **_kwargs: Any) -> Any:
    return context.head(context.image(x))


def _abs(context: Context, x: Any) -> Any:
    return context.folder.relu(context.image(x), -1.0)


ACTIVATION_OPS: dict[str, Handler] = {
    "Activation": _activation,
    "ReLU": _relu_layer,
    "LeakyReLU": _leaky,
    "LeakyRelu": _leaky,
    "PReLU": _prelu,
    "Relu": _plain("relu"),
    "Relu6": _plain("relu6"),
    "HardTanh": _plain("hard_tanh"),
    "HardSigmoid": _hard_sigmoid,
    "SoftShrink": _soft_shrink,
    **dict.fromkeys(("Abs", "Absolute"), _abs),
    **dict.fromkeys(
        (
            *("Celu", "ELU", "Elu", "Exp", "Gelu", "HardSilu", "LogSigmoid", "LogSoftmax"),
            *("Mish", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign", "Tanh"),
            *("UnitNormalization", "LayerNormalization"),
        ),
        _head,
    ),
}
"""Handlers of activations by the class of the layer or operation."""
