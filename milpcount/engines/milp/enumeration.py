"""Enumerating activation patterns with no-good cuts: solve, forbid what was found, repeat."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Limit
from milpcount.core.run import Watch
from milpcount.engines.milp.model import DEFAULT_MARGIN, add_nogood, build_problem_model
from milpcount.engines.milp.solvers.base import SolveStatus
from milpcount.engines.milp.solvers.solver_table import make_solver
from milpcount.errors import InputError, SolverError
from milpcount.preactivation import compute_preactivation_bounds

__all__ = ["Candidate", "NoGoodEnumerator"]

CUTS = ("nested", "plain")

# Of max f, in units of the scaled pre-activations: at or below this the solver's f is noise.
_POSITIVE = 1e-8


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pattern that a solver claims to exist, and the input that it gives for it.

    Attributes:
        bits: one per unit with a state, stage-major, stable units included.
        x: the input, within the domain's box.
    """

    bits: NDArray[np.bool_]
    x: NDArray[np.float64]


class NoGoodEnumerator:
    """Asks a solver for one pattern after the other.

    Arguments:
        problem: what to enumerate; its domain must be bounded.
        solver: a name of :data:`~milpcount.engines.milp.solvers.SOLVERS`.
        variant: "feasibility" or "max_f".
        preactivation: method for the constants H and H_bar.
        margin: of the feasibility variant.
        cuts: "plain" or "nested" (see :func:`~milpcount.engines.milp.engine.enumerate_milp`).
        watch: limits; a solve never takes longer than what is left.
    """

    def __init__(
        self,
        problem: CountProblem,
        *,
        solver: str,
        variant: str,
        preactivation: str,
        watch: Watch,
        cuts: str = "nested",
        margin: float = DEFAULT_MARGIN,
    ) -> None:
        if cuts not in CUTS:
            raise InputError(f"no kind of cuts {cuts!r}; known: {', '.join(CUTS)}")
        self._watch = watch
        self._maximise = variant == "max_f"
        self._solver = make_solver(solver)
        start = time.perf_counter()
        bounds = compute_preactivation_bounds(problem, preactivation, watch=watch)
        self._bounds_seconds = time.perf_counter() - start
        self._box = (bounds.x_lo, bounds.x_hi)
        self._model = build_problem_model(problem, bounds, variant, margin)
        self._x = [self._model.x[j] for j in self._model.inputs]
        self._z = [self._model.z[u] for u in self._model.unstable]
        # Every pattern starts from the signs of the stable units.
        self._signs = bounds.states > 0
        unstable = set(self._model.unstable)
        self._places = [k for k, u in enumerate(self._model.gated) if u in unstable]
        self._solver.load(self._model)
        self._solves = 0
        self._seconds: list[float] = []
        self._widths = problem.counted_widths
        self._plain = cuts == "plain"
        self._cuts: dict[tuple[int, ...], pyo.Constraint] = {}
        # Ends of the stages whose signs are fixed at present, and those signs.
        self._fixed: list[int] = []
        self._prefix: tuple[int, ...] = ()
        self._exhausted = False
        self._failure = ""

    def next(self) -> Candidate | None:
        """Return another pattern, and forbid it; None when the solver says that there is none.

        Also None when the time ran out, which ``watch.stopped`` tells, or when the solver failed,
        which the statistics tell.
        """
        while not self._exhausted:
            start = time.perf_counter()
            try:
                outcome = self._solver.solve([*self._x, *self._z], self._watch.remaining)
            except SolverError as error:
                # What it found stands; the closing finds the rest.
                self._failure, self._exhausted = str(error), True
                return None
            self._seconds.append(time.perf_counter() - start)
            if outcome.status is SolveStatus.LIMIT:
                if self._watch.exceeded() is None:
                    self._watch.stop(Limit.SOLVER, "the solver gave up before the time was over")
                return None
            nothing = self._maximise and (outcome.objective or 0.0) <= _POSITIVE
            if outcome.status is SolveStatus.INFEASIBLE or nothing:
                self._leave()
                continue
            bits = self._signs.copy()
            bits[self._places] = [pyo.value(z) > 0.5 for z in self._z]
            x = np.clip([pyo.value(v) for v in self._x], *self._box)
            self.forbid(bits)
            self._enter(bits)
            return Candidate(bits, x)
        return None

    def forbid(self, bits: Iterable[int]) -> None:
        """Add the no-good cut of a pattern."""
        self._cut(tuple(int(b) for b in bits))

    def _cut(self, prefix: tuple[int, ...]) -> None:
        """Forbid all patterns that begin with these bits, in one row that replaces theirs."""
        for longer in [p for p in self._cuts if p[: len(prefix)] == prefix]:
            row = self._cuts.pop(longer)
            self._solver.remove([row])
            row.deactivate()
        row = add_nogood(self._model, prefix)
        if row is None:
            # No unstable unit among them: every pattern begins so.
            self._exhausted = True
        else:
            self._solver.add(row)
            self._cuts[prefix] = row

    def _enter(self, bits: NDArray[np.bool_]) -> None:
        """Fix the signs of all layers but the last to those of the pattern just found."""
        if self._plain or self._fixed:
            return
        ends = itertools.accumulate(self._widths[:-1])
        self._fixed = sorted({end for end in ends if end})
        values = [int(b) for b in bits[: self._fixed[-1]]] if self._fixed else []
        self._prefix = tuple(values)
        if self._fixed:
            places = [k for k, place in enumerate(self._places) if place < self._fixed[-1]]
            chosen = [values[self._places[k]] for k in places]
            self._solver.fix([self._z[k] for k in places], chosen)

    def _leave(self) -> None:
        """Nothing is left below the fixed signs: forbid them as a whole, free their last layer."""
        if not self._fixed:
            self._exhausted = True
            return
        end = self._fixed.pop()
        start = self._fixed[-1] if self._fixed else 0
        free = [self._z[k] for k, place in enumerate(self._places) if start <= place < end]
        self._solver.fix(free, None)
        self._cut(self._prefix[:end])

    def statistics(self) -> dict[str, Any]:
        """Numbers of the run so far."""
        seconds = self._seconds
        tenth = max(1, len(seconds) // 10)
        return {
            "solves": len(seconds),
            "bounds_seconds": self._bounds_seconds,
            "solver_seconds": sum(seconds),
            "seconds_per_solve_first_tenth": sum(seconds[:tenth]) / tenth if seconds else 0.0,
            "seconds_per_solve_last_tenth": sum(seconds[-tenth:]) / tenth if seconds else 0.0,
            "solver_claims_complete": self._exhausted and not self._failure,
            "stable_units": len(self._signs) - len(self._places),
            **({"solver_failure": self._failure} if self._failure else {}),
        }

    def close(self) -> None:
        """End the solver."""
        self._solver.close()
