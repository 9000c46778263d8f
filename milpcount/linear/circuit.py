"""The network's function on the free coordinates of the domain, in integers.

A coordinate that the box fixes does not vary, so two regions have the same affine map if and only
if the maps agree as functions of the free coordinates.  The fixed ones are therefore put into the
bias of the first layer once and for all; every form below is a form in the free coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import ExactStage, Forms, domain_rows, problem_stages

__all__ = ["Circuit", "Prefixes"]

Bits = Sequence[int] | NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Circuit:
    """Layers, output and domain of a problem with at least one unit.

    Attributes:
        layers: the counted layers; the first one takes the free coordinates.
        output: the affine output layer, None where the last counted layer is the output.
        box: ends of the free coordinates.
        domain: the rows of the polytope, strict: its interior.
        free: the free coordinates among the problem's.
    """

    layers: tuple[ExactStage, ...]
    output: ExactStage | None
    box: Box
    domain: tuple[Row, ...]
    free: tuple[int, ...]

    @classmethod
    def of(cls, problem: CountProblem) -> Circuit:
        """The circuit of a problem."""
        net = problem.network
        exact_box = ExactBox.of(problem.box)
        free = exact_box.free
        first, *others = problem_stages(problem)
        output = None
        if not problem.with_output:
            output = ExactStage.of(net.output)
        # Only polytopes have rows, and they fix no coordinate.
        rows = [Row(r.coefficients, True) for r in domain_rows(problem) if any(r.coefficients[:-1])]
        picked = list(free)
        return cls(
            (_restricted(first, exact_box), *others),
            output,
            Box(problem.box.lo[picked], problem.box.hi[picked]),
            tuple(rows),
            free,
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per counted layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def n_units(self) -> int:
        """Units in all counted layers."""
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
        self._ends = np.cumsum(circuit.widths).tolist()
        self._bits: NDArray[np.uint8] | None = None
        self._forms = [Forms.first(circuit.layers[0])]

    def forms(self, bits: NDArray[np.uint8]) -> list[Forms]:
        """Pre-activations of every layer where the units before have these signs."""
        layers = self._circuit.layers
        keep = 1
        if self._bits is not None:
            different = np.flatnonzero(self._bits != bits)
            first = int(different[0]) if different.size else self._ends[-1]
            keep += sum(end <= first for end in self._ends[:-1])
        del self._forms[keep:]
        self._bits = bits.copy()
        for k in range(len(self._forms), len(layers)):
            active = bits[self._ends[k - 1] - layers[k - 1].width : self._ends[k - 1]].tolist()
            self._forms.append(self._forms[-1].next(layers[k - 1], active, layers[k]))
        return list(self._forms)

    def affine_map(self, bits: NDArray[np.uint8]) -> fmpz_mat:
        """The network's map on the region, times a power of two that all patterns share.

        One row an output: coefficients of the free coordinates and the constant.
        """
        last = self.forms(bits)[-1]
        layer = self._circuit.layers[-1]
        active = bits[self._ends[-1] - layer.width :].tolist()
        output = self._circuit.output
        if output is not None:
            return last.next(layer, active, output).matrix
        matrix = fmpz_mat(last.matrix)
        for i, bit in enumerate(active):
            if not bit:
                for j in range(matrix.ncols()):
                    matrix[i, j] = 0
        return matrix


def _restricted(layer: ExactStage, box: ExactBox) -> ExactStage:
    """The layer as a function of the free coordinates of the box."""
    n = box.dimension
    if len(box.free) == n:
        return layer
    fixed = [(j, a) for j, a in enumerate(box.lo) if j not in set(box.free)]
    rows = layer.weight.tolist()
    weight = [int(row[j]) * box.denominator for row in rows for j in box.free]
    bias = tuple(
        b * box.denominator + sum(int(row[j]) * a for j, a in fixed if a is not None)
        for row, b in zip(rows, layer.bias, strict=True)
    )
    return ExactStage(
        fmpz_mat(layer.width, len(box.free), weight),
        bias,
        layer.shift + box.denominator.bit_length() - 1,
        layer.slopes,
        layer.slope_shift,
    )


def _nonzero(layer: ExactStage) -> NDArray[np.bool_]:
    """Which weights of the layer are not 0."""
    entries = [v != 0 for v in layer.weight.entries()]
    return np.array(entries, dtype=bool).reshape(layer.width, -1)
