"""Functions of PyTorch on stand-ins that only move, repeat or drop entries."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.image import Image
from milpcount.importers.torch.trace_walk import Function, Traced, Walk
from milpcount.importers.values import Choice

__all__ = ["FUNCTIONS", "moved", "require_entries"]

Index = NDArray[np.int64]


def moved(walk: Walk, tensor: Any, how: Callable[[Index], Index]) -> Image | Choice:
    """The tensor whose entries ``how`` picks of the array of their numbers."""
    value = walk.any_value(tensor)
    if isinstance(value, Choice):
        grid = how(value.sign.grid)
        return Choice(walk.folder.take(value.sign, grid), value.otherwise)
    image = walk.image(tensor)
    return walk.folder.take(image, how(image.grid))


def _integers(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Integers that are given one by one, or as one tuple."""
    if len(given) == 1 and isinstance(given[0], list | tuple):
        given = tuple(given[0])
    return tuple(int(n) for n in given)


def _view(walk: Walk, input: Any, *shape: Any, size: Any = None) -> Any:
    wanted = _integers(shape if size is None else (size,))
    return moved(walk, input, lambda x: x.reshape(wanted))


def _view_as(walk: Walk, input: Any, other: Any) -> Any:
    return _view(walk, input, tuple(other.shape))


