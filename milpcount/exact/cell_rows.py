"""The rows of cells: what the signs of their units mean, each with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.exact.feasibility import Row
from milpcount.exact.forms import constraint, domain_rows, exact_box, problem_stages
from milpcount.exact.prefix import Prefix, PrefixMemory

__all__ = ["CellRows", "NamedRow"]


@dataclass(frozen=True, slots=True, eq=False)
class NamedRow:
    """A row of a cell, and what it is.

    Attributes:
        row: holds on the cell.
        name: of the domain's row ``k``, ``k``; of the unit at position ``p``, ``p`` plus the
            number of the domain's rows.
        shift: the row is ``2**shift`` times the unit's pre-activation, signed; of the domain's
            rows 0: they stand for themselves.
    """

    row: Row
    name: int
    shift: int


class CellRows:
    """The rows of one problem's cells.

    Attributes:
        cuts: the domain's rows.
    """

    def __init__(self, problem: CountProblem) -> None:
        self._definition, self._index = problem.definition, problem.index
        self._box = exact_box(problem)
        full = problem.definition is Definition.FULL
        self.cuts = tuple(
            # The domain has an interior: full regions have points inside of it.
            NamedRow(Row(row.coefficients, full and self._varies(row.coefficients)), k, 0)
            for k, row in enumerate(domain_rows(problem))
        )
        self._stages = problem_stages(problem)
        self._prefixes = PrefixMemory(self._stages)
        # Sides of the last cell asked for, stage by stage, and the prefix that they belong to.
        self._sides: list[tuple[Prefix, dict[int, NamedRow | bool]]] = []

    def of(
        self, signs: Sequence[int], wanted: Sequence[int]
    ) -> tuple[list[NamedRow], Prefix, NamedRow | None]:
        """The rows of a cell, the prefix of its complete stages, and a row that no input has.

        Cells asked for one after the other have rows in common: those are the same objects.

        Arguments:
            signs: one a unit, of complete stages and some of one stage more; 0 undecided.
            wanted: absolute values of the signs that give a row.
        """
        rows = list(self.cuts)
        contrary: NamedRow | None = None
        states = [s > 0 for s in signs]
        for stage, (first, behind) in enumerate(pairwise(self._index.starts)):
            prefix = self._prefixes.at(states, stage)
            sides = self._sides_of(prefix)
            for p in range(first, behind):
                sign = signs[p]
                if self._index.linear[p] or abs(sign) not in wanted:
                    continue
                key = p if sign > 0 else ~p
                named = sides.get(key)
                if named is None:
                    named = sides[key] = self.side(prefix, p, sign > 0)
                if isinstance(named, NamedRow):
                    rows.append(named)
                elif not named:
                    # A form that is constant on the box and has the other sign.
                    contrary = contrary or self.plain(prefix, p, 1 if sign > 0 else -1)
            if 0 in signs[first:behind]:
                return rows, prefix, contrary
        return rows, self._prefixes.at(states, len(self._stages)), contrary

    def side(self, prefix: Prefix, position: int, active: bool) -> NamedRow | bool:
        """What it means for a unit of the present stage to be active, or not."""
        row, shift = prefix.forms.scaled_row(position - self._index.starts[prefix.stage])
        wanted = constraint(row, active, self._definition, self._box)
        if isinstance(wanted, bool):
            return wanted
        return NamedRow(wanted, len(self.cuts) + position, shift)

    def plain(self, prefix: Prefix, position: int, sign: int) -> NamedRow:
        """The row of a unit whatever its form, as a certificate states it."""
        row, shift = prefix.forms.scaled_row(position - self._index.starts[prefix.stage])
        signed = tuple(sign * v for v in row)
        return NamedRow(Row(signed, sign > 0), len(self.cuts) + position, shift)

    def _sides_of(self, prefix: Prefix) -> dict[int, NamedRow | bool]:
        """The sides known below a prefix: by position, or its complement where inactive."""
        stage = prefix.stage
        if len(self._sides) <= stage or self._sides[stage][0] is not prefix:
            self._sides[stage:] = [(prefix, {})]
        return self._sides[stage][1]

    def _varies(self, coefficients: Sequence[int]) -> bool:
        return any(coefficients[j] for j in self._box.free)
