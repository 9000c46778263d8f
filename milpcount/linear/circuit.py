"""The network's function on the free coordinates of the domain, in integers, as a chain.

A coordinate that the box fixes does not vary, so two regions have the same affine map if and only
if the maps agree as functions of the free coordinates.  The fixed ones are therefore put into the
bias of the first layer once and for all; every form below is a form in the free coordinates.

What reads older stages is *unrolled*: a layer of the circuit is a stage, followed by units that
carry on what later stages still read.  They are linear, as are linear units of the network: they
have no state and bound no region, and their bit is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import dense
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import (
    ExactStage,
    Forms,
    domain_rows,
    exact_box,
    exact_stages,
    problem_stages,
)
from milpcount.exact.prefix import PrefixMemory

__all__ = ["Circuit", "Prefixes", "restricted", "unrolled"]

Bits = Sequence[int] | NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Circuit:
    """Layers, output and domain of a problem with at least one unit.

    Attributes:
        floats: the layers as a chain of stages; the first one reads the network's inputs.
        layers: the same in integers; the first one takes the free coordinates.
        output: the affine output layer, None where the last counted layer is the output.
        linear: which units have no state.
        box: ends of the free coordinates.
        domain: the rows of the polytope, strict: its interior.
        free: the free coordinates among the problem's.
    """

    floats: tuple[Stage, ...]
    layers: tuple[ExactStage, ...]
    output: ExactStage | None
    linear: NDArray[np.bool_]
    box: Box
    domain: tuple[Row, ...]
    free: tuple[int, ...]

    @classmethod
    def of(cls, problem: CountProblem) -> Circuit:
        """The circuit of a problem."""
        net = problem.network
        box = exact_box(problem)
        free = box.free
        if problem.with_output:
            floats, output = list(unrolled(problem.stages)), None
        else:
            *floats, last = unrolled((*net.stages, net.output))
            output = ExactStage.of(last)
        first, *others = exact_stages(floats)
        # On a slice the first layer is another; units that carry it on come later.
        first = restricted(problem_stages(problem)[0], box)
        # Only polytopes have rows, and they fix no coordinate.
        rows = [Row(r.coefficients, True) for r in domain_rows(problem) if any(r.coefficients[:-1])]
        picked = list(free)
        return cls(
            tuple(floats),
            (first, *others),
            output,
            np.concatenate([stage.linear for stage in floats]),
            Box(problem.box.lo[picked], problem.box.hi[picked]),
            tuple(rows),
            free,
        )

    def spread(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Patterns (last axis units with a state) with a 1 for every linear unit."""
        if not self.linear.any():
            return bits
        out = np.ones((*bits.shape[:-1], self.n_units), dtype=np.uint8)
        out[..., ~self.linear] = bits
        return out

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def n_units(self) -> int:
        """Units in all layers, linear ones among them."""
        return sum(self.widths)

    def connections(self) -> list[NDArray[np.bool_]]:
        """Which weights are not 0, layer by layer, then the output's (the identity if None)."""
        masks = [_nonzero(layer) for layer in self.layers]
        last = self.layers[-1].width
        masks.append(np.eye(last, dtype=bool) if self.output is None else _nonzero(self.output))
        return masks

    def leaks(self) -> NDArray[np.bool_]:
        """Which units pass something on when they are inactive."""
        return np.array([s != 0 for layer in self.layers for s in layer.slopes], dtype=bool)


class Prefixes:
    """Forms of all layers for one pattern after another; what two in a row share is kept."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._memory = PrefixMemory(circuit.layers)

    def forms(self, bits: NDArray[np.uint8]) -> list[Forms]:
        """Pre-activations of every layer where the units before have these signs."""
        return list(self._memory.at(bits.tolist(), len(self._circuit.layers) - 1).path)

    def affine_map(self, bits: NDArray[np.uint8]) -> fmpz_mat:
        """The network's map on the region, times a power of two that all patterns share.

        One row an output: coefficients of the free coordinates and the constant.
        """
        return self.affine_forms(bits).matrix

    def affine_forms(self, bits: NDArray[np.uint8]) -> Forms:
        """The same with the exponent of that power, the ``shift``."""
        states = bits.tolist()
        layers, output = self._circuit.layers, self._circuit.output
        active = states[-layers[-1].width :]
        prefix = self._memory.at(states, len(layers) - 1)
        if output is not None:
            return prefix.push(active).enter(output)
        matrix = fmpz_mat(prefix.forms.matrix)
        for i, bit in enumerate(active):
            if not bit:
                for j in range(matrix.ncols()):
                    matrix[i, j] = 0
        return Forms(matrix, prefix.forms.shift)


def unrolled(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Stages as a chain: the same functions, with linear units that carry on what is read later."""
    out: list[Stage] = []
    carried: list[int] = []  # stages whose outputs stand behind those of the layer, in order
    for k, stage in enumerate(stages, 1):
        reads = dict(zip(stage.reads, map(dense, stage.weights), strict=True))
        sources = [k - 1, *carried]
        sizes = [stages[s - 1].width if s else stage.weights[0].shape[1] for s in sources]
        columns = [
            reads.get(s, np.zeros((stage.width, size)))
            for s, size in zip(sources, sizes, strict=True)
        ]
        rows = [np.hstack(columns)]
        later = {s for following in stages[k:] for s in following.reads}
        carried = sorted(s for s in sources if s and s in later)
        total = sum(sizes)
        for s in carried:
            begin = sum(sizes[: sources.index(s)])
            rows.append(np.eye(total)[begin : begin + stages[s - 1].width])
        weight = np.vstack(rows)
        more = len(weight) - stage.width
        linear = np.concatenate([stage.linear, np.ones(more, dtype=bool)])
        slope = np.concatenate([stage.slope, np.ones(more)])
        gate = LinearGate(len(linear)) if linear.all() else ReLUGate(slope, linear)
        out.append(Stage((k - 1,), (weight,), np.concatenate([stage.bias, np.zeros(more)]), gate))
    return tuple(out)


def restricted(layer: ExactStage, box: ExactBox) -> ExactStage:
    """The layer as a function of the free coordinates of the box."""
    n = box.dimension
    if len(box.free) == n:
        return layer
    fixed = [(j, a) for j, a in enumerate(box.lo) if j not in set(box.free)]
    rows = layer.weights[0].tolist()
    weight = [int(row[j]) * box.denominator for row in rows for j in box.free]
    bias = [
        b * box.denominator + sum(int(row[j]) * a for j, a in fixed if a is not None)
        for row, b in zip(rows, layer.bias, strict=True)
    ]
    return layer.moved(
        fmpz_mat(layer.width, len(box.free), weight), bias, box.denominator.bit_length() - 1
    )


def _nonzero(layer: ExactStage) -> NDArray[np.bool_]:
    """Which weights of the layer are not 0."""
    entries = [v != 0 for v in layer.weights[0].entries()]
    return np.array(entries, dtype=bool).reshape(layer.width, -1)
