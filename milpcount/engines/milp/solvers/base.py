"""What a MILP solver must do for the enumeration."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pyomo.environ as pyo

__all__ = ["MilpSolver", "SolveOutcome", "SolveStatus"]


class SolveStatus(enum.Enum):
    """What a solver claims after one solve; none of it is believed without a check.

    Attributes:
        FOUND: it has a solution, which is now in the model's variables.
        INFEASIBLE: it says that there is none.
        LIMIT: the time ran out before it could say.
    """

    FOUND = "found"
    INFEASIBLE = "infeasible"
    LIMIT = "limit"


@dataclass(frozen=True)
class SolveOutcome:
    """Status and objective value (None without a solution) of one solve."""

    status: SolveStatus
    objective: float | None = None


class MilpSolver(ABC):
    """A solver that keeps one model and takes constraints one by one.

    Not safe for use from several threads.  KeyboardInterrupt stops a running solve and is
    raised again; the solver can then be closed.
    """

    @abstractmethod
    def load(self, model: pyo.ConcreteModel) -> None:
        """Take over the model."""

    @abstractmethod
    def add(self, constraint: pyo.Constraint) -> None:
        """Add a constraint of the loaded model, linear in its variables."""

    @abstractmethod
    def remove(self, constraints: Sequence[pyo.Constraint]) -> None:
        """Take constraints out again that were added; they are still in the model."""

    @abstractmethod
    def fix(self, variables: Sequence[pyo.Var], values: Sequence[int] | None) -> None:
        """Fix binary variables at values, or free them (None)."""

    @abstractmethod
    def solve(self, variables: Sequence[pyo.Var], seconds: float | None) -> SolveOutcome:
        """Solve within the time; where a solution is found, set the values of ``variables``.

        Raises:
            SolverError: the solver failed.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what the solver holds; it cannot be used any more."""
