"""Operations of ``keras.ops`` on arrays: what moves entries, brings them together, chooses them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.keras.context import Context, Handler
from milpcount.importers.products import einsum
from milpcount.importers.unit_ops import choose, pick
from milpcount.importers.values import Choice
from milpcount.importers.windows import require_entries

__all__ = ["ARRAY_OPS", "joined"]

Index = NDArray[np.int64]


def _moved(how: Callable[[Index, Any], Index]) -> Handler:
    """A handler that takes the entries whose numbers ``how`` makes of all, with the layer."""

    def handler(context: Context, x: Any) -> Any:
        image = context.image(x)
        return context.folder.take(image, how(image.grid, context.layer))

    return handler


def joined(context: Context, values: Any, axis: int) -> Image:
    """Tensors, constants among them, along a new axis."""
    sides: list[Any] = []
    for value in values:
        side = context.operand(value)
        if isinstance(side, Image):
            side = context.folder.take(side, np.expand_dims(side.grid, axis))
        else:
            side = np.expand_dims(side, axis)
        sides.append(side)
    return context.folder.concat(sides, axis % len(sides[0].shape))


def _stack(context: Context, values: Any) -> Any:
    return joined(context, values, int(context.layer.axis))


def _split(context: Context, x: Any) -> Any:
    image, where = context.image(x), context.layer.indices_or_sections
    given = int(where) if isinstance(where, int) else [int(n) for n in where]
    parts = np.split(image.grid, given, axis=int(context.layer.axis))
    return [context.folder.take(image, part) for part in parts]


def _einsum(context: Context, *operands: Any) -> Any:
    return einsum(context.folder, context.layer.subscripts, [context.operand(v) for v in operands])


def _compared(context: Context, a: Any, b: Any) -> Any:
    """Where ``a`` is greater than ``b``."""
    x, y = context.operand(a), context.operand(b)
    folder = context.folder
    if isinstance(y, Image):
        negated = folder.scale(y, -1.0)
        return Choice(folder.add(x, negated) if isinstance(x, Image) else folder.shift(negated, x))
    return Choice(folder.shift(context.image(x), -y))


def _compared_below(context: Context, a: Any, b: Any) -> Any:
    return _compared(context, b, a)


def _where(context: Context, condition: Any, a: Any, b: Any) -> Any:
    first, second = context.operand(a), context.operand(b)
    if isinstance(condition, Choice):
        return choose(context.folder, condition.sign, first, second)
    mask = np.asarray(context.operand(condition)) != 0
    require_entries(
        context.folder, 2 * math.prod(np.broadcast_shapes(mask.shape, first.shape, second.shape))
    )
    return pick(context.folder, mask, first, second)


ARRAY_OPS: dict[str, Handler] = {
    "Einsum": _einsum,
    "Flip": _moved(lambda x, layer: np.flip(x, layer.axis)),
    **dict.fromkeys(("Greater", "GreaterEqual"), _compared),
    **dict.fromkeys(("Less", "LessEqual"), _compared_below),
    "Moveaxis": _moved(lambda x, layer: np.moveaxis(x, layer.source, layer.destination)),
    "Split": _split,
    "Stack": _stack,
    "Swapaxes": _moved(lambda x, layer: np.swapaxes(x, layer.axis1, layer.axis2)),
    "Where": _where,
}
"""Handlers of operations by class."""
