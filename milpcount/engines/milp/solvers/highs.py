"""HiGHS through Pyomo's persistent interface."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence

import pyomo.environ as pyo
from pyomo.common.log import LoggingIntercept
from pyomo.contrib.solver.common.results import TerminationCondition
from pyomo.contrib.solver.solvers.highs import Highs

from milpcount.engines.milp.solvers.base import MilpSolver, SolveOutcome, SolveStatus
from milpcount.engines.milp.solvers.interrupts import deferred_interrupts
from milpcount.errors import SolverError

__all__ = ["HighsSolver"]

_OPTIONS = {
    "output_flag": False,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    # Measured on small ReLU models with cuts: these cost more than they find (bench_milp).
    "mip_detect_symmetry": False,
    "mip_heuristic_run_feasibility_jump": False,
}
_LIMITS = (TerminationCondition.maxTimeLimit, TerminationCondition.iterationLimit)


class HighsSolver(MilpSolver):
    """One HiGHS model, kept between solves; added constraints become rows."""

    def load(self, model: pyo.ConcreteModel) -> None:
        """Translate the model once."""
        self._highs = Highs()
        config = self._highs.config
        config.load_solutions = False
        config.raise_exception_on_nonoptimal_result = False
        config.threads = 1
        for option, value in _OPTIONS.items():
            config.solver_options[option] = value
        # Nothing but the constraints given to add() changes: do not search for changes.
        for name in (
            "check_for_new_or_removed_constraints",
            "check_for_new_or_removed_vars",
            "check_for_new_or_removed_params",
            "check_for_new_objective",
            "update_constraints",
            "update_vars",
            "update_parameters",
            "update_named_expressions",
            "update_objective",
        ):
            setattr(config.auto_updates, name, False)
        self._model = model
        self._highs.set_instance(model)

    def add(self, constraint: pyo.Constraint) -> None:
        """Add one row."""
        self._highs.add_constraints([constraint])

    def remove(self, constraints: Sequence[pyo.Constraint]) -> None:
        """Delete rows."""
        self._highs.remove_constraints(list(constraints))

    def fix(self, variables: Sequence[pyo.Var], values: Sequence[int] | None) -> None:
        """Change the bounds of columns."""
        for k, variable in enumerate(variables):
            if values is None:
                variable.unfix()
            else:
                variable.fix(values[k])
        self._highs.update_variables(list(variables))

    def solve(self, variables: Sequence[pyo.Var], seconds: float | None) -> SolveOutcome:
        """Solve from scratch (HiGHS keeps no tree)."""
        # Pyomo lets HiGHS catch Ctrl-C itself, which forgets it when the solve ends meanwhile;
        # and it warns, on stdout, of statuses that it does not know, as that of a cancelled solve.
        with (
            deferred_interrupts(self._highs._solver_model.cancelSolve),
            LoggingIntercept(io.StringIO(), "pyomo.contrib.solver", logging.WARNING),
        ):
            results = self._highs.solve(self._model, time_limit=seconds)
        condition = results.termination_condition
        if results.incumbent_objective is not None:
            values = results.solution_loader.get_vars()
            for variable in variables:
                # A variable of no constraint (an input of weight 0) never reached HiGHS.
                variable.set_value(values.get(variable, variable.lb), skip_validation=True)
            return SolveOutcome(SolveStatus.FOUND, float(results.incumbent_objective))
        if condition in (
            TerminationCondition.provenInfeasible,
            TerminationCondition.infeasibleOrUnbounded,
        ):
            return SolveOutcome(SolveStatus.INFEASIBLE)
        if condition in _LIMITS:
            return SolveOutcome(SolveStatus.LIMIT)
        raise SolverError(f"HiGHS ended without an answer: {condition}")

    def close(self) -> None:
        """Let HiGHS go."""
        del self._highs