def _flatten(walk: Walk, input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    shape = tuple(input.shape)
    first, last = (d % max(len(shape), 1) for d in (start_dim, end_dim))
    flat = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return moved(walk, input, lambda x: x.reshape(flat))


def _unflatten(walk: Walk, input: Any, dim: int, sizes: Any, *_names: Any) -> Any:
    shape = tuple(input.shape)
    at = dim % len(shape)
    full = _filled(shape[:at], _integers((sizes,)), shape[at], shape[at + 1 :])
    return moved(walk, input, lambda x: x.reshape(full))


def _filled(
    before: tuple[int, ...], sizes: tuple[int, ...], total: int, after: tuple[int, ...]
) -> tuple[int, ...]:
    rest = math.prod(n for n in sizes if n != -1)
    return (*before, *(total // max(rest, 1) if n == -1 else n for n in sizes), *after)


def _squeeze(walk: Walk, input: Any, dim: Any = None) -> Any:
    shape = tuple(input.shape)
    given = range(len(shape)) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    axes = tuple(d % len(shape) for d in given if shape[d] == 1)
    return moved(walk, input, lambda x: np.squeeze(x, axis=axes))


def _unsqueeze(walk: Walk, input: Any, dim: int) -> Any:
    return moved(walk, input, lambda x: np.expand_dims(x, dim))


def _permute(walk: Walk, input: Any, *dims: Any) -> Any:
    order = _integers(dims)
    return moved(walk, input, lambda x: np.transpose(x, order))


def _transpose(walk: Walk, input: Any, dim0: int, dim1: int) -> Any:
    return moved(walk, input, lambda x: np.swapaxes(x, dim0, dim1))


def _movedim(walk: Walk, input: Any, source: Any, destination: Any) -> Any:
    return moved(walk, input, lambda x: np.moveaxis(x, source, destination))


def _turned(walk: Walk, input: Any) -> Any:
    return moved(walk, input, lambda x: np.swapaxes(x, -1, -2) if x.ndim > 1 else x)


def _expand(walk: Walk, input: Any, *sizes: Any) -> Any:
    wanted = _integers(sizes)
    shape = (*(1,) * (len(wanted) - input.dim()), *input.shape)
    full = tuple(old if n == -1 else n for n, old in zip(wanted, shape, strict=True))
    require_entries(walk, math.prod(full))
    return moved(walk, input, lambda x: np.broadcast_to(x, full))


def _expand_as(walk: Walk, input: Any, other: Any) -> Any:
    return _expand(walk, input, tuple(other.shape))


def _repeat(walk: Walk, input: Any, *repeats: Any) -> Any:
    times = _integers(repeats)
    require_entries(walk, math.prod(times) * input.numel())
    return moved(walk, input, lambda x: np.tile(x, times))


def require_entries(walk: Walk, entries: int) -> None:
    """Refuse a result of so many entries that it would not fit into memory."""
    require_bytes(entries * 16, f"{walk.label}: {walk.folder.place}", NetworkError)


def _cat(walk: Walk, tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    values = [walk.value(tensor) for tensor in tensors]
    at = (dim if axis is None else axis) % len(values[0].shape)
    return walk.folder.concat(values, at)


def _stack(walk: Walk, tensors: Any, dim: int = 0) -> Any:
    values: list[Any] = []
    for tensor in tensors:
        value = walk.value(tensor)
        if isinstance(value, Image):
            values.append(walk.folder.take(value, np.expand_dims(value.grid, dim)))
        else:
            values.append(np.expand_dims(value, dim))
    return walk.folder.concat(values, dim % len(values[0].shape))


def _split(walk: Walk, input: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    size, length = split_size_or_sections, int(input.shape[dim])
    if isinstance(size, list | tuple):
        ends = np.cumsum([0, *size]).tolist()
    else:
        ends = [*range(0, length, int(size)), length]
    return _parts(walk, input, ends, dim)


def _chunk(walk: Walk, input: Any, chunks: int, dim: int = 0) -> Any:
    return _split(walk, input, -(-int(input.shape[dim]) // chunks), dim)


def _parts(walk: Walk, input: Any, ends: list[int], dim: int) -> Any:
    return tuple(_narrow(walk, input, dim, a, b - a) for a, b in pairwise(ends))


def _unbind(walk: Walk, input: Any, dim: int = 0) -> Any:
    return tuple(_select(walk, input, dim, k) for k in range(int(input.shape[dim])))


def _select(walk: Walk, input: Any, dim: int, index: int) -> Any:
    return moved(walk, input, lambda x: np.take(x, index, axis=dim))


def _narrow(walk: Walk, input: Any, dim: int, start: int, length: int) -> Any:
    return moved(walk, input, lambda x: np.take(x, np.arange(start, start + length), axis=dim))


def _index_select(walk: Walk, input: Any, dim: int, index: Any) -> Any:
    places = walk.constant(index, "an index").astype(np.int64)
    return moved(walk, input, lambda x: np.take(x, places, axis=dim))


def _getitem(walk: Walk, input: Any, index: Any) -> Any:
    given = index if isinstance(index, tuple) else (index,)
    plain = tuple(_plain(walk, part) for part in given)
    return moved(walk, input, lambda x: x[plain])


def _plain(walk: Walk, part: Any) -> Any:
    if isinstance(part, Traced):
        walk.fail("chooses entries by what depends on the input")
    if isinstance(part, torch.Tensor):
        return part.detach().cpu().numpy()
    return part


def _flip(walk: Walk, input: Any, *dims: Any) -> Any:
    axes = _integers(dims)
    return moved(walk, input, lambda x: np.flip(x, axes))


def _roll(walk: Walk, input: Any, shifts: Any, dims: Any = None) -> Any:
    return moved(walk, input, lambda x: np.roll(x, shifts, axis=dims))


_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(walk: Walk, input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    image, pads = walk.image(input), _integers((pad,))
    rank = len(image.shape)
    widths = [(0, 0)] * rank
    for k in range(len(pads) // 2):
        widths[rank - 1 - k] = (pads[2 * k], pads[2 * k + 1])
    ends = list(zip(image.shape, widths, strict=True))
    require_entries(walk, math.prod(n + abs(a) + abs(b) for n, (a, b) in ends))
    cut = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in ends)
    more = [(max(0, a), max(0, b)) for a, b in widths]
    grid = image.grid[cut]
    if mode != "constant":
        return walk.folder.take(image, np.pad(grid, more, mode=_MODES[mode]))  # type: ignore[call-overload]
    padded = walk.folder.take(image, np.pad(grid, more, constant_values=-1))
    if not value:
        return padded
    filling = np.pad(np.zeros(grid.shape), more, constant_values=float(value))
    return walk.folder.shift(padded, filling)


def _filled_like(number: float) -> Function:
    def function(walk: Walk, input: Any, *_args: Any, **_kwargs: Any) -> Any:
        return torch.full(tuple(input.shape), number, dtype=walk.dtype)

    return function


def _filled_new(number: float) -> Function:
    def function(walk: Walk, input: Any, *size: Any, **_kwargs: Any) -> Any:
        shape = _integers(size)
        require_entries(walk, math.prod(shape))
        return torch.full(shape, number, dtype=walk.dtype)

    return function


def _full_like(walk: Walk, input: Any, fill_value: float, **_kwargs: Any) -> Any:
    return torch.full(tuple(input.shape), fill_value, dtype=walk.dtype)


FUNCTIONS: dict[str, Function] = {
    "zeros_like": _filled_like(0.0),
    "ones_like": _filled_like(1.0),
    "full_like": _full_like,
    "new_zeros": _filled_new(0.0),
    "new_ones": _filled_new(1.0),
    **dict.fromkeys(("reshape", "view"), _view),
    **dict.fromkeys(("reshape_as", "view_as"), _view_as),
    "flatten": _flatten,
    "unflatten": _unflatten,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "permute": _permute,
    **dict.fromkeys(("swapaxes", "swapdims", "transpose"), _transpose),
    **dict.fromkeys(("moveaxis", "movedim"), _movedim),
    **dict.fromkeys(("T", "mT", "t"), _turned),
    "expand": _expand,
    "expand_as": _expand_as,
    **dict.fromkeys(("repeat", "tile"), _repeat),
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "stack": _stack,
    "split": _split,
    "chunk": _chunk,
    "unbind": _unbind,
    "select": _select,
    "narrow": _narrow,
    "index_select": _index_select,
    "getitem": _getitem,
    "flip": _flip,
    "roll": _roll,
    "pad": _pad,
}
