"""The MILP of Serra et al. with parity constraints, asked for patterns."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.engines.milp.model import DEFAULT_MARGIN, add_nogood, build_problem_model
from milpcount.engines.milp.solvers.base import SolveStatus
from milpcount.engines.milp.solvers.solver_table import make_solver
from milpcount.errors import SolverError
from milpcount.preactivation import compute_preactivation_bounds
from milpcount.sampling.mip_parity import ParityRows
from milpcount.sampling.parity import Parity, mask_of
from milpcount.sampling.parity_patterns import ProvedPatterns

__all__ = ["MipOracle"]


class MipOracle:
    """A :class:`~milpcount.sampling.parity_runs.PatternOracle` over one persistent model.

    Attributes:
        units: those without a fixed sign, which alone have binaries.

    Arguments:
        problem: its domain must be bounded.
        proved: where patterns go that are proved to exist.
        watch: limits.
        outcome: statistics.
        solver: a name of :data:`~milpcount.engines.milp.solvers.SOLVERS`.
        preactivation: method for the constants H and H_bar.
        encoding: of the parity constraints.
    """

    def __init__(
        self,
        problem: CountProblem,
        proved: ProvedPatterns,
        watch: Watch,
        outcome: Outcome,
        *,
        solver: str,
        preactivation: str,
        encoding: str,
    ) -> None:
        self._proved, self._watch, self._outcome = proved, watch, outcome
        self._solver = make_solver(solver)
        start = time.perf_counter()
        bounds = compute_preactivation_bounds(problem, preactivation, watch=watch)
        outcome.statistics["bounds_seconds"] = time.perf_counter() - start
        self._box = (bounds.x_lo, bounds.x_hi)
        self._model = build_problem_model(problem, bounds, "feasibility", DEFAULT_MARGIN)
        self._signs = bounds.states > 0
        unstable = set(self._model.unstable)
        place = {u: k for k, u in enumerate(self._model.gated)}
        self.units = tuple(place[u] for u in self._model.gated if u in unstable)
        columns = {place[u]: self._model.z[u] for u in self._model.unstable}
        self._x = [self._model.x[j] for j in self._model.inputs]
        self._z = [columns[u] for u in self.units]
        self._parities = ParityRows(self._model, columns, encoding, len(self.units))
        self._solver.load(self._model)

    def begin(self) -> None:
        """Take the parity constraints of the last run out."""
        self._parities.clear(self._solver)

    def add(self, parity: Parity) -> None:
        """Put a constraint into the model."""
        self._parities.add(parity, self._solver)

    def search(self, parities: Sequence[Parity], seconds: float | None) -> None:
        """Solve until a proved pattern satisfies all, the solver says infeasible, or time is up.

        A pattern that the solver claims and that does not exist is forbidden for good.
        """
        end = None if seconds is None else time.perf_counter() + seconds
        while True:
            limits = [self._watch.remaining, None if end is None else end - time.perf_counter()]
            left = min((s for s in limits if s is not None), default=None)
            if left is not None and left <= 0:
                self._outcome.add("solver_timeouts")
                return
            if self._solve(parities, left):
                return

    def _solve(self, parities: Sequence[Parity], seconds: float | None) -> bool:
        """One solve; whether the search is over."""
        columns = [*self._x, *self._z, *self._parities.columns_to_read()]
        try:
            answer = self._solver.solve(columns, seconds)
        except SolverError:
            self._outcome.add("solver_failures")
            return True
        self._outcome.add("solves")
        if answer.status is not SolveStatus.FOUND:
            infeasible = answer.status is SolveStatus.INFEASIBLE
            self._outcome.add("solver_infeasible" if infeasible else "solver_timeouts")
            return True
        if self._parities.separate(self._solver):
            self._outcome.add("separation_rounds")
            return False
        signs = self._signs.copy()
        signs[list(self.units)] = [pyo.value(z) > 0.5 for z in self._z]
        bits = tuple(int(s) for s in signs)
        x = np.clip([pyo.value(v) for v in self._x], *self._box)
        exists = self._proved.show(bits, x)
        if self._proved.satisfying(parities):
            return True
        # Nothing is left but a claim that is wrong: of the pattern, or of its parities.
        if exists or not all(p.holds(mask_of(bits)) for p in parities):
            self._outcome.add("wrong_parities")
            return True
        row = add_nogood(self._model, bits)
        if row is None:
            return True
        self._solver.add(row)
        return False

    def close(self) -> None:
        """End the solver."""
        self._solver.close()
