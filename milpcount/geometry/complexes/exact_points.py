"""Vertices as rational points, from their sign vectors.

The units that vanish at a vertex, with the forms that they have where the other units have the
vertex's signs, and the sides of the domain that it lies on, are zero at this point alone.  The
states of the units that vanish do not matter: where those of the earlier stages are zero they pass
zero on, whatever their states, so the solutions of all equations are the same for every choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.errors import InvariantError
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.walls import Side

__all__ = ["ExactPoints"]

Ints = NDArray[np.int64]


class ExactPoints(Sequence[tuple[Fraction, ...]]):
    """The vertices of a complex in the problem's coordinates, worked out when asked for."""

    def __init__(
        self,
        prepared: Prepared,
        signs: NDArray[np.int8],
        on_sides: NDArray[np.bool_],
        sides: tuple[Side, ...],
    ) -> None:
        """Take the problem that the signs are of, and the sides that the columns stand for."""
        self._prepared, self._signs, self._on_sides = prepared, signs, on_sides
        self._sides = sides
        self._found: dict[int, tuple[Fraction, ...]] = {}

    def __len__(self) -> int:
        return len(self._signs)

    def __getitem__(self, index: int) -> tuple[Fraction, ...]:  # type: ignore[override]
        place = range(len(self))[index]
        if place not in self._found:
            self._found[place] = self._prepared.inputs(self._solve(place)).fractions()
        return self._found[place]

    def __iter__(self) -> Iterator[tuple[Fraction, ...]]:
        # Vertices with the same states one after the other, for the sake of their forms.
        keys = (self._signs > 0).astype(np.uint8)
        for place in np.lexsort(keys.T[::-1]).tolist() if keys.shape[1] else range(len(self)):
            self[place]
        return (self[i] for i in range(len(self)))

    def chosen(self, places: Ints) -> ExactPoints:
        """Some of the vertices."""
        return ExactPoints(self._prepared, self._signs[places], self._on_sides[places], self._sides)

    def _solve(self, place: int) -> Point:
        space = self._prepared.space
        n = space.n
        bits = space.index.spread((self._signs[place] > 0).astype(np.uint8))
        rows = [
            space.side_row(self._sides[k]) for k in np.flatnonzero(self._on_sides[place]).tolist()
        ]
        zero = space.index.positions[self._signs[place] == 0].tolist()
        forms = space.exact_forms(bits) if zero else ()
        for position in zero:
            stage, unit = space.index.place(position)
            row = forms[stage].row(unit)
            if any(row[:-1]):
                rows.append(row)
        table = fmpz_mat(len(rows), n + 1, [v for row in rows for v in row])
        reduced, denominator, rank = table.rref()
        if rank != n or any(int(reduced[i, i]) != int(denominator) for i in range(n)):
            raise InvariantError("the units that vanish at a vertex do not determine it")
        values = [fmpq(-int(reduced[i, n]), int(denominator)) for i in range(n)]
        numerator, common = fmpq_mat(n, 1, values).numer_denom()
        return Point(tuple(int(v) for v in numerator.entries()), int(common))
