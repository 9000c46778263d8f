"""The rows of a region in floats with error bounds, put together into walls."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from milpcount.exact.dyadic import to_float
from milpcount.exact.feasibility import Row
from milpcount.geometry.cone import primitive
from milpcount.geometry.float_forms import ROUNDOFF, FloatForms
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Side, Wall

__all__ = ["RegionRows"]

Bits = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Float = NDArray[np.float64]

_ALIKE = 1e-9  # 1 - cosine of rows that may be proportional
_BLURRED = 1e-6  # relative error of rows that floats do not tell apart


class RegionRows:
    """The walls of one region, and values of their rows at points of the carrier.

    Attributes:
        space, bits: the problem, and the pattern with one entry a position.
        walls: rows that are not constant, those that are multiples of each other together.
        zero: units whose forms are 0 on all of the region.
    """

    def __init__(self, space: Space, bits: Bits) -> None:
        self.space, self.bits = space, bits
        self._carries_inputs = space.bounded_sides or not space.reduced
        self._prepare()

    def _prepare(self) -> None:
        """Rows positive inside, without those that are constant; walls are rows up to factors."""
        space = self.space
        forms = space.float_forms(self.bits)
        sign = np.where(self.bits, 1.0, -1.0)[:, None]
        rows, errors = sign * forms.values, forms.errors
        plain = np.all(np.abs(rows[:, :-1]) <= errors[:, :-1], axis=1)
        plain |= ~np.all(np.isfinite(rows) & np.isfinite(errors), axis=1)
        self.zero: list[int] = []
        linear = space.index.linear
        vary = ~plain & ~linear
        for u in np.flatnonzero(plain & ~linear).tolist():
            if not errors[u].any() and rows[u, -1] != 0:
                continue
            exact = space.exact_row(self.bits, u)
            if any(exact[:-1]):
                vary[u] = True
            elif not exact[-1]:
                self.zero.append(u)
        units = np.flatnonzero(vary)
        table, spread = rows[units], errors[units]
        if space.rows:
            extra = np.array([to_float(r.coefficients)[0] for r in space.rows])
            extra = extra.reshape(-1, space.d + 1)
            table = np.vstack([table, extra])
            spread = np.vstack([spread, 1.01 * ROUNDOFF * np.abs(extra)])
        # Powers of two, so that nothing is rounded.
        size = np.max(np.abs(table[:, :-1]), axis=1, initial=0.0)
        usable = np.isfinite(size) & (size > 0)
        scale = np.exp2(-np.frexp(np.where(usable, size, 1.0))[1].astype(float))[:, None]
        self._all = FloatForms(table * scale, spread * scale)
        self._group(units.tolist())
        keep = [members[0] for members in self._members]
        self._forms = FloatForms(self._all.values[keep], self._all.errors[keep])

    def _group(self, units: list[int]) -> None:
        """Put proportional rows together; what floats cannot tell apart is compared exactly."""
        values, errors = self._all.values, self._all.errors
        count = len(values)
        parent = list(range(count))
        with np.errstate(all="ignore"):
            length = np.linalg.norm(values, axis=1)
            unit = values / np.where(length > 0, length, 1.0)[:, None]
            blurred = ~(np.linalg.norm(errors, axis=1) <= _BLURRED * length)
            alike = ~(unit @ unit.T <= 1.0 - _ALIKE) | blurred[:, None] | blurred[None, :]
        keys: dict[int, tuple[int, ...]] = {}

        def key(i: int) -> tuple[int, ...]:
            if i not in keys:
                keys[i] = primitive(self._exact_row(i, units))
            return keys[i]

        for i, j in np.argwhere(np.triu(alike, 1)).tolist():
            if parent[j] == j and key(i) == key(j):
                parent[j] = parent[i]
        groups: dict[int, list[int]] = {}
        for i in range(count):
            groups.setdefault(parent[i], []).append(i)
        self._units = units
        self._members = list(groups.values())
        first = len(units)
        places = self.space.row_places
        self.walls: list[Wall] = []
        for members in self._members:
            side = next((Side("row", places[i - first]) for i in members if i >= first), None)
            self.walls.append(Wall(tuple(units[i] for i in members if i < first), side))
        self._coincide()

    def _coincide(self) -> None:
        """Find walls that lie on an end of the box."""
        if not self.space.sides or self.space.rows:
            return
        firsts = [members[0] for members in self._members]
        with np.errstate(all="ignore"):
            slopes = np.abs(self._all.values[firsts][:, :-1] @ self.space.lift)
            top = slopes.max(axis=1, initial=0.0)
            single = ~((slopes > 1e-9 * top[:, None]).sum(axis=1) != 1)
        for k in np.flatnonzero(single).tolist():
            row = Row(self._exact_row(firsts[k], self._units), True)
            mine = primitive(self.space.on_inputs(row).coefficients)
            j = self.space.free[int(np.argmax(slopes[k]))]
            for side in (Side("lower", j), Side("upper", j)):
                if side in self._side_set and primitive(self.space.side_row(side)) == mine:
                    self.walls[k] = Wall(self.walls[k].units, side)

    @cached_property
    def _side_set(self) -> frozenset[Side]:
        return frozenset(self.space.sides)

    def _exact_row(self, i: int, units: list[int]) -> tuple[int, ...]:
        """Row ``i`` of the table in integers, positive inside."""
        if i >= len(units):
            return self.space.rows[i - len(units)].coefficients
        row = self.space.exact_row(self.bits, units[i])
        return row if self.bits[units[i]] else tuple(-c for c in row)

    def _row(self, k: int) -> Row:
        return Row(self._exact_row(self._members[k][0], self._units), True)

    def _on_inputs(self, k: int) -> Row:
        i = self._members[k][0]
        row = self._row(k)
        return row if i >= len(self._units) else self.space.on_inputs(row)

    def exact_walls(self) -> list[Row]:
        """The walls as strict rows in the inputs, exactly."""
        return [self._on_inputs(k) for k in range(len(self.walls))]

    def _at(self, points: Float, forms: FloatForms | None = None) -> tuple[Float, Float]:
        """Values of the walls' rows at the columns, and bounds on their errors."""
        forms = forms or self._forms
        with np.errstate(all="ignore"):
            if self._carries_inputs:
                y, blur = self.space.reduce(points)
                return forms.at(y, None if blur is None else blur)
            return forms.at(points)

    def _in_box(self, points: Float) -> Bools:
        """Which columns lie strictly inside the box."""
        if not self._carries_inputs:
            return np.ones(points.shape[1], dtype=bool)
        lo, hi = self.space.lo[:, None], self.space.hi[:, None]
        return np.asarray(np.all((points > lo) & (points < hi), axis=0))
