"""Affine maps of many regions at once, in floats: for pictures, which need no more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.matrix import Matrix, times
from milpcount.core.problem import CountProblem

__all__ = ["frame_of", "lifted", "map_table", "values_at"]

Float = NDArray[np.float64]
Bits = NDArray[np.uint8]

_ROOM = 1 << 22  # numbers in the forms of one stage at once


def lifted(problem: CountProblem, points: Float) -> Float:
    """The network's inputs at points of the problem's coordinates, rounded."""
    if problem.slice is None:
        return points
    corners = problem.slice.points
    return np.asarray(corners[0] + points @ (corners[1:] - corners[0]))


def values_at(problem: CountProblem, points: Float) -> Float:
    """The outputs at points of the problem's coordinates, shape ``(points, outputs)``."""
    net = problem.network
    widest = max((*net.widths, net.input_dimension, 1))
    step = max(1, _ROOM // widest)
    parts = [
        net.forward(lifted(problem, points[k : k + step])) for k in range(0, len(points), step)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, net.output_dimension))


def map_table(problem: CountProblem, states: Bits, vary: NDArray[np.intp]) -> tuple[Float, Float]:
    """``(A, b)`` of shapes ``(regions, outputs, k)`` and ``(regions, outputs)``.

    On a region with these states the network is ``A t + b`` in the ``k`` coordinates of the
    problem that vary; the gates are put into the stages one after the other, all regions at once.

    Arguments:
        problem: the network and its domain.
        states: shape ``(regions, units)``, 0/1: the activation patterns.
        vary: which coordinates vary.
    """
    frame = frame_of(problem, vary)
    net = problem.network
    step = max(1, _ROOM // (max((*net.widths, len(frame), 1)) * frame.shape[1]))
    parts = [_part(problem, states[k : k + step], frame) for k in range(0, len(states), step)]
    columns = frame.shape[1]
    forms = np.concatenate(parts) if parts else np.zeros((0, net.output_dimension, columns))
    return forms[..., :-1], forms[..., -1]


def frame_of(problem: CountProblem, vary: NDArray[np.intp]) -> Float:
    """The inputs as forms in the coordinates that vary: shape ``(inputs, k + 1)``."""
    fixed = np.where(np.isfinite(problem.box.lo), problem.box.lo, 0.0)
    fixed[vary] = 0.0
    own = np.zeros((problem.dimension, len(vary) + 1))
    own[vary, np.arange(len(vary))] = 1.0
    own[:, -1] = fixed
    if problem.slice is None:
        return own
    corners = problem.slice.points
    out = (corners[1:] - corners[0]).T @ own
    out[:, -1] += corners[0]
    return np.asarray(out)


def _part(problem: CountProblem, states: Bits, frame: Float) -> Float:
    active = problem.index.spread(states) > 0
    net, starts = problem.network, problem.index.starts
    counted = len(problem.index.widths)
    outputs = [frame[None, :, :]]
    for k, stage in enumerate((*net.stages, net.output)):
        reads = zip(stage.weights, stage.reads, strict=True)
        forms = sum((_times(w, outputs[r]) for w, r in reads), np.zeros((1, stage.width, 1)))
        forms = forms + np.pad(stage.bias[:, None], ((0, 0), (frame.shape[1] - 1, 0)))
        if k < min(counted, net.depth):
            on = active[:, starts[k] : starts[k + 1]]
            forms = forms * np.where(on, 1.0, stage.slope)[:, :, None]
        outputs.append(forms)
    return np.broadcast_to(outputs[-1], (len(states), *outputs[-1].shape[1:]))


def _times(weight: Matrix, forms: Float) -> Float:
    """``weight`` times each of the forms, shape ``(regions, units, columns)``."""
    return times(weight, forms.swapaxes(1, 2)).swapaxes(1, 2)
