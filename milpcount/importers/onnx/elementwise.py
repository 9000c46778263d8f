"""ONNX operators of elementwise arithmetic, and units."""

from __future__ import annotations

import math

import numpy as np

from milpcount.importers import rounding
from milpcount.importers.image import Image
from milpcount.importers.onnx.node import Array, Handler, Node, Value
from milpcount.importers.unit_ops import choose, clip, maximum, minimum, pick
from milpcount.importers.values import MAXIMUM, Choice

__all__ = ["HANDLERS"]


def _add(node: Node) -> Value:
    return _plus(node, *_operands(node))


def _sum(node: Node) -> Value:
    total = node.value(0)
    for position in range(1, len(node.inputs)):
        total = _plus(node, total, node.value(position))
    return total


def _mean(node: Node) -> Value:
    total = _sum(node)
    if not isinstance(total, Image):
        return node.folder.compute(rounding.divide, total, np.array(float(len(node.inputs))))
    return node.folder.divide(total, float(len(node.inputs)))


def _sub(node: Node) -> Value:
    a, b = _operands(node)
    return _plus(node, a, _negated(node, b))


def _operands(node: Node) -> tuple[Image | Array, Image | Array]:
    """Both inputs; before opset 7 the second is laid along given axes of the first."""
    a, b = node.value(0), node.value(1)
    if node.opset < 7 and "axis" in node.attributes:
        axis = node.axis(len(a.shape))
        shape = (*b.shape, *(1,) * (len(a.shape) - axis - len(b.shape)))
        if isinstance(b, Image):
            return a, node.folder.take(b, b.grid.reshape(shape))
        return a, b.reshape(shape)
    return a, b


def _plus(node: Node, a: Image | Array, b: Image | Array) -> Image | Array:
    if isinstance(a, Image):
        return node.folder.add(a, b) if isinstance(b, Image) else node.folder.shift(a, b)
    if isinstance(b, Image):
        return node.folder.shift(b, a)
    node.require_room(a, b)
    if _whole(a, b):
        return a + b
    return node.folder.compute(rounding.add, _real(a), _real(b))


def _mul(node: Node) -> Value:
    choices = [i for i, v in enumerate(node.inputs) if isinstance(v, Choice)]
    if len(choices) == 1 and len(node.inputs) == 2:
        other = node.value(1 - choices[0])  # x * (x > 0)
        return _chosen(node, node.inputs[choices[0]], other, np.zeros(()))
    a, b = _operands(node)
    if isinstance(a, Image):
        if isinstance(b, Image):
            node.fail(
                "multiplies two tensors that depend on the input, which is not piecewise linear; "
                "only multiplication by constants can be counted"
            )
        return node.folder.scale(a, b)
    if isinstance(b, Image):
        return node.folder.scale(b, a)
    node.require_room(a, b)
    if _whole(a, b):
        return a * b
    return node.folder.compute(rounding.multiply, _real(a), _real(b))


