"""What the child process of :mod:`.mathopt` runs; never imports highspy.

See :mod:`milpcount.support.child`.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

from ortools.math_opt.python import mathopt

__all__ = ["Worker"]

Row = dict[str, Any]  # columns, coefficients, lo and hi; an end that is open is None


class Worker:
    """The model, its variables in column order, and the incremental solver."""

    def load(
        self,
        backend: str,
        columns: list[tuple[float | None, float | None, bool]],
        rows: list[Row],
        objective: tuple[list[int], list[float], float],
        maximize: bool,
    ) -> None:
        """Build the model."""
        self.model = mathopt.Model(name="milpcount")
        self.added: dict[int, mathopt.LinearConstraint] = {}
        self.variables = [
            self.model.add_variable(
                lb=-math.inf if lo is None else lo,
                ub=math.inf if hi is None else hi,
                is_integer=integer,
            )
            for lo, hi, integer in columns
        ]
        for row in rows:
            self._add(row)
        self.model.objective.is_maximize = maximize
        for column, coefficient in zip(*objective[:2], strict=True):
            self.model.objective.set_linear_coefficient(self.variables[column], coefficient)
        self.backend = mathopt.SolverType[backend]

    def add(self, row: Row) -> int:
        """Add a row; return its number."""
        constraint = self._add(row)
        self.added[constraint.id] = constraint
        return int(constraint.id)

    def remove(self, rows: list[int]) -> None:
        """Delete rows that were added."""
        for row in rows:
            self.model.delete_linear_constraint(self.added.pop(row))

    def fix(self, columns: list[int], ends: list[tuple[int, int]]) -> None:
        """Change the bounds of columns."""
        for column, (lo, hi) in zip(columns, ends, strict=True):
            self.variables[column].lower_bound = lo
            self.variables[column].upper_bound = hi

    def _add(self, row: Row) -> mathopt.LinearConstraint:
        constraint = self.model.add_linear_constraint(
            lb=-math.inf if row["lo"] is None else row["lo"],
            ub=math.inf if row["hi"] is None else row["hi"],
        )
        for column, coefficient in zip(row["columns"], row["coefficients"], strict=True):
            constraint.set_coefficient(self.variables[column], coefficient)
        return constraint

    def solve(self, columns: list[int], seconds: float | None) -> dict[str, Any]:
        """Solve; the values of the asked columns where a solution was found.

        Raises:
            RuntimeError: the solver ended without an answer.
        """
        parameters = mathopt.SolveParameters(enable_output=False)
        if seconds is not None:
            parameters.time_limit = datetime.timedelta(seconds=seconds)
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
                "values": [values[self.variables[k]] for k in columns],
            }
        if reason in (
            mathopt.TerminationReason.INFEASIBLE,
            mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED,
        ):
            return {"status": "infeasible"}
        if reason is mathopt.TerminationReason.NO_SOLUTION_FOUND:
            return {"status": "limit"}
        raise RuntimeError(f"ended with {reason.name}: {result.termination.detail}")
