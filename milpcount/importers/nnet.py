"""Networks in the ``.nnet`` text format of the Stanford Intelligent Systems Laboratory.

After comment lines that start with ``//``: the number of layers, inputs, outputs and the widest
layer; the layer sizes; an unused flag; per input the minimum and the maximum; the means and the
ranges, per input and then one for all outputs; then per layer the rows of the weight matrix and
the biases, one a line.  ReLU follows every layer but the last.  The weights work on normalised
inputs ``(x - mean) / range`` and give normalised outputs ``(y - mean) / range``.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, NetworkError
from milpcount.importers import rounding
from milpcount.importers._files import read_text
from milpcount.importers.affine import Folder

__all__ = ["load_nnet"]

Float = NDArray[np.float64]

_DISCRETE = 2  # the advisory before, and the time until vertical separation is lost


def load_nnet(path: str | Path, *, name: str | None = None, normalized: bool = True) -> ReLUNetwork:
    """Read a network from a ``.nnet`` file; decimals are read to the nearest float64.

    Arguments:
        path: the file.
        name: the network's name; the file's name if None.
        normalized: True gives the network as its weights are stored, on normalised inputs and
            outputs (as the ONNX versions of ACAS Xu have it); False folds the normalisation of
            inputs and outputs into the first and last layer, which rounds (see ``notes``).  The
            regions correspond one to one, up to that rounding.

    The input box holds the file's minima and maxima: normalised, each end rounded to the nearest
    float64, or as they are.

    Raises:
        NetworkError: a missing, truncated or malformed file.
        DomainError: minima above maxima.
    """
    path = Path(path)
    lines = _Lines(path)
    layers, inputs, outputs, _ = lines.integers(4, "the numbers of layers, inputs and outputs")
    if layers < 1 or layers > lines.size:
        lines.fail(f"claims {layers} layers")
    sizes = lines.integers(layers + 1, "the layer sizes")
    if min(sizes) < 1 or sizes[0] != inputs or sizes[-1] != outputs:
        lines.fail(f"has layer sizes {sizes} for {inputs} inputs and {outputs} outputs")
    claimed = sum(a * b for a, b in pairwise(sizes))
    if claimed > lines.size:  # each number takes at least one character
        lines.fail(f"claims {claimed} weights in a file of {lines.size} characters")
    lines.skip()
    low, high = (lines.header(inputs, 0, f"the {what} of inputs") for what in ("minima", "maxima"))
    mean, spread = (
        lines.header(inputs, 1, f"the {what} of inputs and output") for what in ("means", "ranges")
    )
    if not np.all(spread):
        lines.fail("has a range of 0")
    weights, biases = [], []
    for layer, (columns, rows) in enumerate(pairwise(sizes)):
        place = f"of layer {layer}"
        weights.append(np.stack([lines.numbers(columns, f"weights {place}") for _ in range(rows)]))
        biases.append(np.concatenate([lines.numbers(1, f"a bias {place}") for _ in range(rows)]))
    lines.require_end()
    label = name or path.name
    try:
        raw = Box(low, high)
        if not normalized:
            return _raw(weights, biases, mean, spread, label, raw)
        ends = (_normalised(end, mean, spread) for end in (low, high))
        box = Box(*ends)
    except DomainError as error:
        raise DomainError(f"{path}: {error}") from error
    notes = ("inputs and outputs are normalised, (value - mean) / range with the file's numbers",)
    return ReLUNetwork(weights, biases, input_box=box, name=label, notes=notes)


def _normalised(end: Float, mean: Float, spread: Float) -> Float:
    exact = [
        (Fraction(e) - Fraction(m)) / Fraction(r)
        for e, m, r in zip(end.tolist(), mean.tolist(), spread.tolist(), strict=False)
    ]
    return np.array([rounding.nearest_float(value)[0] for value in exact])


def _raw(
    weights: list[Float], biases: list[Float], mean: Float, spread: Float, name: str, box: Box
) -> ReLUNetwork:
    inputs = weights[0].shape[1]
    folder = Folder(inputs, name)
    folder.place = "the input normalisation"
    image = folder.divide(folder.shift(folder.input((inputs,)), -mean[:-1]), spread[:-1])
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer:
            image = folder.relu(image)
        image = folder.apply(image, None, weight, bias, bias.shape)
    folder.place = "the output normalisation"
    return folder.finish(folder.shift(folder.scale(image, spread[-1]), mean[-1]), box)


class _Lines:
    """The lines of a file with their numbers; comments and empty lines are passed over."""

    def __init__(self, path: Path) -> None:
        text = read_text(path, NetworkError)
        self.size = len(text)
        self._path = path
        self._at = 0
        self._unused: int | None = None
        self._lines = [
            (number, line.strip())
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip() and not line.lstrip().startswith("//")
        ]

    def fail(self, reason: str) -> NoReturn:
        """Refuse the file at the line read last."""
        line = self._lines[self._at - 1][0] if self._at else 0
        raise NetworkError(f"{self._path}, line {line} {reason}; check that it is a .nnet file")

    def skip(self) -> None:
        """Pass over a line."""
        self._next("a flag")

    def header(self, inputs: int, outputs: int, what: str) -> Float:
        """The next line as numbers for the inputs, and for all outputs together.

        In the first ACAS Xu networks there are numbers for two discrete inputs between them, which
        choose the network and are none of its inputs.
        """
        values = self._finite(what, (inputs + outputs, inputs + _DISCRETE + outputs))
        unused = len(values) - inputs - outputs
        if self._unused not in (None, unused):
            self.fail(f"has {unused} numbers more than {what} take, lines before another count")
        self._unused = unused
        return np.concatenate([values[:inputs], values[len(values) - outputs :]])

    def numbers(self, count: int, what: str) -> Float:
        """The next line as finite numbers."""
        return self._finite(what, (count,))

    def _finite(self, what: str, counts: tuple[int, ...]) -> Float:
        number, line = self._next(what)
        words = [word.strip() for word in line.rstrip(",").split(",")]
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            raise NetworkError(
                f"{self._path}, line {number}: {what} are not all numbers ({error}); "
                "the file is damaged"
            ) from error
        if len(values) not in counts:
            raise NetworkError(
                f"{self._path}, line {number} has {len(values)} numbers; {what} take {counts[0]}"
            )
        if not np.all(np.isfinite(values)):
            raise NetworkError(
                f"{self._path}, line {number} has a NaN or infinite value; export it again"
            )
        return values

    def integers(self, count: int, what: str) -> list[int]:
        """The next line as integers."""
        values = self.numbers(count, what)
        if np.any(values != np.floor(values)) or np.any(np.abs(values) > 2**53):
            self.fail(f"has {what} that are not integers")
        return [int(v) for v in values]

    def require_end(self) -> None:
        """Refuse lines after the last bias."""
        if self._at < len(self._lines):
            self._at += 1
            self.fail("comes after the last bias")

    def _next(self, what: str) -> tuple[int, str]:
        if self._at == len(self._lines):
            raise NetworkError(
                f"{self._path} ends before {what}; it is truncated, download or export it again"
            )
        self._at += 1
        return self._lines[self._at - 1]
