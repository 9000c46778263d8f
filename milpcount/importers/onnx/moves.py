"""ONNX operators that only move, repeat or drop entries, and those that make constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.onnx.node import Array, Handler, Node, Value
from milpcount.importers.values import Choice

__all__ = ["HANDLERS", "move"]

Index = NDArray[np.int64]

# Element types of TensorProto, by number, as they behave in Cast.
_CAST_FLOATS: dict[int, type[np.floating]] = {1: np.float32, 10: np.float16, 11: np.float64}
_CAST_INTEGERS = {6: np.int32, 7: np.int64}
_BFLOAT16, _BOOL = 16, 9


def move(node: Node, value: Image | Array, how: Callable[[Array], Array]) -> Value:
    """Apply a function that only moves, repeats or drops entries."""
    if isinstance(value, Image):
        return node.folder.take(value, how(value.grid))
    return how(value)


def _identity(node: Node) -> Value:
    return node.value(0)


def _dropout(node: Node) -> Value:
    if node.has(2) and np.any(node.constant(2, "its training mode")):
        node.fail("is in training mode; export the network in inference mode")
    return node.value(0)


def _cast(node: Node) -> Value:
    value, to = node.any_value(0), int(node.attributes.get("to", 0))
    if isinstance(value, Choice):  # 0 and 1, to be multiplied by what is chosen
        return value
    value = node.value(0)
    if isinstance(value, Image):
        if to not in _CAST_FLOATS and to != _BFLOAT16:
            node.fail("rounds activations to integers; export the network without quantisation")
        return value
    with np.errstate(over="ignore", invalid="ignore"):
        if to in _CAST_FLOATS:
            return value.astype(_CAST_FLOATS[to]).astype(np.float64)
        if to in _CAST_INTEGERS:
            return value.astype(_CAST_INTEGERS[to]).astype(np.int64)
    if to == _BOOL:
        return value.astype(bool)
    return node.fail(f"casts a constant to element type {to}; simplify the graph before the export")


def _flatten(node: Node) -> Value:
    value = node.value(0)
    rank = len(value.shape)
    axis = int(node.attributes.get("axis", 1))
    if not -rank <= axis <= rank:
        node.fail(f"has axis {axis} for a tensor of rank {rank}; export it again")
    axis = axis + rank if axis < 0 else axis
    shape = math.prod(value.shape[:axis]), math.prod(value.shape[axis:])
    return move(node, value, lambda x: x.reshape(shape))


def _reshape(node: Node) -> Value:
    value = node.value(0)
    wanted = node.integers("shape", 1, since=5)
    if wanted is None:
        node.fail("has no shape; export it again")
    if not node.attributes.get("allowzero", 0):
        if any(n == 0 and i >= len(value.shape) for i, n in enumerate(wanted)):
            node.fail(f"keeps dimensions that shape {value.shape} does not have")
        wanted = tuple(value.shape[i] if n == 0 else n for i, n in enumerate(wanted))
    return move(node, value, lambda x: x.reshape(wanted))


def _squeeze(node: Node) -> Value:
    axes = node.integers("axes", 1, since=13)
    return move(node, node.value(0), lambda x: np.squeeze(x, axis=axes))


def _unsqueeze(node: Node) -> Value:
    axes = node.integers("axes", 1, since=13)
    if axes is None:
        node.fail("has no axes; export it again")
    return move(node, node.value(0), lambda x: np.expand_dims(x, axes))


def _transpose(node: Node) -> Value:
    order = node.attributes.get("perm")
    return move(node, node.value(0), lambda x: np.transpose(x, order))


def _expand(node: Node) -> Value:
    value = node.value(0)
    wanted = node.integers("shape", 1, since=0)
    if wanted is None:
        node.fail("has no shape; export it again")
    shape = np.broadcast_shapes(tuple(value.shape), wanted)
    node.require_entries(math.prod(shape))
    return move(node, value, lambda x: np.broadcast_to(x, shape))


def _slice(node: Node) -> Value:
    value = node.value(0)
    starts = node.integers("starts", 1, since=10)
    ends = node.integers("ends", 2, since=10)
    if starts is None or ends is None:
        node.fail("has no starts or no ends; export it again")
    axes = node.integers("axes", 3, since=10) or tuple(range(len(starts)))
    steps = node.integers("steps", 4, since=10) or (1,) * len(starts)
    where = [slice(None)] * len(value.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        where[axis] = slice(start, end, step)
    return move(node, value, lambda x: x[tuple(where)])


def _gather(node: Node) -> Value:
    value, places = node.value(0), _indices(node)
    axis = node.axis(len(value.shape), 0)
    node.require_entries(places.size * (math.prod(value.shape) // max(1, value.shape[axis])))
    return move(node, value, lambda x: np.take(x, places, axis=axis))


def _gather_elements(node: Node) -> Value:
    value, places = node.value(0), _indices(node)
    axis = node.axis(len(value.shape), 0)
    if places.ndim != len(value.shape):
        node.fail(f"has indices of rank {places.ndim} for a tensor of rank {len(value.shape)}")
    node.require_entries(places.size)
    # The indices may cover a part of the other axes.
    covered = [slice(n) for n in places.shape]
    covered[axis] = slice(None)
    return move(node, value, lambda x: np.take_along_axis(x[tuple(covered)], places, axis=axis))


def _gather_nd(node: Node) -> Value:
    value, places = node.value(0), _indices(node)
    if node.attributes.get("batch_dims", 0):
        node.fail("has batch dimensions; simplify the graph before the export")
    node.require_entries(math.prod((*places.shape[:-1], *value.shape[places.shape[-1] :])))
    return move(node, value, lambda x: x[tuple(np.moveaxis(places, -1, 0))])


def _indices(node: Node) -> Index:
    places = node.constant(1, "indices")
    if places.dtype.kind != "i":
        node.fail("has indices that are not integers; export it again")
    return places.astype(np.int64)


def _concat(node: Node) -> Value:
    values = [node.value(i) for i in range(len(node.inputs))]
    axis = node.axis(len(node.value(0).shape))
    node.require_entries(sum(math.prod(v.shape) for v in values))
    arrays = [v for v in values if not isinstance(v, Image)]
    if len(arrays) == len(values):
        return np.concatenate(arrays, axis=axis)
    return node.folder.concat(values, axis)


def _tile(node: Node) -> Value:
    value, repeats = node.value(0), node.integers("repeats", 1, since=0)
    if repeats is None or len(repeats) != len(value.shape) or min(repeats, default=1) < 0:
        node.fail(f"repeats shape {value.shape} {repeats} times; export it again")
    node.require_entries(math.prod(value.shape) * math.prod(repeats))
    return move(node, value, lambda x: np.tile(x, repeats))


def _depth_to_space(node: Node) -> Value:
    value, block = node.value(0), int(node.attributes.get("blocksize", 0))
    n, c, h, w = _image_shape(node, value, block)
    if c % block**2:
        node.fail(f"divides {c} channels into blocks of {block}; export it again")
    deep = c // block**2
    if node.attributes.get("mode", b"DCR") == b"CRD":
        split, order = (n, deep, block, block, h, w), (0, 1, 4, 2, 5, 3)
    else:
        split, order = (n, block, block, deep, h, w), (0, 3, 4, 1, 5, 2)
    shape = (n, deep, h * block, w * block)
    return move(node, value, lambda x: x.reshape(split).transpose(order).reshape(shape))


def _space_to_depth(node: Node) -> Value:
    value, block = node.value(0), int(node.attributes.get("blocksize", 0))
    n, c, h, w = _image_shape(node, value, block)
    split = (n, c, h // block, block, w // block, block)
    shape = (n, c * block**2, h // block, w // block)
    return move(node, value, lambda x: x.reshape(split).transpose(0, 3, 5, 1, 2, 4).reshape(shape))


def _image_shape(node: Node, value: Image | Array, block: int) -> tuple[int, int, int, int]:
    if len(value.shape) != 4 or block < 1:
        node.fail(f"has blocks of {block} on shape {value.shape}; export it again")
    n, c, h, w = value.shape
    return n, c, h, w


def _split(node: Node) -> list[Value]:
    value = node.value(0)
    axis = node.axis(len(value.shape), 0)
    length = value.shape[axis]
    sizes = node.integers("split", 1, since=13)
    if sizes is None:
        part = math.ceil(length / node.outputs)
        sizes = tuple(min(part, length - part * i) for i in range(node.outputs))
    if len(sizes) != node.outputs or sum(sizes) != length or min(sizes) < 0:
        node.fail(f"splits {length} entries into parts of {sizes}; export it again")
    ends = np.cumsum(sizes)
    places = [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    return [move(node, value, partial(np.take, indices=part, axis=axis)) for part in places]


def _pad(node: Node) -> Value:
    value = node.value(0)
    rank = len(value.shape)
    mode = node.attributes.get("mode", b"constant").decode("ascii", "replace")
    if mode not in ("constant", "edge", "reflect", "wrap"):
        node.fail(f"has the padding mode {mode!r}, which does not exist; export it again")
    pads = node.integers("pads", 1, since=11)
    filler = node.constant(2, "its value") if node.has(2) else node.attributes.get("value", 0.0)
    axes = node.integers("axes", 3, since=18) if node.opset >= 18 else None
    axes = tuple(range(rank)) if axes is None else axes
    if pads is None or len(pads) != 2 * len(axes):
        node.fail(f"has pads {pads} for {len(axes)} axes; export it again")
    widths = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        widths[axis] = (pads[i], pads[i + len(axes)])
    node.require_entries(
        math.prod(n + abs(a) + abs(b) for n, (a, b) in zip(value.shape, widths, strict=True))
    )
    if min(pads, default=0) < 0:  # what is negative cuts
        cut = tuple(
            slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(value.shape, widths, strict=True)
        )
        value = node.folder.take(value, value.grid[cut]) if isinstance(value, Image) else value[cut]
        widths = [(max(0, a), max(0, b)) for a, b in widths]
    if mode != "constant":
        return move(node, value, lambda x: np.pad(x, widths, mode=mode))
    number = float(np.ravel(filler)[0])
    if not isinstance(value, Image):
        return np.pad(value, widths, constant_values=np.asarray(number, value.dtype))
    padded = node.folder.take(value, np.pad(value.grid, widths, constant_values=-1))
    if not number:
        return padded
    return node.folder.shift(padded, np.pad(np.zeros(value.shape), widths, constant_values=number))


def _constant(node: Node) -> Value:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in node.attributes:
            kind = np.int64 if "int" in name else np.float64
            found = node.attributes[name]
            return np.asarray(found, dtype=None if name == "value" else kind)
    return node.fail("holds no number; export it again")


def _constant_of_shape(node: Node) -> Value:
    shape = node.integers("shape", 0, since=0)
    if shape is None:
        node.fail("has no shape; export it again")
    filler = node.attributes.get("value", np.zeros(1))
    node.require_entries(math.prod(shape))
    return np.full(shape, np.ravel(filler)[0])


def _shape(node: Node) -> Value:
    shape = node.value(0).shape
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    return np.array(shape[start:end], dtype=np.int64)


HANDLERS: dict[str, Handler] = {
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DepthToSpace": _depth_to_space,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Identity": _identity,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
