"""What the child process of :mod:`.mathopt` runs; never imports highspy.

Methods take one JSON object and return one; see :mod:`milpcount.support.child`.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

from ortools.math_opt.python import mathopt

__all__ = ["Worker"]


class Worker:
    """The model, its variables in column order, and the incremental solver."""

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Build the model."""
        self.model = mathopt.Model(name="milpcount")
        self.added: dict[int, mathopt.LinearConstraint] = {}
        self.variables = [
            self.model.add_variable(
                lb=-math.inf if lo is None else lo,
                ub=math.inf if hi is None else hi,
                is_integer=integer,
            )
            for lo, hi, integer in request["columns"]
        ]
        for row in request["rows"]:
            self._add(row)
        columns, coefficients, _ = request["objective"]
        self.model.objective.is_maximize = request["maximize"]
        for column, coefficient in zip(columns, coefficients, strict=True):
            self.model.objective.set_linear_coefficient(self.variables[column], coefficient)
        self.backend = mathopt.SolverType[request["backend"]]
        return {}

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add a row."""
        constraint = self._add(request["row"])
        self.added[constraint.id] = constraint
        return {"row": constraint.id}

    def remove(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete rows that were added."""
        for row in request["rows"]:
            self.model.delete_linear_constraint(self.added.pop(row))
        return {}

    def fix(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change the bounds of columns."""
        for column, (lo, hi) in zip(request["columns"], request["ends"], strict=True):
            self.variables[column].lower_bound = lo
            self.variables[column].upper_bound = hi
        return {}

    def _add(self, row: dict[str, Any]) -> mathopt.LinearConstraint:
        constraint = self.model.add_linear_constraint(
            lb=-math.inf if row["lo"] is None else row["lo"],
            ub=math.inf if row["hi"] is None else row["hi"],
        )
        for column, coefficient in zip(row["columns"], row["coefficients"], strict=True):
            constraint.set_coefficient(self.variables[column], coefficient)
        return constraint

    def solve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Solve; the values of the asked columns where a solution was found."""
        parameters = mathopt.SolveParameters(enable_output=False)
        if request["seconds"] is not None:
            parameters.time_limit = datetime.timedelta(seconds=request["seconds"])
        if self.backend is mathopt.SolverType.GSCIP:
            parameters.threads = 1
            parameters.gscip.real_params["numerics/feastol"] = 1e-9
        else:
            parameters.highs.double_options["mip_feasibility_tolerance"] = 1e-9
            parameters.highs.double_options["primal_feasibility_tolerance"] = 1e-9
        result = mathopt.solve(self.model, self.backend, params=parameters)
        reason = result.termination.reason
        if result.has_primal_feasible_solution():
            values = result.variable_values()
            return {
                "status": "found",
                "objective": result.objective_value(),
                "values": [values[self.variables[k]] for k in request["columns"]],
            }
        if reason in (
            mathopt.TerminationReason.INFEASIBLE,
            mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED,
        ):
            return {"status": "infeasible"}
        if reason is mathopt.TerminationReason.NO_SOLUTION_FOUND:
            return {"status": "limit"}
        return {"error": f"ended with {reason.name}: {result.termination.detail}"}
