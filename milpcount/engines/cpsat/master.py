"""The master problem of the logic-based Benders method: CP-SAT, in a process of its own.

The child (:mod:`milpcount.support.child`) is sent clauses, parity constraints and questions.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path

from milpcount.engines.milp.solvers.base import SolveStatus
from milpcount.errors import MissingDependencyError, SolverError
from milpcount.sampling.parity import Parity
from milpcount.support.child import Child

__all__ = ["Clause", "CpMaster"]

_WORKER = Path(__file__).with_name("cpsat_worker.py")

# (unit, sign): at least one of these units must have this sign.
Clause = frozenset[tuple[int, int]]


class CpMaster:
    """One CP-SAT model over the signs of the units; the child starts with the first question.

    Arguments:
        units: how many.
        seed: of the solver.
    """

    def __init__(self, units: int, seed: int = 0) -> None:
        if importlib.util.find_spec("ortools") is None:
            raise MissingDependencyError("ortools", "CP-SAT")
        self._units, self._seed = units, seed
        self._child: Child | None = None
        self._clauses: list[list[int]] = []
        self._parities: list[Parity] = []
        self._cleared = False
        self._ended = False

    def add(self, clauses: Iterable[Clause]) -> None:
        """Add clauses that stay."""
        self._clauses += [sorted(u + 1 if s else -(u + 1) for u, s in c) for c in clauses]

    def demand(self, parity: Parity) -> None:
        """Add a parity constraint."""
        self._parities.append(parity)

    def drop_parities(self) -> None:
        """Take out all parity constraints."""
        self._parities, self._cleared = [], True

    def solve(self, seconds: float | None) -> tuple[SolveStatus, tuple[int, ...]]:
        """Propose a pattern, or say that there is none.

        Raises:
            SolverError: CP-SAT failed, or its process ended.
        """
        child = self._child or self._start()
        # What was added since the last question goes first.
        if self._cleared:
            child.ask("clear")
            self._cleared = False
        if self._clauses:
            child.ask("add", clauses=self._clauses)
            self._clauses = []
        for parity in self._parities:
            child.ask("parity", units=parity.units, odd=parity.odd)
        self._parities = []
        reply = child.ask("solve", seconds=seconds)
        return SolveStatus(reply["status"]), tuple(reply.get("bits", ()))

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None
        self._ended = True

    def _start(self) -> Child:
        if self._ended:
            raise SolverError("the CP-SAT process has ended")
        self._child = Child(_WORKER, "CP-SAT")
        self._child.ask("load", units=self._units, seed=self._seed)
        return self._child


def blocking(bits: Sequence[int], units: Iterable[int]) -> Clause:
    """The clause that forbids a pattern and no other, among those that agree elsewhere."""
    return frozenset((u, 1 - bits[u]) for u in units)
