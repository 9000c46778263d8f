"""Facets of a region, and the region across one.

Let ``R`` be a full region with forms ``g_v``, and let ``r_v`` be ``g_v`` or ``-g_v``, so that
``r_v >= 0`` on ``R``.  Units whose forms are constant do not bound ``R``.  Write ``u ~ v`` if
``r_u`` and ``r_v`` are multiples of each other (positive ones: both are positive inside ``R``).

**Facet test.**  The rows ``~ u`` give a facet of ``R`` that meets the interior of the domain ``X``
if and only if some ``y`` in ``X`` has ``r_u(y) < 0`` and ``r_v(y) > 0`` for all ``v`` that are not
``~ u``.  If so, the segment from an inner point of ``R`` to ``y`` meets ``{r_u = 0}`` in an inner
point of ``X`` at which all other rows are positive, hence a neighbourhood within ``{r_u = 0}`` lies
in the closure of ``R``.  Conversely take a point just beyond the relative interior of the facet.
The system is strict in all units, so ``y`` may be sought in the interior of ``X``.

**The region across.**  Let ``F`` be such a facet and ``Z`` the units whose forms in ``R`` vanish on
``F``: those ``~ u`` and those whose form is 0 on all of ``R``.  At a relative interior point ``p``
of ``F`` every other unit has a sign, which it keeps nearby.  Along ``p + t d``, ``d = -grad r_u``,
``t > 0`` small, the pre-activation of a unit is its value at ``p`` plus ``t`` times a derivative,
which follows layer by layer: a unit outside ``Z`` passes its derivative on as its sign says, a unit
in ``Z`` as the sign of its derivative says, and that is also its new bit.  None of this depends on
which ``p`` was taken.  A unit of ``Z`` with derivative 0 vanishes on ``F`` and on the ray, hence on
all of the region across: inactive there.  So exactly one region lies across ``F``.  If ``Z`` is
``{u}`` it is ``R`` with the bit of ``u`` flipped.
"""

from __future__ import annotations

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.exact.feasibility import Row
from milpcount.exact.ladder import Ladder
from milpcount.linear.circuit import Circuit, Prefixes

__all__ = ["RegionFacets"]

Bits = NDArray[np.uint8]


class RegionFacets:
    """The rows of one full region."""

    def __init__(self, circuit: Circuit, prefixes: Prefixes, bits: Bits) -> None:
        self._circuit, self._bits = circuit, bits
        self._rows: dict[int, Row] = {}
        self.zero: list[int] = []
        unit = 0
        for forms in prefixes.forms(bits):
            for i in range(forms.matrix.nrows()):
                form = forms.row(i)
                if circuit.linear[unit]:
                    pass  # it bounds nothing
                elif any(form[:-1]):
                    sign = 1 if bits[unit] else -1
                    self._rows[unit] = Row(tuple(sign * c for c in form), True)
                elif not form[-1]:
                    self.zero.append(unit)
                unit += 1

    def classes(self) -> list[list[int]]:
        """The units with forms that are not constant, by proportionality."""
        out: list[list[int]] = []
        for u in self._rows:
            home = next((c for c in out if self._proportional(c[0], u)), None)
            if home is None:
                out.append([u])
            else:
                home.append(u)
        return out

    def row(self, u: int) -> Row:
        """The strict row of a unit whose form is not constant."""
        return self._rows[u]

    def inside(self) -> list[Row]:
        """The system of the region's interior within the domain's."""
        return [*self._circuit.domain, *self._rows.values()]

    def beyond(self, u: int) -> list[Row] | None:
        """The system of the facet test for ``u``; None if the form of ``u`` is constant."""
        mine = self._rows.get(u)
        if mine is None:
            return None
        rows = list(self._circuit.domain)
        for v, row in self._rows.items():
            if v == u:
                rows.append(Row(tuple(-c for c in mine.coefficients), True))
            elif not self._proportional(u, v):
                rows.append(row)
        return rows

    def has_facet(self, u: int, ladder: Ladder) -> bool:
        """Whether the row of ``u`` gives a facet that meets the interior of the domain."""
        rows = self.beyond(u)
        return rows is not None and ladder.decide(rows).feasible

    def across(self, vanishing: list[int]) -> Bits:
        """The pattern across a facet on which just these units vanish, if it is a facet.

        The first of them must have a form that is not constant.
        """
        direction = [-c for c in self._rows[vanishing[0]].coefficients[:-1]]
        turning = set(vanishing)
        bits = self._bits.copy()
        moved = fmpz_mat(len(direction), 1, direction)
        unit = 0
        for layer in self._circuit.layers:
            change = [int(v) for v in (layer.weights[0] * moved).entries()]
            for i, value in enumerate(change):
                if unit in turning:
                    bits[unit] = value > 0
                change[i] = value << layer.slope_shift if bits[unit] else value * layer.slopes[i]
                unit += 1
            moved = fmpz_mat(layer.width, 1, change)
        return bits

    def _proportional(self, u: int, v: int) -> bool:
        a, b = self._rows[u].coefficients, self._rows[v].coefficients
        j = next(j for j, c in enumerate(a) if c)
        return all(x * b[j] == y * a[j] for x, y in zip(a, b, strict=True))
