"""The network of a certificate in exact arithmetic: rows on coordinates, signs at points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, count
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat

from milpcount.core.domain import Box, Polytope, Slice, WholeSpace
from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.errors import CertificateError
from milpcount.proof.combinations import Combinations
from milpcount.proof.format import Header
from milpcount.proof.limits import beyond, rows_a_byte

__all__ = ["ACTIVE", "INACTIVE", "LINEAR", "Exact", "Row", "Rows", "Values"]

ACTIVE, INACTIVE, LINEAR = 1, 2, 3
Row = list[int]
Ends = list[int | None]
Rationals = np.ndarray[Any, np.dtype[Any]]  # of Fraction and int


class Rows(NamedTuple):
    """Affine functions: row ``i`` is ``2^shift`` times the coefficients, constant last, of one."""

    rows: list[Row]
    shift: int


class Values(NamedTuple):
    """What rows of the first stage and of the domain are at points; all times ``one`` of each.

    ``first`` and ``domain`` have the shape ``(rows, points)``.
    """

    first: list[Row]
    domain: list[Row]
    one: Row


def _rational(array: np.ndarray) -> Rationals:
    rational: Rationals = np.vectorize(Fraction, otypes=[object])(array)
    return rational


def _integer(rows: Rationals) -> Rows:
    common = lcm(1, *(v.denominator for v in rows.flat))  # a power of 2
    scaled = [[v.numerator * (common // v.denominator) for v in row] for row in rows]
    return Rows(scaled, common.bit_length() - 1)


def _product(left: fmpz_mat, right: Sequence[int], wide: int) -> list[Row]:
    """The rows of the product of matrices; those of ``right`` stand one after the other."""
    flat = [int(v) for v in (left * fmpz_mat(left.ncols(), wide, right)).entries()]
    return [flat[k : k + wide] for k in range(0, len(flat), wide)]


def _at_points(_unit: int, values: Row, on: int, off: int) -> Row:
    """The gate of a unit at points."""
    return [v * on if v > 0 else v * off for v in values]


def _supremum(row: Sequence[int], low: Ends, high: Ends) -> int | None:
    """The supremum of ``row . (v, 1)`` over ``low <= v <= high``; None if there is none."""
    total = row[-1]
    for c, a, b in zip(row, low, high, strict=False):
        if c:
            end = b if c > 0 else a
            if end is None:
                return None
            total += c * end
    return total


class Exact:
    """The counted stages over the coordinates ``z`` of :mod:`milpcount.proof.format`.

    Rows are on ``(z, 1)``, or, where the certificate says so, on ``(y, 1)`` for the numbers ``y``
    that the rows ``first`` give: fewer where there are many inputs.

    Attributes:
        starts: the number of the first unit of every stage, and of all units.
        root: the signs of the node to which all regions belong: ``LINEAR`` for linear units.
        low, high: the ends of ``z``; ``coordinates``: how many numbers rows are on;
            ``rows_a_byte``: how many rows each byte of the file may ask for.
        first: the first stage's pre-activations, and ``domain`` the rows of the domain, on
            ``(z, 1)``; ``base`` is ``first`` on what rows are on.
    """

    def __init__(self, net: ReLUNetwork, header: Header) -> None:
        self.net, self.header = net, header
        stages = net.counted_stages(header.with_output)
        self.starts = list(accumulate((stage.width for stage in stages), initial=0))
        linear = [is_linear for stage in stages for is_linear in stage.linear.tolist()]
        self.root = bytes(LINEAR if is_linear else 0 for is_linear in linear)
        self._slopes = [_integer(_rational(stage.slope[None])) for stage in stages]
        self._reads = [[s - 1 for s in stage.reads] for stage in stages]
        affine = [
            _rational(np.column_stack([*map(dense, stage.weights), stage.bias])) for stage in stages
        ]
        box, cuts = self._domain(net.input_dimension)
        first = affine[0] if affine else cuts[:0]
        if affine and isinstance(header.domain, Slice):
            points = _rational(header.domain.points)
            steps = first[:, :-1] @ (points[1:] - points[0]).T
            first = np.column_stack([steps, first[:, :-1] @ points[0] + first[:, -1]])
        self.low: Ends = []
        self.high: Ends = []
        first, cuts = np.split(self._place(np.vstack([first, cuts]), box), [len(first)])
        self.first, self.domain = _integer(first), _integer(cuts)
        self._affine = [(self._matrix(rows), shift) for rows, shift in map(_integer, affine[1:])]
        self._through_first = self._matrix(self.first.rows)
        self._values = self._matrix([*self.first.rows, *self.domain.rows])
        self.is_bounded = None not in (*self.low, *self.high)
        self.base = self.first
        self.coordinates = len(first) if header.reduced else len(self.low)
        domain = header.domain.resolve(net.input_dimension)
        too_much = beyond(domain, header.around is not None, stages, self.coordinates)
        if too_much is not None:
            raise CertificateError(f"the header: it is about {too_much}")
        self.rows_a_byte = rows_a_byte(stages, self.coordinates)
        if header.reduced:
            if len(cuts) or not stages or not self.is_bounded:
                raise CertificateError("the header: base 1 goes with bounded boxes alone")
            unit = np.eye(len(first), len(first) + 1, dtype=int)
            self.base = Rows(unit.tolist(), self.first.shift)
            high = [_supremum(row, self.low, self.high) for row in self.first.rows]
            down = [_supremum([-v for v in row], self.low, self.high) for row in self.first.rows]
            self._ranges = [None if v is None else -v for v in down], high

    def _matrix(self, rows: list[Row]) -> fmpz_mat:
        wide = len(rows[0]) if rows else len(self.low) + 1
        return fmpz_mat(len(rows), wide, [v for row in rows for v in row])

    def _domain(self, n: int) -> tuple[Box, Rationals]:
        """The box, that of a slice's parameters or that around a polytope, and the rows.

        The rows prove that the polytope lies in the box around it: if ``w > 0`` times "beyond this
        end", a number that is positive there, plus multiples ``>= 0`` of the rows, which are
        ``>= 0`` in the polytope, is a constant ``<= 0``, no point of the polytope lies beyond.
        """
        header, domain = self.header, self.header.domain.resolve(n)
        if isinstance(domain, Slice):
            return domain.box, np.zeros((0, len(domain.lo) + 1), dtype=object)
        cuts = np.zeros((0, n + 1), dtype=object)
        if not isinstance(domain, Polytope):
            return domain, cuts
        scaled = [
            _integer(row[None]).rows[0] for row in _rational(np.column_stack([-domain.A, domain.c]))
        ]
        cuts = np.array(scaled, dtype=object).reshape(-1, n + 1)
        if header.around is None:
            return WholeSpace().resolve(n), cuts
        box = header.around.resolve(n)
        if not np.all(np.isfinite(box.lo) & np.isfinite(box.hi) & (box.lo < box.hi)):
            raise CertificateError("the domain: the box around it is flat or unbounded")
        m = len(cuts)
        own = [w for weights in header.weights for w in weights[:m]]
        sums = fmpz_mat(2 * n, m, own) * fmpz_mat(m, n + 1, [v for row in scaled for v in row])
        for k, weights in enumerate(header.weights):
            (j, upper), total = divmod(k, 2), [int(sums[k, i]) for i in range(n + 1)]
            end = Fraction(float((box.hi if upper else box.lo)[j]))
            total[j] += weights[m] if upper else -weights[m]
            constant = total[n] - (weights[m] if upper else -weights[m]) * end
            if not weights[m] or any(total[:n]) or constant > 0:
                raise CertificateError(f"the domain: end {k} of the box around it is not proved")
        return box, cuts

    def _place(self, rows: Rationals, box: Box) -> Rationals:
        """Functions of the inputs as functions of the coordinates.

        A fixed input is a constant, and an input on which nothing depends changes no pattern:
        neither changes which patterns there are, nor which are full-dimensional in the box's hull.
        """
        columns, constants = [], rows[:, -1]
        for column, a, b in zip(rows.T[:-1], box.lo.tolist(), box.hi.tolist(), strict=True):
            if not any(column):
                continue
            has_low, has_high = a != -np.inf, b != np.inf
            constants = constants + column * Fraction(a if has_low else b if has_high else 0)
            if a == b:
                continue
            both = has_low and has_high
            columns.append(column * (Fraction(b) - Fraction(a)) if both else column)
            self.low.append(0 if has_low else None)
            self.high.append(int(has_low) if has_high else None)
        return np.column_stack([*columns, constants])

    def through_first(self, row: Row) -> Row:
        """A row on ``(y, 1)`` as one on ``(z, 1)``."""
        out = [
            int(v) for v in (fmpz_mat(1, len(row) - 1, row[:-1]) * self._through_first).entries()
        ]
        return [*out[:-1], out[-1] + row[-1]]

    def on_coordinates(self, row: Row) -> Row:
        """A row as one on ``(z, 1)``."""
        return self.through_first(row) if self.header.reduced else row

    def supremum(self, row: Row) -> int | None:
        """The supremum of a row over the box, or something between it and 0; None if infinite."""
        if self.header.reduced:
            # Enough most of the time, and soon done.
            bound = _supremum(row, *self._ranges)
            if bound is not None and bound < 0:
                return bound
        return _supremum(self.on_coordinates(row), self.low, self.high)

    def next(self, path: Sequence[Rows], signs: Sequence[int], one: Row) -> Rows:
        """Pre-activations of the stage behind those of ``path``, whose units have these signs.

        ``one`` is the constant 1 in the scale of the rows, their shift left out.
        """
        # The slope of linear units is 1.
        return self._onward(path, one, lambda unit, row, on, off: (
            [(on if signs[unit] == ACTIVE else off) * v for v in row]
        ))  # fmt: skip

    def _onward(
        self, path: Sequence[Rows], one: Row, gate: Callable[[int, Row, int, int], Row]
    ) -> Rows:
        """The stage behind those of ``path``, each of whose rows a unit's gate makes another.

        ``gate(unit, row, on, off)`` multiplies what is active by ``on``, what is not by ``off``.
        """
        affine, shift = self._affine[len(path) - 1]
        reads = self._reads[len(path)]
        lift = max(path[s].shift + self._slopes[s].shift for s in reads)
        flat: Row = []
        for s in reads:
            (slopes,), slope_shift = self._slopes[s]
            more = lift - path[s].shift - slope_shift
            on = 1 << (slope_shift + more)
            units = zip(count(self.starts[s]), path[s].rows, slopes, strict=False)
            for unit, row, slope in units:
                flat += gate(unit, row, on, slope << more)
        flat += [v << lift for v in one]
        return Rows(_product(affine, flat, len(one)), lift + shift)

    def at(self, points: Sequence[Row]) -> Values:
        """What the first rows are at points ``(z d, d)``."""
        flat = [v for numbers in zip(*points, strict=True) for v in numbers]
        return self._values_of(
            _product(self._values, flat, len(points)), [point[-1] for point in points]
        )

    @cached_property
    def combinations(self) -> Combinations:
        """The points that are combinations of the first stage's rows, and the first rows there."""
        return Combinations([*self.first.rows, *self.domain.rows], len(self.first.rows))

    def at_combinations(self, weights: list[Row], exponents: Row) -> Values:
        """What the first rows are at points ``1/2 + 2^-e weights . G``, moved into ``[0, 1]``."""
        powers = [e + self.first.shift for e in exponents]
        return self._values_of(*self.combinations.values(weights, powers))

    def _values_of(self, rows: list[Row], one: Row) -> Values:
        cut = len(self.first.rows)
        return Values(rows[:cut], rows[cut:], one)

    def signs(self, at: Values) -> tuple[list[bytes], list[tuple[int, int]]]:
        """The signs of all units at points; units with a state that are 0 there, each with a point.

        Points are numbered from 0.
        """
        signs, zeros = list[Row](), list[tuple[int, int]]()
        path = [Rows(at.first, self.first.shift)]
        for stage, start in enumerate(self.starts[:-1]):
            if stage:
                path.append(self._onward(path, at.one, _at_points))
            for unit, row in enumerate(path[stage].rows, start):
                if self.root[unit]:
                    signs.append([LINEAR] * len(row))
                    continue
                signs.append([ACTIVE if v > 0 else INACTIVE for v in row])
                if 0 in row:
                    zeros += [(unit, k) for k, v in enumerate(row) if not v]
        return list(map(bytes, zip(*signs, strict=True))) or [b""] * len(at.one), zeros
