"""A network in floats with error bounds: forms of all units on a region, values at points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.matrix import dense
from milpcount.core.stage import Stage
from milpcount.exact.forms import Forms

__all__ = ["ROUNDOFF", "TINY", "WIDE_ROUNDOFF", "FloatForms", "FloatStages"]

Float = NDArray[np.float64]
Bits = NDArray[np.uint8]
_Kind = TypeVar("_Kind", np.float64, np.longdouble)

ROUNDOFF = 2.0**-53
# That of the widest floats, where these are IEEE ones with more digits (80 or 128 bits).
_WIDE = np.finfo(np.longdouble)
WIDE_ROUNDOFF = float(_WIDE.eps) / 2 if _WIDE.nmant in (63, 112) else ROUNDOFF
_NO_FACTOR = np.ones(())
TINY = 1e-290  # results below may have lost bits to underflow


@dataclass(frozen=True, eq=False)
class FloatForms:
    """Forms of all units on a region: ``values[u] . (y, 1)``, each number within its ``errors``."""

    values: Float
    errors: Float

    def at(self, y: Float, blur: Float | None = None) -> tuple[Float, Float]:
        """Values at the columns of ``y`` of shape ``(d, k)``, and bounds on their errors.

        ``blur`` bounds the errors of the coordinates themselves.
        """
        g, (spread, sizes) = self.values, self._spread
        size = np.abs(y)
        if blur is not None:
            size += blur
        value = g[:, :-1] @ y
        value += g[:, -1:]
        error = spread[:, :-1] @ size
        error += spread[:, -1:]
        if blur is not None:
            error += sizes @ blur
        return value, 1.001 * error + TINY

    @cached_property
    def _spread(self) -> tuple[Float, Float]:
        """Errors with those of evaluation in each coefficient, and absolute slopes."""
        sizes = np.abs(self.values)
        spread = self.errors + (sizes.shape[1] + 2) * 1.01 * ROUNDOFF * sizes
        return spread, sizes[:, :-1]


class FloatStages:
    """The stages of a problem, whose first ones' forms are given in integers.

    Attributes:
        first: the forms of the first stage.
    """

    def __init__(self, stages: Sequence[Stage], starts: Sequence[int], first: Forms) -> None:
        """Take the stages, the first position of each (and the end), and the first one's forms."""
        self._stages, self._starts = stages, starts
        common = 1 if first.one is None else first.one[-1]
        self.first = FloatForms(*_rounded(first.matrix, common << first.shift))

    def forms(self, bits: Bits) -> FloatForms:
        """Pre-activations of all units on the region with these bits, one a position."""
        return FloatForms(*self.forms_of(bits))

    def forms_of(self, bits: Bits) -> tuple[Float, Float]:
        """The forms on a region, or on each of many with one row of bits, and their errors' bounds.

        Both have the shape ``(units, d + 1)``, with one axis before for many regions.
        """
        values, errors = [self.first.values], [self.first.errors]
        with np.errstate(all="ignore"):
            for stage, (matrices, sizes, terms) in self._later:
                roundoff = 1.01 * terms * ROUNDOFF
                g: Float = np.zeros(())
                e: Float = g
                for k, weight, size in zip(stage.reads, matrices, sizes, strict=True):
                    h, spread = values[k - 1], errors[k - 1]
                    active, factor = self._states(bits, k)
                    if active is not None:
                        h, spread = h[active], spread[active]
                        weight, size = weight[:, active], size[:, active]
                    else:
                        h, spread = factor * h, np.abs(factor) * spread
                        if self._leaky[k - 1]:
                            spread += ROUNDOFF * np.abs(h)
                    g = g + weight @ h
                    e = e + size @ (spread + roundoff * np.abs(h))
                g[..., -1] += stage.bias
                e[..., -1] += roundoff * np.abs(stage.bias)
                values.append(g)
                errors.append(1.001 * e)
        return self._joined(values, bits), self._joined(errors, bits)

    def wide_forms_of(self, bits: Bits, errors: Float) -> tuple[NDArray[np.longdouble], Float]:
        """As :meth:`forms_of`, whose errors are given, in the widest floats: values and bounds.

        Those errors are proportional to the unit roundoff but for what the first forms bring with
        them, so that no sum of them is made again.
        """
        values: list[NDArray[np.longdouble]] = [self._wide_first]
        with np.errstate(all="ignore"):
            for stage, (matrices, _, _) in self._later:
                g: NDArray[np.longdouble] = np.zeros((), dtype=np.longdouble)
                for k, weight in zip(stage.reads, matrices, strict=True):
                    h = values[k - 1]
                    active, factor = self._states(bits, k)
                    part = (
                        weight @ (factor * h) if active is None else weight[:, active] @ h[active]
                    )
                    g = g + part
                g[..., -1] += stage.bias
                values.append(g)
        scale = 1.0 if self.first.errors.any() else 1.001 * WIDE_ROUNDOFF / ROUNDOFF
        return self._joined(values, bits), scale * errors

    @cached_property
    def _wide_first(self) -> NDArray[np.longdouble]:
        return self.first.values.astype(np.longdouble)

    @staticmethod
    def _joined(tables: list[NDArray[_Kind]], bits: Bits) -> NDArray[_Kind]:
        """The forms of all stages; the first one's are the same on all regions."""
        first: NDArray[_Kind] = tables[0]
        if bits.ndim == 2:
            first = np.broadcast_to(first, (len(bits), *first.shape))
        return np.concatenate([first, *tables[1:]], axis=-2)

    def _states(self, bits: Bits, k: int) -> tuple[NDArray[np.intp] | None, Float]:
        """What units of stage ``k`` pass on: those that do, of a single region, else factors."""
        active = bits[..., self._starts[k - 1] : self._starts[k]] != 0
        if self._leaky[k - 1]:
            return None, np.where(active, 1.0, self._stages[k - 1].slope)[..., None]
        if bits.ndim == 1:
            return np.flatnonzero(active), _NO_FACTOR
        return None, active[..., None].astype(np.float64)

    @cached_property
    def _leaky(self) -> list[bool]:
        """Which stages pass something on where their units are inactive."""
        return [stage.is_leaky for stage in self._stages]

    @cached_property
    def _later(self) -> list[tuple[Stage, tuple[list[Float], list[Float], int]]]:
        """Each stage after the first: dense matrices, absolute values, and a count of roundings.

        The last bounds how many an entry of the sum of their products goes through.
        """
        found = []
        for stage in self._stages[1:]:
            matrices = [dense(weight) for weight in stage.weights]
            terms = len(matrices) + 3 + sum(matrix.shape[1] for matrix in matrices)
            found.append((stage, (matrices, [np.abs(matrix) for matrix in matrices], terms)))
        return found

    def at(self, y: Float, blur: Float | None) -> tuple[Float, Float]:
        """Pre-activations of all units at the columns of ``y``, and bounds on their errors.

        ``blur`` bounds the errors of the coordinates themselves.
        """
        stages = self._stages
        with np.errstate(all="ignore"):
            found = [self.first.at(y, blur)]
            for stage, (matrices, sizes, terms) in self._later:
                g = np.repeat(stage.bias[:, None], y.shape[1], axis=1)
                e, size = np.zeros_like(g), np.abs(g)
                for k, weight, magnitude in zip(stage.reads, matrices, sizes, strict=True):
                    before, spread = found[k - 1]
                    slope = stages[k - 1].slope[:, None]
                    h = np.where(before > 0, before, slope * before)
                    # A unit of doubtful sign is off by its error times the steeper side.
                    spread = spread * np.maximum(1.0, np.abs(slope)) + ROUNDOFF * np.abs(h)
                    g += weight @ h
                    e += magnitude @ spread
                    size += magnitude @ np.abs(h)
                found.append((g, 1.001 * (e + terms * 1.01 * ROUNDOFF * size)))
        return (
            np.concatenate([value for value, _ in found]),
            np.concatenate([error for _, error in found]),
        )


def _rounded(matrix: fmpz_mat, denominator: int) -> tuple[Float, Float]:
    """``matrix / denominator`` in floats, and bounds on what rounding changed."""
    entries = [int(v) for v in matrix.entries()]
    values = np.empty(len(entries))
    errors = np.zeros(len(entries))
    power = denominator & (denominator - 1) == 0
    for k, entry in enumerate(entries):
        try:
            values[k] = entry / denominator
        except OverflowError:
            values[k] = errors[k] = np.inf
            continue
        small = entry == 0 or (abs(entry) // (entry & -entry)).bit_length() <= 53
        if not (power and small and (entry == 0 or abs(values[k]) > TINY)):
            errors[k] = 1.01 * ROUNDOFF * abs(values[k]) + TINY
    shape = (matrix.nrows(), matrix.ncols())
    return values.reshape(shape), errors.reshape(shape)
