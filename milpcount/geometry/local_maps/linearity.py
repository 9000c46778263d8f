"""A test of piecewise linearity: along random directions, with steps that grow smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InputError, NetworkError
from milpcount.geometry.local_maps.map_array import checked_points
from milpcount.importers.torch.module import is_module

if TYPE_CHECKING:
    from milpcount.geometry.local_maps.module_maps import MapModule

__all__ = ["PiecewiseLinearity", "check_piecewise_linear"]

# Steps as parts of the size of a point, from large to small.
_STEPS = (1e-2, 1e-3, 1e-4, 1e-5)
# Of the sizes of f(x) and J x: ample for rounding, and far below the curvature of a smooth
# activation over the smallest step.
_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class PiecewiseLinearity:
    """What the test saw.

    Attributes:
        holds: whether ``f(x + t v) = f(x) + t J v`` for some step in every direction from every
            point that is not on a boundary, and no operation is known to be smooth.
        points, directions: how many points, and directions from each.
        agrees: for each step the share of directions along which the equation holds.
        steps: the steps, as parts of the size of a point.
        largest_error: the largest difference with the smallest step, as a part of the size of
            ``f(x)`` and ``J x``, of points that are not on a boundary.
        failed: the points from which it fails with every step, in order.
        on_boundary: for each point whether it lies exactly on a boundary, where no single map
            holds; such points are not judged.
        smooth: operations that are not piecewise linear, with the modules that compute them.
    """

    holds: bool
    points: int
    directions: int
    agrees: tuple[float, ...]
    steps: tuple[float, ...]
    largest_error: float
    failed: tuple[int, ...]
    on_boundary: NDArray[np.bool_]
    smooth: tuple[str, ...]

    def __str__(self) -> str:
        head = "piecewise linear" if self.holds else "not piecewise linear"
        more = [f"{self.points} points with {self.directions} directions each"]
        if self.failed:
            more.append(f"{len(self.failed)} points fail, the first is point {self.failed[0]}")
        if self.on_boundary.any():
            more.append(f"{int(self.on_boundary.sum())} points lie on a boundary and are left out")
        return "; ".join([head, *more, *self.smooth])


def check_piecewise_linear(
    module: Any,
    points: Any,
    *,
    directions: int = 8,
    seed: int = 0,
    input_shape: Sequence[int] | None = None,
) -> PiecewiseLinearity:
    """Test ``f(x + t v) = f(x) + t J v`` for random directions ``v``, in float64.

    A piecewise linear function passes with every step ``t`` that stays in the region of ``x``; a
    smooth one fails with all that rounding does not hide.  Four steps are taken, from 1e-2 to 1e-5
    of the size of the point, forwards and backwards; a direction passes if one of them does.  A
    function that is curved by less than rounding shows cannot be told from a linear one.

    Arguments:
        module: a PyTorch module.
        points: one along the first axis.
        directions: from each point, normally distributed.
        seed: of the directions.
        input_shape: the shape of a point as the module takes it, for points that are given as rows.

    Raises:
        NetworkError: training mode where that matters, or a forward that fails.
        DomainError: points of another shape, or not finite.
        InputError: a number of directions below 1.
    """
    if isinstance(directions, bool) or not isinstance(directions, int) or directions < 1:
        raise InputError(f"directions: at least 1, not {directions!r}")
    ready, rows = _prepared(module, points, input_shape)
    import torch

    x = ready.tensor(rows).requires_grad_()
    y, watch = ready.run(x, strict=False)
    ready.require_apart(x)
    count = y.shape[1]
    generator = torch.Generator().manual_seed(seed)
    size = x.detach().reshape(len(x), -1).abs().amax(dim=1).clamp_min(1e-3)
    agree = torch.zeros(len(_STEPS), directions, len(x), dtype=torch.bool)
    errors = torch.zeros(directions, len(x), dtype=torch.float64)
    if y.requires_grad:
        slopes = [
            torch.autograd.grad(y[:, j].sum(), x, retain_graph=j + 1 < count, allow_unused=True)[0]
            for j in range(count)
        ]
    else:
        slopes = [None] * count
    jacobian = torch.stack(
        [torch.zeros_like(x) if s is None else s for s in slopes], dim=1
    ).reshape(len(x), count, -1)
    value, flat = y.detach(), x.detach().reshape(len(x), -1)
    scale = value.abs() + (jacobian.abs() @ flat.abs().unsqueeze(2)).squeeze(2)
    scale = scale.amax(dim=1).clamp_min(1e-300)
    with torch.no_grad():
        for k in range(directions):
            v = torch.randn(flat.shape, generator=generator, dtype=torch.float64).to(flat.device)
            rate = (jacobian @ v.unsqueeze(2)).squeeze(2)
            for s, step in enumerate(_STEPS):
                t = (step * size).unsqueeze(1)
                # Close to a boundary one of the two senses leads away from it.
                error = (
                    torch.minimum(
                        *(
                            (ready.outputs((flat + r * v).reshape(x.shape)) - value - r * rate)
                            .abs()
                            .amax(dim=1)
                            for r in (t, -t)
                        )
                    )
                    / scale
                )
                agree[s, k] = (error <= _TOLERANCE).cpu()
            errors[k] = error.cpu()
    judged = ~watch.touched.cpu()
    failed = torch.nonzero(~agree.any(dim=0).all(dim=0) & judged).reshape(-1).tolist()
    smooth = tuple(dict.fromkeys(watch.smooth))
    return PiecewiseLinearity(
        holds=not failed and not smooth,
        points=len(x),
        directions=directions,
        agrees=tuple(agree.double().mean(dim=(1, 2)).tolist()),
        steps=_STEPS,
        largest_error=float(errors[:, judged].max()) if bool(judged.any()) else 0.0,
        failed=tuple(failed),
        on_boundary=watch.touched.cpu().numpy(),
        smooth=smooth,
    )


def _prepared(
    module: Any, points: Any, shape: Sequence[int] | None
) -> tuple[MapModule, NDArray[Any]]:
    if not is_module(module):
        raise NetworkError(
            f"a {type(module).__name__} is no PyTorch module; networks that load_network reads are "
            "piecewise linear by what they are"
        )
    from milpcount.geometry.local_maps.module_maps import MapModule

    return MapModule.of(module, True, shape), checked_points(points)
