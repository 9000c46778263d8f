"""Small classifiers of Gaussian blobs, trained in NumPy from a seed: the same everywhere."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from milpcount import ReLUNetwork

__all__ = ["blobs", "trained"]

Float = NDArray[np.float64]

_RATE, _BATCH = 1e-2, 32
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


def blobs(inputs: int, points: int, rng: np.random.Generator) -> tuple[Float, NDArray[np.int64]]:
    """Three Gaussian blobs of so many points each: centres uniform in [-3, 3]^n, deviation 1."""
    centres = rng.uniform(-3, 3, size=(3, inputs))
    labels = np.repeat(np.arange(3), points)
    return centres[labels] + rng.normal(size=(3 * points, inputs)), labels


def trained(
    inputs: int, width: int, depth: int, seed: int, points: int = 300, epochs: int = 20
) -> ReLUNetwork:
    """Train ``inputs-width-...-width-3`` by Adam on the cross entropy; He initialisation."""
    rng = np.random.default_rng((1108, inputs, width, depth, seed))
    x, labels = blobs(inputs, points, rng)
    sizes = [inputs, *[width] * depth, 3]
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in itertools.pairwise(sizes)]
    biases = [rng.uniform(-1, 1, size=b) / np.sqrt(a) for a, b in itertools.pairwise(sizes)]
    parameters = [*weights, *biases]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    step = 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), _BATCH):
            chosen = order[start : start + _BATCH]
            step += 1
            gradients = _gradients(weights, biases, x[chosen], labels[chosen])
            for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                m += (1 - _BETA1) * (g - m)
                v += (1 - _BETA2) * (g * g - v)
                rate = _RATE * np.sqrt(1 - _BETA2**step) / (1 - _BETA1**step)
                p -= rate * m / (np.sqrt(v) + _EPSILON)
    # As a framework would store them.
    stored = [np.float32(p).astype(np.float64) for p in parameters]
    name = f"blobs-{inputs}-{width}x{depth}-{seed}"
    return ReLUNetwork(stored[: len(weights)], stored[len(weights) :], name=name)


def _gradients(
    weights: list[Float], biases: list[Float], x: Float, labels: NDArray[np.int64]
) -> list[Float]:
    """Gradients of the mean cross entropy: of the weights, then of the biases."""
    outputs = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        outputs.append(np.maximum(outputs[-1] @ weight.T + bias, 0.0))
    scores = outputs[-1] @ weights[-1].T + biases[-1]
    scores -= scores.max(axis=1, keepdims=True)
    odds = np.exp(scores)
    back = odds / odds.sum(axis=1, keepdims=True)
    back[np.arange(len(x)), labels] -= 1.0
    back /= len(x)
    of_weights: list[Float] = []
    of_biases: list[Float] = []
    for weight, output in zip(reversed(weights), reversed(outputs), strict=True):
        of_weights.insert(0, back.T @ output)
        of_biases.insert(0, back.sum(axis=0))
        back = (back @ weight) * (output > 0)
    return [*of_weights, *of_biases]
