"""The canonical form of stages: only stage 1 reads the input.

Searches over an image of the input space, slices and charts look at stage 1 alone.  A later stage
that adds ``W x`` reads linear units of stage 1 instead, which hold the distinct rows of ``W x`` (or
the inputs themselves where these are fewer): a copy of numbers, so nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import Matrix, SparseMatrix, nonzeros
from milpcount.core.stage import Stage

__all__ = ["read_input_once"]

Row = tuple[tuple[int, ...], tuple[float, ...]]  # columns and values of the non-zero entries


def read_input_once(stages: Sequence[Stage], output: Stage) -> tuple[tuple[Stage, ...], Stage]:
    """The same network with linear units in stage 1 for whatever else reads the input."""
    later = [*stages[1:], output] if stages else []
    if not any(0 in stage.reads for stage in later):
        return tuple(stages), output
    first = stages[0]
    new: dict[Row, int] = {}  # row of the input, and the linear unit that holds it
    moved = [_moved(stage, first.width, new) if 0 in stage.reads else stage for stage in later]
    width = first.width + len(new)
    moved = [_widened(stage, width) for stage in moved]
    grown = _grown(first, list(new))
    return (grown, *moved[:-1]), moved[-1]


def _moved(stage: Stage, before: int, new: dict[Row, int]) -> Stage:
    """The stage with what it reads of the input read of linear units of stage 1."""
    rows, columns, values = nonzeros(stage.weights[0])
    starts = np.searchsorted(rows, np.arange(stage.width + 1))
    spans = [slice(int(a), int(b)) for a, b in pairwise(starts)]
    wanted = [(tuple(columns[s].tolist()), tuple(values[s].tolist())) for s in spans]
    distinct = {row for row in wanted if row[0]}
    if len(distinct) <= len(np.unique(columns)):
        entries = [(i, row, 1.0) for i, row in enumerate(wanted) if row[0]]
    else:
        held = zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True)
        entries = [(i, ((j,), (1.0,)), value) for i, j, value in held]
    places = [before + new.setdefault(row, len(new)) for _, row, _ in entries]
    picked = SparseMatrix.of_entries(
        (stage.width, before + len(new)),
        np.array([i for i, _, _ in entries], dtype=np.int64),
        np.array(places, dtype=np.int64),
        np.array([value for _, _, value in entries], dtype=np.float64),
    )
    rest = dict(zip(stage.reads[1:], stage.weights[1:], strict=True))
    rest[1] = _sum(rest[1], picked) if 1 in rest else picked
    reads = tuple(sorted(rest))
    return Stage(reads, tuple(rest[k] for k in reads), stage.bias, stage.gate)


def _sum(old: Matrix, picked: SparseMatrix) -> Matrix:
    """Both side by side: ``picked`` has entries only in columns that ``old`` lacks."""
    if not isinstance(old, SparseMatrix):
        both = picked.block(0, picked.shape[0])
        both[:, : old.shape[1]] = old
        both.flags.writeable = False
        return both
    rows, columns, values = nonzeros(old)
    return SparseMatrix.of_entries(
        picked.shape,
        np.concatenate([rows, picked.rows]),
        np.concatenate([columns, picked.columns]),
        np.concatenate([values, picked.values]),
    )


def _widened(stage: Stage, width: int) -> Stage:
    """The stage with zero weights for linear units of stage 1 that it does not read."""
    if 1 not in stage.reads:
        return stage
    weights = tuple(
        _columns(w, width) if k == 1 else w for k, w in zip(stage.reads, stage.weights, strict=True)
    )
    return Stage(stage.reads, weights, stage.bias, stage.gate)


def _columns(matrix: Matrix, width: int) -> Matrix:
    rows, columns = matrix.shape
    if isinstance(matrix, SparseMatrix):
        return SparseMatrix((rows, width), matrix.starts, matrix.columns, matrix.values)
    wide = np.zeros((rows, width))
    wide[:, :columns] = matrix
    wide.flags.writeable = False
    return wide


def _grown(first: Stage, new: Sequence[Row]) -> Stage:
    """Stage 1 with linear units that hold these rows."""
    old = first.weights[0]
    weight: Matrix
    if isinstance(old, SparseMatrix):
        rows, columns, values = nonzeros(old)
        weight = SparseMatrix.of_entries(
            (first.width + len(new), old.shape[1]),
            np.concatenate(
                [rows, *(np.full(len(c), first.width + k) for k, (c, _) in enumerate(new))]
            ),
            np.concatenate([columns, *(np.array(c, dtype=np.int64) for c, _ in new)]),
            np.concatenate([values, *(np.array(v) for _, v in new)]),
        )
    else:
        weight = np.zeros((first.width + len(new), old.shape[1]))
        weight[: first.width] = old
        for k, (columns_of, values_of) in enumerate(new):
            weight[first.width + k, list(columns_of)] = values_of
        weight.flags.writeable = False
    more = len(new)
    bias = np.concatenate([first.bias, np.zeros(more)])
    linear: NDArray[np.bool_] = np.concatenate([first.linear, np.ones(more, dtype=bool)])
    slope = np.concatenate([first.slope, np.ones(more)])
    bias.flags.writeable = False
    gate = LinearGate(len(bias)) if bool(linear.all()) else ReLUGate(slope, linear)
    return Stage(first.reads, (weight,), bias, gate)
