"""ReLU networks as exact objects: every stored float is the rational number that it is.

A network is a list of hidden *stages* ``1..L`` and an output stage.  Stage ``l`` computes
``g^l = sum_k W^{l,k} h^k + b^l`` over the stages ``k`` that it reads (``h^0 = x`` is the input),
and its gate ``h^l`` from that; the output is affine.  Once the states of all units are fixed,
every stage is an affine map of the input.

In a *chain* every stage reads the one before: ``g^l = W^l h^{l-1} + b^l``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.canonical import read_input_once
from milpcount.core.domain import Box
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.keeping import Keeps
from milpcount.core.matrix import dense, finite_array, nonzeros, row_blocks
from milpcount.core.pattern import ActivationPattern
from milpcount.core.stage import Stage
from milpcount.errors import NetworkError
from milpcount.support.cards import card

__all__ = ["ReLUNetwork"]

Float = NDArray[np.float64]


def _flattening(shape: tuple[int, ...], inputs: int) -> str:
    """What to do with images whose pixels are the inputs."""
    if math.prod(shape) == inputs:
        return "; flatten the image: x.reshape(-1)"
    if len(shape) > 1 and math.prod(shape[1:]) == inputs:
        return "; flatten the images: x.reshape(len(x), -1)"
    return ""


@dataclass(frozen=True, eq=False, init=False)
class ReLUNetwork(Keeps):
    """A feed-forward piecewise-linear network: hidden stages and an affine output.

    The constructor makes a chain; :meth:`of_stages` makes any network.

    Attributes:
        stages: the hidden stages; only the first one reads the input.
        output: the output stage, linear.
        input_box: the domain that came with the network, if any.
        name: where the network came from, for messages and tables.
        notes: what an importer did that a user should know.
    """

    stages: tuple[Stage, ...]
    output: Stage
    input_box: Box | None
    name: str
    notes: tuple[str, ...]

    def __init__(
        self,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        slopes: Sequence[float | ArrayLike] | None = None,
        *,
        input_box: Box | None = None,
        name: str = "network",
        notes: Iterable[str] = (),
    ) -> None:
        """Make a chain.

        Arguments:
            weights: ``L + 1`` arrays ``W^l`` of shape ``(n_l, n_{l-1})``.
            biases: ``L + 1`` arrays ``b^l`` of shape ``(n_l,)``.
            slopes: per hidden layer, the leaky slope (a number or one per unit); plain ReLU if
                None.
            input_box: the domain that came with the network, if any.
            name: where the network came from.
            notes: what an importer did.

        Raises:
            NetworkError: shapes that do not chain, or values that are not finite.
        """
        if len(weights) == 0:
            raise NetworkError(f"{name}: a network needs at least one affine layer")
        if len(weights) != len(biases):
            raise NetworkError(f"{name}: {len(weights)} weight arrays but {len(biases)} biases")
        ws = tuple(finite_array(w, f"{name}: W{i}", 2) for i, w in enumerate(weights))
        bs = tuple(finite_array(b, f"{name}: b{i}", 1) for i, b in enumerate(biases))
        for i, (w, b) in enumerate(zip(ws, bs, strict=True)):
            if 0 in w.shape:
                raise NetworkError(f"{name}: W{i} has the empty shape {w.shape}")
            if b.shape[0] != w.shape[0]:
                raise NetworkError(
                    f"{name}: b{i} has {b.shape[0]} entries, W{i} has {w.shape[0]} rows "
                    "(weights are stored as (out, in))"
                )
            if i and w.shape[1] != ws[i - 1].shape[0]:
                raise NetworkError(
                    f"{name}: W{i} takes {w.shape[1]} inputs, the layer before gives "
                    f"{ws[i - 1].shape[0]} (weights are stored as (out, in))"
                )
        depth = len(ws) - 1
        if slopes is None:
            slopes = (0.0,) * depth
        if len(slopes) != depth:
            raise NetworkError(f"{name}: {len(slopes)} slopes for {depth} hidden layers")
        stages = []
        for i, slope in enumerate(slopes):
            array = np.atleast_1d(np.asarray(slope))
            if array.shape not in ((1,), ws[i].shape[:1]):
                raise NetworkError(
                    f"{name}: slope{i} has shape {array.shape}; give one number, or one for each "
                    f"of the {ws[i].shape[0]} units"
                )
            per_unit = np.broadcast_to(finite_array(array, f"{name}: slope{i}", 1), bs[i].shape)
            stages.append(Stage((i,), (ws[i],), bs[i], ReLUGate(per_unit)))
        output = Stage((depth,), (ws[-1],), bs[-1], LinearGate(len(bs[-1])))
        self._set(stages, output, input_box, name, notes)

    @classmethod
    def of_stages(
        cls,
        stages: Sequence[Stage],
        output: Stage,
        *,
        input_box: Box | None = None,
        name: str = "network",
        notes: Iterable[str] = (),
    ) -> ReLUNetwork:
        """Make a network of stages in topological order.

        A later stage, or the output, that reads the input is given *linear units* of stage 1 to
        read instead (:mod:`milpcount.core.canonical`): the same function, without rounding.

        Arguments:
            stages: the hidden stages ``1..L``; the first one reads the input.
            output: what follows the last gate; its gate is linear.
            input_box: the domain that came with the network, if any.
            name: where the network came from.
            notes: what an importer did.

        Raises:
            NetworkError: a stage that reads nothing, itself or a later one, shapes that do not
                fit, values that are not finite, or an output with states.
        """
        if stages and 0 not in stages[0].reads:
            raise NetworkError(f"{name}: stage 1 reads no input")
        widths = [_input_width(name, stages[0] if stages else output)]
        checked = []
        for k, stage in enumerate(stages, 1):
            checked.append(stage.checked(f"{name}: stage {k}", widths))
            widths.append(checked[-1].width)
        output = output.checked(f"{name}: the output", widths)
        if not output.is_linear:
            raise NetworkError(f"{name}: the output has units with a state; add a stage after it")
        made = cls.__new__(cls)
        made._set(*read_input_once(checked, output), input_box, name, notes)
        return made

    def _set(
        self,
        stages: Iterable[Stage],
        output: Stage,
        input_box: Box | None,
        name: str,
        notes: Iterable[str],
    ) -> None:
        stages = tuple(stages)
        inputs = (stages[0] if stages else output).weights[0].shape[1]
        if input_box is not None and input_box.dimension not in (None, inputs):
            raise NetworkError(
                f"{name}: the input box has {input_box.dimension} coordinates, "
                f"the network {inputs} inputs"
            )
        values = {
            "stages": stages,
            "output": output,
            "input_box": input_box,
            "name": name,
            "notes": tuple(notes),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def input_dimension(self) -> int:
        """Number of inputs ``n_0``."""
        return int((self.stages[0] if self.stages else self.output).weights[0].shape[1])

    @property
    def output_dimension(self) -> int:
        """Number of outputs ``n_{L+1}``."""
        return self.output.width

    @property
    def depth(self) -> int:
        """Number of hidden stages ``L``."""
        return len(self.stages)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per hidden stage ``(n_1, ..., n_L)``, linear ones among them."""
        return tuple(stage.width for stage in self.stages)

    @property
    def counted_widths(self) -> tuple[int, ...]:
        """Units with a state per hidden stage."""
        return tuple(stage.n_states for stage in self.stages)

    @property
    def architecture(self) -> tuple[int, ...]:
        """``(n_0, n_1, ..., n_L, n_{L+1})``."""
        return (self.input_dimension, *self.widths, self.output_dimension)

    @property
    def is_leaky(self) -> bool:
        """Whether any hidden unit is leaky."""
        return any(stage.is_leaky for stage in self.stages)

    @cached_property
    def is_chain(self) -> bool:
        """Whether every stage reads the one before, and no unit is linear."""
        every = (*self.stages, self.output)
        return all(
            stage.reads == (k,) and (k == self.depth or stage.n_states == stage.width)
            for k, stage in enumerate(every)
        )

    @cached_property
    def weights(self) -> tuple[Float, ...]:
        """``W^1, ..., W^{L+1}`` of a chain, dense.

        Raises:
            NetworkError: no chain.
        """
        self.require_chain("its list of weights")
        return tuple(dense(stage.weights[0]) for stage in (*self.stages, self.output))

    @property
    def biases(self) -> tuple[Float, ...]:
        """``b^1, ..., b^{L+1}`` of a chain; raises NetworkError else."""
        self.require_chain("its list of biases")
        return tuple(stage.bias for stage in (*self.stages, self.output))

    @property
    def slopes(self) -> tuple[Float, ...]:
        """The slopes of each hidden layer of a chain; raises NetworkError else."""
        self.require_chain("its list of slopes")
        return tuple(stage.slope for stage in self.stages)

    def require_chain(self, what: str) -> None:
        """Refuse a network with skips or linear units, for which ``what`` has no meaning.

        Raises:
            NetworkError: no chain.
        """
        if not self.is_chain:
            raise NetworkError(
                f"{self.name}: {what} needs a chain of layers, and stages of this network read "
                "others than the one before, or have linear units; use its stages"
            )

    def counted_stages(self, with_output: bool = False) -> tuple[Stage, ...]:
        """The stages on which patterns depend: up to the last hidden one with a state.

        With the output they are all, and the output has plain ReLUs.
        """
        return self.once(_counted_stages, with_output)

    def preactivations(self, x: ArrayLike, with_output: bool = False) -> tuple[Float, ...]:
        """Pre-activations in float64 (rounded), one array ``(..., n_l)`` per hidden stage.

        ``x`` has shape ``(n_0,)`` or ``(points, n_0)``; ``with_output`` appends the output.
        """
        h = np.asarray(x, dtype=np.float64)
        if h.shape[-1:] != (self.input_dimension,):
            raise NetworkError(
                f"{self.name}: input of shape {h.shape} does not end in {self.input_dimension}"
                f"{_flattening(h.shape, self.input_dimension)}"
            )
        outputs, found = [h], []
        for stage in self.stages:
            found.append(stage.preactivation(outputs))
            outputs.append(stage.activate(found[-1]))
        if with_output:
            found.append(self.output.preactivation(outputs))
        return tuple(found)

    def forward(self, x: ArrayLike) -> Float:
        """Outputs in float64 (rounded), shape ``(..., n_{L+1})``."""
        return self.preactivations(x, with_output=True)[-1]

    def pattern(self, x: ArrayLike, with_output: bool = False) -> ActivationPattern:
        """Activation pattern of one point, in float64: rounding decides within about 1e-15.

        :func:`milpcount.exact.forms.signs_at` gives the proved signs.
        """
        pre = self.preactivations(np.asarray(x, dtype=np.float64).reshape(-1), with_output)
        counted = self.counted_stages(with_output)
        return ActivationPattern.from_layers(
            [g[~stage.linear] > 0 for g, stage in zip(pre, counted, strict=False)]
        )

    def subnetwork(self, first: int, last: int) -> ReLUNetwork:
        """Hidden layers ``first..last - 1`` (0-based) of a chain, then affine layer ``last``.

        ``net.subnetwork(0, net.depth)`` is the network itself; with ``first > 0`` the inputs are
        the outputs of hidden layer ``first - 1``, and no input box is carried over.

        Raises:
            NetworkError: no chain, or no such layers.
        """
        self.require_chain("a part of it")
        if not 0 <= first <= last <= self.depth:
            raise NetworkError(f"{self.name}: no layers {first}..{last} in depth {self.depth}")
        return ReLUNetwork(
            self.weights[first : last + 1],
            self.biases[first : last + 1],
            self.slopes[first:last],
            input_box=self.input_box if first == 0 else None,
            name=f"{self.name}[{first}:{last}]",
        )

    @cached_property
    def sha256(self) -> str:
        """Content hash of what the network computes stage by stage, as little-endian numbers.

        Independent of the file format, the stored precision, of how sparse weights are stored,
        of the name and the input box.  :mod:`milpcount.proof.format` says what is hashed.
        """
        if self.is_chain:
            digest = hashlib.sha256(b"milpcount network 1\n")
            digest.update(" ".join(map(str, self.architecture)).encode() + b"\n")
            every = (*self.stages, self.output)
            for stage in every:
                for block in row_blocks(stage.weights[0]):
                    digest.update(_doubles(block))
            for array in (*self.biases, *self.slopes):
                digest.update(_doubles(array))
            return digest.hexdigest()
        digest = hashlib.sha256(b"milpcount network 2\n")
        digest.update(f"{self.input_dimension} {self.depth}\n".encode())
        for stage in (*self.stages, self.output):
            reads = " ".join(map(str, stage.reads))
            digest.update(f"stage {stage.width} reads {reads}\n".encode())
            digest.update(stage.linear.astype("<u1").tobytes())
            digest.update(_doubles(stage.slope) + _doubles(stage.bias))
            for weight in stage.weights:
                rows, columns, values = nonzeros(weight)
                digest.update(np.array([len(values)], dtype="<u8").tobytes())
                digest.update(rows.astype("<u8").tobytes() + columns.astype("<u8").tobytes())
                digest.update(_doubles(values))
        return digest.hexdigest()

    def _repr_html_(self) -> str:
        shape = "-".join(map(str, self.architecture))
        box = "none" if self.input_box is None else repr(self.input_box)
        leaky = ", leaky" if self.is_leaky else ""
        rows: list[tuple[str, object]] = [
            ("layers", f"{shape}{leaky}" if self.is_chain else f"{shape}{leaky}, with skips"),
            ("units with a state", sum(self.counted_widths)),
            ("input box", box),
            ("sha256", f"{self.sha256[:12]}..."),
            *(("note", note) for note in self.notes),
        ]
        return card(self.name, rows)

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.architecture))
        kind = "" if self.is_chain else ", stages"
        return f"ReLUNetwork({self.name!r}, {shape}{kind}{', leaky' if self.is_leaky else ''})"


def _counted_stages(net: ReLUNetwork, with_output: bool) -> tuple[Stage, ...]:
    if with_output:
        return (*net.stages, net.output.as_relu())
    last = max((k for k, s in enumerate(net.stages, 1) if not s.is_linear), default=0)
    return net.stages[:last]


def _doubles(array: Float) -> bytes:
    # Adding zero turns -0.0 into 0.0: the same rational number, the same hash.
    return np.ascontiguousarray(array + 0.0, dtype="<f8").tobytes()


def _input_width(name: str, first: Stage) -> int:
    """Number of inputs, from the matrix with which the first stage reads them."""
    if not first.weights or 0 not in first.reads:
        raise NetworkError(f"{name}: the first stage reads no input")
    shape = np.shape(first.weights[0])
    if len(shape) != 2 or 0 in shape:
        raise NetworkError(f"{name}: the first stage has weights of shape {shape} on the input")
    return int(shape[1])
