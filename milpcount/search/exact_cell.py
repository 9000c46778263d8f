"""The cell of a node in exact arithmetic: forms of its layers, its vertices, signs there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpz_mat

from milpcount.core.units import UnitIndex
from milpcount.errors import InvariantError
from milpcount.exact.forms import ExactStage, Forms
from milpcount.exact.prefix import PrefixMemory
from milpcount.search.frames.frame import Frame

__all__ = ["ExactCells", "Vertex"]


@dataclass(frozen=True, eq=False)
class Vertex:
    """A vertex: coordinate ``j`` is ``numerators[j] / denominator``, denominator > 0."""

    numerators: tuple[int, ...]
    denominator: int

    def sign(self, row: Sequence[int]) -> int:
        """The sign of ``row . (z, 1)``."""
        value = row[-1] * self.denominator
        value += sum(c * a for c, a in zip(row, self.numerators, strict=False) if c)
        return (value > 0) - (value < 0)


class ExactCells:
    """Exact forms on the cells of one frame; those of the last few cells are kept."""

    def __init__(self, frame: Frame, stages: Sequence[ExactStage], index: UnitIndex) -> None:
        self._frame, self._index = frame, index
        self._prefixes = PrefixMemory(stages, frame.exact)
        self._last: tuple[bytes, int, Forms] | None = None

    def forms(self, signs: bytes, layer: int) -> Forms:
        """Forms of a layer where the layers before have these signs (one signed byte a unit)."""
        key = signs[: self._index.starts[layer]]
        if self._last is None or self._last[:2] != (key, layer):
            forms = self._prefixes.at([0 < b < 128 for b in key], layer).forms
            self._last = (key, layer, forms)
        return self._last[2]

    def row(self, signs: bytes, facet: int) -> tuple[int, ...]:
        """The form whose zeros carry a facet, numbered as the compiled code does."""
        n = self._frame.n
        if facet < 2 * n:
            j, end = divmod(facet, 2)
            return (*(int(c == j) for c in range(n)), -end)
        facet -= 2 * n
        if facet < len(self._frame.exact_domain):
            return self._frame.exact_domain[facet]
        unit = facet - len(self._frame.exact_domain)
        layer, place = self._index.place(unit)
        return self.forms(signs, layer).row(place)

    def vertex(self, signs: bytes, facets: Iterator[int]) -> Vertex:
        """The vertex on these facets, of which some ``n`` are independent."""
        n = self._frame.n
        if n == 0:
            return Vertex((), 1)
        chosen: list[tuple[int, ...]] = []
        rank = 0
        for facet in facets:
            row = self.row(signs, facet)
            candidate = [*chosen, row]
            flat = [v for r in candidate for v in r[:-1]]
            if fmpz_mat(len(candidate), n, flat).rank() > rank:
                chosen, rank = candidate, rank + 1
                if rank == n:
                    break
        if rank < n:
            raise InvariantError("a vertex of a cell lies on too few facets")
        matrix = fmpq_mat(fmpz_mat(n, n, [v for r in chosen for v in r[:-1]]))
        right = fmpq_mat(n, 1, [fmpq(-r[-1]) for r in chosen])
        solved = matrix.solve(right)
        numerator, denominator = solved.numer_denom()
        return Vertex(tuple(int(v) for v in numerator.entries()), int(denominator))

    def domain_row(self, k: int) -> tuple[int, ...]:
        """Form ``k`` of the domain."""
        return self._frame.exact_domain[k]
