"""The pre-activations of a PyTorch module's ReLUs, with gradients, in the order of the units.

A module is run as it is; what its ReLUs are applied to is noted on the way, whether they are
modules, functions or methods of tensors.
"""

from __future__ import annotations

from typing import Any

from milpcount.errors import MissingDependencyError, UnsupportedError

__all__ = ["TracedModule", "require_torch"]

# Functions with one kink, at 0.
_RELUS = (
    "relu", "relu_", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "rrelu_", "threshold",
    "threshold_",
)  # fmt: skip
# Functions with other kinks, or more.
_OTHERS = (
    "relu6", "hardtanh", "hardtanh_", "hardsigmoid", "hardswish", "hardshrink", "softshrink",
    "clamp", "clamp_", "clip", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "abs", "abs_",
    "absolute", "max_pool1d", "max_pool2d", "max_pool3d", "maximum", "minimum", "where", "amax",
    "amin", "fmax", "fmin",
)  # fmt: skip


def require_torch() -> Any:
    """The package.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingDependencyError("torch", "a differentiable complex", "torch") from error
    return torch


class TracedModule:
    """A module in double precision, as a function of its own parameters."""

    def __init__(self, module: Any, shape: tuple[int, ...] | None = None) -> None:
        """``shape`` is that of one sample, None for a vector."""
        self._torch = require_torch()
        self._module, self._shape = module, shape

    def run(self, inputs: Any) -> tuple[Any, Any]:
        """``(units, outputs)`` at points of shape ``(points, inputs)``, one row a point.

        Raises:
            UnsupportedError: an activation with other kinks than one at 0.
        """
        torch = self._torch
        seen: list[Any] = []

        class _Noting(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                name = getattr(func, "__name__", "")
                if name in _RELUS:
                    # It may be overwritten.
                    seen.append(args[0].clone())
                elif name in _OTHERS:
                    raise UnsupportedError(
                        f"{name} has other kinks than one at 0: vertices carry gradients for "
                        "ReLU, leaky and parametric ReLU; write it with these"
                    )
                return func(*args, **(kwargs or {}))

        # Casting is differentiable: gradients come back in the module's own precision.  Copies, so
        # that a step of an optimiser leaves them as they were.
        state = {
            name: value.double().clone() if value.is_floating_point() else value
            for name, value in [*self._module.named_parameters(), *self._module.named_buffers()]
        }
        points = len(inputs)
        batch = inputs if self._shape is None else inputs.reshape(points, *self._shape)
        training = self._module.training
        self._module.eval()
        try:
            with _Noting():
                outputs = torch.func.functional_call(self._module, state, (batch,))
        finally:
            self._module.train(training)
        rows = [value.flatten(1) for value in seen]
        units = torch.cat(rows, dim=1) if rows else inputs.new_zeros((points, 0))
        return units, outputs.flatten(1)
