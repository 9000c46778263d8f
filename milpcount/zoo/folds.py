"""Deep networks that fold their input, with known numbers of regions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError
from milpcount.zoo.arrangements import moment_curve
from milpcount.zoo.specimen import Specimen, at_least

__all__ = ["cantor", "cantornet", "montufar", "tent_map"]


def cantornet(depth: int) -> ReLUNetwork:
    """Return the recursion-based network of CantorNet (Lewandowski et al., NeurReps 2024).

    On [0, 1], ``A(x) = max(3 x - 2, 0) + max(1 - 3 x, 0)``; the network has two inputs and the
    output ``y - (A^depth(x) + 1) / 2``.  Each of the ``depth`` steps is a layer of three units and
    one of two.  Counted are the hidden units; with the output the top unit too.

    Raises:
        InputError: a depth below 1.
    """
    at_least(depth, 1, "the depth of a CantorNet")
    one = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0]])
    two = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    weights = [*([one, two] * depth), np.array([[-0.5, 1.0]])]
    biases = [*([np.array([-2.0, 1.0, 0.0]), np.zeros(2)] * depth), np.array([-0.5])]
    return ReLUNetwork(weights, biases, name=f"cantornet({depth})")


def cantor(depth: int, with_output: bool = False) -> Specimen:
    """Return the network of :func:`cantornet` on the unit square.

    Hidden units alone: ``2^(depth + 1) - 1`` regions; with the top unit ``7 * 2^(depth - 1) - 1``.
    """
    net = cantornet(depth)
    regions = 7 * 2 ** (depth - 1) - 1 if with_output else 2 ** (depth + 1) - 1
    source = "exact counts for depths 1 to 5, beside Lewandowski et al. (2024)"
    return Specimen(f"cantor({depth})", net, Box(0.0, [1.0, 1.0]), regions, source, with_output)


def tent_map(depth: int) -> Specimen:
    """Return the tent map of [0, 1] composed ``depth`` times: ``2^depth`` regions."""
    at_least(depth, 1, "the depth of a tent map")
    first, later = [[1.0], [1.0]], [[2.0, -4.0], [2.0, -4.0]]
    weights = [first, *([later] * (depth - 1)), [[2.0, -4.0]]]
    biases = [[0.0, -0.5]] * depth + [[0.0]]
    net = ReLUNetwork(weights, biases, name=f"tent_map({depth})")
    source = "Telgarsky, Benefits of depth in neural networks (2016)"
    return Specimen(net.name, net, Box(0.0, 1.0), 2**depth, source)


def montufar(inputs: int, widths: Sequence[int]) -> Specimen:
    """Return the network of Montufar et al. with the most regions that folding is known to give.

    Every layer but the last folds each coordinate of the unit cube ``p = width / inputs`` times
    onto it; the last layer's units are hyperplanes in general position that meet inside.  There are
    ``prod p^inputs * sum_{k <= inputs} C(last, k)`` regions.

    Raises:
        InputError: widths that are no multiples of the inputs, or a last width below them.
    """
    at_least(inputs, 1, "the number of inputs")
    if not widths:
        raise InputError("montufar needs at least one layer")
    *folding, last = widths
    wrong = next((w for w in folding if w < inputs or w % inputs), None)
    if wrong is not None:
        raise InputError(f"a folding layer has a multiple of {inputs} units, not {wrong}")
    at_least(last, inputs, "the width of the last layer")
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    read = np.eye(inputs)
    regions = 1
    for width in folding:
        p = width // inputs
        # Unit j of a coordinate starts at (j / p); the signs alternate, the slopes are p, 2p, 2p...
        slopes = np.array([p] + [2 * p] * (p - 1), dtype=float)
        shifts = np.array([0] + [-2 * j for j in range(1, p)], dtype=float)
        signs = np.array([(-1.0) ** j for j in range(p)])
        weights.append(np.kron(np.eye(inputs), slopes[:, None]) @ read)
        biases.append(np.tile(shifts, inputs))
        read = np.kron(np.eye(inputs), signs[None, :])
        regions *= p**inputs
    rows, constants = moment_curve(last, inputs)
    reach = 1 << math.ceil(_reach(rows, constants)).bit_length()
    table = np.array(rows, dtype=float)
    biases.append(np.array(constants, dtype=float) - reach * table.sum(axis=1))
    weights.append(2.0 * reach * table @ read)
    regions *= sum(math.comb(last, k) for k in range(inputs + 1))
    weights.append(np.ones((1, last)))
    biases.append(np.zeros(1))
    name = f"montufar({inputs}, {list(widths)})"
    net = ReLUNetwork(weights, biases, name=name)
    source = "Montufar, Pascanu, Cho and Bengio (2014), theorem 5"
    return Specimen(name, net, Box(0.0, [1.0] * inputs), regions, source)


def _reach(rows: Sequence[Sequence[int]], constants: Sequence[int]) -> Fraction:
    """The largest coordinate of a vertex: elementary symmetric functions of the nodes."""
    n = len(rows[0])
    nodes = range(1, len(rows) + 1)
    top = Fraction(0)
    for chosen in combinations(nodes, n):
        coefficients = [1]
        for root in chosen:
            # Multiply the polynomial with (z - root); the vertex has its lower coefficients.
            lifted = [0, *coefficients]
            coefficients = [a - root * b for a, b in zip(lifted, [*coefficients, 0], strict=True)]
        top = max(top, *(Fraction(abs(c)) for c in coefficients[:-1]))
    return top
