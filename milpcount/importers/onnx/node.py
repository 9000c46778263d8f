"""One node of an ONNX graph as its handler sees it: values, attributes, errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.values import Choice, Head

__all__ = ["Array", "Handler", "Node", "Value"]

Array = NDArray[Any]
"""A constant: float64, int64 or bool; floats of other widths were widened without rounding."""


Value = Image | Array | Head | Choice
Handler = Callable[["Node"], "Value | list[Value]"]


@dataclass(frozen=True, eq=False)
class Node:
    """A node with its input values.

    Attributes:
        op: operator type.
        place: operator and name, for messages.
        inputs: values; None for an omitted optional input.
        attributes: decoded attributes; tensors are arrays already.
        opset: version of the default operator set.
        outputs: number of outputs.
        folder: does the arithmetic and remembers rounding.
    """

    op: str
    place: str
    inputs: tuple[Value | None, ...]
    attributes: dict[str, Any]
    opset: int
    outputs: int
    folder: Folder

    def fail(self, reason: str) -> NoReturn:
        """Refuse the node."""
        self.folder.fail(reason)

    def has(self, position: int) -> bool:
        """Whether the input is given."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def any_value(self, position: int) -> Value:
        """The input, which must be there."""
        value = self.inputs[position] if position < len(self.inputs) else None
        if value is None:
            self.fail(f"has no input {position}; the file is malformed, export it again")
        return value

    def value(self, position: int) -> Image | Array:
        """The input, which must be a tensor of numbers."""
        value = self.any_value(position)
        if isinstance(value, Head):
            raise NetworkError(
                f"{self.folder.name}: node {value.place} {value.reason}, and {self.place} "
                "comes after it; only an output head at the very end can be left out"
            )
        if isinstance(value, Choice):
            self.fail(
                "works on comparisons of what depends on the input; only a choice by them "
                "(Where) between values that agree on the boundary can be counted"
            )
        return value

    def constant(self, position: int, what: str) -> Array:
        """The input, which must not depend on the network's input."""
        value = self.value(position)
        if isinstance(value, Image):
            self.fail(
                f"has {what} computed from the network's input, which is not piecewise linear in "
                "the form counted here; export it with a constant"
            )
        return value

    def image(self, position: int) -> Image:
        """The input, which must depend on the network's input."""
        value = self.value(position)
        if not isinstance(value, Image):
            self.fail(
                "works on constants only, which this importer does not compute; "
                "simplify the graph before the export (for example with onnxsim)"
            )
        return value

    def integers(self, name: str, position: int, since: int) -> tuple[int, ...] | None:
        """Integers that are an attribute before opset ``since`` and an input from then on."""
        if self.opset < since or name in self.attributes:
            given = self.attributes.get(name)
            return None if given is None else tuple(int(i) for i in given)
        if not self.has(position):
            return None
        array = self.constant(position, f"its {name}")
        if array.dtype.kind != "i" or array.ndim > 1:
            self.fail(f"has {name} that are not a list of integers; export it again")
        return tuple(int(i) for i in np.atleast_1d(array))

    def axis(self, rank: int, default: int | None = None) -> int:
        """The attribute ``axis`` as a number in ``0..rank - 1``."""
        axis = self.attributes.get("axis", default)
        if axis is None or not -rank <= axis < rank:
            self.fail(f"has axis {axis} for a tensor of rank {rank}; export it again")
        return int(axis) % rank

    def require_entries(self, entries: int, each: int = 16) -> None:
        """Refuse a tensor or matrix with too many entries before it takes memory."""
        require_bytes(entries * each, f"{self.folder.name}: {self.folder.place}", NetworkError)

    def lengths(self, name: str, default: Sequence[int]) -> tuple[int, ...]:
        """An attribute of integers."""
        return tuple(int(v) for v in self.attributes.get(name) or default)

    def require_room(self, *values: Image | Array) -> tuple[int, ...]:
        """The shape that values are broadcast to; refuses those that it would blow up."""
        shape = np.broadcast_shapes(*(value.shape for value in values))
        self.require_entries(math.prod(shape))
        return shape
