"""The hyperplanes of a single layer, in integers, and whether a domain cuts them short.

Everything is in the coordinates that the domain leaves free: a hyperplane is a tuple of integers
``(a, b)``, primitive and with a positive first entry, and stands for ``a . x + b = 0``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpz_mat

from milpcount.core.domain import Box
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix

__all__ = [
    "Hyperplane",
    "Open",
    "factors",
    "general_position",
    "have_common_point",
    "hyperplanes_of",
    "largest_minor",
    "primitive",
]

Hyperplane = tuple[int, ...]


def primitive(row: Sequence[int]) -> Hyperplane:
    """The row divided by what its entries have in common; the first that is not 0 is positive."""
    common = math.gcd(*row) or 1
    lead = next((v for v in row if v), 1)
    return tuple(v // (common if lead > 0 else -common) for v in row)


def largest_minor(rows: Sequence[Sequence[int]], order: int) -> int:
    """A bound on the absolute value of minors up to this order: Hadamard's, rounded up."""
    squares = sorted((sum(v * v for v in row) for row in rows), reverse=True)
    return math.isqrt(math.prod(max(1, s) for s in squares[:order])) + 1


def general_position(hyperplanes: int, dimension: int) -> int:
    """The largest number of regions of so many hyperplanes (Schläfli; Zaslavsky 1975)."""
    return sum(math.comb(hyperplanes, k) for k in range(dimension + 1))


@dataclass(frozen=True)
class Open:
    """The interior of a domain in its free coordinates.

    Attributes:
        dimension: how many these are.
        rows: positive inside; none for all of R^n.
        box: the same where the domain is a box, else None.
    """

    dimension: int
    rows: tuple[Hyperplane, ...]
    box: ExactBox | None = None

    @classmethod
    def of(cls, problem: CountProblem) -> Open:
        """The sides of the box, or the rows of the polytope."""
        box = exact_box(problem)
        n = len(box.free)
        rows = []
        for place, j in enumerate(box.free):
            for end, sign in ((box.lo[j], 1), (box.hi[j], -1)):
                if end is not None:
                    row = [0] * (n + 1)
                    row[place], row[n] = sign * box.denominator, -sign * end
                    rows.append(row)
        rows += [list(row.coefficients) for row in domain_rows(problem) if any(row.coefficients)]
        # Divided by what their entries have in common: the sign stays.
        sides = tuple(tuple(v // math.gcd(*row) for v in row) for row in rows)
        if not isinstance(problem.domain, Box):
            return cls(n, sides)
        lo, hi = ([ends[j] for j in box.free] for ends in (box.lo, box.hi))
        return cls(n, sides, ExactBox(tuple(lo), tuple(hi), box.denominator))

    def has_origin(self) -> bool:
        """Whether the origin lies inside."""
        return all(row[-1] > 0 for row in self.rows)

    def holds(self, rows: Sequence[Row]) -> bool:
        """Whether some point inside satisfies the rows."""
        nowhere = (None,) * self.dimension
        inside = [Row(row, True) for row in self.rows]
        return decide([*inside, *rows], ExactBox(nowhere, nowhere, 1)).feasible

    def meets(self, row: Hyperplane) -> bool:
        """Whether a hyperplane passes through the inside: some points lie on either side."""
        negative = tuple(-v for v in row)
        if self.box is not None:
            tops = (self.box.supremum(row), self.box.supremum(negative))
            return all(top is None or top > 0 for top in tops)
        return self.holds([Row(row, True)]) and self.holds([Row(negative, True)])


def hyperplanes_of(problem: CountProblem) -> list[Hyperplane]:
    """The hyperplanes of all units with a state, each once; constant units have none.

    The problem is a single layer (:func:`milpcount.engines.spec.is_single_layer`), so that the
    states of units do not matter to the forms.
    """
    box = exact_box(problem)
    free = set(box.free)
    ends = [(j, a) for j, a in enumerate(box.lo) if j not in free and a]
    prefix = Prefix.root(problem_stages(problem))
    found: dict[Hyperplane, None] = {}
    for stage in prefix.stages:
        for place in range(stage.width):
            if stage.linear[place]:
                continue
            form = prefix.row(place)
            row = [form[j] * box.denominator for j in box.free]
            fixed = sum(form[j] * a for j, a in ends)
            if any(row):
                found[primitive([*row, form[-1] * box.denominator + fixed])] = None
        prefix = prefix.push((True,) * stage.width)
    return list(found)


def have_common_point(rows: Sequence[Hyperplane], inside: Open) -> bool:
    """Whether all hyperplanes pass through one point inside."""
    n = inside.dimension
    matrix = fmpz_mat([list(row) for row in rows])
    reduced, _, rank = matrix.rref()
    basis = [[int(reduced[i, j]) for j in range(n + 1)] for i in range(rank)]
    if not any(basis[-1][:n]):
        return False  # 0 = 1
    both = [Row(tuple(s * v for v in row), False) for row in basis for s in (1, -1)]
    return inside.holds(both)


def factors(rows: Sequence[Hyperplane]) -> list[list[Hyperplane]]:
    """Split an arrangement into a product: the numbers of regions multiply.

    The normals of different parts lie in subspaces whose sum is direct, so that in suitable
    coordinates each part depends on coordinates of its own.  The finest such parts are the
    components of the graph that joins each normal with the members of a basis that it needs.
    """
    n = len(rows[0]) - 1
    columns = fmpz_mat([[row[j] for row in rows] for j in range(n)])
    reduced, _, rank = columns.rref()
    part = list(range(len(rows)))

    def find(a: int) -> int:
        while part[a] != a:
            part[a] = part[part[a]]
            a = part[a]
        return a

    pivots = [next(j for j in range(len(rows)) if reduced[i, j]) for i in range(rank)]
    for i, pivot in enumerate(pivots):
        for j in range(len(rows)):
            if reduced[i, j]:
                part[find(j)] = find(pivot)
    parts: dict[int, list[Hyperplane]] = {}
    for j, row in enumerate(rows):
        parts.setdefault(find(j), []).append(row)
    return list(parts.values())
