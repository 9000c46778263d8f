r"""Parity constraints as rows of a MILP: with integer multiples of 2, or by separated inequalities.

*integer*: ``sum_{u in V} z_u = p + 2 t`` with an integer ``t``; one row, and a weak relaxation:
any fractional ``z`` with the right sum satisfies it.

*lazy*: Jeroslow's inequalities, which describe the convex hull of the points of one parity. For
every ``U`` in ``V`` of the wrong parity, ``|U| + p`` odd,

    sum_{u in U} z_u - sum_{u in V - U} z_u <= |U| - 1                                       (1)

cuts off the one 0/1 point ``z = 1_U`` and no other of the wrong parity.  They number ``2^{|V| -
1}``, so those of long constraints are never many enough: a long constraint is first cut into a
chain of links of at most four variables, by auxiliary binaries ``y_1 = XOR of the first three``,
``y_2 = y_1 XOR two more``, and so on.  A link whose parity is wrong at a solution gets all of its
(at most eight) inequalities; a link never violated gets none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyomo.environ as pyo

from milpcount.engines.milp.solvers.base import MilpSolver
from milpcount.errors import InputError
from milpcount.sampling.parity import Parity

__all__ = ["ENCODINGS", "ParityRows"]

ENCODINGS = ("integer", "lazy")

_LINK = 4


@dataclass
class _Link:
    """A parity constraint on a few columns, and whether its inequalities are in the model."""

    columns: tuple[pyo.Var, ...]
    odd: int
    present: bool = False

    def holds(self) -> bool:
        """Whether the values that the columns have now satisfy it."""
        active = sum(bool(pyo.value(v) > 0.5) for v in self.columns)
        return active % 2 == self.odd

    def inequalities(self) -> list[Any]:
        """All of (1)."""
        out = []
        for size in range(len(self.columns) + 1):
            if (size + self.odd) % 2 == 0:
                continue
            for chosen in combinations(range(len(self.columns)), size):
                terms = [v if k in chosen else -v for k, v in enumerate(self.columns)]
                out.append(pyo.quicksum(terms) <= size - 1)
        return out


@dataclass
class _Added:
    """What one run has put into the model."""

    rows: list[pyo.Constraint] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)
    integers: int = 0
    binaries: int = 0


class ParityRows:
    """Puts parity constraints into a loaded model and takes them out again.

    The columns that they need are declared with the model, because solvers take only rows later.

    Arguments:
        model: gets the columns and an empty constraint list ``parities``; load it afterwards.
        columns: the binaries, by unit.
        encoding: one of :data:`ENCODINGS`.
        rank: the most constraints that one run can add (independent ones: the number of binaries).

    Raises:
        InputError: no such encoding.
    """

    def __init__(
        self, model: pyo.ConcreteModel, columns: dict[int, pyo.Var], encoding: str, rank: int
    ) -> None:
        if encoding not in ENCODINGS:
            raise InputError(
                f"no encoding {encoding!r} of parity constraints; known: {', '.join(ENCODINGS)}"
            )
        self._model, self._columns = model, columns
        self._integer = encoding == "integer"
        n = len(columns)
        self._added = _Added()
        if self._integer:
            model.parity_half = pyo.Var(
                range(rank), domain=pyo.NonNegativeIntegers, bounds=(0, max(n // 2, 1))
            )
        else:
            model.parity_link = pyo.Var(range(rank * (n // 2)), domain=pyo.Binary)
        model.parities = pyo.ConstraintList(doc="random parity constraints")

    def columns_to_read(self) -> list[pyo.Var]:
        """Auxiliary columns whose values :meth:`separate` looks at."""
        return list({id(v): v for link in self._added.links for v in link.columns}.values())

    def clear(self, solver: MilpSolver) -> None:
        """Take out what is there."""
        if self._added.rows:
            solver.remove(self._added.rows)
        for row in self._added.rows:
            row.deactivate()
        self._added = _Added()

    def add(self, parity: Parity, solver: MilpSolver) -> None:
        """Add a constraint on at least one unit."""
        variables = [self._columns[u] for u in parity.units]
        if self._integer:
            half = self._model.parity_half[self._added.integers]
            self._added.integers += 1
            self._row(pyo.quicksum([*variables, -2 * half]) == parity.odd, solver)
        else:
            self._added.links += self._chain(variables, parity.odd)

    def separate(self, solver: MilpSolver) -> bool:
        """Add what the present values violate; False if they violate nothing."""
        violated = [k for k in self._added.links if not k.present and not k.holds()]
        for link in violated:
            link.present = True
            for inequality in link.inequalities():
                self._row(inequality, solver)
        return bool(violated)

    def _chain(self, variables: Sequence[pyo.Var], odd: int) -> list[_Link]:
        links = []
        rest = list(variables)
        while len(rest) > _LINK:
            total = self._model.parity_link[self._added.binaries]
            self._added.binaries += 1
            links.append(_Link((*rest[: _LINK - 1], total), 0))
            rest = [total, *rest[_LINK - 1 :]]
        links.append(_Link(tuple(rest), odd))
        return links

    def _row(self, expression: Any, solver: MilpSolver) -> None:
        row = self._model.parities.add(expression)
        self._added.rows.append(row)
        solver.add(row)
