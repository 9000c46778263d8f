"""The master problem of the logic-based Benders method: CP-SAT, in a process of its own.

highspy and ortools ship different HiGHS libraries under one name and cannot be imported into the
same process, so CP-SAT lives in a child (:mod:`milpcount.sampling.cp_worker`), which is sent
clauses, parity constraints and questions, one JSON object a line.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from milpcount.errors import MissingDependencyError, SolverError
from milpcount.milp.solvers.base import SolveStatus
from milpcount.sampling.parity import Parity

__all__ = ["Clause", "CpMaster"]

_WORKER = Path(__file__).with_name("cp_worker.py")

# (unit, sign): at least one of these units must have this sign.
Clause = frozenset[tuple[int, int]]


class CpMaster:
    """One CP-SAT model over the signs of the units; the child starts with the first question.

    Arguments:
        units: how many.
        seed: of the solver.
    """

    def __init__(self, units: int, seed: int = 0) -> None:
        if importlib.util.find_spec("ortools") is None:
            raise MissingDependencyError("ortools", "CP-SAT")
        self._units, self._seed = units, seed
        self._child: subprocess.Popen[str] | None = None
        self._clauses: list[list[int]] = []
        self._parities: list[Parity] = []
        self._cleared = False
        self._ended = False

    def add(self, clauses: Iterable[Clause]) -> None:
        """Add clauses that stay."""
        self._clauses += [sorted(u + 1 if s else -(u + 1) for u, s in c) for c in clauses]

    def demand(self, parity: Parity) -> None:
        """Add a parity constraint."""
        self._parities.append(parity)

    def drop_parities(self) -> None:
        """Take out all parity constraints."""
        self._parities, self._cleared = [], True

    def solve(self, seconds: float | None) -> tuple[SolveStatus, tuple[int, ...]]:
        """Propose a pattern, or say that there is none.

        Raises:
            SolverError: CP-SAT failed, or its process ended.
        """
        if self._child is None:
            self._start()
        # What was added since the last question goes first.
        if self._cleared:
            self._ask(command="clear")
            self._cleared = False
        if self._clauses:
            self._ask(command="add", clauses=self._clauses)
            self._clauses = []
        for parity in self._parities:
            self._ask(command="parity", units=parity.units, odd=parity.odd)
        self._parities = []
        reply = self._ask(command="solve", seconds=seconds)
        return SolveStatus(reply["status"]), tuple(reply.get("bits", ()))

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None
        self._ended = True

    def _start(self) -> None:
        if self._ended:
            raise SolverError("the CP-SAT process has ended")
        self._child = subprocess.Popen(
            # As a file, without its folder on the path: importing it as a module of this package
            # would import highspy along.
            [sys.executable, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches the parent alone, which then ends the child.
            start_new_session=True,
        )
        self._ask(command="load", units=self._units, seed=self._seed)

    def _ask(self, **message: Any) -> dict[str, Any]:
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise SolverError("the CP-SAT process is not running")
        try:
            child.stdin.write(json.dumps(message) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        except KeyboardInterrupt:
            self.close()
            raise
        if not line:
            _, errors = child.communicate()
            self._child, self._ended = None, True
            last = errors.strip().splitlines()[-1:] or ["no message"]
            raise SolverError(f"the CP-SAT process ended: {last[0]}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise SolverError(f"CP-SAT: {reply['error']}")
        return reply


def blocking(bits: Sequence[int], units: Iterable[int]) -> Clause:
    """The clause that forbids a pattern and no other, among those that agree elsewhere."""
    return frozenset((u, 1 - bits[u]) for u in units)
