"""The solvers by name; each is imported on use."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from milpcount.engines.milp.solvers.base import MilpSolver
from milpcount.errors import InputError, MissingDependencyError

__all__ = ["SOLVERS", "Availability", "check_solver", "make_solver"]


@dataclass(frozen=True)
class _Spec:
    package: str
    backend: str


SOLVERS: Mapping[str, _Spec] = {
    "highs": _Spec("highspy", "highs"),
    "mathopt-highs": _Spec("ortools", "HIGHS"),
    "mathopt-scip": _Spec("ortools", "GSCIP"),
}


@dataclass(frozen=True)
class Availability:
    """Whether a solver can be used, and if not, why."""

    available: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.available


def _require_name(name: str) -> _Spec:
    if name not in SOLVERS:
        near = difflib.get_close_matches(name, SOLVERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"no solver {name!r}; known: {', '.join(SOLVERS)}{hint}")
    return SOLVERS[name]


def check_solver(name: str) -> Availability:
    """Whether the solver's package is installed (nothing is imported).

    Raises:
        InputError: no such solver.
    """
    package = _require_name(name).package
    if importlib.util.find_spec(package) is None:
        return Availability(False, f"the package {package} is not installed")
    return Availability(True)


def make_solver(name: str) -> MilpSolver:
    """Return a fresh solver.

    Raises:
        InputError: no such solver.
        MissingDependencyError: its package is not installed; names what to install.
    """
    spec = _require_name(name)
    if not check_solver(name):
        raise MissingDependencyError(spec.package, f"solver {name}")
    if spec.package == "highspy":
        from milpcount.engines.milp.solvers.highs_solver import HighsSolver

        return HighsSolver()
    from milpcount.engines.milp.solvers.mathopt import MathOptSolver

    return MathOptSolver(spec.backend)
