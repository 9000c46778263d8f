"""Products with constant matrices, sums over axes, and normalisation along one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.importers import rounding
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.windows import require_entries

__all__ = ["batch_norm", "einsum", "product", "total"]

Float = NDArray[np.float64]


def product(
    folder: Folder, a: Image | Float, b: Image | Float, constant: Float | None = None
) -> Image | Float:
    """``a @ b + constant`` with numpy's rules for shapes."""
    add = np.zeros(()) if constant is None else constant
    if isinstance(a, Image):
        if isinstance(b, Image):
            folder.fail(
                "multiplies two tensors that depend on the input, which is not piecewise linear; "
                "only products with constants can be counted"
            )
        return _right_product(folder, a, b, add)
    if isinstance(b, Image):
        # C X is the transpose of X^T C^T, and a vector is its own transpose.
        turned = folder.take(b, _swapped(b.grid))
        result = _right_product(folder, turned, _swapped(a), np.zeros(()))
        if len(b.shape) > 1 and a.ndim > 1:
            result = folder.take(result, _swapped(result.grid))
        return result if constant is None else folder.shift(result, constant)
    return folder.compute(rounding.add, _constant_product(folder, a, b), add)


def _constant_product(folder: Folder, a: Float, b: Float) -> Float:
    """``a @ b``, every entry rounded once."""
    left = a[None] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        folder.fail(f"multiplies shapes {a.shape} and {b.shape}, which do not fit")
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    # As many entries as multiplications: a bound on the time as well.
    require_entries(folder, math.prod(batch) * rows * max(inner, 1) * columns)
    lefts = np.broadcast_to(left, (*batch, rows, inner)).reshape(-1, rows, inner)
    rights = np.broadcast_to(right, (*batch, inner, columns)).reshape(-1, inner, columns)
    out = np.zeros((len(lefts), rows, columns))
    for k in range(len(out)):
        out[k] = folder.compute(rounding.matmul, lefts[k], rights[k])
    shape = (*batch, *((rows,) if a.ndim > 1 else ()), *((columns,) if b.ndim > 1 else ()))
    return out.reshape(shape)


def _swapped(x: NDArray[Any]) -> NDArray[Any]:
    return x if x.ndim < 2 else np.swapaxes(x, -1, -2)


def _right_product(folder: Folder, image: Image, matrix: Float, constant: Float) -> Image:
    """``image @ matrix + constant``."""
    left = (1, *image.shape) if len(image.shape) == 1 else image.shape
    right = matrix[:, None] if matrix.ndim == 1 else matrix
    if right.ndim < 2 or left[-1] != right.shape[-2]:
        folder.fail(f"multiplies shapes {image.shape} and {matrix.shape}, which do not fit")
    inner, columns = right.shape[-2:]
    batch = np.broadcast_shapes(left[:-2], right.shape[:-2])
    full = (*batch, left[-2], columns)
    shape = full[:-1] if matrix.ndim == 1 else full
    if len(image.shape) == 1:
        shape = (*batch, *shape[len(batch) + 1 :])
    require_entries(folder, math.prod(full))
    rank = len(image.shape)
    if image.batch is not None and image.batch[0] < rank - 1 and right.ndim == 2:
        # The samples are rows on the left: each is multiplied by itself.
        like = replace(image, shape=shape)
        add = folder.of_one_sample(like, np.broadcast_to(constant, shape))
        one = _right_product(folder, folder.one_sample(image), matrix, np.zeros(()))
        return folder.all_samples(folder.shift(one, add.reshape(one.shape)), image)
    add = np.broadcast_to(constant, shape).ravel()
    if math.prod(left[:-1]) == 1 and right.ndim == 2:
        return folder.apply(image, None, right.T, add, shape)
    require_entries(folder, math.prod(full) * inner)
    rows = image.grid.reshape(left)[..., :, None, :]
    factors = np.swapaxes(right, -1, -2)[..., None, :, :]
    index = np.broadcast_to(rows, (*full, inner)).reshape(-1, inner)
    values = np.broadcast_to(factors, (*full, inner)).reshape(-1, inner)
    return folder.apply(image, index, values, add, shape)


def total(
    folder: Folder, image: Image, axes: Sequence[int], *, keep: bool, mean: bool = False
) -> Image:
    """The sum, or the mean, over axes."""
    rank = len(image.shape)
    gone = sorted({axis % rank for axis in axes if -rank <= axis < rank})
    if len(gone) != len(axes):
        folder.fail(f"reduces axes {tuple(axes)} of a tensor of rank {rank}; export it again")
    if image.batch is not None and image.batch[0] not in gone and keep:
        one = total(folder, folder.one_sample(image), axes, keep=True, mean=mean)
        return folder.all_samples(one, image)
    count = math.prod(image.shape[axis] for axis in gone)
    index = np.moveaxis(image.grid, gone, range(rank - len(gone), rank)).reshape(-1, count)
    shape = [1 if i in gone else n for i, n in enumerate(image.shape) if keep or i not in gone]
    result = folder.apply(image, index, np.ones(index.shape), 0.0, tuple(shape))
    return folder.divide(result, float(count)) if mean else result


