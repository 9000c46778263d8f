"""Local maps of PyTorch modules: one backward pass an output over a batch of inputs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from milpcount.errors import DomainError, InputError, NetworkError
from milpcount.geometry.local_maps.boundary_watch import BoundaryWatch
from milpcount.geometry.local_maps.map_array import (
    LocalMaps,
    checked_points,
    chosen_outputs,
    room,
    wrapped,
)
from milpcount.importers.torch.module import require_plain

__all__ = ["MapModule", "maps_of_module"]

# Samples of a batch are computed apart up to rounding, for which this is ample.
_APART = {torch.float32: 1e-3, torch.float64: 1e-9}
# What the forward of somebody's module raises on an input that does not fit.
_RAISED = (AssertionError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class MapModule:
    """A module that is ready for local maps.

    Attributes:
        module: in evaluation mode and in ``dtype``.
        label: its name in messages.
        dtype: of its parameters and of the points.
        shape: of a point as the module takes it; None: as the points are given.
    """

    module: Any
    label: str
    dtype: Any
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, module: Any, double: bool, shape: Sequence[int] | None) -> MapModule:
        """Check a module; a copy of it in float64 where that is asked for and it is not.

        Raises:
            NetworkError: training mode where that matters, a compiled or empty module, or
                parameters of another precision.
        """
        label = type(module).__name__
        require_plain(torch, module, label)
        for path, part in module.named_modules():
            if part.training and _trains(part):
                raise NetworkError(
                    f"{label}: {path or 'the module'} ({type(part).__name__}) is in training mode, "
                    "in which it is no function of one input; call module.eval() first"
                )
        floats = {p.dtype for p in module.parameters() if p.is_floating_point()}
        floats |= {b.dtype for b in module.buffers() if b.is_floating_point()}
        dtype = torch.float64 if double or floats == {torch.float64} else torch.float32
        if double and floats - {torch.float64}:
            module = copy.deepcopy(module).double()
        elif not double and floats - {dtype}:
            names = ", ".join(sorted(str(f).removeprefix("torch.") for f in floats))
            raise NetworkError(
                f"{label} has parameters of {names}; give dtype='float64', in which it is copied"
            )
        sizes = None if shape is None else _checked_shape(shape)
        return cls(module, label, dtype, sizes)

    def tensor(self, points: NDArray[Any]) -> Any:
        """Points as the module takes them."""
        first = next((p for p in self.module.parameters()), None)
        device = None if first is None else first.device
        # A copy: NumPy's arrays can be read-only, which tensors cannot.
        given = torch.tensor(np.ascontiguousarray(points), dtype=self.dtype, device=device)
        if self.shape is None:
            return given
        if given[0].numel() != int(np.prod(self.shape)):
            raise DomainError(
                f"the points have {given[0].numel()} coordinates, input_shape {self.shape} "
                f"{int(np.prod(self.shape))}"
            )
        return given.reshape(len(given), *self.shape)

    def outputs(self, x: Any) -> Any:
        """Outputs for a batch, shape ``(points, outputs)``.

        Raises:
            NetworkError: a forward that fails on these inputs, or another kind of result.
        """
        try:
            y = self.module(x)
        except NetworkError:
            raise
        except _RAISED as error:
            reason = str(error).strip().splitlines()
            raise NetworkError(
                f"{self.label} cannot be run on inputs of shape {tuple(x.shape[1:])}: "
                f"{reason[0] if reason else type(error).__name__}; give points, or input_shape, of "
                "the shape that it takes"
            ) from error
        if not isinstance(y, torch.Tensor) or y.ndim == 0 or y.shape[0] != len(x):
            got = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
            raise NetworkError(
                f"{self.label} gives {got} for {len(x)} points; wrap it in a module that gives one "
                "tensor with a row a point"
            )
        return y.reshape(len(x), -1)

    def run(self, x: Any, *, strict: bool = True) -> tuple[Any, BoundaryWatch]:
        """Outputs for a batch, and what was seen on the way."""
        watch = BoundaryWatch(self.module, self.label, x, strict=strict)
        with torch.enable_grad(), watch.running():
            return self.outputs(x), watch

    def require_apart(self, x: Any) -> None:
        """Refuse a module whose output for one point depends on the others.

        Raises:
            NetworkError: it does.
        """
        if len(x) < 2:
            return
        with torch.no_grad():
            alone, among = self.outputs(x[:1])[0], self.outputs(x[:2])[0]
        size = 1.0 + float(alone.abs().max())
        if float((alone - among).abs().max()) > _APART[self.dtype] * size:
            raise NetworkError(
                f"{self.label} gives another output for a point when another point is beside it; "
                "local maps are those of functions of one point"
            )


def maps_of_module(
    module: Any,
    points: Any,
    *,
    batch: int,
    kind: np.dtype[Any] | None,
    outputs: Sequence[int] | None,
    shape: Sequence[int] | None,
    out: NDArray[Any] | None,
) -> LocalMaps:
    """Local maps of a module; arguments as of :func:`.around_points.local_maps`."""
    ready = MapModule.of(module, kind == np.float64, shape)
    rows = checked_points(points)
    inputs = rows[0].size
    result: NDArray[Any] | None = None
    touched = np.zeros(len(rows), dtype=bool)
    chosen: list[int] = []
    for start in range(0, len(rows), batch):
        x = ready.tensor(rows[start : start + batch]).requires_grad_()
        y, watch = ready.run(x)
        if result is None:
            ready.require_apart(x)
            chosen = chosen_outputs(outputs, y.shape[1])
            own = np.dtype(np.float64 if ready.dtype == torch.float64 else np.float32)
            result = room(out, (len(chosen), len(rows), inputs + 1), kind or own)
        part = slice(start, start + len(x))
        touched[part] = watch.touched.cpu().numpy()
        if not y.requires_grad:
            raise NetworkError(
                f"{ready.label} gives outputs without a gradient; leave no_grad and detach out"
            )
        flat = x.detach().reshape(len(x), -1).double()
        for place, j in enumerate(chosen):
            (slope,) = torch.autograd.grad(
                y[:, j].sum(), x, retain_graph=place + 1 < len(chosen), allow_unused=True
            )
            slope = torch.zeros_like(x) if slope is None else slope
            slope = slope.reshape(len(x), -1)
            # In float64, and rounded once.
            offset = y[:, j].detach().double() - (slope.double() * flat).sum(dim=1)
            result[place, part, :-1] = slope.cpu().numpy()
            result[place, part, -1] = offset.cpu().numpy()
    if result is None:
        raise DomainError("there are no points")
    return wrapped(result, touched)


def _checked_shape(shape: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not sizes or any(not isinstance(n, int) or n < 1 for n in sizes):
        raise InputError(f"input_shape: {shape!r} is not a shape of a point, as (1, 28, 28)")
    return sizes


def _trains(part: Any) -> bool:
    """Whether a module computes something else in training mode."""
    modules = torch.nn.modules
    kinds = (
        modules.batchnorm._NormBase,
        modules.dropout._DropoutNd,
        torch.nn.RReLU,
    )
    return isinstance(part, kinds)
