"""Tensors as affine functions of one layer's outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "constant_image", "selection"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Image:
    """A tensor as an affine function of the outputs ``h`` of hidden layer ``depth``.

    Entry ``r`` (C order) is ``sum_j value[r, j] * h[index[r, j]] + bias[r]``.

    Attributes:
        depth: the layer whose outputs ``h`` are; 0 for the network's input.
        shape: of the tensor; its product is the number of rows.
        index: shape (rows, k), or None for a dense image with ``index[r, j] = j``.
        value: shape (rows, k).
        bias: shape (rows,).
    """

    depth: int
    shape: tuple[int, ...]
    index: Index | None
    value: Float
    bias: Float

    @property
    def rows(self) -> int:
        """Number of entries of the tensor."""
        return int(self.bias.shape[0])

    @property
    def grid(self) -> Index:
        """Row number of every entry, in the tensor's shape."""
        return np.arange(self.rows).reshape(self.shape)

    def reads_all(self, width: int) -> bool:
        """Whether row ``r`` reads output ``r`` of a layer of ``width`` units, and nothing else."""
        return (
            self.index is not None
            and self.index.shape == (width, 1)
            and np.array_equal(self.index[:, 0], np.arange(width))
        )


def selection(depth: int, shape: tuple[int, ...], first: int) -> Image:
    """Outputs ``first, first + 1, ...`` of a layer, in the given shape."""
    rows = math.prod(shape)
    index = first + np.arange(rows)[:, None]
    return Image(depth, shape, index, np.ones((rows, 1)), np.zeros(rows))


def constant_image(depth: int, array: Float) -> Image:
    """A tensor that does not depend on the layer."""
    rows = array.size
    index = np.zeros((rows, 1), dtype=np.int64)
    return Image(depth, array.shape, index, np.zeros((rows, 1)), array.ravel())