def _div(node: Node) -> Value:
    a, b = _operands(node)
    if isinstance(b, Image):
        b = node.constant(1, "a divisor")
    if isinstance(a, Image):
        return node.folder.divide(a, b)
    if not np.all(b):
        node.fail("divides by zero; export it again")
    node.require_room(a, b)
    if _whole(a, b):
        return (np.abs(a) // np.abs(b)) * np.sign(a) * np.sign(b)  # ONNX truncates
    return node.folder.compute(rounding.divide, _real(a), _real(b))


def _neg(node: Node) -> Value:
    return _negated(node, node.value(0))


def _negated(node: Node, value: Image | Array) -> Image | Array:
    if isinstance(value, Image):
        return node.folder.scale(value, -1.0)
    return -value if value.dtype.kind == "i" else -_real(value)


def _whole(a: Array, b: Array) -> bool:
    return a.dtype.kind == "i" and b.dtype.kind == "i"


def _real(array: Array) -> Array:
    return array.astype(np.float64)


def _relu(node: Node) -> Value:
    return node.folder.relu(node.image(0))


def _leaky_relu(node: Node) -> Value:
    return node.folder.relu(node.image(0), _number(node, "alpha", 0.01))


def _number(node: Node, name: str, default: float) -> float:
    # Attributes are stored as float32; so is the default of the standard.
    return float(node.attributes.get(name, np.float32(default)))


def _prelu(node: Node) -> Value:
    image = node.image(0)
    slope = node.constant(1, "a slope")
    if node.opset < 7 and slope.ndim == 1 and slope.size > 1:  # one a channel
        slope = slope.reshape(-1, *(1,) * (len(image.shape) - 2))
    return node.folder.relu(image, np.broadcast_to(slope, image.shape))


def _abs(node: Node) -> Value:
    return node.folder.relu(node.image(0), -1.0)


def _clip(node: Node) -> Value:
    image = node.image(0)
    ends: list[Array | float] = []
    for position, name, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        given: Array | float = node.attributes.get(name, default)
        if node.opset >= 11 and node.has(position):
            given = node.constant(position, name)
            if given.size != 1:
                node.fail(f"has {given.size} numbers for its {name}; export it with one")
            given = given.reshape(())
        ends.append(given)
    return clip(node.folder, image, *ends)


def _hard_sigmoid(node: Node) -> Value:
    alpha, beta = _number(node, "alpha", 0.2), _number(node, "beta", 0.5)
    return clip(node.folder, node.folder.affine(node.image(0), alpha, beta), 0.0, 1.0)


def _shrink(node: Node) -> Value:
    image, edge = node.image(0), _number(node, "lambd", 0.5)
    if float(node.attributes.get("bias", 0.0)) != edge or edge < 0:
        node.fail("jumps at its threshold; only continuous functions are counted")
    folder = node.folder
    above = folder.relu(folder.shift(image, -edge))
    below = folder.relu(folder.affine(image, -1.0, -edge))
    return folder.add(above, folder.scale(below, -1.0))


def _thresholded_relu(node: Node) -> Value:
    if _number(node, "alpha", 1.0) != 0:
        node.fail("jumps at its threshold; only continuous functions are counted")
    return node.folder.relu(node.image(0))


def _max(node: Node) -> Value:
    return _extreme(node, upper=True)


def _min(node: Node) -> Value:
    return _extreme(node, upper=False)


def _extreme(node: Node, upper: bool) -> Value:
    values = [node.value(i) for i in range(len(node.inputs))]
    images = [v for v in values if isinstance(v, Image)]
    constants = [_real(v) for v in values if not isinstance(v, Image)]
    if not images:
        return node.image(0)
    if len(images) > 2 or (len(images) == 2 and constants):
        node.fail(MAXIMUM)
    if len(images) == 2:
        return (maximum if upper else minimum)(node.folder, *images)
    if not constants:
        return images[0]
    node.require_room(*values)
    bound = constants[0]
    for other in constants[1:]:
        bound = np.maximum(bound, other) if upper else np.minimum(bound, other)
    shape = np.broadcast_shapes(images[0].shape, bound.shape)
    if shape != images[0].shape:
        node.fail("repeats its units by broadcasting; export it with a scalar bound")
    ends = (bound, np.inf) if upper else (-np.inf, bound)
    return clip(node.folder, images[0], *ends)


def _compare(node: Node) -> Value:
    a, b = node.value(0), node.value(1)
    difference = _plus(node, a, _negated(node, b))
    if not isinstance(difference, Image):
        return node.image(0)
    return Choice(difference, otherwise=node.op in ("Less", "LessOrEqual"))


def _not(node: Node) -> Value:
    value = node.any_value(0)
    if not isinstance(value, Choice):
        return node.image(0)
    return Choice(value.sign, not value.otherwise)


def _where(node: Node) -> Value:
    condition = node.any_value(0)
    if isinstance(condition, Choice):
        return _chosen(node, condition, node.value(1), node.value(2))
    chosen = node.constant(0, "a condition").astype(bool)
    a, b = node.value(1), node.value(2)
    node.require_entries(2 * math.prod(node.require_room(chosen, a, b)))
    first, second = (v if isinstance(v, Image) else _real(v) for v in (a, b))
    return pick(node.folder, chosen, first, second)


def _chosen(
    node: Node, condition: Value | None, first: Image | Array, second: Image | Array
) -> Value:
    if not isinstance(condition, Choice):
        node.fail("has no condition; the file is malformed, export it again")
    if condition.otherwise:
        first, second = second, first
    return choose(node.folder, condition.sign, first, second)


HANDLERS: dict[str, Handler] = {
    "Abs": _abs,
    "Add": _add,
    "Clip": _clip,
    "Div": _div,
    "Greater": _compare,
    "GreaterOrEqual": _compare,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": _leaky_relu,
    "Less": _compare,
    "LessOrEqual": _compare,
    "Max": _max,
    "Mean": _mean,
    "Min": _min,
    "Mul": _mul,
    "Neg": _neg,
    "Not": _not,
    "PRelu": _prelu,
    "Relu": _relu,
    "Shrink": _shrink,
    "Sub": _sub,
    "Sum": _sum,
    "ThresholdedRelu": _thresholded_relu,
    "Where": _where,
}
