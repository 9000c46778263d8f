"""ONNX operators that enlarge or shrink spatial axes by taking the nearest entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.onnx.moves import move
from milpcount.importers.onnx.node import Handler, Node, Value

__all__ = ["HANDLERS"]

Index = NDArray[np.int64]

_LONGEST = 100_000  # entries of an axis, whose places are found one by one


def _resize(node: Node) -> Value:
    value = node.value(0)
    rank = len(value.shape)
    old = node.op == "Upsample" or node.opset < 11
    mode = node.attributes.get("mode", b"nearest")
    if mode != b"nearest":
        node.fail(
            f"resizes by {mode.decode('ascii', 'replace')!r}; only the nearest entry is taken, "
            "export it with mode nearest"
        )
    scales = _floats(node, 1 if old else 2)
    sizes = None if old else node.integers("sizes", 3, since=0)
    axes = tuple(int(a) % rank for a in node.attributes.get("axes") or range(rank))
    given = sizes if sizes else scales
    if given is None or len(given) != len(axes):
        node.fail(f"has neither {rank} scales nor {rank} sizes; export it again")
    shape, factors = list(value.shape), [Fraction(1)] * rank
    for axis, number in zip(axes, given, strict=True):
        if number <= 0 or not math.isfinite(number):
            node.fail(f"resizes by {number}; export it again")
        if sizes:
            shape[axis], factors[axis] = int(number), Fraction(int(number), value.shape[axis])
        else:
            shape[axis] = math.floor(Fraction(number) * value.shape[axis])
            factors[axis] = Fraction(number)
    if sizes and node.attributes.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        node.fail("keeps an aspect ratio; export it with the sizes themselves")
    node.require_entries(math.prod(shape))
    if max(shape) > _LONGEST:
        node.fail(f"resizes an axis to {max(shape)} entries, over the limit of {_LONGEST}")
    where = (
        b"asymmetric"
        if old
        else node.attributes.get("coordinate_transformation_mode", b"half_pixel")
    )
    rounded = b"floor" if old else node.attributes.get("nearest_mode", b"round_prefer_floor")
    result: Value = value
    for axis, (long, factor) in enumerate(zip(shape, factors, strict=True)):
        if long != value.shape[axis] or factor != 1:
            places = _nearest(node, value.shape[axis], long, factor, where, rounded)
            taken = partial(np.take, indices=places, axis=axis)
            result = move(node, result, taken)  # type: ignore[arg-type]
    return result


def _floats(node: Node, position: int) -> Sequence[float] | None:
    if "scales" in node.attributes:
        return [float(s) for s in node.attributes["scales"]]
    if not node.has(position):
        return None
    scales = np.ravel(node.constant(position, "its scales")).astype(np.float64)
    return scales.tolist() or None


def _nearest(
    node: Node, size: int, long: int, factor: Fraction, where: bytes, rounded: bytes
) -> Index:
    """The place of the old axis that each place of the new one takes, in exact arithmetic."""
    half, places = Fraction(1, 2), []
    for x in range(long):
        match where:
            case b"asymmetric":
                at = x / factor
            case b"half_pixel":
                at = (x + half) / factor - half
            case b"pytorch_half_pixel":
                at = (x + half) / factor - half if long > 1 else Fraction(0)
            case b"align_corners":
                at = Fraction(x * (size - 1), long - 1) if long > 1 else Fraction(0)
            case _:
                node.fail(f"has coordinates {where!r}, which are not read; export it otherwise")
        match rounded:
            case b"floor":
                place = math.floor(at)
            case b"ceil":
                place = math.ceil(at)
            case b"round_prefer_ceil":
                place = math.floor(at + half)
            case b"round_prefer_floor":
                place = math.ceil(at - half)
            case _:
                node.fail(f"rounds by {rounded!r}, which does not exist; export it again")
        places.append(min(max(place, 0), size - 1))
    return np.array(places, dtype=np.int64)


HANDLERS: dict[str, Handler] = {"Resize": _resize, "Upsample": _resize}
