"""Functions of PyTorch on stand-ins that compare, and choose by comparisons or by constants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.torch.arithmetic import plus, times
from milpcount.importers.torch.reshaping import require_entries
from milpcount.importers.torch.trace_walk import Function, Walk
from milpcount.importers.unit_ops import choose, pick
from milpcount.importers.values import Choice

__all__ = ["FUNCTIONS", "chosen"]

Float = NDArray[np.float64]


def _above(walk: Walk, a: Any, b: Any) -> Any:
    return Choice(plus(walk, walk.value(a), times(walk, walk.value(b), -1.0)))


def _below(walk: Walk, a: Any, b: Any) -> Any:
    return _above(walk, b, a)


def _not(walk: Walk, a: Any) -> Any:
    value = walk.any_value(a)
    if not isinstance(value, Choice):
        walk.fail("negates what is no comparison")
    return Choice(value.sign, not value.otherwise)


def _where(walk: Walk, condition: Any, a: Any = None, b: Any = None) -> Any:
    if a is None or b is None:
        walk.fail("gives places, which depend on the input")
    first, second = walk.value(a), walk.value(b)
    choice = walk.any_value(condition)
    if isinstance(choice, Choice):
        return chosen(walk, choice, first, second)
    mask = walk.constant(condition, "a condition") != 0
    if not (isinstance(first, Image) or isinstance(second, Image)):
        walk.fail("chooses between values that do not depend on the input")
    shape = np.broadcast_shapes(mask.shape, first.shape, second.shape)
    require_entries(walk, 2 * math.prod(shape))
    return pick(walk.folder, mask, first, second)


def _masked_fill(walk: Walk, input: Any, mask: Any, value: Any) -> Any:
    return _where(walk, mask, value, input)


def chosen(walk: Walk, choice: Choice, first: Image | Float, second: Image | Float) -> Image:
    """``first`` where the choice is true, and ``second`` elsewhere."""
    if choice.otherwise:
        first, second = second, first
    return choose(walk.folder, choice.sign, first, second)


FUNCTIONS: dict[str, Function] = {
    **dict.fromkeys(("ge", "greater", "greater_equal", "gt"), _above),
    **dict.fromkeys(("le", "less", "less_equal", "lt"), _below),
    **dict.fromkeys(("bitwise_not", "invert", "logical_not"), _not),
    "masked_fill": _masked_fill,
    "where": _where,
}
