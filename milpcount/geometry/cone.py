"""Polyhedra in few dimensions, exactly: generators by the double description method.

A polyhedron ``{x : a_i . x + b_i >= 0}`` of ``R^n`` is the slice ``t = 1`` of the cone
``{(x, t) : a_i . x + b_i t >= 0, t >= 0}`` of ``R^{n+1}``.  The extreme rays of the cone with
``t > 0`` are its vertices, those with ``t = 0`` its extreme directions, and the lines in the cone
are the lines in the polyhedron (Motzkin, Raiffa, Thompson and Thrall 1953; adjacency of rays by
the sets of rows that are tight, Fukuda and Prodon 1996).  Everything is in integers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpz_mat

__all__ = ["Generators", "primitive"]

Vector = tuple[int, ...]


def primitive(vector: Sequence[int]) -> Vector:
    """The shortest integer vector of the same direction."""
    divisor = math.gcd(*vector)
    return tuple(vector) if divisor <= 1 else tuple(v // divisor for v in vector)


@dataclass(frozen=True, eq=False)
class Generators:
    """Generators of a full-dimensional polyhedron given by rows.

    Attributes:
        n: dimension.
        rows: ``a . x + b >= 0``: coefficients and constant.
        rays: extreme rays of the cone: integer vectors ``(x, t)``.
        tight: for each ray the set of rows that vanish on it, as a bit mask.
        lines: a basis of the lines in the cone; modulo these the rays are.
    """

    n: int
    rows: tuple[Vector, ...]
    rays: tuple[Vector, ...]
    tight: tuple[int, ...]
    lines: tuple[Vector, ...]

    @classmethod
    def of(cls, n: int, rows: Sequence[Vector]) -> Generators:
        """Add the rows one after the other to the cone ``t >= 0``."""
        every = [(*[0] * n, 1), *rows]
        lines = [tuple(int(i == j) for j in range(n + 1)) for i in range(n + 1)]
        rays: list[tuple[Vector, int]] = []
        for i, row in enumerate(every):
            lines, rays = _cut(lines, rays, row, i, n + 1)
        # The row t >= 0 has number 0 so far.
        return cls(
            n,
            tuple(rows),
            tuple(ray for ray, _ in rays),
            tuple(mask >> 1 for _, mask in rays),
            tuple(lines),
        )

    @cached_property
    def vertices(self) -> tuple[int, ...]:
        """Places of the rays that are vertices."""
        return tuple(k for k, ray in enumerate(self.rays) if ray[-1])

    @property
    def is_bounded(self) -> bool:
        """Whether the polyhedron is a polytope."""
        return not self.lines and len(self.vertices) == len(self.rays)

    @property
    def on(self) -> list[int]:
        """For each row the set of rays on it, as a bit mask."""
        masks = [0] * len(self.rows)
        for k, tight in enumerate(self.tight):
            i = 0
            while tight:
                if tight & 1:
                    masks[i] |= 1 << k
                tight >>= 1
                i += 1
        return masks

    def facets(self) -> list[int]:
        """Rows that meet the polyhedron in a face of dimension ``n - 1``."""
        out = []
        for i, mask in enumerate(self.on):
            members = [self.rays[k] for k in range(len(self.rays)) if mask >> k & 1]
            # A face has a vertex, up to the lines.
            if len(members) + len(self.lines) < self.n or not any(m[-1] for m in members):
                continue
            if _rank([*members, *self.lines], self.n + 1) == self.n:
                out.append(i)
        return out

    def coordinates(self, k: int) -> tuple[Fraction, ...]:
        """A vertex, or an extreme direction."""
        *x, t = self.rays[k]
        return tuple(Fraction(v, t or 1) for v in x)

    def edges(self) -> list[tuple[int, int]]:
        """Pairs of vertices that span an edge."""
        if self.lines:
            return []
        out = []
        for a, b in itertools.combinations(self.vertices, 2):
            if _adjacent(self.tight, a, b, self.n - 1):
                out.append((a, b))
        return out

    def interior_point(self) -> tuple[Vector, int]:
        """The mean of the vertices plus all directions: numerators and denominator."""
        corners = [self.rays[k] for k in self.vertices]
        common = math.lcm(*(c[-1] for c in corners))
        total = [sum(c[j] * (common // c[-1]) for c in corners) for j in range(self.n)]
        count = common * len(corners)
        for ray in self.rays:
            if not ray[-1]:
                total = [v + count * r for v, r in zip(total, ray, strict=False)]
        return tuple(total), count

    @cached_property
    def volume(self) -> Fraction | None:
        """The volume; None where it is infinite.

        Pyramids from a vertex over the facets that do not hold it, and so on down (Cohen and
        Hickey 1979): the simplices of a triangulation without new vertices.
        """
        if not self.is_bounded:
            return None
        facets = [m for m in self.on if m]
        everything = (1 << len(self.rays)) - 1
        total = Fraction(0)
        for simplex in _simplices(everything, facets, self.n):
            rows = [self.rays[k] for k in simplex]
            det = int(fmpz_mat(self.n + 1, self.n + 1, [v for r in rows for v in r]).det())
            total += Fraction(abs(det), math.prod(r[-1] for r in rows))
        return total / math.factorial(self.n)


def _dot(a: Vector, b: Vector) -> int:
    return sum(map(int.__mul__, a, b))


def _cut(
    lines: list[Vector], rays: list[tuple[Vector, int]], row: Vector, i: int, size: int
) -> tuple[list[Vector], list[tuple[Vector, int]]]:
    """Intersect the cone of these generators with ``row >= 0``, which gets number ``i``."""
    bit = 1 << i
    values = [_dot(row, line) for line in lines]
    k = next((k for k, v in enumerate(values) if v), None)
    if k is not None:
        line, s = lines[k], values[k]
        if s < 0:
            line, s = tuple(-v for v in line), -s

        def flat(vector: Vector) -> Vector:
            v = _dot(row, vector)
            return primitive([s * a - v * b for a, b in zip(vector, line, strict=True)])

        kept = [flat(other) for j, other in enumerate(lines) if j != k]
        return kept, [*((flat(ray), mask | bit) for ray, mask in rays), (line, bit - 1)]
    at = [_dot(row, ray) for ray, _ in rays]
    if not any(v < 0 for v in at):
        return lines, [
            (ray, mask | bit if v == 0 else mask) for (ray, mask), v in zip(rays, at, strict=True)
        ]
    masks = tuple(mask for _, mask in rays)
    out = [
        (ray, mask | bit if v == 0 else mask)
        for (ray, mask), v in zip(rays, at, strict=True)
        if v >= 0
    ]
    below = [k for k, v in enumerate(at) if v < 0]
    above = [k for k, v in enumerate(at) if v > 0]
    least = size - len(lines) - 2
    for a in above:
        for b in below:
            if _adjacent(masks, a, b, least):
                p, q = rays[a][0], rays[b][0]
                ray = primitive([at[a] * y - at[b] * x for x, y in zip(p, q, strict=True)])
                out.append((ray, masks[a] & masks[b] | bit))
    return lines, out


def _adjacent(masks: Sequence[int], a: int, b: int, least: int) -> bool:
    """Whether two extreme rays span a face: no third one is tight wherever both are."""
    common = masks[a] & masks[b]
    if common.bit_count() < least:
        return False
    return not any(mask & common == common for k, mask in enumerate(masks) if k not in (a, b))


def _rank(rows: Sequence[Vector], columns: int) -> int:
    if not rows:
        return 0
    return int(fmpz_mat(len(rows), columns, [v for r in rows for v in r]).rank())


def _simplices(face: int, facets: Sequence[int], dimension: int) -> list[tuple[int, ...]]:
    """Simplices that triangulate a face, given as a set of vertices; ``facets`` are such sets."""
    if dimension == 0:
        return [(face.bit_length() - 1,)]
    apex = face & -face
    first = apex.bit_length() - 1
    # The facets of this face are the maximal proper intersections with facets of the polytope.
    parts = {face & f for f in facets} - {face, 0}
    maximal = [p for p in parts if not any(p != q and p & q == p for q in parts)]
    out = []
    for part in maximal:
        if not part & apex:
            out += [(first, *rest) for rest in _simplices(part, facets, dimension - 1)]
    return out
