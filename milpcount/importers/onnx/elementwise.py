"""ONNX operators of elementwise arithmetic, units, and output heads."""

from __future__ import annotations

import math

import numpy as np

from milpcount.importers import rounding
from milpcount.importers.image import Image
from milpcount.importers.onnx.node import Array, Handler, Head, Node, Value

__all__ = ["HANDLERS"]

_FLOAT_MAX = float(np.finfo(np.float32).max)


def _add(node: Node) -> Value:
    return _plus(node, node.value(0), node.value(1))


def _sum(node: Node) -> Value:
    total = node.value(0)
    for position in range(1, len(node.inputs)):
        total = _plus(node, total, node.value(position))
    return total


def _sub(node: Node) -> Value:
    a, b = node.value(0), node.value(1)
    return _plus(node, a, _negated(node, b))


def _plus(node: Node, a: Image | Array, b: Image | Array) -> Image | Array:
    if isinstance(a, Image):
        return node.folder.add(a, b) if isinstance(b, Image) else node.folder.shift(a, b)
    if isinstance(b, Image):
        return node.folder.shift(b, a)
    _require_room(node, a, b)
    if a.dtype.kind == "i" and b.dtype.kind == "i":
        return a + b
    return node.folder.compute(rounding.add, _real(a), _real(b))


def _mul(node: Node) -> Value:
    a, b = node.value(0), node.value(1)
    if isinstance(a, Image):
        if isinstance(b, Image):
            node.fail(
                "multiplies two tensors that depend on the input, which is not piecewise linear; "
                "only multiplication by constants can be counted"
            )
        return node.folder.scale(a, b)
    if isinstance(b, Image):
        return node.folder.scale(b, a)
    _require_room(node, a, b)
    if a.dtype.kind == "i" and b.dtype.kind == "i":
        return a * b
    return node.folder.compute(rounding.multiply, _real(a), _real(b))


def _div(node: Node) -> Value:
    a, b = node.value(0), node.constant(1, "a divisor")
    if isinstance(a, Image):
        return node.folder.divide(a, b)
    if not np.all(b):
        node.fail("divides by zero; export it again")
    _require_room(node, a, b)
    if a.dtype.kind == "i" and b.dtype.kind == "i":
        return (np.abs(a) // np.abs(b)) * np.sign(a) * np.sign(b)  # ONNX truncates
    return node.folder.compute(rounding.divide, _real(a), _real(b))


def _neg(node: Node) -> Value:
    return _negated(node, node.value(0))


def _negated(node: Node, value: Image | Array) -> Image | Array:
    if isinstance(value, Image):
        return node.folder.scale(value, -1.0)
    return -value if value.dtype.kind == "i" else -_real(value)


def _require_room(node: Node, a: Array, b: Array) -> None:
    """Refuse constants that broadcasting would blow up."""
    node.require_entries(math.prod(np.broadcast_shapes(a.shape, b.shape)))


def _real(array: Array) -> Array:
    return array.astype(np.float64)


def _relu(node: Node) -> Value:
    return node.folder.relu(node.image(0))


def _leaky_relu(node: Node) -> Value:
    # Attributes are stored as float32; so is the default of the standard.
    return node.folder.relu(node.image(0), node.attributes.get("alpha", float(np.float32(0.01))))


def _prelu(node: Node) -> Value:
    image = node.image(0)
    slope = np.broadcast_to(node.constant(1, "a slope"), image.shape)
    return node.folder.relu(image, slope)


def _clip(node: Node) -> Value:
    image = node.image(0)
    ends = []
    for position, name, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        given: Array | float = node.attributes.get(name, default)
        if node.opset >= 11 and node.has(position):
            given = node.constant(position, name)
        ends.append(float(np.ravel(given)[0]))
    low, high = ends
    if high < _FLOAT_MAX or (low != 0 and low > -_FLOAT_MAX):
        node.fail(
            f"bounds values to [{low:g}, {high:g}]; only a lower end of 0 alone is a ReLU, "
            "replace it with Relu and train or export again"
        )
    return node.folder.relu(image) if low == 0 else image


def _max(node: Node) -> Value:
    values = [node.value(i) for i in range(len(node.inputs))]
    images = [v for v in values if isinstance(v, Image)]
    others = [v for v in values if not isinstance(v, Image)]
    if len(images) != 1 or len(others) != 1 or np.any(others[0]):
        node.fail("is a maximum with something other than 0; only max(x, 0) is a ReLU")
    shape = np.broadcast_shapes(images[0].shape, others[0].shape)
    if shape != images[0].shape:
        node.fail("repeats its units by broadcasting; export it with a scalar 0")
    return node.folder.relu(images[0])


def _head(node: Node) -> Value:
    return Head(node.image(0), node.place)


HANDLERS: dict[str, Handler] = {
    "Add": _add,
    "Clip": _clip,
    "Div": _div,
    "LeakyRelu": _leaky_relu,
    "Max": _max,
    "Mul": _mul,
    "Neg": _neg,
    "PRelu": _prelu,
    "Relu": _relu,
    "Sub": _sub,
    "Sum": _sum,
    **dict.fromkeys(("ArgMax", "LogSoftmax", "Sigmoid", "Softmax"), _head),
}
