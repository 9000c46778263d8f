"""What the child process of :mod:`milpcount.engines.cpsat.master` runs; never imports highspy.

See :mod:`milpcount.support.child`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ortools.sat.python import cp_model

__all__ = ["Worker"]


class Worker:
    """Clauses that stay, parity constraints that come and go, and the model of both."""

    def load(self, units: int, seed: int) -> None:
        """Declare the variables."""
        self.size, self.seed = units, seed
        self.clauses: list[list[int]] = []
        self.clear()

    def clear(self) -> None:
        """Drop the parity constraints."""
        self.model = cp_model.CpModel()
        self.variables = [self.model.new_bool_var("") for _ in range(self.size)]
        for clause in self.clauses:
            self._add(clause)

    def add(self, clauses: list[list[int]]) -> None:
        """Add clauses; literal ``u + 1`` is unit u active, ``-(u + 1)`` inactive."""
        for clause in clauses:
            self.clauses.append(clause)
            self._add(clause)

    def _add(self, clause: list[int]) -> None:
        self.model.add_bool_or(
            [self.variables[k - 1] if k > 0 else ~self.variables[-k - 1] for k in clause]
        )

    def parity(self, units: Sequence[int], odd: bool) -> None:
        """Demand the parity of a set of units."""
        # The XOR of all literals must be true.
        terms: list[Any] = [self.variables[u] for u in units]
        self.model.add_bool_xor([*terms, *([] if odd else [True])])

    def solve(self, seconds: float | None) -> dict[str, Any]:
        """Propose values for all variables.

        Raises:
            RuntimeError: the solver ended without an answer.
        """
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed
        # The questions are small and many: what costs more than it finds is left out.
        solver.parameters.linearization_level = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.cp_model_probing_level = 0
        if seconds is not None:
            solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(self.model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return {"status": "found", "bits": [int(solver.value(v)) for v in self.variables]}
        if status == cp_model.INFEASIBLE:
            return {"status": "infeasible"}
        if status == cp_model.UNKNOWN:
            return {"status": "limit"}
        raise RuntimeError(f"ended with {solver.status_name(status)}")
