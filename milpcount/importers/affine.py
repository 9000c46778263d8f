"""Affine stages between ReLUs, composed into the layers of a network.

While an importer walks a graph, every tensor that depends on the input is an
:class:`~milpcount.importers.image.Image`: each of its entries is an affine function of the outputs
of one hidden layer (layer 0: the input).  A :class:`Folder` does arithmetic on images and closes a
layer at every ReLU.  Whatever it had to round is remembered by the place where it happened, and
ends up in the network's notes: the network that is counted is then the folded one, not the file's.

Hidden layers are counted as the graph has them.  Values of different layers are never brought
together by carrying one of them through units that are always on: that would change what is
counted, so skip connections are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError, UnsupportedError
from milpcount.importers import rounding
from milpcount.importers._files import require_bytes
from milpcount.importers.image import Image, constant_image, selection

__all__ = ["Folder"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_ENTRY = 16  # bytes of an index and a value
_MAX_WORK = 10**10  # integer multiplications in one product of dense matrices


@dataclass(frozen=True, eq=False)
class _Units:
    """Units that one ReLU of the graph adds to a layer."""

    weight: Float
    bias: Float
    slope: Float


class Folder:
    """Builds a network from images; one per import.

    Attributes:
        place: what is being folded at present, for messages and notes; the importer sets it.
        notes: what the user should know about the network.
    """

    def __init__(self, inputs: int, name: str) -> None:
        """Start with ``inputs`` network inputs; ``name`` goes into messages."""
        self.name = name
        self.place = "the input"
        self.notes: list[str] = []
        self._inputs = inputs
        self._layers: list[list[_Units]] = []
        self._rounded: list[str] = []
        self._bytes = 0

    def input(self, shape: tuple[int, ...]) -> Image:
        """The network's input as a tensor."""
        return selection(0, shape, 0)

    def width(self, depth: int) -> int:
        """Outputs that layer ``depth`` has so far."""
        if depth == 0:
            return self._inputs
        return sum(units.bias.size for units in self._layers[depth - 1])

    def take(self, image: Image, grid: Index) -> Image:
        """The tensor whose entries are the rows in ``grid``; -1 gives a constant 0."""
        require_bytes(grid.size * _ENTRY, self._what(), NetworkError)
        rows = grid.ravel()
        if rows.size == image.rows and np.array_equal(rows, np.arange(image.rows)):
            return replace(image, shape=grid.shape)
        require_bytes(rows.size * image.value.shape[1] * _ENTRY, self._what(), NetworkError)
        keep = rows >= 0
        return Image(
            image.depth,
            grid.shape,
            None if image.index is None else image.index[rows],
            image.value[rows] * keep[:, None],
            image.bias[rows] * keep,
        )

    def shift(self, image: Image, constant: ArrayLike) -> Image:
        """``image + constant``, with numpy's broadcasting."""
        image, array = self._broadcast(image, constant)
        bias = self.compute(rounding.add, image.bias, array)
        return replace(image, bias=bias)

    def scale(self, image: Image, factor: ArrayLike) -> Image:
        """``image * factor``, with numpy's broadcasting."""
        image, array = self._broadcast(image, factor)
        value = self.compute(rounding.multiply, image.value, array[:, None])
        bias = self.compute(rounding.multiply, image.bias, array)
        return replace(image, value=value, bias=bias)

    def divide(self, image: Image, divisor: ArrayLike) -> Image:
        """``image / divisor``, with numpy's broadcasting."""
        if not np.all(np.asarray(divisor)):
            raise NetworkError(f"{self.name}: {self.place} divides by zero; export it again")
        image, array = self._broadcast(image, divisor)
        value = self.compute(rounding.divide, image.value, array[:, None])
        bias = self.compute(rounding.divide, image.bias, array)
        return replace(image, value=value, bias=bias)

    def batch_norm(
        self,
        image: Image,
        axis: int,
        parameters: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
        epsilon: float,
    ) -> Image:
        """``scale * (image - mean) / sqrt(variance + epsilon) + offset`` along one axis.

        ``parameters`` are scale, offset, mean and variance, each of shape (image.shape[axis],).
        The factor is rounded, as it has a square root; then each entry is rounded once.
        """
        channels = image.shape[axis]
        arrays = [self._finite(p) for p in parameters]
        for array in arrays:
            if array.shape != (channels,):
                raise NetworkError(
                    f"{self.name}: {self.place} has parameters of shape {array.shape} for "
                    f"{channels} channels"
                )
        scale, offset, mean, variance = arrays
        if np.any(variance + epsilon <= 0):
            raise NetworkError(
                f"{self.name}: {self.place} has a variance of 0 or less; export it again"
            )
        factor = self.compute(rounding.over_root, scale, variance, epsilon)
        along = [1] * len(image.shape)
        along[axis] = channels
        by, means, offsets = (
            np.broadcast_to(array.reshape(along), image.shape).ravel()
            for array in (factor, mean, offset)
        )
        value = self.compute(rounding.multiply, image.value, by[:, None])
        pairs = np.stack([by, -by], axis=1), np.stack([image.bias, means], axis=1)
        return replace(image, value=value, bias=self.compute(rounding.dot, *pairs, offsets))

    def apply(
        self,
        image: Image,
        index: Index | None,
        matrix: Float,
        constant: ArrayLike,
        shape: tuple[int, ...],
    ) -> Image:
        """A linear operator on the rows of an image.

        Row ``r`` of the result is ``sum_j matrix[r, j] * image[index[r, j]] + constant[r]``; with
        ``index`` None the operator takes all rows of the image in order.  No row of ``index`` has
        the same entry twice, unless ``matrix`` is 0 there.
        """
        rows, terms = matrix.shape
        matrix = self._finite(matrix)
        add = np.broadcast_to(self._finite(constant), (rows,))
        bias = add
        if np.any(image.bias):
            biases = image.bias if index is None else image.bias[index]
            bias = self.compute(rounding.dot, matrix, np.broadcast_to(biases, matrix.shape), add)
        width, inner = self.width(image.depth), image.value.shape[1]
        if index is None and image.reads_all(width):
            value = self.compute(rounding.multiply, matrix, image.value[:, 0])
            return Image(image.depth, shape, None, value, bias)
        if image.index is not None and (inner == 1 or terms * inner <= width):
            require_bytes(rows * terms * inner * _ENTRY, self._what(), NetworkError)
            columns = image.index if index is None else image.index[index]
            values = image.value if index is None else image.value[index]
            product = self.compute(rounding.multiply, values, matrix[:, :, None])
            return Image(
                image.depth,
                shape,
                np.broadcast_to(columns, product.shape).reshape(rows, -1),
                product.reshape(rows, -1),
                bias,
            )
        value = self._product(image, index, matrix, width)
        return Image(image.depth, shape, None, value, bias)

    def add(self, first: Image, second: Image) -> Image:
        """The sum of two tensors of the same layer, with numpy's broadcasting."""
        self._require_same_depth([first, second])
        shape = np.broadcast_shapes(first.shape, second.shape)
        a = self.take(first, np.broadcast_to(first.grid, shape))
        b = self.take(second, np.broadcast_to(second.grid, shape))
        bias = self.compute(rounding.add, a.bias, b.bias)
        width = self.width(a.depth)
        if a.index is not None and b.index is not None:
            terms = a.value.shape[1] + b.value.shape[1]
            if terms <= width:
                index = np.concatenate([a.index, b.index], axis=1)
                value = np.concatenate([a.value, b.value], axis=1)
                return Image(a.depth, shape, index, value, bias)
        value = self.compute(rounding.add, self._dense(a, width), self._dense(b, width))
        return Image(a.depth, shape, None, value, bias)

    def stack(self, tensors: Sequence[Image | Float]) -> Image:
        """All rows of all tensors, one after the other, as a vector; constants are allowed."""
        images = [t for t in tensors if isinstance(t, Image)]
        self._require_same_depth(images)
        depth = images[0].depth
        width = self.width(depth)
        parts = [t if isinstance(t, Image) else constant_image(depth, t) for t in tensors]
        terms = max(p.value.shape[1] for p in parts)
        rows = sum(p.rows for p in parts)
        require_bytes(rows * terms * _ENTRY, self._what(), NetworkError)
        bias = np.concatenate([p.bias for p in parts])
        if any(p.index is None for p in parts):
            value = np.concatenate([self._dense(p, width) for p in parts])
            return Image(depth, bias.shape, None, value, bias)
        padded = [((0, 0), (0, terms - p.value.shape[1])) for p in parts]
        value = np.concatenate([np.pad(p.value, by) for p, by in zip(parts, padded, strict=True)])
        index = np.concatenate(
            [
                np.pad(p.index, by)
                for p, by in zip(parts, padded, strict=True)
                if p.index is not None
            ]
        )
        return Image(depth, bias.shape, index, value, bias)

    def relu(self, image: Image, slope: ArrayLike = 0.0) -> Image:
        """The outputs of (leaky) ReLU units whose pre-activations are the entries of ``image``.

        The units join hidden layer ``image.depth + 1``, after those that it already has.
        """
        depth = image.depth + 1
        weight = self._dense(image, self.width(image.depth))
        self._bytes += weight.nbytes
        require_bytes(self._bytes, f"{self.name}: the expanded network", NetworkError)
        slopes = np.broadcast_to(np.asarray(slope, dtype=np.float64), image.shape).ravel()
        if depth > len(self._layers):
            self._layers.append([])
        first = self.width(depth)
        self._layers[depth - 1].append(_Units(weight, image.bias, slopes))
        return selection(depth, image.shape, first)

    def finish(self, output: Image, input_box: Box | None = None) -> ReLUNetwork:
        """The network whose output layer is ``output``."""
        depth = len(self._layers)
        if output.depth != depth:
            raise UnsupportedError(
                f"{self.name}: the output is computed from hidden layer {output.depth} of {depth}; "
                "export the network without the layers behind it"
            )
        weight = self._dense(output, self.width(depth))
        if depth and output.reads_all(weight.shape[1]) and np.all(output.value == 1):
            self.notes.append(
                f"the network ends in a ReLU: its units are hidden layer {depth} and the output "
                "layer is the identity"
            )
        layers = [*self._layers, [_Units(weight, output.bias, np.zeros(output.rows))]]
        widths = [self.width(level) for level in range(depth + 1)]
        return ReLUNetwork(
            [
                _stacked([_widened(u.weight, width) for u in units])
                for units, width in zip(layers, widths, strict=True)
            ],
            [_stacked([u.bias for u in units]) for units in layers],
            [_stacked([u.slope for u in units]) for units in self._layers],
            input_box=input_box,
            name=self.name,
            notes=[*self.notes, *self._rounding_notes()],
        )

    def compute(self, operation: Callable[..., tuple[Float, bool]], *arguments: Any) -> Float:
        """The result of one of :mod:`rounding`'s functions; remembers when it rounded."""
        try:
            result, exact = operation(*arguments)
        except OverflowError as error:
            raise NetworkError(
                f"{self.name}: folding {self.place} leaves the range of float64; "
                "rescale the weights"
            ) from error
        if not exact and self.place not in self._rounded:
            self._rounded.append(self.place)
        return result

    def _rounding_notes(self) -> list[str]:
        if not self._rounded:
            return []
        shown = ", ".join(self._rounded[:8])
        more = f" and {len(self._rounded) - 8} more" if len(self._rounded) > 8 else ""
        return [
            f"folding {shown}{more} into the affine layer rounded to float64; "
            "the network counted is the folded one"
        ]

    def _what(self) -> str:
        return f"{self.name}: {self.place}, expanded to a matrix,"

    def _broadcast(self, image: Image, constant: ArrayLike) -> tuple[Image, Float]:
        array = self._finite(constant)
        shape = np.broadcast_shapes(image.shape, array.shape)
        if shape != image.shape:
            require_bytes(math.prod(shape) * _ENTRY, self._what(), NetworkError)
            image = self.take(image, np.broadcast_to(image.grid, shape))
        return image, np.broadcast_to(array, shape).ravel()

    def _finite(self, constant: ArrayLike) -> Float:
        array = np.asarray(constant, dtype=np.float64)
        if not np.all(np.isfinite(array)):
            raise NetworkError(
                f"{self.name}: {self.place} has a NaN or infinite value; export it again from "
                "finite weights"
            )
        return array

    def _require_same_depth(self, images: Sequence[Image]) -> None:
        depths = sorted({image.depth for image in images})
        if len(depths) > 1:
            names = " and ".join(f"hidden layer {d}" if d else "the input" for d in depths)
            raise UnsupportedError(
                f"{self.name}: {self.place} brings together {names} (a skip connection over a "
                "ReLU); only networks whose layers follow one another can be counted"
            )

    def _product(self, image: Image, index: Index | None, matrix: Float, width: int) -> Float:
        rows = matrix.shape[0]
        work = rows * image.rows * width
        if work > _MAX_WORK:
            raise NetworkError(
                f"{self.name}: folding {self.place} takes {work:.1e} multiplications; fold the "
                "affine layers that no ReLU separates before the export"
            )
        entries = rows * image.rows + image.rows * width + rows * width
        require_bytes(entries * _ENTRY, self._what(), NetworkError)
        if index is not None:
            spread = np.zeros((rows, image.rows))
            np.add.at(spread, (np.arange(rows)[:, None], index), matrix)
            matrix = spread
        return self.compute(rounding.matmul, matrix, self._dense(image, width))

    def _dense(self, image: Image, width: int) -> Float:
        """The matrix of an image, shape (rows, width)."""
        require_bytes(image.rows * width * 8, self._what(), NetworkError)
        if image.index is None:
            return _widened(image.value, width)
        row, term = np.nonzero(image.value)
        place = row * width + image.index[row, term]
        return self.compute(rounding.scatter, (image.rows, width), place, image.value[row, term])


def _widened(matrix: Float, width: int) -> Float:
    """Columns of zeros for units that joined the layer after the matrix was made."""
    missing = width - matrix.shape[1]
    return np.pad(matrix, ((0, 0), (0, missing))) if missing else matrix


def _stacked(parts: Sequence[Float]) -> Float:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
