"""What the child process of :mod:`milpcount.engines.cpsat.master` runs; never imports highspy.

Methods take one JSON object and return one; see :mod:`milpcount.support.child`.
"""

from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

__all__ = ["Worker"]


class Worker:
    """Clauses that stay, parity constraints that come and go, and the model of both."""

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Declare the variables."""
        self.size: int = request["units"]
        self.seed: int = request["seed"]
        self.clauses: list[list[int]] = []
        self.clear({})
        return {}

    def clear(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Drop the parity constraints."""
        self.model = cp_model.CpModel()
        self.variables = [self.model.new_bool_var("") for _ in range(self.size)]
        for clause in self.clauses:
            self._add(clause)
        return {}

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add clauses; literal ``u + 1`` is unit u active, ``-(u + 1)`` inactive."""
        for clause in request["clauses"]:
            self.clauses.append(clause)
            self._add(clause)
        return {}

    def _add(self, clause: list[int]) -> None:
        self.model.add_bool_or(
            [self.variables[k - 1] if k > 0 else ~self.variables[-k - 1] for k in clause]
        )

    def parity(self, request: dict[str, Any]) -> dict[str, Any]:
        """Demand the parity of a set of units."""
        # The XOR of all literals must be true.
        terms: list[Any] = [self.variables[u] for u in request["units"]]
        self.model.add_bool_xor([*terms, *([] if request["odd"] else [True])])
        return {}

    def solve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Propose values for all variables."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed
        # The questions are small and many: what costs more than it finds is left out.
        solver.parameters.linearization_level = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.cp_model_probing_level = 0
        if request["seconds"] is not None:
            solver.parameters.max_time_in_seconds = request["seconds"]
        status = solver.solve(self.model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return {"status": "found", "bits": [int(solver.value(v)) for v in self.variables]}
        if status == cp_model.INFEASIBLE:
            return {"status": "infeasible"}
        if status == cp_model.UNKNOWN:
            return {"status": "limit"}
        return {"error": f"ended with {solver.status_name(status)}"}
