"""One layer of a Keras model as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image, same_entries
from milpcount.importers.values import Choice, Head

__all__ = ["HEADS", "Context", "Handler"]

Float = NDArray[np.float64]
Handler = Callable[..., Any]

HEADS = frozenset(
    {
        *("celu", "elu", "exp", "exponential", "gelu", "hard_silu", "hard_swish", "log_sigmoid"),
        *("log_softmax", "mish", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign"),
        *("sparsemax", "squareplus", "swish", "tanh", "tanh_shrink"),
    }
)
"""Activations that are not piecewise linear, by name."""

_AFTER = frozenset(
    {
        *("Activation", "Add", "Divide", "Dropout", "Exp", "Flatten", "Identity", "Multiply"),
        *("Negative", "Rescaling", "Reshape", "Sigmoid", "Softmax", "Softplus", "Squeeze"),
        *("Subtract", "Sum", "Tanh", "TrueDivide", "UnitNormalization", "ExpandDims", "Permute"),
    }
)
"""Layers and operations that a head may go on with."""


@dataclass(frozen=True, eq=False)
class Context:
    """A layer and what computes.

    Attributes:
        folder: does the arithmetic.
        layer: the layer or operation.
    """

    folder: Folder
    layer: Any

    def refuse(self, what: str = "is not known to be piecewise linear") -> NoReturn:
        """Refuse the layer."""
        self.folder.fail(f"{what}; take it out or replace it")

    def image(self, value: Any) -> Image:
        """A tensor that depends on the input."""
        if isinstance(value, Head):
            raise NetworkError(
                f"{self.folder.name}: {value.place} {value.reason}, and {self.folder.place} comes "
                "after it; only an output head at the very end can be left out"
            )
        if isinstance(value, Choice):
            self.refuse("works on comparisons, of which only a choice (ops.where) is read")
        if not isinstance(value, Image):
            self.refuse("does not work on what depends on the input")
        return value

    def operand(self, value: Any) -> Image | Float:
        """A tensor or a constant."""
        if isinstance(value, Image | Head | Choice):
            return self.image(value)
        return self.array(value)

    def array(self, value: Any) -> Float:
        """A variable or constant, widened to float64 without rounding."""
        import keras

        if isinstance(value, bool | int | float):
            return np.asarray(float(value))
        held = value.value if isinstance(value, keras.Variable) else value
        if hasattr(held, "detach"):  # a tensor of torch, which knows best
            return np.array(held.detach().cpu().double().numpy())
        return np.asarray(keras.ops.convert_to_numpy(held)).astype(np.float64)

    def activated(self, image: Image) -> Any:
        """What the layer's activation makes of its result."""
        from milpcount.importers.keras.activations import activate

        return activate(self, getattr(self.layer, "activation", None), image)

    def head(self, image: Image) -> Head:
        """An output head."""
        return Head(image, image.shape, self.folder.place)

    def heads(self, args: list[Any]) -> list[Head]:
        """The heads among the arguments."""
        flat = [p for a in args for p in (a if isinstance(a, list | tuple) else [a])]
        return [part for part in flat if isinstance(part, Head)]

    def after_head(self, args: list[Any]) -> Head:
        """The head that goes on with the layer."""
        first = self.heads(args)[0]
        if type(self.layer).__name__ not in _AFTER:
            self.image(first)
        flat = [p for a in args for p in (a if isinstance(a, list | tuple) else [a])]
        for part in flat:
            source = part.source if isinstance(part, Head) else part
            if isinstance(source, Image) and not same_entries(source, first.source):
                self.image(first)
        return first
