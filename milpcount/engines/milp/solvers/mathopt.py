"""OR-tools MathOpt, with its HiGHS or SCIP, in a process of its own.

That process is :mod:`milpcount.support.child`.  It is sent the model once, then rows and requests
to solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from milpcount.engines.milp.solvers.base import MilpSolver, SolveOutcome, SolveStatus
from milpcount.errors import SolverError
from milpcount.support.child import Child

__all__ = ["MathOptSolver"]

_WORKER = Path(__file__).with_name("mathopt_worker.py")


class MathOptSolver(MilpSolver):
    """One MathOpt model in a child process, re-solved as rows are added."""

    def __init__(self, backend: str) -> None:
        """Name the backend: "HIGHS" or "GSCIP"."""
        self._backend = backend
        self._child: Child | None = None
        self._columns: dict[int, int] = {}
        self._rows: dict[int, int] = {}

    def load(self, model: pyo.ConcreteModel) -> None:
        """Start the child and send it the model."""
        self._child = Child(_WORKER, f"MathOpt ({self._backend})")
        variables = list(model.component_data_objects(pyo.Var, active=True))
        self._columns = {id(v): k for k, v in enumerate(variables)}
        columns = [(v.lb, v.ub, v.is_integer() or v.is_binary()) for v in variables]
        constraints = model.component_data_objects(pyo.Constraint, active=True)
        (objective,) = model.component_data_objects(pyo.Objective, active=True)
        self._ask(
            "load",
            backend=self._backend,
            columns=columns,
            rows=[self._row(c) for c in constraints],
            objective=self._linear(objective.expr),
            maximize=objective.sense == pyo.maximize,
        )

    def add(self, constraint: pyo.Constraint) -> None:
        """Add one row."""
        reply = self._ask("add", row=self._row(constraint))
        self._rows[id(constraint)] = reply["row"]

    def remove(self, constraints: Sequence[pyo.Constraint]) -> None:
        """Delete rows."""
        self._ask("remove", rows=[self._rows.pop(id(c)) for c in constraints])

    def fix(self, variables: Sequence[pyo.Var], values: Sequence[int] | None) -> None:
        """Change the bounds of columns."""
        ends = [(0, 1)] * len(variables) if values is None else [(v, v) for v in values]
        columns = [self._columns[id(v)] for v in variables]
        self._ask("fix", columns=columns, ends=ends)

    def solve(self, variables: Sequence[pyo.Var], seconds: float | None) -> SolveOutcome:
        """Solve in the child; Ctrl-C ends the child."""
        columns = [self._columns[id(v)] for v in variables]
        reply = self._ask("solve", seconds=seconds, columns=columns)
        if reply["status"] == "found":
            for variable, value in zip(variables, reply["values"], strict=True):
                variable.set_value(value, skip_validation=True)
            return SolveOutcome(SolveStatus.FOUND, reply["objective"])
        return SolveOutcome(SolveStatus(reply["status"]))

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def _linear(self, expression: Any) -> tuple[list[int], list[float], float]:
        """Columns, coefficients and constant of a linear expression."""
        repn = generate_standard_repn(expression, quadratic=False)
        if repn.nonlinear_expr is not None:
            raise SolverError("MathOpt is given linear constraints only; one is not linear")
        columns = [self._columns[id(v)] for v in repn.linear_vars]
        return columns, [float(c) for c in repn.linear_coefs], float(pyo.value(repn.constant))

    def _row(self, constraint: pyo.Constraint) -> dict[str, Any]:
        columns, coefficients, constant = self._linear(constraint.body)
        ends = [
            None if end is None else float(pyo.value(end)) - constant
            for end in (constraint.lower, constraint.upper)
        ]
        return {"columns": columns, "coefficients": coefficients, "lo": ends[0], "hi": ends[1]}

    def _ask(self, command: str, **values: Any) -> dict[str, Any]:
        if self._child is None:
            raise SolverError("MathOpt was given no model")
        return self._child.ask(command, **values)
