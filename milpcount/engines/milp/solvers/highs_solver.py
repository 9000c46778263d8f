"""HiGHS, given the rows and columns of a Pyomo model.

Pyomo's own interface turns descriptor 1 aside while it solves, and takes a lock for it that two
threads wait for for ever; so rows go to HiGHS from here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import highspy
import numpy as np
import pyomo.environ as pyo

from milpcount.engines.milp.solvers.base import MilpSolver, SolveOutcome, SolveStatus
from milpcount.engines.milp.solvers.columns import Columns
from milpcount.engines.milp.solvers.interrupts import deferred_interrupts
from milpcount.errors import SolverError
from milpcount.support.highs import make_highs

__all__ = ["HighsSolver"]

_OPTIONS = {
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    # Measured on small ReLU models with cuts: these cost more than they find (bench_milp).
    "mip_detect_symmetry": False,
    "mip_heuristic_run_feasibility_jump": False,
}
_INFEASIBLE = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)
_LIMITS = (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kIterationLimit)


class HighsSolver(MilpSolver):
    """One HiGHS model, kept between solves; added constraints become rows."""

    def load(self, model: pyo.ConcreteModel) -> None:
        """Translate the model once."""
        self._columns = Columns(model)
        self._highs = make_highs(_OPTIONS)
        ends = self._columns.ends
        self._highs.addVars(
            len(ends),
            np.array([-math.inf if lo is None else lo for lo, _ in ends]),
            np.array([math.inf if hi is None else hi for _, hi in ends]),
        )
        for k, integer in enumerate(self._columns.integer):
            if integer:
                self._highs.changeColIntegrality(k, highspy.HighsVarType.kInteger)
        (objective,) = model.component_data_objects(pyo.Objective, active=True)
        columns, coefficients, constant = self._columns.linear(objective.expr)
        for column, coefficient in zip(columns, coefficients, strict=True):
            self._highs.changeColCost(column, coefficient)
        self._highs.changeObjectiveOffset(constant)
        if objective.sense == pyo.maximize:
            self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        for constraint in model.component_data_objects(pyo.Constraint, active=True):
            self._add(constraint)
        self._first = self._highs.getNumRow()
        # By id, in the order of their rows, from the first one on.
        self._added: list[int] = []
        # Signals are served between steps of Python alone, so the main thread must not wait in
        # HiGHS; no other thread gets any.
        main = threading.current_thread() is threading.main_thread()
        self._highs.HandleUserInterrupt = main
        self._thread = ThreadPoolExecutor(1) if main else None

    def add(self, constraint: pyo.Constraint) -> None:
        """Add one row."""
        self._add(constraint)
        self._added.append(id(constraint))

    def remove(self, constraints: Sequence[pyo.Constraint]) -> None:
        """Delete rows."""
        gone = {id(c) for c in constraints}
        rows = [self._first + k for k, added in enumerate(self._added) if added in gone]
        self._highs.deleteRows(len(rows), np.array(rows, dtype=np.int32))
        self._added = [added for added in self._added if added not in gone]

    def fix(self, variables: Sequence[pyo.Var], values: Sequence[int] | None) -> None:
        """Change the bounds of columns."""
        ends = [(0, 1)] * len(variables) if values is None else [(v, v) for v in values]
        for column, (lo, hi) in zip(self._columns.numbers(variables), ends, strict=True):
            self._highs.changeColBounds(column, lo, hi)

    def solve(self, variables: Sequence[pyo.Var], seconds: float | None) -> SolveOutcome:
        """Solve from scratch (HiGHS keeps no tree)."""
        highs = self._highs
        highs.setOptionValue("time_limit", math.inf if seconds is None else seconds)
        with deferred_interrupts(highs.cancelSolve):
            self._run()
        info = highs.getInfo()
        if info.primal_solution_status == highspy.kSolutionStatusFeasible:
            values = highs.getSolution().col_value
            columns = self._columns.numbers(variables)
            for variable, column in zip(variables, columns, strict=True):
                variable.set_value(values[column], skip_validation=True)
            return SolveOutcome(SolveStatus.FOUND, float(info.objective_function_value))
        status = highs.getModelStatus()
        if status in _INFEASIBLE:
            return SolveOutcome(SolveStatus.INFEASIBLE)
        if status in _LIMITS:
            return SolveOutcome(SolveStatus.LIMIT)
        raise SolverError(f"HiGHS ended without an answer: {highs.modelStatusToString(status)}")

    def close(self) -> None:
        """Let HiGHS go."""
        if self._thread is not None:
            self._thread.shutdown()
        del self._highs

    def _run(self) -> None:
        if self._thread is None:
            self._highs.run()
            return
        running = self._thread.submit(self._highs.run)
        while running not in wait([running], 0.05).done:
            pass  # here Python serves signals
        running.result()

    def _add(self, constraint: pyo.Constraint) -> None:
        row = self._columns.row(constraint)
        self._highs.addRow(
            -math.inf if row["lo"] is None else row["lo"],
            math.inf if row["hi"] is None else row["hi"],
            len(row["columns"]),
            np.array(row["columns"], dtype=np.int32),
            np.array(row["coefficients"]),
        )
