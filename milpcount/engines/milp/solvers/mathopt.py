"""OR-tools MathOpt, with its HiGHS or SCIP, in a process of its own.

That process is :mod:`milpcount.support.child`.  It is sent the model once, then rows and requests
to solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from milpcount.engines.milp.solvers.base import MilpSolver, SolveOutcome, SolveStatus
from milpcount.engines.milp.solvers.columns import Columns
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
        self._rows: dict[int, int] = {}

    def load(self, model: pyo.ConcreteModel) -> None:
        """Start the child and send it the model."""
        self._child = Child(_WORKER, f"MathOpt ({self._backend})")
        self._columns = Columns(model)
        pairs = zip(self._columns.ends, self._columns.integer, strict=True)
        constraints = model.component_data_objects(pyo.Constraint, active=True)
        (objective,) = model.component_data_objects(pyo.Objective, active=True)
        self._ask(
            "load",
            backend=self._backend,
            columns=[(*ends, integer) for ends, integer in pairs],
            rows=[self._columns.row(c) for c in constraints],
            objective=self._columns.linear(objective.expr),
            maximize=objective.sense == pyo.maximize,
        )

    def add(self, constraint: pyo.Constraint) -> None:
        """Add one row."""
        self._rows[id(constraint)] = self._ask("add", row=self._columns.row(constraint))

    def remove(self, constraints: Sequence[pyo.Constraint]) -> None:
        """Delete rows."""
        self._ask("remove", rows=[self._rows.pop(id(c)) for c in constraints])

    def fix(self, variables: Sequence[pyo.Var], values: Sequence[int] | None) -> None:
        """Change the bounds of columns."""
        ends = [(0, 1)] * len(variables) if values is None else [(v, v) for v in values]
        columns = self._columns.numbers(variables)
        self._ask("fix", columns=columns, ends=ends)

    def solve(self, variables: Sequence[pyo.Var], seconds: float | None) -> SolveOutcome:
        """Solve in the child; Ctrl-C ends the child."""
        columns = self._columns.numbers(variables)
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

    def _ask(self, command: str, **values: Any) -> Any:
        if self._child is None:
            raise SolverError("MathOpt was given no model")
        return self._child.ask(command, **values)
