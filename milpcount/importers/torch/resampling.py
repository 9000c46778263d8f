"""Functions of PyTorch on stand-ins of images: shuffles, windows, other sizes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.torch.reshaping import moved, require_entries
from milpcount.importers.torch.trace_walk import Function, Walk

__all__ = ["FUNCTIONS"]

Index = NDArray[np.int64]


def _interpolate(
    walk: Walk,
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    **_more: Any,
) -> Any:
    if mode not in ("nearest", "nearest-exact"):
        walk.fail(f"interpolates by {mode!r}; only the nearest entry is taken")
    spatial = tuple(input.shape[2:])
    given = scale_factor if size is None else size
    per_axis = tuple(given) if isinstance(given, list | tuple) else (given,) * len(spatial)
    shift = Fraction(1, 2) if mode == "nearest-exact" else Fraction(0)
    where = []
    for old, number in zip(spatial, per_axis, strict=True):
        new = math.floor(old * Fraction(number)) if size is None else int(number)
        factor = Fraction(number) if size is None else Fraction(new, old)
        require_entries(walk, new * input.numel())
        where.append([min(math.floor((k + shift) / factor), old - 1) for k in range(new)])

    def how(x: Index) -> Index:
        for axis, places in enumerate(where, 2):
            x = np.take(x, places, axis=axis)
        return x

    return moved(walk, input, how)


def _pixel_shuffle(walk: Walk, input: Any, upscale_factor: int) -> Any:
    *front, c, h, w = tuple(input.shape)
    r, k = upscale_factor, len(front)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    inner, outer = (*front, c // r**2, r, r, h, w), (*front, c // r**2, h * r, w * r)
    return moved(walk, input, lambda x: x.reshape(inner).transpose(order).reshape(outer))


def _pixel_unshuffle(walk: Walk, input: Any, downscale_factor: int) -> Any:
    *front, c, h, w = tuple(input.shape)
    r, k = downscale_factor, len(front)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    inner, outer = (*front, c, h // r, r, w // r, r), (*front, c * r**2, h // r, w // r)
    return moved(walk, input, lambda x: x.reshape(inner).transpose(order).reshape(outer))


def _channel_shuffle(walk: Walk, input: Any, groups: int) -> Any:
    samples, channels, *rest = tuple(input.shape)
    inner = (samples, groups, channels // groups, *rest)
    return moved(walk, input, lambda x: np.swapaxes(x.reshape(inner), 1, 2).reshape(x.shape))


def _repeat_interleave(walk: Walk, input: Any, repeats: Any, dim: Any = None, **_more: Any) -> Any:
    times = walk.constant(repeats, "a number of repeats").astype(np.int64)
    require_entries(walk, int(max(times.max(), 1)) * input.numel())
    return moved(walk, input, lambda x: np.repeat(x, times, axis=dim))


def _unfold(walk: Walk, input: Any, *where: Any, **named: Any) -> Any:
    """Windows of a tensor along an axis, ``tensor.unfold(axis, size, step)``."""
    given = dict(zip(("dimension", "size", "step"), where, strict=False)) | named
    if set(given) != {"dimension", "size", "step"}:
        walk.fail("takes patches of images; write it as a convolution")
    axis, size, step = given["dimension"] % input.dim(), given["size"], given["step"]
    require_entries(walk, (input.shape[axis] // step + 1) * size * input.numel())

    def how(x: Index) -> Index:
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis)
        return np.asarray(windows[(slice(None),) * axis + (slice(None, None, step),)])

    return moved(walk, input, how)


FUNCTIONS: dict[str, Function] = {
    "channel_shuffle": _channel_shuffle,
    "interpolate": _interpolate,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "repeat_interleave": _repeat_interleave,
    "unfold": _unfold,
}
