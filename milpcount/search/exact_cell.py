"""The cell of a node in exact arithmetic: forms of its layers, its vertices, signs there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpz_mat

from milpcount.errors import InvariantError
from milpcount.exact.forms import ExactStage, Forms
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

    def __init__(self, frame: Frame, layers: Sequence[ExactStage]) -> None:
        self._frame, self._layers = frame, layers
        self._starts = [0]
        for layer in layers:
            self._starts.append(self._starts[-1] + layer.width)
        self._path: list[tuple[bytes, Forms]] = []

    def forms(self, signs: bytes, layer: int) -> Forms:
        """Forms of a layer where the layers before have these signs (one signed byte a unit)."""
        key = b""
        for k in range(layer + 1):
            key = signs[: self._starts[k]]
            if len(self._path) > k and self._path[k][0] == key:
                continue
            del self._path[k:]
            if k == 0:
                forms = self._frame.exact
            else:
                active = [b < 128 and b > 0 for b in key[self._starts[k - 1] :]]
                before = self._path[k - 1][1]
                forms = before.next(self._layers[k - 1], active, self._layers[k])
            self._path.append((key, forms))
        return self._path[layer][1]

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
        layer = next(k for k in range(len(self._layers)) if unit < self._starts[k + 1])
        return self.forms(signs, layer).row(unit - self._starts[layer])

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
