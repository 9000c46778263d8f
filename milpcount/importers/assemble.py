"""The network of the units that a walk over a graph made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import Matrix, SparseMatrix
from milpcount.core.network import ReLUNetwork
from milpcount.core.stage import Stage
from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.image import Image, Part

__all__ = ["Units", "network_of", "part_matrix", "pruned", "stacked"]

Float = NDArray[np.float64]
Index = NDArray[np.int64]

_LARGE = 1 << 20  # entries of a matrix that is stored sparse if few of them are not zero
_SPARSE = 1 / 8


@dataclass(frozen=True, eq=False)
class Units:
    """Units that one operation of a graph adds to a stage.

    Attributes:
        number: of the operation.
        needs: the operations whose units these depend on.
        parts: what their pre-activations take from earlier stages.
        bias: shape (units,).
        slope: shape (units,).
        linear: whether they only pass on what they compute.
    """

    number: int
    needs: frozenset[int]
    parts: tuple[Part, ...]
    bias: Float
    slope: Float
    linear: bool


def network_of(
    stages: Sequence[Sequence[Units]],
    output: Image,
    widths: Sequence[int],
    input_box: Box | None,
    name: str,
    notes: Iterable[str],
) -> ReLUNetwork:
    """The network of stages of units, and an output.

    Arguments:
        stages: the units of each stage.
        output: what follows the last units.
        widths: of the input and of the stages.
        input_box: the domain that came with the network, if any.
        name: of the network.
        notes: what the user should know.

    Raises:
        NetworkError: weights that would take too much memory.
    """
    made = []
    for units in stages:
        slope = np.concatenate([u.slope for u in units])
        linear = np.concatenate([np.full(u.bias.size, u.linear) for u in units])
        made.append(_stage(units, widths, ReLUGate(slope, linear), name))
    last = Units(0, output.needs, output.parts, output.bias, np.ones(output.rows), linear=True)
    end = _stage([last], widths, LinearGate(output.rows), name)
    return ReLUNetwork.of_stages(made, end, input_box=input_box, name=name, notes=notes)


def _stage(
    units: Sequence[Units], widths: Sequence[int], gate: ReLUGate | LinearGate, name: str
) -> Stage:
    reads = sorted({part.stage for u in units for part in u.parts}) or [0]
    weights = tuple(_matrix(units, read, widths[read], name) for read in reads)
    return Stage(tuple(reads), weights, np.concatenate([u.bias for u in units]), gate)


def _matrix(units: Sequence[Units], read: int, width: int, name: str) -> Matrix:
    """What units read of one stage; sparse where it is large and most of it is zero."""
    rows = sum(u.bias.size for u in units)
    found = [(first, part) for first, u in _placed(units) for part in u.parts if part.stage == read]
    entries = sum(int(np.count_nonzero(part.value)) for _, part in found)
    if rows * width > _LARGE and entries < rows * width * _SPARSE:
        pieces = [(first, *part.entries()) for first, part in found]
        return SparseMatrix.of_entries(
            (rows, width),
            np.concatenate([first + row for first, row, _, _ in pieces]),
            np.concatenate([place for _, _, place, _ in pieces]),
            np.concatenate([value for _, _, _, value in pieces]),
        )
    require_bytes(rows * width * 8, f"{name}: a matrix of {rows} x {width} weights", NetworkError)
    matrix = np.zeros((rows, width))
    for first, part in found:
        matrix[first : first + part.value.shape[0]] = part_matrix(part, width)
    return matrix


def _placed(units: Sequence[Units]) -> list[tuple[int, Units]]:
    first, placed = 0, []
    for u in units:
        placed.append((first, u))
        first += u.bias.size
    return placed


def part_matrix(part: Part, width: int) -> Float:
    """The dense matrix of a part, shape (rows, width)."""
    rows = part.value.shape[0]
    if part.index is None:
        # Columns of zeros for units that joined the stage after the part was made.
        missing = width - part.value.shape[1]
        return np.pad(part.value, ((0, 0), (0, missing))) if missing else part.value
    matrix = np.zeros((rows, width))
    row, place, value = part.entries()
    matrix[row, place] = value
    return matrix


def stacked(stage: int, pieces: Sequence[tuple[int, Part]], rows: int, width: int) -> Part:
    """One part of ``rows`` rows, from parts that begin at given rows."""
    dense = any(part.index is None for _, part in pieces)
    terms = width if dense else max(part.value.shape[1] for _, part in pieces)
    value = np.zeros((rows, terms))
    index = None if dense else np.zeros((rows, terms), dtype=np.int64)
    for first, part in pieces:
        here = slice(first, first + part.value.shape[0])
        if index is None:
            value[here] = part_matrix(part, width)
        else:
            value[here, : part.value.shape[1]] = part.value
            index[here, : part.value.shape[1]] = part.index
    return Part(stage, index, value)


def pruned(stages: Sequence[Sequence[Units]], output: Image) -> tuple[list[list[Units]], Image]:
    """The units that an output depends on, and the output as it reads them.

    Whole operations go, never single units of one: what a graph computes for its output counts,
    whatever the weights are.
    """
    kept = [[u for u in units if u.number in output.needs] for units in stages]
    if all(len(some) == len(units) for some, units in zip(kept, stages, strict=True)):
        return kept, output
    places = []
    for units in stages:
        sizes = [u.bias.size for u in units]
        keep = np.repeat([u.number in output.needs for u in units], sizes)
        places.append(np.where(keep, np.cumsum(keep) - 1, -1))
    # A stage all of whose units go is closed up.
    number = np.cumsum([0, *(bool(units) for units in kept)])

    def moved(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(
            _moved(part, int(number[part.stage]), places[part.stage - 1]) if part.stage else part
            for part in parts
        )

    made = [[replace(u, parts=moved(u.parts)) for u in units] for units in kept if units]
    return made, replace(output, parts=moved(output.parts))


def _moved(part: Part, stage: int, places: Index) -> Part:
    """A part that reads a stage some of whose units are gone."""
    if part.index is None:
        columns = np.flatnonzero(places[: part.value.shape[1]] >= 0)
        return Part(stage, None, part.value[:, columns])
    return Part(stage, places[part.index].clip(0), part.value)
