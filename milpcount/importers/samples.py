"""Proof, from the graph, that all samples of a batch are treated alike.

A network that is exported with a fixed batch of ``N`` samples is ``N`` copies of one network, if
no operation tells the samples apart.  While such a graph is walked, only the rows of one sample are
kept (:class:`~milpcount.importers.image.Image`), and each operation is shown to do the same with
every sample: entry ``e`` of sample ``s`` of its result reads entries of sample ``s`` alone, the
same ones with the same factors for every ``s``.  By induction over the graph all samples are then
mapped by one function.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from milpcount.core.matrix import row_blocks
from milpcount.core.network import ReLUNetwork
from milpcount.errors import UnsupportedError
from milpcount.importers.image import Image

__all__ = [
    "MixedSamplesError",
    "keeps_samples_apart",
    "sample_constant",
    "sample_rows",
    "sample_terms",
    "with_samples",
]

Float = NDArray[np.float64]
Index = NDArray[np.int64]
Batch = tuple[int, int] | None


class MixedSamplesError(UnsupportedError):
    """An operation that mixes the samples of a batch, or tells them apart."""


def sample_rows(image: Image, grid: Index) -> tuple[Index, Batch]:
    """Rows of one sample under ``grid``, which holds entry numbers (-1: nothing) of a batch.

    Raises:
        MixedSamplesError: no axis of ``grid`` runs over the samples.
    """
    if image.batch is None:
        return grid, None
    sample, local = _split(image, grid)
    for axis, size in enumerate(grid.shape):
        if size != image.batch[1]:
            continue
        samples, locals_ = (np.moveaxis(a, axis, 0) for a in (sample, local))
        here = np.arange(size).reshape(-1, *(1,) * (grid.ndim - 1))
        if np.all((locals_ == locals_[:1]) & ((locals_ < 0) | (samples == here))):
            return np.take(local, [0], axis=axis), (axis, size)
    raise MixedSamplesError("mixes the samples of the batch")


def sample_terms(
    image: Image, index: Index, matrix: Float, constant: Float, shape: tuple[int, ...]
) -> tuple[Index, Float, Float, Batch]:
    """The linear operator of one sample, from one on a batch.

    Row ``r`` of the operator, an entry of a tensor of the given shape, is
    ``sum_j matrix[r, j] * image[index[r, j]] + constant[r]``.

    Raises:
        MixedSamplesError: no axis of ``shape`` runs over the samples.
    """
    if image.batch is None:
        return index, matrix, constant, None
    terms = matrix.shape[1]
    sample, local = _split(image, np.where(matrix != 0, index, -1))
    sample, local = (a.reshape(*shape, terms) for a in (sample, local))
    factors = matrix.reshape(*shape, terms)
    adds = constant.reshape(shape)
    for axis, size in enumerate(shape):
        if size != image.batch[1]:
            continue
        at, entry = (np.moveaxis(a, axis, 0) for a in (sample, local))
        factor, add = (np.moveaxis(a, axis, 0) for a in (factors, adds))
        here = np.arange(size).reshape(-1, *(1,) * len(shape))
        alike = (entry == entry[:1]) & ((entry < 0) | (at == here)) & (factor == factor[:1])
        if np.all(alike) and np.all(add == add[:1]):
            one = entry[0].reshape(-1, terms).clip(0)
            return one, factor[0].reshape(-1, terms), add[0].ravel(), (axis, size)
    raise MixedSamplesError("mixes the samples of the batch, or tells them apart")


def sample_constant(image: Image, array: Float) -> Float:
    """What ``array``, of the image's shape, holds for one sample, flat.

    Raises:
        MixedSamplesError: it holds other numbers for other samples.
    """
    if image.batch is None:
        return array.ravel()
    samples = np.moveaxis(array, image.batch[0], 0)
    if not np.all(samples == samples[:1]):
        raise MixedSamplesError("tells the samples of the batch apart")
    return np.ascontiguousarray(samples[0]).ravel()


def _split(image: Image, entries: Index) -> tuple[Index, Index]:
    """Sample and row of entries of a batch; -1 stays -1."""
    axis, size = image.batch or (0, 1)
    inner = math.prod(image.shape[axis + 1 :])
    outer, rest = np.divmod(entries, size * inner)
    sample, last = np.divmod(rest, inner)
    nothing = entries < 0
    return np.where(nothing, -1, sample), np.where(nothing, -1, outer * inner + last)


def with_samples(shape: tuple[int, ...], batch: tuple[int, int] | None) -> tuple[int, ...]:
    """The shape of a batch, from the one of one sample."""
    if batch is None:
        return shape
    axis, size = batch
    return (*shape[:axis], size, *shape[axis + 1 :])


def keeps_samples_apart(network: ReLUNetwork, samples: int) -> bool:
    """Whether no unit with a state depends on inputs of more than one sample.

    Sample ``s`` of ``samples`` has the inputs with the numbers ``s k, ..., s k + k - 1``.
    """
    inputs = network.input_dimension
    owner = np.arange(inputs) // (inputs // samples)
    reached = [(owner[:, None] == np.arange(samples)).astype(np.float32)]
    for stage in network.stages:
        found = np.zeros((stage.width, samples), dtype=np.float32)
        for read, weight in zip(stage.reads, stage.weights, strict=True):
            blocks = [(b != 0).astype(np.float32) @ reached[read] for b in row_blocks(weight)]
            found += np.concatenate(blocks)
        if np.any(np.count_nonzero(found[~stage.linear], axis=1) > 1):
            return False
        reached.append((found > 0).astype(np.float32))
    return True
