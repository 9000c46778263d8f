"""Fingerprints of affine maps: one forward pass modulo a prime for each pattern.

The weights are dyadic rationals and 2 is invertible modulo an odd prime ``p``, so the network with
its units gated by a pattern is an affine map modulo ``p``: the residue of the region's map.  Equal
maps have equal residues at every point; *unequal fingerprints prove unequal maps*.  The converse
fails with a probability of about ``2**-60`` a pair for unequal maps that do not agree modulo a
prime, and is never relied on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.exact.forms import ExactStage
from milpcount.kernels import native
from milpcount.linear.circuit import Circuit

__all__ = ["PRIMES", "Residues", "coincident", "fingerprints"]

PRIMES = (2**30 - 35, 2**30 - 41)

_SEED = 20170711
Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Residues:
    """A circuit at a random point modulo a prime, laid out for the kernels.

    Attributes:
        first: pre-activations of the first layer at the point.
        weights, biases: of the later layers, one after the other.
        slopes: of all units.
        row, constant: the fingerprint is ``row . h + constant``, a random combination of outputs.
    """

    prime: int
    widths: Ints
    first: Ints
    weights: Ints
    biases: Ints
    slopes: Ints
    row: Ints
    constant: int

    @classmethod
    def of(cls, circuit: Circuit, prime: int, stream: int) -> Residues:
        """The circuit at the random point number ``stream``."""
        rng = np.random.default_rng((_SEED, stream))
        layers = circuit.layers
        point = rng.integers(1, prime, size=layers[0].weights[0].ncols()).tolist()
        weight, bias = _affine(layers[0], prime)
        first = [_dot(w, point, b, prime) for w, b in zip(weight, bias, strict=True)]
        later = [_affine(layer, prime) for layer in layers[1:]]
        last = layers[-1] if circuit.output is None else circuit.output
        mix = rng.integers(1, prime, size=last.width).tolist()
        row, constant = mix, 0
        if circuit.output is not None:
            weight, bias = _affine(circuit.output, prime)
            row = [_dot(mix, column, 0, prime) for column in zip(*weight, strict=True)]
            constant = _dot(mix, bias, 0, prime)
        return cls(
            prime,
            np.array(circuit.widths, dtype=np.int64),
            np.array(first, dtype=np.int64),
            np.array([v for w, _ in later for r in w for v in r], dtype=np.int64),
            np.array([v for _, b in later for v in b], dtype=np.int64),
            np.array(
                [
                    s * pow(2, -layer.slope_shift, prime) % prime
                    for layer in layers
                    for s in layer.slopes
                ],
                dtype=np.int64,
            ),
            np.array(row, dtype=np.int64),
            constant,
        )

    def kernel(self) -> native.Residues:
        """What the native code reads."""
        return native.Residues(
            self.widths, self.first, self.weights, self.biases, self.slopes, self.prime
        )


def fingerprints(residues: Residues, bits: Bits) -> Ints:
    """The fingerprint of each pattern, in ``[0, prime)``."""
    return residues.kernel().fingerprints(
        np.ascontiguousarray(bits, dtype=np.uint8), residues.row, residues.constant
    )


def coincident(
    a: Residues,
    b: Residues,
    bits: Bits,
    constant: NDArray[np.bool_],
    linear: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether a region may have units whose forms are proportional, or a form that is 0.

    Two forms ``f`` and ``g`` are compared by ``f(a) g(b) = f(b) g(a)`` modulo one prime: this holds
    for proportional forms, so False is a proof that no two are, and that none is 0.  Of the units
    marked ``constant`` (whose forms do not depend on the input) only the zero ones are of interest,
    and ``linear`` units are of none.
    """
    found = a.kernel().coincident(
        b.first,
        np.ascontiguousarray(bits, dtype=np.uint8),
        np.ascontiguousarray(constant, dtype=np.uint8),
        np.ascontiguousarray(linear, dtype=np.uint8),
    )
    return np.asarray(found != 0)


def _affine(layer: ExactStage, prime: int) -> tuple[list[list[int]], list[int]]:
    """Weight and bias modulo the prime."""
    unit = pow(2, -layer.shift, prime)
    weight = [[int(v) % prime * unit % prime for v in row] for row in layer.weights[0].tolist()]
    return weight, [b % prime * unit % prime for b in layer.bias]


def _dot(a: list[int] | tuple[int, ...], b: list[int] | tuple[int, ...], c: int, prime: int) -> int:
    return (sum(x * y for x, y in zip(a, b, strict=True)) + c) % prime
