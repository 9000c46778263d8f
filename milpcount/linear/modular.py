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
from numba import njit
from numpy.typing import NDArray

from milpcount.exact.forms import ExactStage
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


def fingerprints(residues: Residues, bits: Bits) -> Ints:
    """The fingerprint of each pattern, in ``[0, prime)``."""
    r = residues
    return np.asarray(
        _fingerprints(
            bits, r.widths, r.first, r.weights, r.biases, r.slopes, r.row, r.constant, r.prime
        )
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
    return np.asarray(
        _coincident(
            bits,
            a.widths,
            a.first,
            b.first,
            a.weights,
            a.biases,
            a.slopes,
            constant,
            linear,
            a.prime,
        )
    )


def _affine(layer: ExactStage, prime: int) -> tuple[list[list[int]], list[int]]:
    """Weight and bias modulo the prime."""
    unit = pow(2, -layer.shift, prime)
    weight = [[int(v) % prime * unit % prime for v in row] for row in layer.weights[0].tolist()]
    return weight, [b % prime * unit % prime for b in layer.bias]


def _dot(a: list[int] | tuple[int, ...], b: list[int] | tuple[int, ...], c: int, prime: int) -> int:
    return (sum(x * y for x, y in zip(a, b, strict=True)) + c) % prime


@njit(cache=True, nogil=True)
def _forward(
    bits: Bits,
    widths: Ints,
    first: Ints,
    weights: Ints,
    biases: Ints,
    slopes: Ints,
    p: int,
    g: Ints,
    h: Ints,
) -> None:
    """Fill in the pre-activations ``g`` and the outputs ``h`` of all units."""
    before = 0
    start = widths[0]
    for i in range(start):
        g[i] = first[i]
        h[i] = g[i] if bits[i] else slopes[i] * g[i] % p
    place = 0
    for k in range(1, widths.shape[0]):
        for i in range(start, start + widths[k]):
            total = biases[i - widths[0]]
            pending = 0
            for j in range(before, start):
                if h[j] != 0:
                    # Products stay below 2**60: seven of them and a residue fit in 63 bits.
                    total += weights[place] * h[j]
                    pending += 1
                    if pending == 6:
                        total %= p
                        pending = 0
                place += 1
            g[i] = total % p
            h[i] = g[i] if bits[i] else slopes[i] * g[i] % p
        before = start
        start += widths[k]


@njit(cache=True, nogil=True)
def _fingerprints(
    bits: Bits,
    widths: Ints,
    first: Ints,
    weights: Ints,
    biases: Ints,
    slopes: Ints,
    row: Ints,
    constant: int,
    p: int,
) -> Ints:
    units = bits.shape[1]
    g = np.empty(units, dtype=np.int64)
    h = np.empty(units, dtype=np.int64)
    out = np.empty(bits.shape[0], dtype=np.int64)
    last = units - row.shape[0]
    for k in range(bits.shape[0]):
        _forward(bits[k], widths, first, weights, biases, slopes, p, g, h)
        total = constant
        for i in range(row.shape[0]):
            total = (total + row[i] * h[last + i]) % p
        out[k] = total
    return out


@njit(cache=True, nogil=True)
def _coincident(
    bits: Bits,
    widths: Ints,
    first: Ints,
    second: Ints,
    weights: Ints,
    biases: Ints,
    slopes: Ints,
    constant: NDArray[np.bool_],
    linear: NDArray[np.bool_],
    p: int,
) -> NDArray[np.bool_]:
    units = bits.shape[1]
    a = np.empty(units, dtype=np.int64)
    b = np.empty(units, dtype=np.int64)
    h = np.empty(units, dtype=np.int64)
    out = np.zeros(bits.shape[0], dtype=np.bool_)
    for k in range(bits.shape[0]):
        _forward(bits[k], widths, first, weights, biases, slopes, p, a, h)
        _forward(bits[k], widths, second, weights, biases, slopes, p, b, h)
        for i in range(units):
            if linear[i]:
                continue
            if a[i] == 0 and b[i] == 0:
                out[k] = True
                break
            if constant[k, i]:
                continue
            for j in range(i):
                if not constant[k, j] and a[i] * b[j] % p == a[j] * b[i] % p:
                    out[k] = True
                    break
            if out[k]:
                break
    return out
