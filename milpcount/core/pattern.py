"""Activation patterns: one bit a unit, packed, layer-major."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InputError

__all__ = ["ActivationPattern"]


@dataclass(frozen=True, slots=True)
class ActivationPattern:
    """Which units are active (pre-activation > 0), for all counted layers.

    Attributes:
        packed: the bits in layer-major order, eight to a byte, first unit in the highest bit.
        widths: units per counted layer; their sum is the number of bits that count.
    """

    packed: bytes
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.packed) != (sum(self.widths) + 7) // 8:
            raise InputError(
                f"activation pattern has {len(self.packed)} bytes, widths {self.widths} "
                f"need {(sum(self.widths) + 7) // 8}"
            )

    @classmethod
    def from_bits(
        cls, bits: Sequence[int] | NDArray[np.integer | np.bool_], widths: Iterable[int]
    ) -> ActivationPattern:
        """Pack a flat sequence of 0/1 values, one per unit in layer-major order."""
        array = np.asarray(bits)
        widths = tuple(int(w) for w in widths)
        if array.shape != (sum(widths),):
            raise InputError(f"{array.size} bits do not fill layers of widths {widths}")
        return cls(np.packbits(array.astype(bool)).tobytes(), widths)

    @classmethod
    def from_layers(
        cls, layers: Sequence[Sequence[int] | NDArray[np.integer | np.bool_]]
    ) -> ActivationPattern:
        """Pack one sequence of 0/1 values per layer."""
        flat = [bool(bit) for layer in layers for bit in layer]
        return cls.from_bits(np.array(flat, dtype=bool), [len(layer) for layer in layers])

    @property
    def bits(self) -> NDArray[np.bool_]:
        """The flat bits, shape ``(sum(widths),)``, layer-major."""
        unpacked = np.unpackbits(np.frombuffer(self.packed, dtype=np.uint8), count=sum(self.widths))
        return unpacked.astype(bool)

    @property
    def layers(self) -> tuple[NDArray[np.bool_], ...]:
        """The bits of each layer."""
        return tuple(np.split(self.bits, np.cumsum(self.widths)[:-1])) if self.widths else ()

    def hamming(self, other: ActivationPattern) -> int:
        """Number of units on which two patterns of the same widths differ."""
        if self.widths != other.widths:
            raise InputError(f"patterns of widths {self.widths} and {other.widths} do not compare")
        return int(np.count_nonzero(self.bits != other.bits))

    def __str__(self) -> str:
        return "|".join("".join("1" if bit else "0" for bit in layer) for layer in self.layers)
