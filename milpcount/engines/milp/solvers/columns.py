"""The linear model of a Pyomo model, by columns, as solvers take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from milpcount.errors import SolverError

__all__ = ["Columns"]


class Columns:
    """The variables of a model, numbered, and linear expressions in them.

    Attributes:
        ends: of each column lower and upper end, None where there is none.
        integer: of each column, whether it takes whole numbers only.
    """

    def __init__(self, model: pyo.ConcreteModel) -> None:
        variables = list(model.component_data_objects(pyo.Var, active=True))
        self._numbers = {id(v): k for k, v in enumerate(variables)}
        self.ends: list[tuple[float | None, float | None]] = [(v.lb, v.ub) for v in variables]
        self.integer: list[bool] = [v.is_integer() or v.is_binary() for v in variables]

    def numbers(self, variables: Sequence[pyo.Var]) -> list[int]:
        """The columns of these variables."""
        return [self._numbers[id(v)] for v in variables]

    def linear(self, expression: Any) -> tuple[list[int], list[float], float]:
        """Columns, coefficients and constant of a linear expression.

        Raises:
            SolverError: it is not linear.
        """
        repn = generate_standard_repn(expression, quadratic=False)
        if repn.nonlinear_expr is not None:
            raise SolverError("MILP solvers are given linear expressions only; one is not linear")
        coefficients = [float(c) for c in repn.linear_coefs]
        return self.numbers(repn.linear_vars), coefficients, float(pyo.value(repn.constant))

    def row(self, constraint: pyo.Constraint) -> dict[str, Any]:
        """Columns, coefficients and the two ends (None where there is none) of a constraint."""
        columns, coefficients, constant = self.linear(constraint.body)
        ends = [
            None if end is None else float(pyo.value(end)) - constant
            for end in (constraint.lower, constraint.upper)
        ]
        return {"columns": columns, "coefficients": coefficients, "lo": ends[0], "hi": ends[1]}