def einsum(folder: Folder, text: str, operands: Sequence[Image | Float]) -> Image | Float:
    """Einstein's summation of one or two operands, no label twice in one of them."""
    terms, out = _labels(folder, text, operands)
    if len(operands) == 1:
        operands, terms = [operands[0], np.ones(())], [terms[0], ""]
    if len(operands) != 2:
        folder.fail(f"sums {len(operands)} operands {text!r}; export it with matrix products")
    sizes: dict[str, int] = {}
    for operand, labels in zip(operands, terms, strict=True):
        for label, size in zip(labels, operand.shape, strict=True):
            if sizes.setdefault(label, size) != size:
                folder.fail(f"has the sizes {sizes[label]} and {size} for one label of {text!r}")
    inner = [label for label in sizes if label not in out]
    order = [*out, *inner]
    full = tuple(sizes[label] for label in order)
    require_entries(folder, math.prod(full))
    shape, length = full[: len(out)], math.prod(full[len(out) :])

    def spread(array: NDArray[Any], labels: str) -> NDArray[Any]:
        kept = [label for label in order if label in labels]
        turned = np.transpose(array, [labels.index(label) for label in kept])
        sized = turned.reshape([sizes[label] if label in labels else 1 for label in order])
        return np.broadcast_to(sized, full).reshape(-1, length)

    a, b = operands
    if isinstance(a, Image) and isinstance(b, Image):
        folder.fail(
            "multiplies two tensors that depend on the input, which is not piecewise linear; "
            "only products with constants can be counted"
        )
    if isinstance(b, Image):
        (a, b), terms = (b, a), terms[::-1]
    factors = spread(folder.finite(b), terms[1])  # type: ignore[arg-type]
    if isinstance(a, Image):
        return folder.apply(a, spread(a.grid, terms[0]), factors, 0.0, shape)
    left = spread(folder.finite(a), terms[0])
    summed = folder.compute(rounding.dot, left, factors, np.zeros(len(left)))
    return summed.reshape(shape)


def _labels(folder: Folder, text: str, operands: Sequence[Image | Float]) -> tuple[list[str], str]:
    """Labels of the operands and of the result; those of an ellipsis are capitals from the end."""
    plain = "".join(text.split())
    left, arrow, out = plain.partition("->")
    terms = left.split(",")
    spare = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in plain]
    wide = 0
    for k, (term, operand) in enumerate(zip(terms, operands, strict=False)):
        more = len(operand.shape) - len(term.replace("...", ""))
        wide = max(wide, more if "..." in term else 0)
        terms[k] = term.replace("...", "".join(spare[:more][::-1]) if more > 0 else "")
    every = "".join(terms)
    if not arrow:
        out = ("..." if "..." in left else "") + "".join(
            sorted(c for c in set(every) - set(spare) if every.count(c) == 1)
        )
    out = out.replace("...", "".join(spare[:wide][::-1]))
    sound = (
        len(terms) == len(operands)
        and all(len(t) == len(set(t)) == len(o.shape) for t, o in zip(terms, operands, strict=True))
        and len(set(out)) == len(out)
        and set(out) <= set(every)
        and (every + out + "a").isalpha()
    )
    if not sound:
        folder.fail(f"has the equation {text!r}, which is not a sum of products that is read")
    return terms, out


def batch_norm(
    folder: Folder,
    image: Image,
    axis: int,
    parameters: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    epsilon: float,
) -> Image:
    """``scale * (image - mean) / sqrt(variance + epsilon) + offset`` along one axis.

    ``parameters`` are scale, offset, mean and variance, each of shape (image.shape[axis],).
    The factor, which has a square root, and the constant term are rounded to float64.
    """
    channels = image.shape[axis]
    arrays = [folder.finite(p) for p in parameters]
    for array in arrays:
        if array.shape != (channels,):
            folder.fail(f"has parameters of shape {array.shape} for {channels} channels")
    scale, offset, mean, variance = arrays
    if np.any(variance + epsilon <= 0):
        folder.fail("has a variance of 0 or less; export it again")
    factor = folder.compute(rounding.over_root, scale, variance, epsilon)
    constant = folder.compute(rounding.dot, factor[:, None], -mean[:, None], offset)
    along = [1] * len(image.shape)
    along[axis] = channels
    return folder.affine(image, factor.reshape(along), constant.reshape(along))
