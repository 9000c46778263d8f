"""ONNX operators on constants: what a graph computes from its weights alone.

Floats are float64 here, whatever the file says.  A result that no float64 number is (a root, a
quotient) is the nearest one or close to it, which a note says.  Sizes are checked before memory is
taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from milpcount.importers import rounding
from milpcount.importers.onnx.node import Array, Handler, Node, Value

__all__ = ["HANDLERS"]

_BFLOAT16 = 16


def _erf(x: Array) -> Array:
    return np.array([math.erf(v) for v in x.ravel().tolist()]).reshape(x.shape)


def _round(x: Array) -> Array:
    return np.rint(x)  # to even, as ONNX has it


# Exact, or for integers as well as for floats.
_EXACT: dict[str, Callable[[Array], Array]] = {
    "Abs": np.abs,
    "Ceil": np.ceil,
    "Floor": np.floor,
    "IsInf": np.isinf,
    "IsNaN": np.isnan,
    "Relu": lambda x: np.maximum(x, 0),
    "Round": _round,
    "Sign": np.sign,
}

_ROUNDED: dict[str, Callable[[Array], Array]] = {
    "Acos": np.arccos,
    "Acosh": np.arccosh,
    "Asin": np.arcsin,
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "Atanh": np.arctanh,
    "Cos": np.cos,
    "Cosh": np.cosh,
    "Erf": _erf,
    "Exp": np.exp,
    "Log": np.log,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Sin": np.sin,
    "Sinh": np.sinh,
    "Softplus": lambda x: np.logaddexp(x, 0),
    "Tan": np.tan,
    "Tanh": np.tanh,
}

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "And": np.logical_and,
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Max": np.maximum,
    "Min": np.minimum,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
}


def _arrays(node: Node) -> list[Array]:
    return [node.constant(i, "an operand") for i in range(len(node.inputs)) if node.has(i)]


def _exact(node: Node) -> Value:
    return _EXACT[node.op](node.constant(0, "an operand"))


def _rounded(node: Node) -> Value:
    x = node.constant(0, "an operand").astype(np.float64)
    node.folder.note_constants()
    with np.errstate(all="ignore"):  # what is not finite is refused where it is used
        return np.asarray(_ROUNDED[node.op](x), dtype=np.float64)


def _not(node: Node) -> Value:
    return ~node.constant(0, "an operand").astype(bool)


def _binary(node: Node) -> Value:
    first, *others = _arrays(node)
    for other in others:
        node.require_room(first, other)
        first = _BINARY[node.op](first, other)
    return first


def _mod(node: Node) -> Value:
    a, b = _arrays(node)
    node.require_room(a, b)
    if not np.all(b):
        node.fail("divides by zero; export it again")
    return np.fmod(a, b) if node.attributes.get("fmod", 0) else np.mod(a, b)


def _pow(node: Node) -> Value:
    a, b = _arrays(node)
    node.require_room(a, b)
    if a.dtype.kind == "i" and b.dtype.kind == "i" and np.all(b >= 0):
        return np.power(a, b)
    x, y = a.astype(np.float64), b.astype(np.float64)
    if np.all(y == 1):
        return np.broadcast_to(x, np.broadcast_shapes(x.shape, y.shape))
    if np.all(y == 2):
        return node.folder.compute(rounding.multiply, *np.broadcast_arrays(x, x + 0 * y))
    node.folder.note_constants()
    with np.errstate(all="ignore"):
        return np.power(x, y)


def _reciprocal(node: Node) -> Value:
    x = node.constant(0, "an operand").astype(np.float64)
    if not np.all(x):
        node.fail("divides by zero; export it again")
    return node.folder.compute(rounding.divide, np.ones(x.shape), x)


def _sqrt(node: Node) -> Value:
    return _root(node, node.constant(0, "an operand").astype(np.float64))


def _root(node: Node, x: Array) -> Array:
    if np.any(x < 0):
        node.fail("takes the root of a negative number; export it again")
    root = np.sqrt(x)
    if np.all(np.isfinite(root)) and not _is_square(root, x):
        node.folder.note_constants()
    return np.asarray(root)


def _is_square(root: Array, x: Array) -> bool:
    product, exact = rounding.multiply(root, root)
    return exact and bool(np.all(product == x))


def _where(node: Node) -> Value:
    condition, a, b = _arrays(node)
    node.require_room(condition, a, b)
    return np.where(condition.astype(bool), a, b)


def _clip(node: Node) -> Value:
    x = node.constant(0, "an operand")
    ends: list[Any] = [node.attributes.get("min"), node.attributes.get("max")]
    for i in (1, 2):
        if node.has(i):
            ends[i - 1] = node.constant(i, "a bound")
    low, high = ends
    x = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, x.dtype))


def _reduce(node: Node) -> Value:
    x = node.constant(0, "an operand")
    axes = node.integers("axes", 1, since=13 if node.op == "ReduceSum" else 18)
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            return x
        axes = tuple(range(x.ndim))
    gone = tuple(sorted(axis % max(x.ndim, 1) for axis in axes))
    if len(set(gone)) != len(axes) or any(not -x.ndim <= axis < x.ndim for axis in axes):
        node.fail(f"reduces axes {axes} of a tensor of rank {x.ndim}; export it again")
    kept = [axis for axis in range(x.ndim) if axis not in gone]
    rows = np.transpose(x, (*kept, *gone)).reshape(math.prod(x.shape[a] for a in kept), -1)
    if not rows.size:
        node.fail("reduces no entries; export it again")
    keep = node.attributes.get("keepdims", 1)
    shape = [1 if a in gone else n for a, n in enumerate(x.shape) if keep or a not in gone]
    return _reduced(node, rows).reshape(shape)


def _reduced(node: Node, rows: Array) -> Array:
    """The rows of a matrix, each reduced to one number."""
    op, whole = node.op, rows.dtype.kind in "ib"
    if op in ("ReduceMax", "ReduceMin"):
        return np.asarray(rows.max(axis=1) if op == "ReduceMax" else rows.min(axis=1))
    if whole and op in ("ReduceSum", "ReduceProd"):
        return np.asarray(rows.sum(axis=1) if op == "ReduceSum" else rows.prod(axis=1))
    x = rows.astype(np.float64)
    if op == "ReduceProd":
        product = np.ones(len(x))
        for column in x.T:
            product = node.folder.compute(rounding.multiply, product, column)
        return product
    if op in ("ReduceLogSum", "ReduceLogSumExp"):
        node.folder.note_constants()
        with np.errstate(all="ignore"):
            logs = np.log(x) if op == "ReduceLogSum" else x
            return np.asarray(np.logaddexp.reduce(logs, axis=1))
    factor = {"ReduceL1": np.sign(x), "ReduceL2": x, "ReduceSumSquare": x}.get(op, np.ones(x.shape))
    added = node.folder.compute(rounding.dot, factor, x, np.zeros(len(x)))
    if op == "ReduceL2":
        return _root(node, added)
    if op == "ReduceMean":
        return node.folder.compute(rounding.divide, added, np.full(len(x), float(x.shape[1])))
    return added


def _arg(node: Node) -> Value:
    x = node.constant(0, "an operand")
    axis = node.axis(x.ndim, 0)
    turned = -x if node.op == "ArgMin" else x
    if node.attributes.get("select_last_index", 0):
        best = x.shape[axis] - 1 - np.argmax(np.flip(turned, axis), axis=axis)
    else:
        best = np.argmax(turned, axis=axis)
    keep = node.attributes.get("keepdims", 1)
    return np.asarray(np.expand_dims(best, axis) if keep else best, dtype=np.int64)


def _range(node: Node) -> Value:
    start, limit, delta = (np.ravel(a)[0] for a in _arrays(node))
    if not delta or not np.all(np.isfinite([start, limit, delta])):
        node.fail(f"counts from {start} to {limit} by {delta}; export it again")
    count = max(0, math.ceil((limit - start) / delta))
    node.require_entries(count)
    return np.asarray(start + np.arange(count) * delta)


def _size(node: Node) -> Value:
    return np.array(node.constant(0, "an operand").size, dtype=np.int64)


def _nonzero(node: Node) -> Value:
    return np.array(np.nonzero(node.constant(0, "an operand")), dtype=np.int64)


def _eye_like(node: Node) -> Value:
    x = node.constant(0, "an operand")
    if x.ndim != 2:
        node.fail(f"makes a matrix like shape {x.shape}; export it again")
    return np.eye(x.shape[0], x.shape[1], k=int(node.attributes.get("k", 0)))


def _one_hot(node: Node) -> Value:
    indices, depth, values = _arrays(node)
    count = int(np.ravel(depth)[0])
    if count < 1 or values.size != 2:
        node.fail(f"has depth {count} and {values.size} values; export it again")
    node.require_entries(indices.size * count)
    axis = int(node.attributes.get("axis", -1))
    places = np.mod(indices.astype(np.int64), count)
    hot = np.where(places[..., None] == np.arange(count), values[1], values[0])
    return np.asarray(np.moveaxis(hot, -1, axis))


def _cum_sum(node: Node) -> Value:
    x, axis = _arrays(node)
    if node.attributes.get("exclusive", 0) or node.attributes.get("reverse", 0):
        node.fail("is exclusive or reversed; simplify the graph before the export")
    total = np.cumsum(x, axis=int(np.ravel(axis)[0]))
    if x.dtype.kind == "f":
        node.folder.note_constants()
    return np.asarray(total)


def _trilu(node: Node) -> Value:
    x, *diagonal = _arrays(node)
    k = int(np.ravel(diagonal[0])[0]) if diagonal else 0
    return np.triu(x, k) if node.attributes.get("upper", 1) else np.tril(x, k)


def _scatter_nd(node: Node) -> Value:
    x, indices, updates = _arrays(node)
    if node.attributes.get("reduction", b"none") != b"none":
        node.fail("combines what it scatters; simplify the graph before the export")
    out = x.copy()
    out[tuple(np.moveaxis(indices.astype(np.int64), -1, 0))] = updates
    return out


def _dequantize(node: Node) -> Value:
    """``(x - zero point) * scale``, with the scale along an axis or in blocks."""
    x, scale = node.constant(0, "an operand"), node.constant(1, "a scale").astype(np.float64)
    zero = node.constant(2, "a zero point") if node.has(2) else np.zeros(scale.shape, np.int64)
    if node.attributes.get("block_size", 0):
        axis, block = node.axis(x.ndim, 1), int(node.attributes["block_size"])
        repeat = np.arange(x.shape[axis]) // block
        scale, zero = np.take(scale, repeat, axis=axis), np.take(zero, repeat, axis=axis)
    elif scale.ndim == 1 and scale.size > 1:
        along = [1] * x.ndim
        along[node.axis(x.ndim, 1)] = scale.size
        scale, zero = scale.reshape(along), zero.reshape(along)
    node.require_room(x, scale)
    shifted = x.astype(np.float64) - zero.astype(np.float64)
    return node.folder.compute(rounding.multiply, shifted, np.broadcast_to(scale, shifted.shape))


def _softmax(node: Node) -> Value:
    x = node.constant(0, "an operand").astype(np.float64)
    axis = node.axis(x.ndim, -1)
    node.folder.note_constants()
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(shares / shares.sum(axis=axis, keepdims=True))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(_EXACT, _exact),
    **dict.fromkeys(_ROUNDED, _rounded),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(
        (
            *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax"),
            *("ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
        ),
        _reduce,
    ),
    "ArgMax": _arg,
    "ArgMin": _arg,
    "Clip": _clip,
    "CumSum": _cum_sum,
    "DequantizeLinear": _dequantize,
    "EyeLike": _eye_like,
    "Mod": _mod,
    "NonZero": _nonzero,
    "Not": _not,
    "OneHot": _one_hot,
    "Pow": _pow,
    "Range": _range,
    "Reciprocal": _reciprocal,
    "ScatterND": _scatter_nd,
    "Size": _size,
    "Softmax": _softmax,
    "Sqrt": _sqrt,
    "Trilu": _trilu,
    "Where": _where,
}
"""What is computed where all inputs are constants, besides moves and plain arithmetic."""
