"""Stages: affine maps of the outputs of earlier stages, each followed by a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.core.gate import Gate, LinearGate, ReLUGate
from milpcount.core.matrix import Matrix, checked_matrix, dense, finite_array, times
from milpcount.errors import NetworkError

__all__ = ["Stage"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """Pre-activations ``sum_k weights[k] h^(reads[k]) + bias``, and what passes them on.

    Attributes:
        reads: what the stage reads, ascending: 0 is the input, ``k`` the outputs of stage ``k``
            (counted from 1).
        weights: one matrix for each of ``reads``, of shape ``(units, width of what is read)``.
        bias: shape ``(units,)``.
        gate: what the units do with their pre-activations.
    """

    reads: tuple[int, ...]
    weights: tuple[Matrix, ...]
    bias: Float
    gate: Gate

    @property
    def width(self) -> int:
        """Number of units, those without a state among them."""
        return int(self.bias.shape[0])

    @property
    def slope(self) -> Float:
        """The factor of each unit on pre-activations that are not positive; 1 if linear."""
        return self.gate.slope

    @property
    def linear(self) -> NDArray[np.bool_]:
        """Which units have no state."""
        return self.gate.linear

    @property
    def n_states(self) -> int:
        """Number of units with a state."""
        return self.width - int(np.count_nonzero(self.linear))

    @property
    def is_linear(self) -> bool:
        """Whether no unit has a state."""
        return self.n_states == 0

    @property
    def is_leaky(self) -> bool:
        """Whether any unit with a state passes something on while inactive."""
        return bool(np.any(self.slope[~self.linear] != 0))

    @property
    def weight(self) -> Float:
        """The only matrix, dense, of a stage that reads one thing.

        Raises:
            NetworkError: it reads several.
        """
        if len(self.weights) != 1:
            raise NetworkError(f"a stage that reads {_listed(self.reads)} has no single matrix")
        return dense(self.weights[0])

    def preactivation(self, outputs: Sequence[Float]) -> Float:
        """In float64 (rounded), of the input and the outputs of the stages before."""
        first, *others = (
            times(w, outputs[k]) for k, w in zip(self.reads, self.weights, strict=True)
        )
        return np.asarray(sum(others, first) + self.bias)

    def activate(self, preactivation: Float) -> Float:
        """Outputs of the units, element by element on the last axis."""
        active = preactivation > 0
        return np.where(active, preactivation, self.slope * preactivation)

    def as_relu(self) -> Stage:
        """The stage with plain ReLUs: an output whose units count."""
        return Stage(self.reads, self.weights, self.bias, ReLUGate(np.zeros(self.width)))

    def checked(self, what: str, widths: Sequence[int]) -> Stage:
        """The stage with arrays that nobody can change.

        Arguments:
            what: its name in messages.
            widths: of the input and of the stages before this one.

        Raises:
            NetworkError: it reads nothing, itself or a later stage, or shapes do not fit.
        """
        reads = tuple(int(k) for k in self.reads)
        if not reads:
            raise NetworkError(f"{what} reads nothing; a constant belongs into a bias")
        if list(reads) != sorted(set(reads)):
            raise NetworkError(f"{what} reads {_listed(reads)}; name each stage once, ascending")
        wrong = next((k for k in reads if not 0 <= k < len(widths)), None)
        if wrong is not None:
            which = "itself" if wrong == len(widths) else f"stage {wrong}"
            raise NetworkError(
                f"{what} reads {which}; a stage reads the input (0) and stages before it"
            )
        if len(self.weights) != len(reads):
            raise NetworkError(f"{what} reads {_listed(reads)} with {len(self.weights)} matrices")
        bias = finite_array(self.bias, f"{what}: its bias", 1)
        matrices = []
        for k, weight in zip(reads, self.weights, strict=True):
            name = "the input" if k == 0 else f"stage {k}"
            matrix = checked_matrix(weight, f"{what}: its weights on {name}")
            if matrix.shape != (len(bias), widths[k]):
                raise NetworkError(
                    f"{what} has {len(bias)} units and reads {name} of width {widths[k]} with a "
                    f"matrix of shape {matrix.shape} (weights are stored as (out, in))"
                )
            matrices.append(matrix)
        if len(bias) == 0:
            raise NetworkError(f"{what} has no units")
        if isinstance(self.gate, ReLUGate):
            slope = finite_array(self.gate.slope, f"{what}: its slopes", 1)
            fits = slope.shape == self.gate.linear.shape == bias.shape
        else:
            fits = self.gate.units == len(bias)
        if not fits:
            raise NetworkError(f"{what} has {len(bias)} units and a gate of another width")
        # A gate all of whose units are linear is written in one way.
        gate = LinearGate(len(bias)) if bool(self.gate.linear.all()) else self.gate
        return Stage(reads, tuple(matrices), bias, gate)


def _listed(reads: Sequence[int]) -> str:
    return ", ".join(str(k) for k in reads)
