"""Primitive operations of PyTorch that piecewise linear functions are made of.

The names are those of PyTorch's own library of operations (``aten``), without the line that marks
an operation in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["CONSTANT", "KINKS", "LINEAR", "PRODUCTS", "TIES"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What does not vary around an input that is on no boundary, or has no numbers of it at all.
CONSTANT = _names(
    """
    empty_like zeros_like ones_like full_like new_empty new_zeros new_ones new_full
    empty_strided eq ne argmax argmin is_nonzero equal _local_scalar_dense sym_size isnan isinf
    isfinite logical_not logical_and logical_or bitwise_not bitwise_and bitwise_or
    """
)

LINEAR = _names(
    """
    view _unsafe_view reshape _reshape_alias view_as_real permute transpose t numpy_T expand
    squeeze unsqueeze slice select cat concat stack hstack vstack split split_with_sizes unbind
    chunk narrow clone detach alias contiguous copy _to_copy to lift_fresh flatten unflatten
    constant_pad_nd pad reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d index_select index gather take roll flip repeat tile
    pixel_shuffle pixel_unshuffle channel_shuffle unfold im2col col2im sum mean cumsum
    avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d _adaptive_avg_pool2d
    _adaptive_avg_pool3d adaptive_avg_pool2d adaptive_avg_pool3d mkldnn_adaptive_avg_pool2d
    upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
    _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d
    upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa add sub rsub neg positive
    diagonal tril triu as_strided fill index_put index_add index_copy scatter scatter_add
    select_scatter slice_scatter masked_fill where zero diff movedim swapaxes
    """
)

# Linear in each factor; the number is the place of the first factor among the arguments.
PRODUCTS = {
    **dict.fromkeys(
        _names(
            """
            mm bmm mv dot matmul mul div linear convolution _convolution mkldnn_convolution
            conv1d conv2d conv3d cudnn_convolution native_batch_norm _native_batch_norm_legit
            _native_batch_norm_legit_no_training cudnn_batch_norm miopen_batch_norm
            _batch_norm_with_update _batch_norm_no_update batch_norm mkl_linear _trilinear outer
            kron tensordot
            """
        ),
        0,
    ),
    **dict.fromkeys(_names("addmm addmv addbmm baddbmm addcmul"), 1),
}

Found = list[Any] | str


def _at(*values: float) -> Callable[[Any, Any], Found]:
    return lambda args, kwargs: [args[0] == value for value in values]


def _given(args: Any, kwargs: dict[str, Any], place: int, name: str, default: Any) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _hardtanh(args: Any, kwargs: dict[str, Any]) -> Found:
    low = _given(args, kwargs, 1, "min_val", -1.0)
    return [args[0] == low, args[0] == _given(args, kwargs, 2, "max_val", 1.0)]


def _clamp(args: Any, kwargs: dict[str, Any]) -> Found:
    ends = (_given(args, kwargs, 1, "min", None), _given(args, kwargs, 2, "max", None))
    return [args[0] == end for end in ends if end is not None]


def _clamp_max(args: Any, kwargs: dict[str, Any]) -> Found:
    return [args[0] == _given(args, kwargs, 1, "max", None)]


def _threshold(args: Any, kwargs: dict[str, Any]) -> Found:
    return [args[0] == args[1]]


def _softshrink(args: Any, kwargs: dict[str, Any]) -> Found:
    return [args[0].abs() == _given(args, kwargs, 1, "lambd", 0.5)]


def _rrelu(args: Any, kwargs: dict[str, Any]) -> Found:
    if _given(args, kwargs, 4, "training", False):
        return "which draws random slopes; call module.eval() first"
    return [args[0] == 0]


def _elu(args: Any, kwargs: dict[str, Any]) -> Found:
    return "which is smooth"


def _pair(args: Any, kwargs: dict[str, Any]) -> Found:
    return [args[0] == args[1]]


KINKS: dict[str, Callable[[Any, Any], Found]] = {
    **dict.fromkeys(_names("relu leaky_relu prelu _prelu_kernel abs"), _at(0.0)),
    "hardtanh": _hardtanh,
    "relu6": _at(0.0, 6.0),
    "hardsigmoid": _at(-3.0, 3.0),
    "clamp": _clamp,
    "clamp_min": _threshold,
    "clamp_max": _clamp_max,
    "threshold": _threshold,
    "softshrink": _softshrink,
    "rrelu_with_noise": _rrelu,
    **dict.fromkeys(_names("maximum minimum fmax fmin gt ge lt le"), _pair),
}


def _several(windows: Any, extreme: Any, idle: Any, axes: tuple[int, ...]) -> Any:
    """Where an extreme is attained more than once; 0 at idle entries counts once."""
    attained = windows == extreme
    if idle is None:
        return attained.sum(dim=axes) > 1
    # Idle entries are 0 around the input, so among themselves they are no tie.
    return (attained & ~idle).sum(dim=axes) + (attained & idle).any(
        dim=axes if len(axes) > 1 else axes[0]
    ).to(torch.int64) > 1


def _reduced(args: Any, kwargs: dict[str, Any], idle: Any) -> Any:
    x = args[0]
    axes = _given(args, kwargs, 1, "dim", None)
    axes = () if axes is None else axes
    axes = tuple(axes) if isinstance(axes, list | tuple) else (axes,)
    axes = tuple(k % x.ndim for k in axes) or tuple(range(x.ndim))
    return [
        _several(x, x.amax(dim=axes, keepdim=True), idle, axes),
        _several(x, x.amin(dim=axes, keepdim=True), idle, axes),
    ]


def _largest(args: Any, kwargs: dict[str, Any], idle: Any) -> Any:
    return _reduced(args, kwargs, idle)[0]


def _least(args: Any, kwargs: dict[str, Any], idle: Any) -> Any:
    return _reduced(args, kwargs, idle)[1]


def _pool(rank: int) -> Callable[[Any, Any, Any], Any]:
    def ties(args: Any, kwargs: dict[str, Any], idle: Any) -> Any:
        x, kernel = args[0], _sizes(args[1], rank)
        given = _given(args, kwargs, 2, "stride", ())
        stride = _sizes(given, rank) if given else kernel
        padding = _sizes(_given(args, kwargs, 3, "padding", 0), rank)
        dilation = _sizes(_given(args, kwargs, 4, "dilation", 1), rank)
        ceil = bool(_given(args, kwargs, 5, "ceil_mode", False))
        windows = _windows(x, kernel, stride, padding, dilation, ceil, -torch.inf)
        marked = (
            None
            if idle is None
            else _windows(idle.to(x.dtype), kernel, stride, padding, dilation, ceil, 0) > 0
        )
        axes = tuple(range(-rank, 0))
        return _several(windows, windows.amax(dim=axes, keepdim=True), marked, axes)

    return ties


def _windows(
    x: Any,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil: bool,
    fill: float,
) -> Any:
    """What each window of a pool sees, on as many new axes behind."""
    rank = len(kernel)
    ends: list[int] = []
    for k, s, p, d, n in zip(kernel, stride, padding, dilation, x.shape[-rank:], strict=True):
        over = (n + 2 * p - d * (k - 1) - 1) % s
        ends = [p, p + (s - over if ceil and over else 0), *ends]
    x = torch.nn.functional.pad(x, ends, value=fill)
    first = x.ndim - rank
    for axis, (k, s, d) in enumerate(zip(kernel, stride, dilation, strict=True)):
        x = x.unfold(first + axis, d * (k - 1) + 1, s)[..., ::d]
    return x


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    given = tuple(value) if isinstance(value, list | tuple) else (value,)
    return given * rank if len(given) == 1 else given


def _adaptive(rank: int) -> Callable[[Any, Any, Any], Any]:
    def ties(args: Any, kwargs: dict[str, Any], idle: Any) -> Any:
        x = args[0]
        sizes = _sizes(args[1], rank)
        axes = tuple(range(-rank, 0))
        found = []
        for cell in torch.cartesian_prod(*(torch.arange(n) for n in sizes)).reshape(-1, rank):
            # Cell i of n takes entries floor(i N / n) to ceil((i + 1) N / n).
            place = tuple(
                slice(i * size // n, -(-(i + 1) * size // n))
                for i, n, size in zip(cell.tolist(), sizes, x.shape[-rank:], strict=True)
            )
            part = x[(..., *place)]
            marked = None if idle is None else idle[(..., *place)]
            found.append(_several(part, part.amax(dim=axes, keepdim=True), marked, axes))
        return torch.stack(found, dim=-1)

    return ties


# Operations that take the largest or the least of several; the third argument marks idle entries.
TIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "max_pool1d_with_indices": _pool(1),
    "max_pool2d_with_indices": _pool(2),
    "max_pool3d_with_indices": _pool(3),
    "max_pool1d": _pool(1),
    "max_pool2d": _pool(2),
    "max_pool3d": _pool(3),
    "mkldnn_max_pool2d": _pool(2),
    "adaptive_max_pool1d": _adaptive(1),
    "adaptive_max_pool2d": _adaptive(2),
    "adaptive_max_pool3d": _adaptive(3),
    "amax": _largest,
    "max": _largest,
    "amin": _least,
    "min": _least,
}
