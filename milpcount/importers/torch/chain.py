"""The stages of a PyTorch module, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image

__all__ = ["EXPORT", "Chain", "Step"]

Float = NDArray[np.float64]

EXPORT = "export the module to ONNX (torch.onnx.export) and load that file"
"""The way out for modules that are not chains of linear layers and ReLUs."""


@dataclass(frozen=True)
class Step:
    """One stage of a chain.

    Attributes:
        place: kind and name of the submodule or function.
        size: number of entries that it needs, None for any.
        run: what it does; None for an output head.
    """

    place: str
    size: int | None
    run: Callable[[Folder, Image], Image] | None


@dataclass
class Chain:
    """The stages of a module in order, and what the user should know about them."""

    label: str
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Remember a note once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_training(self) -> None:
        """Remember that the module is not in evaluation mode."""
        self.note(
            "the module is in training mode; it is read as in evaluation mode (Dropout off, "
            "BatchNorm with its running statistics)"
        )

    def linear(self, place: str, weight: Any, bias: Any) -> None:
        """Append ``x -> W x + b`` with torch tensors."""
        matrix = self.array(weight, place)
        constant = np.zeros(len(matrix)) if bias is None else self.array(bias, place)
        shape = constant.shape
        self.steps.append(
            Step(place, matrix.shape[1], lambda f, x: f.apply(x, None, matrix, constant, shape))
        )

    def relu(self, place: str, slope: float | Float = 0.0) -> None:
        """Append units; ``slope`` is a number or one per unit."""
        self.steps.append(Step(place, None, lambda f, x: f.relu(x, slope)))

    def head(self, place: str) -> None:
        """Append an output head."""
        self.steps.append(Step(place, None, None))

    def reshape(self, place: str, size: int | None) -> None:
        """Append a change of shape, which moves nothing; ``size`` is checked."""
        self.steps.append(Step(place, size, lambda _, x: x))

    def array(self, tensor: Any, place: str) -> Float:
        """A parameter, widened to float64 without rounding."""
        import torch

        if torch.nn.parameter.is_lazy(tensor) or tensor.is_meta:
            raise NetworkError(f"{self.label}: {place} has no weights yet; initialise it first")
        if not tensor.is_floating_point() or tensor.layout is not torch.strided:
            raise NetworkError(
                f"{self.label}: {place} has weights of type {tensor.dtype}, {tensor.layout}; "
                "dense real floats are needed"
            )
        widened = tensor.detach().to(device="cpu", dtype=torch.float64)
        return np.array(widened.numpy(), dtype=np.float64)
