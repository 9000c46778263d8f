"""Charts: an unbounded domain as a union of simplices.

Let ``v_1, ..., v_r`` be a maximal independent set among the rows of the domain and the units of
the first layer.  Everything depends on the input only through ``y_k = v_k(x)``, and ``y`` takes
every value in ``R^r`` (the values of the domain's rows restricted to be positive).  For a choice
``sigma`` of signs the orthant ``sigma_k y_k > 0`` is, with ``a_k > 0`` any scales, the image of
the open simplex ``s > 0, t = 1 - sum s > 0`` under the projective map

    y_k = sigma_k a_k s_k / t,

and a unit ``i`` of the first layer, times ``t > 0``, is affine in ``s``.  The layers are positively
homogeneous in (pre-activation, bias), so the whole network times ``t`` is obtained by running it
on these forms with every bias multiplied by the form ``t``.  Signs are unchanged.  So the regions
in an orthant are those of a network over a simplex, which is bounded, and their sum over the
``2^r`` orthants is the count: the basic units have no zero inside an orthant.

**Patterns of lower dimension** (definition ``nonempty``).  The orthants are disjoint, and with
``y_k <= 0`` where ``sigma_k`` is -1 and ``y_k > 0`` where it is 1 they are all of ``R^r``: each
pattern belongs to the one that its basic units name.  The compiled search works on the closed
simplex.  A side of a unit that it finds is full-dimensional, one that it refutes has no point in
the closed cell, and any other, such as one that only touches the cell, on a wall of the orthant or
at infinity (``t = 0``), is a doubt: exact arithmetic decides it among the points that the orthant
really has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from milpcount.core.point import Point, scaled_integers
from milpcount.exact.forms import Forms
from milpcount.search.frames.frame import Frame, integer_rows, rounded_forms

__all__ = ["Atlas", "DomainRow"]

Row = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class DomainRow:
    """A row that holds on the domain.

    Attributes:
        row: on ``(x, 1)``, the fixed coordinates substituted.
        number: of the polytope's row that it is, None for an end of the box.
    """

    row: Row
    number: int | None


@dataclass(frozen=True, eq=False)
class Atlas:
    """The charts of an unbounded domain.

    Attributes:
        dimension: of the problem.
        fixed: values of the coordinates that do not vary.
        basis: integer rows ``v_k`` on ``(x, 1)``, those of the domain first.
        scales: the scales ``a_k``, in units of the rows.
        units: for each basic row the unit that it is, None for a row of the domain.
        rows: for each basic row the row of the domain that it is, None for a unit.
        columns: coordinates on which the basis is invertible; ``inverse`` is its inverse there.
        others: rows of the first layer in terms of the basis, rational: coefficients, constant.
        cuts: rows of the domain that are not in the basis, each with the same.
        width: units of the first layer.
        shift: first-layer rows are ``2**shift`` times the pre-activations.
        lift: rows of the domain are ``2**lift`` times those of the problem.
    """

    dimension: int
    fixed: dict[int, Fraction]
    basis: tuple[Row, ...]
    scales: tuple[int, ...]
    units: tuple[int | None, ...]
    rows: tuple[DomainRow | None, ...]
    columns: tuple[int, ...]
    inverse: fmpq_mat
    others: dict[int, list[fmpq]]
    cuts: list[tuple[DomainRow, list[fmpq]]]
    width: int
    shift: int
    lift: int

    @classmethod
    def of(
        cls,
        units: Sequence[Row],
        shift: int,
        lift: int,
        domain: Sequence[DomainRow],
        fixed: dict[int, Fraction],
        dimension: int,
        linear: Sequence[bool],
    ) -> Atlas:
        """Choose a basis; rows are on ``(x, 1)`` with the fixed coordinates substituted.

        Units that are ``linear`` come into it only where the others do not span them.
        """
        rows = [*(cut.row for cut in domain), *units]
        first = len(domain)
        groups = [
            range(first),
            [first + i for i in range(len(units)) if not linear[i]],
            [first + i for i in range(len(units)) if linear[i]],
        ]
        order = _well_conditioned([row[:-1] for row in rows], groups)
        chosen, columns = _independent([rows[k] for k in order], dimension)
        basis_places = [order[k] for k in chosen]
        basis = tuple(rows[k] for k in basis_places)
        r = len(basis)
        square = fmpz_mat(r, r, [row[j] for row in basis for j in columns])
        inverse = fmpq_mat(square).inv() if r else fmpq_mat(0, 0)

        def in_basis(row: Row) -> list[fmpq]:
            """Coefficients ``C`` and constant with ``row = sum_k C_k v_k + constant``."""
            if not r:
                return [fmpq(row[-1])]
            solved = fmpq_mat(fmpz_mat(1, r, [row[j] for j in columns])) * inverse
            c = [solved[0, k] for k in range(r)]
            known = sum((a * v[-1] for a, v in zip(c, basis, strict=True)), fmpq(0))
            return [*c, fmpq(row[-1]) - known]

        return cls(
            dimension,
            fixed,
            basis,
            tuple(1 << max(abs(v).bit_length() for v in row) for row in basis),
            tuple(k - first if k >= first else None for k in basis_places),
            tuple(domain[k] if k < first else None for k in basis_places),
            tuple(columns),
            inverse,
            {i: in_basis(row) for i, row in enumerate(units) if first + i not in basis_places},
            [(cut, in_basis(cut.row)) for k, cut in enumerate(domain) if k not in basis_places],
            len(units),
            shift,
            lift,
        )

    @property
    def signed(self) -> list[int]:
        """Places in the basis whose sign a chart chooses."""
        return [k for k, unit in enumerate(self.units) if unit is not None]

    def __len__(self) -> int:
        return int(2 ** len(self.signed))

    def orthant(self, index: int) -> list[int]:
        """The signs of the basis; bit ``i`` of the index is that of the i-th basic unit."""
        sigma = [1] * len(self.basis)
        for bit, k in enumerate(self.signed):
            sigma[k] = 1 if index >> bit & 1 else -1
        return sigma

    def walls(self, index: int) -> dict[int, int]:
        """The basic units, with their signs in one orthant."""
        pairs = zip(self.units, self.orthant(index), strict=True)
        return {unit: sign for unit, sign in pairs if unit is not None}

    def on_simplex(self, sigma: Sequence[int]) -> Charted:
        """What the frame of one orthant is made of, exactly."""
        r = len(self.basis)

        def on_simplex(c: Sequence[fmpq]) -> list[fmpq]:
            kappa = c[r]
            moved = [
                a * (s * scale) - kappa
                for a, s, scale in zip(c[:r], sigma, self.scales, strict=True)
            ]
            return [*moved, kappa]

        forms: list[list[fmpq]] = [[] for _ in range(self.width)]
        for i, c in self.others.items():
            forms[i] = on_simplex(c)
        for k, unit in enumerate(self.units):
            if unit is not None:
                forms[unit] = [fmpq(0)] * (r + 1)
                forms[unit][k] = fmpq(sigma[k] * self.scales[k])
        exact, common = _over_common(forms)
        edge: Row = (*[-1] * r, 1)
        cuts: list[tuple[Row, int]] = [(edge, 1)]
        for _, c in self.cuts:
            (row,), own = _over_common([on_simplex(c)])
            cuts.append((tuple(row), own))
        first = Forms(integer_rows(exact, r + 1), self.shift, tuple(common * v for v in edge))
        return Charted(exact, first, common, tuple(cuts))

    def chart(self, index: int) -> Frame:
        """The frame of one orthant."""
        sigma = self.orthant(index)
        charted = self.on_simplex(sigma)
        edge = charted.cuts[0][0]
        return Frame(
            len(self.basis),
            rounded_forms(charted.rows, charted.common << self.shift),
            np.array(edge, dtype=np.float64),
            np.hstack([rounded_forms([row], 1 << _bits(row)) for row, _ in charted.cuts]),
            lambda z: self.point(*scaled_integers(z), sigma),
            charted.first,
            tuple(row for row, _ in charted.cuts),
            self.walls(index),
        )

    @cached_property
    def _solution(self) -> tuple[list[list[int]], int]:
        """The inverse as integers over one denominator."""
        matrix, denominator = self.inverse.numer_denom()
        return [list(map(int, row)) for row in matrix.tolist()], int(denominator)

    def point(self, s: Sequence[int], shift: int, sigma: Sequence[int]) -> Point:
        """The point of the problem at ``s / 2**shift`` in an orthant."""
        t = (1 << shift) - sum(s)
        # t times "y_k minus the constant of row k".
        y = [
            sign * scale * v - row[-1] * t
            for sign, scale, v, row in zip(sigma, self.scales, s, self.basis, strict=True)
        ]
        rows, denominator = self._solution
        denominator *= t
        common = math.lcm(1, *(v.denominator for v in self.fixed.values()))
        x = [0] * self.dimension
        for j, value in self.fixed.items():
            x[j] = value.numerator * (common // value.denominator) * denominator
        for j, row in zip(self.columns, rows, strict=True):
            x[j] = sum(map(mul, row, y)) * common
        divisor = math.gcd(denominator * common, *x)
        return Point(tuple(v // divisor for v in x), denominator * common // divisor)


@dataclass(frozen=True, eq=False)
class Charted:
    """The network's first layer and the domain over one orthant's simplex, in integers.

    Attributes:
        rows: of the first layer on ``(s, 1)``: ``common 2**shift`` times the forms.
        first: the same.
        common: their common denominator.
        cuts: forms that are positive in the domain, first of all ``t``: ``denominator`` times
            ``t`` times the row of the domain, each with its denominator.
    """

    rows: list[list[int]]
    first: Forms
    common: int
    cuts: tuple[tuple[Row, int], ...]


def _over_common(rows: Sequence[Sequence[fmpq]]) -> tuple[list[list[int]], int]:
    """Rational rows as integers over a common denominator."""
    common = math.lcm(1, *(int(v.q) for row in rows for v in row))
    return [[int(v.p) * (common // int(v.q)) for v in row] for row in rows], common


def _bits(row: Sequence[int]) -> int:
    """A power of two that brings the row to about unit size."""
    return max(abs(v).bit_length() for v in row)


def _well_conditioned(rows: Sequence[Row], groups: Sequence[Sequence[int]]) -> list[int]:
    """An order of the rows, group by group, in which a greedy basis is far from singular.

    Only a matter of accuracy: any order is right.
    """
    order = []
    spanned: list[NDArray[np.float64]] = []
    for group in groups:
        rest = {}
        for k in group:
            top = max((abs(v) for v in rows[k]), default=0) or 1
            vector = np.array([v / top for v in rows[k]])
            length = float(np.linalg.norm(vector)) or 1.0
            vector = vector / length
            for q in spanned:
                vector = vector - (vector @ q) * q
            rest[k] = vector
        while rest:
            k = max(rest, key=lambda i: float(np.linalg.norm(rest[i])))
            vector = rest.pop(k)
            order.append(k)
            length = float(np.linalg.norm(vector))
            if length > 1e-6:
                q = vector / length
                spanned.append(q)
                for i in rest:
                    rest[i] = rest[i] - (rest[i] @ q) * q
    return order


def _independent(rows: Sequence[Row], dimension: int) -> tuple[list[int], list[int]]:
    """Places of a greedy maximal independent set, and as many columns on which it has full rank.

    Elimination in rationals; it ends as soon as the rank is full.
    """
    reduced: list[tuple[int, list[Fraction]]] = []
    chosen = []
    for k, row in enumerate(rows):
        if len(reduced) == dimension:
            break
        work = [Fraction(v) for v in row[:-1]]
        for column, other in reduced:
            if work[column]:
                factor = work[column]
                work = [a - factor * b for a, b in zip(work, other, strict=True)]
        pivot = max(range(dimension), key=lambda j: abs(work[j]), default=-1)
        if pivot < 0 or not work[pivot]:
            continue
        lead = work[pivot]
        reduced.append((pivot, [a / lead for a in work]))
        chosen.append(k)
    return chosen, [column for column, _ in reduced]
