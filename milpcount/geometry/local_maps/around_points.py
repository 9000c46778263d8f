"""``local_maps``: the maps around many inputs, of PyTorch modules and of networks alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from milpcount.arguments import network_of
from milpcount.errors import InputError, MissingDependencyError
from milpcount.geometry.local_maps.map_array import LocalMaps
from milpcount.importers.torch.module import is_module

__all__ = ["local_maps"]


def local_maps(
    net: Any,
    points: Any,
    *,
    batch: int = 500,
    dtype: DTypeLike | None = None,
    outputs: Sequence[int] | None = None,
    input_shape: Sequence[int] | None = None,
    out: NDArray[Any] | None = None,
) -> LocalMaps:
    """Compute the affine map that a network is around each of many points, for every output.

    Any piecewise linear PyTorch module is taken as it is: one backward pass an output over a batch
    gives the gradients, and the offset is ``f(x) - J x``.  Convolutions, pools (also the
    largest of a window), sums, concatenations, batch normalisation in evaluation mode are among
    what it may be made of.  Any other network is taken through :func:`milpcount.load_network`:
    the patterns of the points are decided exactly and the maps composed, to 1e-12 of the largest
    entry of a gradient.

    Arguments:
        net: the module, a network, or what :func:`milpcount.load_network` reads.
        points: one along the first axis, in the shape that a module takes, or a row each with
            ``input_shape``.
        batch: points at a time, which bounds the memory taken beside that of the result.
        dtype: ``"float32"`` or ``"float64"``; None for a module's own precision, float64 for a
            network.  A module of another precision is copied to float64 if that is named.
        outputs: which outputs, by place; all if None.
        input_shape: the shape of a point as a module takes it, for points that are given as rows.
        out: an array to write to, of the result's shape and precision (a ``numpy.memmap``, say).

    Returns:
        An array of shape ``(outputs, points, d + 1)``; its ``on_boundary`` says for each point
        whether it lies exactly on a boundary: the argument of some ReLU is 0, or two entries of a
        window are largest.  Its map is then that of PyTorch's convention (the gradient of a ReLU
        at 0 is 0; the first of equal ones is the largest).

    Raises:
        NetworkError: a part that is not piecewise linear, by name; a module in training mode
            that computes something else in it; a forward that fails or mixes points.
        DomainError: points of another shape, or not finite.
        InputError: another argument that cannot be used.
    """
    if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
        raise InputError(f"batch: points at a time, at least 1, not {batch!r}")
    kind = _kind(dtype)
    if is_module(net):
        try:
            from milpcount.geometry.local_maps.module_maps import maps_of_module
        except ModuleNotFoundError as error:
            raise MissingDependencyError("torch", "local maps of a module", "torch") from error
        return maps_of_module(
            net, points, batch=int(batch), kind=kind, outputs=outputs, shape=input_shape, out=out
        )
    if input_shape is not None:
        raise InputError("input_shape is for PyTorch modules; give the points as rows")
    from milpcount.geometry.local_maps.network_maps import maps_of_network

    return maps_of_network(
        network_of(net), points, batch=int(batch), outputs=outputs, kind=kind, out=out
    )


def _kind(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    if dtype is None:
        return None
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"dtype: float32 or float64, not {dtype!r}") from error
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise InputError(f"dtype: float32 or float64, not {dtype!r}")
    return kind
