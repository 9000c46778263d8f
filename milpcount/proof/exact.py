"""The network of a certificate in exact arithmetic: rows on coordinates, points, signs there."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from flint import fmpz_mat

from milpcount.domain import Box, Polytope, Slice, WholeSpace
from milpcount.errors import CertificateError
from milpcount.network import ReLUNetwork
from milpcount.proof.format import Header

__all__ = ["ACTIVE", "INACTIVE", "Exact", "Row", "Rows", "supremum"]

ACTIVE, INACTIVE = 1, 2
Row = list[int]
Ends = list[int | None]


def _fractions(array: np.ndarray) -> list[list[Fraction]]:
    return [[Fraction(v) for v in row] for row in np.atleast_2d(array).tolist()]


def _integers(rows: Sequence[Sequence[Fraction]]) -> tuple[list[Row], int]:
    """Integer rows and ``shift``, with ``rows = integers / 2^shift``; denominators are powers."""
    common = lcm(1, *(v.denominator for row in rows for v in row))
    scaled = [[v.numerator * (common // v.denominator) for v in row] for row in rows]
    return scaled, common.bit_length() - 1


def supremum(row: Sequence[int], low: Ends, high: Ends) -> int | None:
    """The supremum of ``row . (v, 1)`` over ``low <= v <= high``; None if there is none."""
    total = row[-1]
    for c, a, b in zip(row, low, high, strict=False):
        if c:
            end = b if c > 0 else a
            if end is None:
                return None
            total += c * end
    return total


class Rows(NamedTuple):
    """Pre-activations of one layer on a cell: row ``i`` is ``2^shift`` times that of unit ``i``."""

    rows: list[Row]
    shift: int


class Exact:
    """The counted layers over the coordinates of :mod:`milpcount.proof.format`.

    Attributes:
        starts: the number of the first unit of every layer, and of all units.
        first: the first layer on ``(z, 1)``; ``low, high`` are the ends of ``z``.
        domain: rows of the domain on ``(z, 1)``, with their shifts.
        base: the first layer on what sums are bounded over: the coordinates, or the first layer's
            own pre-activations; ``base_low, base_high`` are the ends there.
    """

    def __init__(self, net: ReLUNetwork, header: Header) -> None:
        self._made_of = net, header
        layers = net.counted_layers(header.with_output)
        self.full, self.reduced = header.definition == "full", header.reduced
        self.starts = [0]
        self.layers: list[tuple[fmpz_mat, int, Row, int]] = []
        for layer in layers:
            self.starts.append(self.starts[-1] + layer.width)
            affine, shift = _integers(_fractions(np.column_stack([layer.weight, layer.bias])))
            slopes, slope_shift = _integers(_fractions(layer.slope))
            self.layers.append((_matrix(affine), shift, slopes[0], slope_shift))
        self.units = self.starts[-1]
        affine0 = _fractions(np.column_stack([layers[0].weight, layers[0].bias])) if layers else []
        box, cuts = self._domain(net, header, affine0)
        self._place([*affine0, *cuts], box)
        self.base, self.base_low, self.base_high = self.first, self.low, self.high
        self.n_base = len(self.low)
        if header.reduced:
            if cuts or not layers or None in self.low or None in self.high:
                raise CertificateError("the header: base 1 goes with bounded boxes alone")
            self._reduce()

    def __reduce__(self) -> tuple[type[Exact], tuple[ReLUNetwork, Header]]:
        return Exact, self._made_of  # other processes make their own

    def _domain(
        self, net: ReLUNetwork, header: Header, affine: list[list[Fraction]]
    ) -> tuple[Box, list[list[Fraction]]]:
        """The box of the parameters and the rows; on a slice ``affine`` is changed to be on it."""
        domain, n = header.domain, net.input_dimension
        if isinstance(domain, Slice):
            domain.resolve(n)
            points = _fractions(domain.points)
            steps = [[b - a for a, b in zip(points[0], p, strict=True)] for p in points[1:]]
            for row in affine:
                on = [_dot(row, step) for step in steps]
                row[:] = [*on, _dot(row, points[0]) + row[-1]]
            return domain.box, []
        box = domain.resolve(n)
        if isinstance(box, Box):
            return box, []
        assert isinstance(box, Polytope)
        floats = [_integers([row])[0] for row in _fractions(np.column_stack([-box.A, box.c]))]
        cuts = [[Fraction(v) for v in row] for rows in floats for row in rows if len(box.c)]
        around = header.around or WholeSpace().resolve(n)
        if header.around is not None:
            self._check_around(header, around.resolve(n), cuts, n)
        return around, cuts

    @staticmethod
    def _check_around(header: Header, box: Box, rows: list[list[Fraction]], n: int) -> None:
        """The polytope lies in the box around it.

        If ``w > 0`` times "beyond the end", a number that is positive there, plus multiples
        ``>= 0`` of the rows, which are ``>= 0`` in the polytope, is a constant ``<= 0``, no point
        of the polytope lies beyond.
        """
        if not np.all(np.isfinite(box.lo) & np.isfinite(box.hi) & (box.lo < box.hi)):
            raise CertificateError("the domain: the box around it is flat or unbounded")
        for k, weights in enumerate(header.weights):
            j, sign = k // 2, 1 if k % 2 else -1
            end = Fraction(float((box.hi if k % 2 else box.lo)[j]))
            total = [Fraction(0)] * (n + 1)
            total[j], total[n] = Fraction(sign * weights[-1]), -sign * end * weights[-1]
            for w, row in zip(weights, rows, strict=False):
                if w:
                    total = [t + w * r for t, r in zip(total, row, strict=True)]
            if not weights[-1] or any(total[:n]) or total[n] > 0:
                raise CertificateError(f"the domain: end {k} of the box around it is not proved")

    def _place(self, rows: list[list[Fraction]], box: Box) -> None:
        """Move the first layer and the rows of the domain to the coordinates.

        A fixed input is a constant, and an input on which nothing depends changes no pattern:
        neither changes which patterns there are, nor which are full-dimensional in the box's hull.
        """
        self.low: Ends = []
        self.high: Ends = []
        columns: list[list[Fraction]] = []
        constants = [row[-1] for row in rows]
        for j, (a, b) in enumerate(zip(box.lo.tolist(), box.hi.tolist(), strict=True)):
            column = [row[j] for row in rows]
            if not any(column):
                continue
            has_low, has_high = a != -np.inf, b != np.inf
            origin = Fraction(a) if has_low else Fraction(b) if has_high else Fraction(0)
            constants = [c + v * origin for c, v in zip(constants, column, strict=True)]
            if a == b:
                continue
            length = Fraction(b) - Fraction(a) if has_low and has_high else 1
            columns.append([v * length for v in column])
            self.low.append(0 if has_low else None)
            self.high.append((1 if has_low else 0) if has_high else None)
        moved = [list(row) for row in zip(*columns, constants, strict=True)]
        width = self.starts[1] if self.layers else 0
        self.first = Rows(*_integers(moved[:width]))
        self.first_matrix = _matrix(self.first.rows or [[0]])
        self.domain = [(rows[0], shift) for rows, shift in (_integers([r]) for r in moved[width:])]

    def _reduce(self) -> None:
        """Take the first layer's rows as coordinates, within their ranges over the box."""
        rows, width = self.first.rows, self.starts[1]
        self.base = Rows([[int(i == j) for j in range(width + 1)] for i in range(width)],
                         self.first.shift)  # fmt: skip
        self.base_high = [supremum(row, self.low, self.high) for row in rows]
        lows = [supremum([-v for v in row], self.low, self.high) for row in rows]
        self.base_low = [None if v is None else -v for v in lows]
        self.n_base = width

    def on_coordinates(self, row: Row) -> Row:
        """A row on the base as one on the coordinates."""
        if not self.reduced:
            return row
        out = [int(v) for v in (fmpz_mat(1, self.n_base, row[:-1]) * self.first_matrix).entries()]
        out[-1] += row[-1]
        return out

    def next(self, rows: Rows, layer: int, signs: Sequence[int]) -> Rows:
        """Pre-activations of ``layer + 1`` where the units of ``layer`` have these signs."""
        _, _, slopes, slope_shift = self.layers[layer]
        affine, shift, _, _ = self.layers[layer + 1]
        lift, wide = rows.shift + slope_shift, self.n_base + 1
        flat: list[int] = []
        for row, sign, slope in zip(rows.rows, signs, slopes, strict=True):
            factor = 1 << slope_shift if sign == ACTIVE else slope
            flat += row if factor == 1 else [factor * v for v in row] if factor else [0] * wide
        flat += [0] * (wide - 1) + [1 << lift]
        product = affine * fmpz_mat(len(signs) + 1, wide, flat)
        entries = [int(v) for v in product.entries()]
        out = [entries[k : k + wide] for k in range(0, len(entries), wide)]
        return Rows(out, lift + shift)

    def signs(self, points: list[Row]) -> list[tuple[bytes, list[int]]]:
        """The signs of all units at each point ``(z d, d)``, and the units that are 0 there."""
        out = [(bytearray(), list[int]()) for _ in points]
        values = points
        for layer, (affine, shift, slopes, slope_shift) in enumerate(self.layers):
            if layer == 0:
                affine, shift = self.first_matrix, self.first.shift
            width, wide = affine.nrows(), affine.ncols()
            flat = [v for row in values for v in row]
            product = fmpz_mat(len(values), wide, flat) * affine.transpose()
            entries = [int(v) for v in product.entries()]
            last = [row[-1] for row in values]
            values = []
            for k, (pattern, zeros) in enumerate(out):
                g = entries[k * width : (k + 1) * width]
                pattern += bytes([ACTIVE if v > 0 else INACTIVE for v in g])
                if 0 in g:
                    zeros += [self.starts[layer] + i for i, v in enumerate(g) if not v]
                h = [(v << slope_shift if slope_shift else v) if v > 0 else s and v * s
                     for v, s in zip(g, slopes, strict=True)]  # fmt: skip
                values.append([*h, last[k] << (shift + slope_shift)])
        return [(bytes(pattern), zeros) for pattern, zeros in out]


def _dot(row: Sequence[Fraction], vector: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(row, vector, strict=False)), Fraction(0))


def _matrix(rows: Sequence[Row]) -> fmpz_mat:
    return fmpz_mat(len(rows), len(rows[0]), [v for row in rows for v in row])
