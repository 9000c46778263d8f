"""ReLU networks as exact objects: every stored float is the rational number that it is.

A network of depth ``L`` is ``h^0 = x``, ``g^l = W^l h^{l-1} + b^l``, ``h^l = relu(g^l)`` for
``l = 1..L``, and the output ``y = W^{L+1} h^L + b^{L+1}``.  A leaky unit has the same activation
pattern and the output ``max(g, 0) - slope * max(-g, 0)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box
from milpcount.core.pattern import ActivationPattern
from milpcount.errors import NetworkError

__all__ = ["Layer", "ReLUNetwork"]

Float = NDArray[np.float64]


def _frozen(value: ArrayLike, what: str, ndim: int) -> Float:
    """A read-only float64 copy of ``value``; refuses what is not a finite real array."""
    try:
        source = np.asarray(value)
        if source.dtype.kind not in "fiub":
            raise NetworkError(f"{what} has dtype {source.dtype}; real numbers are needed")
        # Wider floats (long double) and integers above 2^53 would be rounded without a word.
        array = source.astype(np.float64)
        same = array.astype(source.dtype) == source
        if not np.all(same | (source != source)):  # NaN has its own message below
            raise NetworkError(
                f"{what} ({source.dtype}) has values that float64 cannot hold exactly; "
                "round them to float64 first"
            )
    except (TypeError, ValueError) as error:
        raise NetworkError(f"{what} is not an array of numbers: {error}") from error
    if array.ndim != ndim:
        raise NetworkError(f"{what} has shape {array.shape}; {ndim} dimension(s) expected")
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        place = tuple(int(i) for i in bad[0])
        raise NetworkError(
            f"{what} has a NaN or infinite value at index {place} ({len(bad)} in all); "
            "export the network again from finite weights"
        )
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Layer:
    """One counted layer: an affine map followed by (leaky) ReLU units.

    Attributes:
        weight: shape ``(units, inputs)``.
        bias: shape ``(units,)``.
        slope: shape ``(units,)``, the factor on negative pre-activations (0 for a plain ReLU).
    """

    weight: Float
    bias: Float
    slope: Float

    @property
    def width(self) -> int:
        """Number of units."""
        return int(self.weight.shape[0])

    @property
    def is_leaky(self) -> bool:
        """Whether any unit passes something on while inactive."""
        return bool(np.any(self.slope != 0))

    def activate(self, preactivation: Float) -> Float:
        """Outputs of the units, element by element on the last axis."""
        active = preactivation > 0
        return np.where(active, preactivation, self.slope * preactivation)


@dataclass(frozen=True, eq=False)
class ReLUNetwork:
    """A feed-forward ReLU network with an affine output layer.

    Arguments:
        weights: ``L + 1`` arrays ``W^l`` of shape ``(n_l, n_{l-1})``.
        biases: ``L + 1`` arrays ``b^l`` of shape ``(n_l,)``.
        slopes: per hidden layer, the leaky slope (a number or one per unit); plain ReLU if None.
        input_box: the domain that came with the network, if any.
        name: where the network came from, for messages and tables.
        notes: what an importer did that a user should know (for example rounding when folding).

    Raises:
        NetworkError: shapes that do not chain, or values that are not finite.
    """

    weights: tuple[Float, ...]
    biases: tuple[Float, ...]
    slopes: tuple[Float, ...]
    input_box: Box | None = None
    name: str = "network"
    notes: tuple[str, ...] = field(default=())

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
        if len(weights) == 0:
            raise NetworkError(f"{name}: a network needs at least one affine layer")
        if len(weights) != len(biases):
            raise NetworkError(f"{name}: {len(weights)} weight arrays but {len(biases)} biases")
        ws = tuple(_frozen(w, f"{name}: W{i}", 2) for i, w in enumerate(weights))
        bs = tuple(_frozen(b, f"{name}: b{i}", 1) for i, b in enumerate(biases))
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
        per_unit = []
        for i, slope in enumerate(slopes):
            array = np.atleast_1d(np.asarray(slope))
            if array.shape not in ((1,), ws[i].shape[:1]):
                raise NetworkError(
                    f"{name}: slope{i} has shape {array.shape}; give one number, or one for each "
                    f"of the {ws[i].shape[0]} units"
                )
            full = np.broadcast_to(_frozen(array, f"{name}: slope{i}", 1), ws[i].shape[:1])
            per_unit.append(full)
        if input_box is not None and input_box.dimension not in (None, ws[0].shape[1]):
            raise NetworkError(
                f"{name}: the input box has {input_box.dimension} coordinates, "
                f"the network {ws[0].shape[1]} inputs"
            )
        object.__setattr__(self, "weights", ws)
        object.__setattr__(self, "biases", bs)
        object.__setattr__(self, "slopes", tuple(per_unit))
        object.__setattr__(self, "input_box", input_box)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "notes", tuple(notes))

    @property
    def input_dimension(self) -> int:
        """Number of inputs ``n_0``."""
        return int(self.weights[0].shape[1])

    @property
    def output_dimension(self) -> int:
        """Number of outputs ``n_{L+1}``."""
        return int(self.weights[-1].shape[0])

    @property
    def depth(self) -> int:
        """Number of hidden layers ``L``."""
        return len(self.weights) - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per hidden layer ``(n_1, ..., n_L)``."""
        return tuple(int(w.shape[0]) for w in self.weights[:-1])

    @property
    def architecture(self) -> tuple[int, ...]:
        """``(n_0, n_1, ..., n_L, n_{L+1})``."""
        return (self.input_dimension, *self.widths, self.output_dimension)

    @property
    def is_leaky(self) -> bool:
        """Whether any hidden unit is leaky."""
        return any(bool(np.any(slope != 0)) for slope in self.slopes)

    def counted_layers(self, with_output: bool = False) -> tuple[Layer, ...]:
        """The layers whose units make the pattern: the hidden ones, and the output if asked."""
        hidden = zip(self.weights[:-1], self.biases[:-1], self.slopes, strict=True)
        layers = [Layer(w, b, s) for w, b, s in hidden]
        if with_output:
            zero = np.zeros(self.output_dimension)
            layers.append(Layer(self.weights[-1], self.biases[-1], zero))
        return tuple(layers)

    def preactivations(self, x: ArrayLike, with_output: bool = False) -> tuple[Float, ...]:
        """Pre-activations in float64 (rounded), one array ``(..., n_l)`` per counted layer.

        ``x`` has shape ``(n_0,)`` or ``(points, n_0)``.
        """
        h = np.asarray(x, dtype=np.float64)
        if h.shape[-1:] != (self.input_dimension,):
            raise NetworkError(
                f"{self.name}: input of shape {h.shape} does not end in {self.input_dimension}"
            )
        out = []
        for layer in self.counted_layers(with_output):
            g = h @ layer.weight.T + layer.bias
            out.append(g)
            h = layer.activate(g)
        return tuple(out)

    def forward(self, x: ArrayLike) -> Float:
        """Outputs in float64 (rounded), shape ``(..., n_{L+1})``."""
        pre = self.preactivations(x)
        h = np.asarray(x, dtype=np.float64)
        if pre:
            h = self.counted_layers()[-1].activate(pre[-1])
        return np.asarray(h @ self.weights[-1].T + self.biases[-1])

    def pattern(self, x: ArrayLike, with_output: bool = False) -> ActivationPattern:
        """Activation pattern of one point, in float64: rounding decides within about 1e-15.

        :func:`milpcount.exact.signs_at` gives the proved signs.
        """
        pre = self.preactivations(np.asarray(x, dtype=np.float64).reshape(-1), with_output)
        return ActivationPattern.from_layers([g > 0 for g in pre])

    def subnetwork(self, first: int, last: int) -> ReLUNetwork:
        """Hidden layers ``first..last - 1`` (0-based) followed by affine layer ``last``.

        ``net.subnetwork(0, net.depth)`` is the network itself; with ``first > 0`` the inputs are
        the outputs of hidden layer ``first - 1``, and no input box is carried over.
        """
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
        """Content hash: architecture, weights, biases and slopes as little-endian float64.

        Independent of the file format, the stored precision, the name and the input box.
        """
        digest = hashlib.sha256(b"milpcount network 1\n")
        digest.update(" ".join(map(str, self.architecture)).encode() + b"\n")
        for array in (*self.weights, *self.biases, *self.slopes):
            # Adding zero turns -0.0 into 0.0: the same rational number, the same hash.
            digest.update(np.ascontiguousarray(array + 0.0, dtype="<f8").tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.architecture))
        return f"ReLUNetwork({self.name!r}, {shape}{', leaky' if self.is_leaky else ''})"
