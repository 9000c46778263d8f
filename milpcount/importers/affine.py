"""Affine operations on tensors, and the stages that they become.

While an importer walks a graph, every tensor that depends on the input is an
:class:`~milpcount.importers.image.Image`: each of its entries is an affine function of outputs of
earlier stages (stage 0: the input).  A :class:`Folder` does arithmetic on images, which folds
affine operations into each other, and makes a unit of every entry that a ReLU works on.

Nothing is folded that would have to round: where the weights of two affine operations in a row
have a product that float64 does not hold, the entries between them become *linear units*, which
pass on what they compute.  Two things are rounded all the same, and the notes say so: constants
that float64 cannot hold (a third; the square root in a normalisation), and weights on the input
where linear units before them would have more dimensions than the units behind them.

A unit's stage is one more than the last stage that it reads, so units that could be computed at
once form one stage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError
from milpcount.importers import rounding
from milpcount.importers._files import require_bytes, too_big
from milpcount.importers.assemble import Units, network_of, part_matrix, pruned, stacked
from milpcount.importers.image import Image, Part, selection
from milpcount.importers.ledger import Ledger, RoundedError
from milpcount.importers.samples import (
    MixedSamplesError,
    sample_constant,
    sample_rows,
    sample_terms,
    with_samples,
)

__all__ = ["Folder"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_ENTRY = 64  # bytes of an entry of a tensor, with what is taken for the moment
_TERM = 48  # the same for a term of a linear operator
_PROOF = 128  # bytes an entry that a proof of equal treatment takes for the moment
_MAX_WORK = 10**10  # integer multiplications in one product of dense matrices
_FEW_INPUTS = 32  # so many dimensions are no burden for a search


class Folder(Ledger):
    """Builds a network from images; one per import.

    Attributes:
        place: what is being folded at present, for messages and notes; the importer sets it.
        notes: what the user should know about the network.
    """

    def __init__(self, inputs: int, name: str) -> None:
        """Start with ``inputs`` network inputs; ``name`` goes into messages."""
        super().__init__(name)
        self._inputs = inputs
        self._stages: list[list[Units]] = []
        self._bytes = 0
        self._count = 0

    def input(self, shape: tuple[int, ...], *, batch: bool = False) -> Image:
        """The network's input as a tensor, whose first axis may be one of samples."""
        return selection(0, shape, 0, (0, shape[0]) if batch else None)

    def width(self, stage: int) -> int:
        """Outputs that a stage has so far."""
        if stage == 0:
            return self._inputs
        return sum(units.bias.size for units in self._stages[stage - 1])

    @property
    def has_units(self) -> bool:
        """Whether there is any unit with a state."""
        return any(not units.linear for stage in self._stages for units in stage)

    def take(self, image: Image, grid: Index) -> Image:
        """The tensor whose entries are the entries of ``image`` in ``grid``; -1 gives a 0."""
        self._require(grid.size * (_ENTRY if image.batch is None else _PROOF))
        grid, batch = self._proved(sample_rows, image, grid)
        return self._picked(image, grid.ravel(), with_samples(grid.shape, batch), batch)

    def _picked(
        self, image: Image, rows: Index, shape: tuple[int, ...], batch: tuple[int, int] | None
    ) -> Image:
        """The tensor with these rows of one sample; -1 gives a 0."""
        if rows.size == image.rows and np.array_equal(rows, np.arange(image.rows)):
            return replace(image, shape=shape, batch=batch)
        keep = rows >= 0
        parts = []
        for part in image.parts:
            self._require(rows.size * part.value.shape[1] * _ENTRY)
            value = part.value[rows] * keep[:, None]
            index = None if part.index is None else part.index[rows]
            # What is left out of a concatenation need not be read any more.
            if len(image.parts) == 1 or np.any(value):
                parts.append(Part(part.stage, index, value))
        return Image(shape, tuple(parts), image.bias[rows] * keep, batch, image.needs)

    def shift(self, image: Image, constant: ArrayLike) -> Image:
        """``image + constant``, with numpy's broadcasting."""
        return self.affine(image, 1.0, constant)

    def scale(self, image: Image, factor: ArrayLike) -> Image:
        """``image * factor``, with numpy's broadcasting."""
        return self.affine(image, factor, 0.0)

    def divide(self, image: Image, divisor: ArrayLike) -> Image:
        """``image / divisor``, with numpy's broadcasting.

        Where a quotient of a weight is no float64, the image is multiplied by the float64 nearest
        to ``1 / divisor``.
        """
        by = self.finite(divisor)
        if not np.all(by):
            self.fail("divides by zero; export it again")
        try:
            inverse = self._sure(rounding.divide, np.ones(by.shape), by)
        except RoundedError:
            try:
                return self._divided(image, by)
            except RoundedError:
                inverse = self.compute(rounding.divide, np.ones(by.shape), by)
        return self.scale(image, inverse)

    def _divided(self, image: Image, by: Float) -> Image:
        image, below = self._broadcast(image, by)
        parts = [
            replace(part, value=self._sure(rounding.divide, part.value, below[:, None]))
            for part in image.parts
        ]
        bias = self._sure(rounding.divide, image.bias, below)
        return replace(image, parts=tuple(parts), bias=bias)

    def affine(self, image: Image, factor: ArrayLike, constant: ArrayLike) -> Image:
        """``image * factor + constant``, with numpy's broadcasting."""
        image, by, add = self._broadcast(image, factor, constant)

        def fold(image: Image) -> Image:
            parts = [
                replace(part, value=self._sure(rounding.multiply, part.value, by[:, None]))
                for part in image.parts
            ]
            if not np.any(image.bias):
                bias = add
            elif not np.any(add):
                bias = self._sure(rounding.multiply, image.bias, by)
            elif np.all(by == 1):
                bias = self._sure(rounding.add, image.bias, add)
            else:
                bias = self._sure(rounding.dot, by[:, None], image.bias[:, None], add)
            return replace(image, parts=tuple(parts), bias=bias)

        return self._folded(fold, image)

    def one_sample(self, image: Image) -> Image:
        """The image of one sample, for an operation that treats the samples alike by itself."""
        if image.batch is None:
            return image
        axis = image.batch[0]
        return replace(image, shape=with_samples(image.shape, (axis, 1)), batch=None)

    def of_one_sample(self, image: Image, constant: Float) -> Float:
        """What a constant of the image's shape holds for one sample, flat."""
        return np.asarray(self._proved(sample_constant, image, constant))

    def all_samples(self, result: Image, like: Image) -> Image:
        """What such an operation makes of ``like``, from what it made of one sample."""
        if like.batch is None:
            return result
        return replace(result, shape=with_samples(result.shape, like.batch), batch=like.batch)

    def apply(
        self,
        image: Image,
        index: Index | None,
        matrix: Float,
        constant: ArrayLike,
        shape: tuple[int, ...],
    ) -> Image:
        """A linear operator on the entries of an image.

        Entry ``r`` of the result is ``sum_j matrix[r, j] * image[index[r, j]] + constant[r]``;
        with ``index`` None the operator takes all entries of the image in order (of one sample).
        No row of ``index`` has the same entry twice, unless ``matrix`` is 0 there.
        """
        matrix = self.finite(matrix)
        add = np.broadcast_to(self.finite(constant), matrix.shape[:1])
        batch = None
        if image.batch is not None:
            self._require(matrix.size * _PROOF)
            if index is None:
                index = np.broadcast_to(np.arange(math.prod(image.shape)), matrix.shape)
            index, matrix, add, batch = self._proved(sample_terms, image, index, matrix, add, shape)

        def fold(image: Image) -> Image:
            made = [self._apply_part(part, image.rows, index, matrix) for part in image.parts]
            parts = [part for part in made if part is not None]
            if image.parts and not parts:  # zero weights still belong to the stage behind
                place = np.zeros((matrix.shape[0], 1), dtype=np.int64)
                parts = [Part(image.depth, place, np.zeros(place.shape))]
            bias = add
            if np.any(image.bias):
                biases = np.broadcast_to(
                    image.bias if index is None else image.bias[index], matrix.shape
                )
                bias = self._sure(rounding.dot, matrix, biases, add)
            return Image(shape, tuple(parts), bias, batch, image.needs)

        return self._folded(fold, image, may_round=self._widens(image, matrix.shape[0]))

    def _widens(self, image: Image, units: int) -> bool:
        """Whether linear units for a scaled input would cost a search many dimensions.

        A search goes through the image of stage 1, which has no more dimensions than it has units:
        behind a copy of the whole input it would have as many as there are inputs.
        """
        copies = all(part.value.shape[1] == 1 for part in image.parts)
        return image.depth == 0 and copies and _FEW_INPUTS < self._inputs > units

    def _apply_part(self, part: Part, rows: int, index: Index | None, matrix: Float) -> Part | None:
        """The operator on one part of an image of that many rows."""
        count, terms = matrix.shape
        width = self.width(part.stage)
        if index is None and part.reads_all(width):
            value = self._sure(rounding.multiply, matrix, part.value[:, 0])
            return Part(part.stage, None, value) if np.any(value) else None
        if index is None and part.index is not None:
            used = np.flatnonzero(np.any(part.value != 0, axis=1))
            if used.size < rows:  # as behind a concatenation
                index = np.broadcast_to(used, (count, used.size))
                matrix, terms = matrix[:, used], used.size
        inner = part.value.shape[1]
        if part.index is not None and (inner == 1 or terms * inner <= width):
            self._require(count * terms * inner * _TERM)
            columns = part.index if index is None else part.index[index]
            values = part.value if index is None else part.value[index]
            product = self._sure(rounding.multiply, values, matrix[:, :, None])
            columns = np.broadcast_to(columns, product.shape).reshape(count, -1)
            product = product.reshape(count, -1)
            keep = np.any(product != 0, axis=0)
            if not np.any(keep):
                return None
            return self._merged(part.stage, columns[:, keep], product[:, keep])
        value = self._product(part, rows, index, matrix, width)
        return Part(part.stage, None, value) if np.any(value) else None

    def add(self, first: Image, second: Image) -> Image:
        """The sum of two tensors, with numpy's broadcasting."""
        shape = np.broadcast_shapes(first.shape, second.shape)
        self._require(math.prod(shape) * _ENTRY)
        a, b = (self.take(x, np.broadcast_to(x.grid, shape)) for x in (first, second))
        if a.batch != b.batch:
            self._mixed(MixedSamplesError("mixes the samples of the batch"))

        def fold(a: Image, b: Image) -> Image:
            bias = self._sure(rounding.add, a.bias, b.bias)
            theirs = {part.stage: part for part in b.parts}
            parts = [
                self._sum(part, theirs.pop(part.stage)) if part.stage in theirs else part
                for part in a.parts
            ]
            ordered = sorted([*parts, *theirs.values()], key=lambda part: part.stage)
            return Image(shape, tuple(ordered), bias, a.batch, a.needs | b.needs)

        return self._folded(fold, a, b)

    def _sum(self, a: Part, b: Part) -> Part:
        width = self.width(a.stage)
        terms = a.value.shape[1] + b.value.shape[1]
        if a.index is not None and b.index is not None and terms <= max(width, 2):
            index = np.concatenate([a.index, b.index], axis=1)
            return self._merged(a.stage, index, np.concatenate([a.value, b.value], axis=1))
        self._require(a.value.shape[0] * width * 2 * _ENTRY)
        return Part(
            a.stage, None, self._sure(rounding.add, *(part_matrix(p, width) for p in (a, b)))
        )

    def concat(self, values: Sequence[Image | Float], axis: int) -> Image:
        """Tensors, constants among them, one after the other along an axis."""
        like = next(value for value in values if isinstance(value, Image))
        batches = {value.batch for value in values if isinstance(value, Image)}
        if len(batches) > 1 or (like.batch is not None and like.batch[0] == axis):
            self._mixed(MixedSamplesError("mixes the samples of the batch"))
        grids: list[Index] = []
        biases: list[Float] = []
        pieces: dict[int, list[tuple[int, Part]]] = {}
        count = 0
        for value in values:
            shape = list(value.shape)
            if isinstance(value, Image):
                for part in value.parts:
                    pieces.setdefault(part.stage, []).append((count, part))
                biases.append(value.bias)
            else:
                alike = replace(like, shape=value.shape)
                biases.append(self._proved(sample_constant, alike, self.finite(value)))
            if like.batch is not None:
                shape[like.batch[0]] = 1
            grids.append(count + np.arange(biases[-1].size).reshape(shape))
            count += biases[-1].size
        widest = max((self.width(stage) for stage in pieces), default=0)
        terms = max((p.value.shape[1] for found in pieces.values() for _, p in found), default=0)
        dense = any(p.index is None for found in pieces.values() for _, p in found)
        self._require(count * (widest if dense else terms) * len(pieces) * _ENTRY)
        parts = [
            stacked(stage, found, count, self.width(stage))
            for stage, found in sorted(pieces.items())
        ]
        needs = frozenset[int]().union(*(v.needs for v in values if isinstance(v, Image)))
        rows = Image((count,), tuple(parts), np.concatenate(biases), needs=needs)
        grid = np.concatenate(grids, axis=axis)
        return self._picked(rows, grid.ravel(), with_samples(grid.shape, like.batch), like.batch)

    def relu(self, image: Image, slope: ArrayLike = 0.0) -> Image:
        """The outputs of (leaky) ReLU units whose pre-activations are the entries of ``image``.

        The units join stage ``image.depth + 1``, after those that it already has.
        """
        slopes = np.broadcast_to(self.finite(slope), image.shape)
        return self._units(image, self._proved(sample_constant, image, slopes), linear=False)

    def _units(self, image: Image, slope: Float, linear: bool) -> Image:
        stage = image.depth + 1
        self._count += 1
        self._bytes += image.nbytes
        require_bytes(self._bytes, f"{self.name}: the expanded network", NetworkError)
        if stage > len(self._stages):
            self._stages.append([])
        first = self.width(stage)
        units = Units(self._count, image.needs, image.parts, image.bias, slope, linear)
        self._stages[stage - 1].append(units)
        made = selection(stage, image.shape, first, image.batch)
        return replace(made, needs=image.needs | {self._count})

    def finish(self, output: Image, input_box: Box | None = None) -> ReLUNetwork:
        """The network whose output layer is ``output``, of the units that it needs."""
        stages, output = pruned(self._stages, output)
        depth = len(stages)
        notes = [*self.notes, *self.rounding_notes()]
        widths = [self._inputs, *(sum(u.bias.size for u in units) for units in stages)]
        if (
            depth
            and [part.stage for part in output.parts] == [depth]
            and output.parts[0].reads_all(widths[-1])
            and np.all(output.parts[0].value == 1)
            and not any(units.linear for units in stages[-1])
        ):
            notes.append(
                f"the network ends in a ReLU: its units are hidden layer {depth} and the output "
                "layer is the identity"
            )
        return network_of(stages, output, widths, input_box, self.name, notes)

    def _product(
        self, part: Part, rows: int, index: Index | None, matrix: Float, width: int
    ) -> Float:
        """The operator on a part of an image of ``rows`` rows, as a dense matrix."""
        count = matrix.shape[0]
        entries = count * rows + rows * width + count * width
        if count * rows * width > _MAX_WORK or too_big(entries * _ENTRY):
            raise RoundedError
        if index is not None:
            spread = np.zeros((count, rows))
            np.add.at(spread, (np.arange(count)[:, None], index), matrix)
            matrix = spread
        return self._sure(rounding.matmul, matrix, part_matrix(part, width))

    def _broadcast(self, image: Image, *constants: ArrayLike) -> tuple[Any, ...]:
        arrays = [self.finite(constant) for constant in constants]
        shape = np.broadcast_shapes(image.shape, *(array.shape for array in arrays))
        if shape != image.shape:
            self._require(math.prod(shape) * _ENTRY)
            image = self.take(image, np.broadcast_to(image.grid, shape))
        full = (np.broadcast_to(array, shape) for array in arrays)
        return image, *(self._proved(sample_constant, image, array) for array in full)
