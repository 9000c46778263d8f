"""The array of local maps, which also says how many inputs lie on a boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import DomainError, InputError

__all__ = ["LocalMaps", "as_maps", "checked_points", "chosen_outputs", "room", "wrapped"]

Bools = NDArray[np.bool_]


class LocalMaps(np.ndarray[Any, np.dtype[Any]]):
    """Local maps, an array of shape ``(outputs, points, d + 1)``.

    ``C[j, p, :d]`` is the gradient of output ``j`` at point ``p`` and ``C[j, p, d]`` the offset, so
    that the output is ``C[j, p, :d] . x + C[j, p, d]`` near the point.

    Attributes:
        on_boundary: for each point whether it lies exactly on a boundary, in the arithmetic that
            the maps were computed in.  Several maps hold around such a point, and the one here is
            one of them.  None for what was made from such an array by NumPy.
    """

    on_boundary: Bools | None = None

    @property
    def boundary_points(self) -> int | None:
        """How many points lie exactly on a boundary."""
        return None if self.on_boundary is None else int(np.count_nonzero(self.on_boundary))

    @property
    def gradients(self) -> NDArray[Any]:
        """The gradients alone, shape ``(outputs, points, d)``."""
        return np.asarray(self)[..., :-1]

    @property
    def offsets(self) -> NDArray[Any]:
        """The offsets alone, shape ``(outputs, points)``."""
        return np.asarray(self)[..., -1]


def wrapped(array: NDArray[Any], on_boundary: Bools) -> LocalMaps:
    """An array of maps with its report."""
    maps = array.view(LocalMaps)
    maps.on_boundary = on_boundary
    return maps


def as_maps(maps: ArrayLike, what: str = "the local maps") -> NDArray[Any]:
    """Maps as a plain array of three axes, in their own precision.

    Raises:
        InputError: another shape, no points, or a NaN or infinity.
    """
    try:
        array = np.asarray(maps)
        array = array if array.dtype == np.float32 else array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} are no array of numbers: {error}") from error
    if array.ndim != 3 or array.shape[2] < 2:
        raise InputError(
            f"{what} have shape {array.shape}; (outputs, points, inputs + 1) is needed, as "
            "local_maps gives them"
        )
    if 0 in array.shape:
        raise InputError(f"{what} have shape {array.shape}: there is nothing in them")
    # A sum is finite if all is, and takes no second array of this size.
    if not np.isfinite(np.sum(array, dtype=np.float64)) and not np.isfinite(array).all():
        raise InputError(f"{what} hold a NaN or an infinity")
    return array


def checked_points(points: Any, inputs: int | None = None) -> NDArray[Any]:
    """Points, one a row or one along the first axis, float32 as it is and float64 else.

    Raises:
        DomainError: no points, another number of inputs, or a NaN or infinity; names the row.
    """
    if type(points).__module__.partition(".")[0] == "torch":
        points = points.detach().cpu().numpy()
    try:
        array = np.asarray(points)
        array = array if array.dtype == np.float32 else array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise DomainError(f"the points are not an array of numbers: {error}") from error
    if array.ndim < 2 or 0 in array.shape[1:]:
        raise DomainError(
            f"the points have shape {array.shape}; give one a row, also where there is one alone"
        )
    if not len(array):
        raise DomainError("there are no points")
    if inputs is not None and array[0].size != inputs:
        raise DomainError(f"the points have {array[0].size} coordinates and the network {inputs}")
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if bad.size:
        raise DomainError(f"point {bad[0]} holds a NaN or an infinity; correct it or leave it out")
    return array


def chosen_outputs(asked: Sequence[int] | None, count: int) -> list[int]:
    """The outputs that are wanted, as places.

    Raises:
        InputError: one that there is not.
    """
    if asked is None:
        return list(range(count))
    chosen = [asked] if isinstance(asked, int) else list(asked)
    wrong = [j for j in chosen if isinstance(j, bool) or not 0 <= int(j) < count]
    if wrong or not chosen:
        raise InputError(f"outputs: the network has outputs 0 to {count - 1}, not {asked!r}")
    return [int(j) for j in chosen]


def room(out: NDArray[Any] | None, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The array to write to.

    Raises:
        InputError: one was given that does not fit.
    """
    if out is None:
        return np.empty(shape, dtype=dtype)
    if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != dtype:
        got = (out.shape, str(out.dtype)) if isinstance(out, np.ndarray) else type(out).__name__
        raise InputError(f"out: an array of shape {shape} and {dtype} is needed, not {got}")
    return out
