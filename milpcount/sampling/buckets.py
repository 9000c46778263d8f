"""Exact counts of the regions whose patterns satisfy parity constraints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome, Watch
from milpcount.core.units import UnitIndex
from milpcount.exact.tree import ExactTree
from milpcount.kernels import native
from milpcount.sampling.explorer import CELL_LIMIT
from milpcount.search.frames.frame import Frame
from milpcount.search.frames.problem_frames import problem_frames, root_signs, sign_walls
from milpcount.search.machine import Machine

__all__ = ["Bucket", "BucketCounter", "Constraints"]

_NO_LIMIT = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, eq=False)
class Constraints:
    """Parity constraints on the units with a state.

    Attributes:
        members: of shape ``(constraints, bits)``: which units each one is about.
        odd: for each whether the number of active ones among them is to be odd.
    """

    members: NDArray[np.bool_]
    odd: NDArray[np.bool_]

    def first(self, count: int) -> Constraints:
        """The first ones."""
        return Constraints(self.members[:count], self.odd[:count])

    def satisfied(self, bits: Sequence[int]) -> bool:
        """Whether a pattern satisfies them."""
        sums = self.members.astype(np.int64) @ np.asarray(bits, dtype=np.int64)
        return bool((sums % 2 == self.odd).all())

    def compiled(self, index: UnitIndex) -> native.Parity:
        """For the kernels, which number all units."""
        count = len(self.members)
        words = max(1, (index.n_positions + 63) // 64)
        sets = np.zeros((count, words), np.uint64)
        for k, bit in np.argwhere(self.members).tolist():
            u = int(index.positions[bit])
            sets[k, u >> 6] |= np.uint64(1) << np.uint64(u & 63)
        return native.Parity(sets, self.odd.astype(np.uint8))


@dataclass(frozen=True)
class Bucket:
    """How many regions satisfy the constraints.

    Attributes:
        count: regions found.
        complete: whether those are all.
    """

    count: int
    complete: bool


class BucketCounter:
    """Counts buckets of one problem; not safe for use from several threads."""

    def __init__(self, problem: CountProblem, watch: Watch) -> None:
        """Set up the frames."""
        self.problem, self.watch = problem, watch
        self.outcome = Outcome()
        self.frames = problem_frames(problem)
        self.doubts = 0
        self.nodes = 0
        self._machine: tuple[int, Machine] | None = None
        self._exact: ExactTree | None = None
        self._steps = 200

    def count(
        self, constraints: Constraints, most: int | None = None, seconds: float | None = None
    ) -> Bucket:
        """Count the regions of a bucket, up to a number and for a time."""
        parity = constraints.compiled(self.problem.index)
        end = None if seconds is None else time.perf_counter() + seconds
        total = 0
        complete = True
        for k in range(len(self.frames)):
            frame = self.frames[k]
            left = None if most is None else most - total
            if frame is None:
                root = sign_walls(self.frames.walls(k), root_signs(self.problem))
                count, whole = self._exactly(root, constraints)
            else:
                count, whole = self._search(k, frame, constraints, parity, left, end)
            total += count
            complete = complete and whole
            if not complete or (most is not None and total >= most):
                return Bucket(total, False)
        return Bucket(total, complete)

    def _search(
        self,
        index: int,
        frame: Frame,
        constraints: Constraints,
        parity: native.Parity,
        most: int | None,
        end: float | None,
    ) -> tuple[int, bool]:
        """Count in one frame: ``(regions, all of them)``."""
        if self._machine is None or self._machine[0] != index:
            closed = self.problem.definition is Definition.NONEMPTY
            self._machine = (index, Machine(frame, self.problem.stages, closed, emit=False))
        machine = self._machine[1]
        before = machine.regions
        nodes = machine.nodes
        limit = _NO_LIMIT if most is None else before + most
        found, complete = 0, True

        def settle(prefix: NDArray[np.int8]) -> int:
            nonlocal found, complete
            count, whole = self._exactly(sign_walls(self.frames.walls(index), prefix), constraints)
            found += count
            complete = complete and whole
            return native.Verdict.EMPTY if self._empty else native.Verdict.SETTLED

        if not machine.start(root_signs(self.problem, self.frames.walls(index))):
            settle(machine.pop_node())
        while True:
            late = end is not None and time.perf_counter() > end
            if late or self.watch.exceeded() is not None:
                complete = False
                break
            start = time.perf_counter()
            code = machine.run_constrained(parity, self._steps, limit)
            took = time.perf_counter() - start
            if code == native.Stop.DONE:
                break
            if code == native.Stop.DOUBT_SIDE:
                if not machine.prove_exactly():
                    machine.answer(settle(machine.doubt()))
            elif code == native.Stop.DOUBT_NODE:
                settle(machine.pop_node())
            elif machine.regions >= limit:
                complete = False
                break
            elif took < 0.01:
                self._steps = min(2 * self._steps, 20_000)
            elif took > 0.1:
                self._steps = max(self._steps // 2, 4)
        self.nodes += machine.nodes - nodes
        return machine.regions - before + found, complete

    def _exactly(self, prefix: NDArray[np.int8], constraints: Constraints) -> tuple[int, bool]:
        """Regions of a cell that satisfy the constraints, in exact arithmetic."""
        self.doubts += 1
        if self._exact is None:
            self._exact = ExactTree(self.problem, self.watch, self.outcome)
        count = seen = 0
        self._empty = False
        # The search counts regions against the limits of the whole run; here they are no result.
        before = self.watch.regions
        try:
            for leaf in self._exact.regions(prefix) or ():
                seen += 1
                count += constraints.satisfied(leaf.bits)
                if seen >= CELL_LIMIT:
                    return count, False
            whole = self.watch.exceeded() is None
            self._empty = whole and not seen
            return count, whole
        finally:
            self.watch.regions = before
