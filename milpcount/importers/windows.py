"""Convolutions and average pools: windows that slide over the spatial axes of a tensor.

Tensors have the axes sample, channel, then spatial ones.  A table ``places`` of shape (output
places, kernel places) holds the number of the input place under each, -1 outside of the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image

__all__ = [
    "Windows",
    "average_pool",
    "convolve",
    "convolve_transposed",
    "pooled_evenly",
    "require_entries",
]

Float = NDArray[np.float64]
Index = NDArray[np.int64]
Sizes = Sequence[int]


@dataclass(frozen=True)
class Windows:
    """How windows slide.

    Attributes:
        kernel: entries of a window along each spatial axis.
        strides, dilations: one an axis.
        before, after: padding along each axis.
        ceil: whether a last window may hang over the far end of the padded input.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    ceil: bool = False

    @classmethod
    def same(
        cls, kernel: Sizes, strides: Sizes, dilations: Sizes, spatial: Sizes, more_before: bool
    ) -> Windows:
        """As many windows along each axis as strides fit into the input ("same" padding)."""
        before, after = [], []
        for size, taps, stride, dilation in zip(spatial, kernel, strides, dilations, strict=True):
            reach = (taps - 1) * dilation + 1
            missing = max(0, (-(-size // stride) - 1) * stride + reach - size)
            less, more = missing // 2, missing - missing // 2
            before.append(more if more_before else less)
            after.append(less if more_before else more)
        return cls(tuple(kernel), tuple(strides), tuple(dilations), tuple(before), tuple(after))

    def require(self, folder: Folder, rank: int) -> None:
        """Refuse what is no sliding window over ``rank`` spatial axes."""
        for name, values, least in (
            ("strides", self.strides, 1),
            ("dilations", self.dilations, 1),
            ("kernel_shape", self.kernel, 1),
            ("pads", self.before + self.after, 0),
        ):
            count = 2 * rank if name == "pads" else rank
            if len(values) != count or min(values, default=least) < least:
                folder.fail(f"has {name} {values}; {count} integers of at least {least} are needed")

    def along(self, folder: Folder, spatial: Sizes, copies: int) -> list[Index]:
        """For each axis: the input place (-1: none) under every output and kernel place.

        ``copies`` is how often the caller repeats the whole table; it is checked before memory is
        taken.
        """
        axes, total = [], copies
        for axis, size in enumerate(spatial):
            taps, stride, dilation = self.kernel[axis], self.strides[axis], self.dilations[axis]
            reach = (taps - 1) * dilation + 1
            free = size + self.before[axis] + self.after[axis] - reach
            if free < 0:
                folder.fail(f"has a window of {reach} on {size} entries; export it again")
            count = free // stride + 1
            # The last one has to begin within the input or the padding before it.
            if self.ceil and free % stride and count * stride < size + self.before[axis]:
                count += 1
            total *= count * taps
            require_entries(folder, total)
            at = np.arange(count)[:, None] * stride + np.arange(taps) * dilation
            at -= self.before[axis]
            axes.append(np.where((at >= 0) & (at < size), at, -1))
        return axes


def require_entries(folder: Folder, entries: int, each: int = 48) -> None:
    """Refuse a tensor or matrix with too many entries before it takes memory."""
    require_bytes(entries * each, f"{folder.name}: {folder.place}", NetworkError)


def convolve(
    folder: Folder, image: Image, weight: Float, bias: Float, windows: Windows, groups: int
) -> Image:
    """A convolution (cross-correlation) with ``weight`` of shape (filters, depth, kernel...).

    ``depth`` is the number of channels of one of the groups.
    """
    if image.batch is not None and image.batch[0] == 0:
        one = convolve(folder, folder.one_sample(image), weight, bias, windows, groups)
        return folder.all_samples(one, image)
    samples, channels, spatial = _spatial(folder, image, weight)
    filters, depth = weight.shape[:2]
    if groups < 1 or filters % groups or depth * groups != channels:
        folder.fail(
            f"has {channels} channels, kernel {weight.shape} and {groups} groups, which do not fit"
        )
    if windows.kernel != weight.shape[2:]:
        folder.fail(f"has kernel_shape that is not the shape of its kernel {weight.shape}")
    axes = windows.along(folder, spatial, samples * filters * depth)
    factors = weight.reshape(filters, depth, -1)
    return _spread(folder, image, factors, bias, spatial, axes)


def convolve_transposed(
    folder: Folder,
    image: Image,
    weight: Float,
    bias: Float,
    windows: Windows,
    groups: int,
    out: Sizes,
) -> Image:
    """The transpose of a convolution with ``weight`` of shape (channels, filters / groups, ...).

    ``out`` are the sizes of the spatial axes of the result: what goes beyond them or into the
    padding is left out.
    """
    samples, channels, spatial = _spatial(folder, image, weight)
    if groups < 1 or channels % groups or weight.shape[0] != channels:
        folder.fail(
            f"has {channels} channels, kernel {weight.shape} and {groups} groups, which do not fit"
        )
    depth, filters = channels // groups, weight.shape[1] * groups
    axes, total = [], samples * filters * depth
    for axis, (size, long) in enumerate(zip(spatial, out, strict=True)):
        taps, stride = windows.kernel[axis], windows.strides[axis]
        if long < 1:
            folder.fail(f"has an output of {long} entries along an axis; export it again")
        total *= long * taps
        require_entries(folder, total)
        reached = np.arange(long)[:, None] + windows.before[axis]
        reached = reached - np.arange(taps) * windows.dilations[axis]
        fits = (reached % stride == 0) & (reached >= 0) & (reached < size * stride)
        axes.append(np.where(fits, reached // stride, -1))
    # From (channels, filters of a group, taps) to (filters, channels of a group, taps).
    by_group = weight.reshape(groups, depth, weight.shape[1], -1)
    factors = np.swapaxes(by_group, 1, 2).reshape(filters, depth, -1)
    return _spread(folder, image, factors, bias, spatial, axes)


def average_pool(folder: Folder, image: Image, windows: Windows, whole: bool) -> Image:
    """Means over windows; with ``whole`` padding counts as zeros, else it does not count."""
    samples, channels, *spatial = image.shape
    axes = windows.along(folder, spatial, samples * channels)
    places = _joint(axes, spatial)
    if whole:
        # Places beyond the padding, under a window that hangs over, do not count.
        padded = [
            np.arange(len(at))[:, None] * stride + np.arange(taps) * dilation < size + b + a
            for at, size, stride, dilation, taps, b, a in zip(
                axes, spatial, windows.strides, windows.dilations, windows.kernel,
                windows.before, windows.after, strict=True,
            )
        ]  # fmt: skip
        counts: Float = np.ones(())
        for there in padded:
            counts = np.multiply.outer(counts, there.sum(axis=1))
        counts = counts.ravel()
    else:
        counts = np.count_nonzero(places >= 0, axis=1).astype(np.float64)
    return _averages(folder, image, places, counts, [len(at) for at in axes])


def _averages(
    folder: Folder, image: Image, places: Index, counts: NDArray[Any], out: Sizes
) -> Image:
    """Sums over windows, each divided by its count."""
    if image.batch is not None and image.batch[0] == 0:
        one = _averages(folder, folder.one_sample(image), places, counts, out)
        return folder.all_samples(one, image)
    if not np.all(counts):
        folder.fail("has a window outside of its input; export it again")
    samples, channels, *spatial = image.shape
    first = np.arange(samples * channels)[:, None, None] * math.prod(spatial)
    index = (first + places.clip(0)).reshape(-1, places.shape[1])
    values = np.tile((places >= 0).astype(np.float64), (samples * channels, 1))
    total = folder.apply(image, index, values, 0.0, (samples, channels, *out))
    return folder.divide(total, counts.reshape(out).astype(np.float64))


def _spatial(folder: Folder, image: Image, weight: Float) -> tuple[int, int, list[int]]:
    if len(image.shape) < 3 or weight.ndim != len(image.shape):
        folder.fail(f"has input {image.shape} and kernel {weight.shape}; their ranks do not fit")
    samples, channels, *spatial = image.shape
    return samples, channels, spatial


def _joint(axes: Sequence[Index], spatial: Sizes) -> Index:
    """The table of all spatial axes together."""
    places = np.zeros((1, 1), dtype=np.int64)
    for size, at in zip(spatial, axes, strict=True):
        old, new = places[:, None, :, None], at[None, :, None, :]
        joint = np.where((old >= 0) & (new >= 0), old * size + new, -1)
        places = joint.reshape(places.shape[0] * at.shape[0], -1)
    return places


def _spread(
    folder: Folder, image: Image, factors: Float, bias: Float, spatial: Sizes, axes: list[Index]
) -> Image:
    """Sums over windows: ``factors`` has shape (filters, channels of a group, kernel places)."""
    filters, depth, _ = factors.shape
    samples, channels = image.shape[:2]
    if bias.shape != (filters,):
        folder.fail(f"has a bias of shape {bias.shape} for {filters} filters")
    places = _joint(axes, spatial)
    groups = channels // depth
    # Axes: sample, filter, output place, channel of the group, place in the kernel.
    full = (samples, filters, places.shape[0], depth, places.shape[1])
    group = np.arange(filters) // (filters // groups)
    channel = group[:, None] * depth + np.arange(depth)
    first = np.arange(samples)[:, None, None] * channels + channel
    index = first[:, :, None, :, None] * math.prod(spatial)
    index = index + places.clip(0)[None, None, :, None, :]
    values = factors[None, :, None] * (places >= 0)[None, None, :, None, :]
    terms = depth * places.shape[1]
    return folder.apply(
        image,
        np.broadcast_to(index, full).reshape(-1, terms),
        np.broadcast_to(values, full).reshape(-1, terms),
        np.broadcast_to(bias[None, :, None], full[:3]).ravel(),
        (samples, filters, *(len(at) for at in axes)),
    )


def pooled_evenly(folder: Folder, image: Image, out: Sizes) -> Image:
    """Means over windows that share each spatial axis out evenly, ``out`` of them along each.

    Window ``k`` of ``n`` over ``size`` entries begins at ``floor(k size / n)`` and ends before
    ``ceil((k + 1) size / n)``.
    """
    samples, channels, *spatial = image.shape
    axes: list[Index] = []
    for size, count in zip(spatial, out, strict=True):
        if count < 1:
            folder.fail(f"pools to {count} entries along an axis; give it a size")
        begins = [k * size // count for k in range(count)]
        ends = [-(-(k + 1) * size // count) for k in range(count)]
        longest = max(e - b for b, e in zip(begins, ends, strict=True))
        require_entries(folder, samples * channels * count * longest)
        at = np.array(begins)[:, None] + np.arange(longest)
        axes.append(np.where(at < np.array(ends)[:, None], at, -1))
    require_entries(folder, samples * channels * math.prod(at.size for at in axes))
    places = _joint(axes, spatial)
    return _averages(folder, image, places, np.count_nonzero(places >= 0, axis=1), out)
