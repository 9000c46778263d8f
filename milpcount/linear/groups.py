"""Which regions have exactly equal affine maps.

Fingerprints tell almost all maps apart, with proof.  Within a class of equal fingerprints a second
argument needs no arithmetic either: the map of a region depends on its pattern only through the
units that reach the output.  A unit is *relevant* if it passes something on to the output or to a
relevant unit: along a weight that is not 0, from a unit that is active or leaky.  The bits of the
relevant units are the region's *key*; regions with equal keys have equal maps.  Different keys
with one fingerprint (rare, but not in degenerate networks) are compared by their exact maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.modular import PRIMES, Residues, fingerprints

__all__ = ["EqualMaps", "equal_maps", "input_dependent", "relevant_bits"]

_CHUNK = 1 << 15

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class EqualMaps:
    """A partition of the regions by affine map.

    Attributes:
        map_of: a number for the map of each region, if ``finished``: equal for equal maps.
        count: number of maps that are proved to be different.
        finished: whether all comparisons were made.
    """

    map_of: Ints
    count: int
    finished: bool


def equal_maps(circuit: Circuit, bits: Bits, stop: Stop) -> EqualMaps:
    """Partition the regions; ``stop`` is asked now and then."""
    hashes = [Residues.of(circuit, prime, k) for k, prime in enumerate(PRIMES)]
    parts: list[Ints] = []
    for chunk in _chunks(bits):
        if stop():
            break
        a, b = (fingerprints(residues, chunk) for residues in hashes)
        parts.append(a << 30 | b)
    done = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    _, inverse, sizes = np.unique(done, return_inverse=True, return_counts=True)
    map_of = inverse.astype(np.int64)
    count = len(sizes)
    if len(done) < len(bits):
        return EqualMaps(map_of, max(count, min(1, len(bits))), False)
    members = np.flatnonzero(sizes[map_of] > 1)
    if not members.size:
        return EqualMaps(map_of, count, True)
    keys = relevant_bits(circuit, bits[members])
    unique, key_of = _unique_rows(keys)
    # Every region with the key has the same map, hence the same fingerprint.
    bucket = np.empty(len(unique), dtype=np.int64)
    bucket[key_of] = map_of[members]
    shared = np.bincount(bucket, minlength=len(sizes)) > 1
    prefixes = Prefixes(circuit)
    known: dict[int, list[tuple[fmpz_mat, int]]] = {}
    map_of_key = bucket.copy()
    finished = True
    for k in np.flatnonzero(shared[bucket]).tolist():
        if stop():
            finished = False
            break
        matrix = prefixes.affine_map(unique[k])
        maps = known.setdefault(int(bucket[k]), [])
        found = next((number for other, number in maps if other == matrix), None)
        if found is None:
            # The first map of the class keeps the number of the class.
            found = count if maps else int(bucket[k])
            count += bool(maps)
            maps.append((matrix, found))
        map_of_key[k] = found
    map_of[members] = map_of_key[key_of]
    return EqualMaps(map_of, count, finished)


def relevant_bits(circuit: Circuit, bits: Bits) -> Bits:
    """The patterns with the bits of irrelevant units set to 0."""
    masks = circuit.connections()
    leaks = circuit.leaks()
    ends = np.cumsum(circuit.widths)
    out = np.empty_like(bits)
    for start, chunk in zip(range(0, len(bits), _CHUNK), _chunks(bits), strict=True):
        passing = (chunk != 0) | leaks
        # Of the output as of the last layer's connections; then backwards.
        following = np.ones((len(chunk), masks[-1].shape[0]), dtype=bool)
        for k in range(len(ends) - 1, -1, -1):
            units = slice(ends[k] - circuit.widths[k], ends[k])
            relevant = _reached(following, masks[k + 1])
            out[start : start + len(chunk), units] = chunk[:, units] * relevant
            following = relevant & passing[:, units]
    return out


def input_dependent(circuit: Circuit, bits: Bits) -> NDArray[np.bool_]:
    """Which units read a free coordinate along weights that are not 0 and units that pass it on.

    The form of any other unit is constant.
    """
    masks = circuit.connections()
    leaks = circuit.leaks()
    out = np.empty(bits.shape, dtype=bool)
    passing = (bits != 0) | leaks
    reading = np.broadcast_to(np.any(masks[0], axis=1), (len(bits), circuit.widths[0]))
    start = 0
    for k, width in enumerate(circuit.widths):
        units = slice(start, start + width)
        out[:, units] = reading
        if k + 1 < len(circuit.widths):
            reading = _reached(reading & passing[:, units], masks[k + 1].T)
        start += width
    return out


def _reached(active: NDArray[np.bool_], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns of the mask that some active row has: a product of truth values."""
    return np.asarray(active.astype(np.float32) @ mask.astype(np.float32) > 0)


def _chunks(bits: Bits) -> Iterator[Bits]:
    for start in range(0, len(bits), _CHUNK):
        yield bits[start : start + _CHUNK]


def _unique_rows(bits: Bits) -> tuple[Bits, Ints]:
    """Distinct rows in lexicographic order, and which of them each row is."""
    packed = np.packbits(bits, axis=1)
    view = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(view, return_index=True, return_inverse=True)
    return bits[first], inverse.astype(np.int64)
