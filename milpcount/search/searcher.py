"""Searches nodes of one problem: the compiled machine, and exact arithmetic where it doubts.

What a run works on are *tasks*: disjoint nodes of the search tree, each a prefix of signs.  A
task that is stopped leaves others behind, and any process can take them up: that is how runs are
limited, resumed and spread over workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Batch, Found, Leaf, Outcome, Tally, Watch
from milpcount.errors import InvariantError
from milpcount.kernels import native
from milpcount.search.frames.frame import Frame
from milpcount.search.frames.problem_frames import Frames, problem_frames, root_signs, sign_walls
from milpcount.search.machine import Machine
from milpcount.search.native_cells import MAX_DIMENSION, NativeCells

if TYPE_CHECKING:
    from milpcount.exact.tree import ExactTree
    from milpcount.search.recording.tape import Tape
    from milpcount.search.recording.transcript import Transcript

__all__ = ["Method", "Searcher", "Task", "root_tasks"]

Method = Literal["tree", "subdivision"]

_STEPS = 1 << 20
_SMALL = 48  # coefficients of a doubt that the rational simplex decides before HiGHS is loaded
_QUIET = 0.03  # seconds between two looks at the limits


@dataclass(frozen=True, eq=False)
class Task:
    """A node to be searched.

    Attributes:
        frame: index of its frame.
        signs: one a unit: 0 undecided, 1 and -1 decided, 2 and -2 implied by the others.
        share: of the whole tree, for the display of progress.
    """

    frame: int
    signs: NDArray[np.int8]
    share: float


class Searcher:
    """Searches tasks one after the other; not safe for use from several threads."""

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        method: Method,
        tape: Tape | None = None,
        whole: bool = False,
    ) -> None:
        """Set up the frames.

        Arguments:
            problem: what is searched.
            watch: its clock and limits.
            outcome: gets statistics.
            method: what searches the frames.
            tape: takes the steps.
            whole: whether what is stopped is searched again: an exact search that does not reach
                its end is left behind as a task, and nothing that it found is told.
        """
        self.tape, self.whole = tape, whole
        self.problem, self.watch, self.outcome, self.method = problem, watch, outcome, method
        self.frames = problem_frames(problem).view()
        self.closed = 0.0  # share of the tree that is done
        self.left: list[Task] = []  # of the last task, when it was stopped
        self._exact: ExactTree | None = None
        self._machine: tuple[int, Machine | NativeCells] | None = None
        self._transcript: Transcript | None = None  # of the machine's chart, if it is one
        self._opened: list[NDArray[np.int8]] = []  # with which the present portion began
        self._tree: Searcher | None = None
        self._steps = _STEPS
        self._kernel_seconds = 0.0  # of machines that are gone

    def roots(self) -> Iterator[Task]:
        """The tasks that make up the problem."""
        return root_tasks(self.problem, self.frames)

    @property
    def kernel_seconds(self) -> float:
        """CPU seconds spent in kernels, without the interpreter's lock."""
        own = 0.0 if self._machine is None else self._machine[1].kernel_seconds
        return (
            self._kernel_seconds + own + (0.0 if self._tree is None else self._tree.kernel_seconds)
        )

    def interrupt(self) -> None:
        """Make the kernel that runs return; called by another thread."""
        for searcher in (self, self._tree):
            if searcher is not None and searcher._machine is not None:
                searcher._machine[1].stop()

    def renew(self, watch: Watch, outcome: Outcome) -> Outcome:
        """Go on with another clock and another record; what is compiled and loaded stays."""
        self.watch, self.outcome = watch, outcome
        if self._tree is not None:
            self._kernel_seconds += self._tree.kernel_seconds
        self._exact = self._tree = None
        return outcome

    def run(self, task: Task, pause: Callable[[], bool] = lambda: False) -> Iterator[Found]:
        """Search a task; when a limit is reached or ``pause()``, leave tasks behind."""
        self.left = []
        frame = self.frames[task.frame]
        if frame is None:
            yield from self._exactly(task)
            self.closed += task.share - sum(t.share for t in self.left)
            return
        machine = self._machine_for(task.frame, frame)
        if not machine.start(task.signs, task.share):
            yield from self._exactly(self._popped(machine, task.frame))
        before = machine.statistics()
        done = 0.0
        while True:
            if self.watch.exceeded() is not None or pause():
                self.left += [
                    Task(task.frame, signs, share) for signs, share in machine.open_nodes()
                ]
                break
            if self.tape is not None:
                self.tape.cut(lambda: [signs for signs, _ in machine.open_nodes()])
            code = self._portion(machine)
            yield from self._found(machine, frame)
            if code == native.Stop.DONE:
                break
            if code == native.Stop.DOUBT_SIDE and isinstance(machine, Machine):
                if not machine.prove_exactly():
                    yield from self._doubtful_side(machine, task.frame)
            elif code == native.Stop.DOUBT_NODE:
                self.outcome.add("doubts")
                node = self._popped(machine, task.frame)
                if isinstance(machine, Machine):
                    yield from self._exactly(node)
                else:
                    yield from self._by_tree(node)
            share = task.share - machine.open_share() - sum(t.share for t in self.left)
            self.closed += share - done
            done = share
            self.watch.report("searching", self.closed)
        for name, value in machine.statistics().items():
            self.outcome.add(name, value - before.get(name, 0))
        self.closed += task.share - sum(t.share for t in self.left) - done

    def _machine_for(self, index: int, frame: Frame) -> Machine | NativeCells:
        """The machine of a frame, kept until another frame is asked for."""
        if self._machine is not None and self._machine[0] == index:
            return self._machine[1]
        stages, keep = self.problem.stages, self.outcome.keep
        machine: Machine | NativeCells
        self._transcript = None
        if self.tape is not None and self.frames.atlas is not None:
            self._transcript = self.tape.transcript(self.frames.atlas, index)
        if self._machine is not None:
            self._kernel_seconds += self._machine[1].kernel_seconds
        # Cells are kept by their vertices where the cube is the domain, not a relaxation of it.
        few = frame.generators is None and frame.n <= MAX_DIMENSION
        if self.method == "subdivision" and few:
            machine = NativeCells(frame, self.problem, keep)
        else:
            closed = self.problem.definition is Definition.NONEMPTY
            machine = Machine(frame, stages, closed, keep, self.tape is not None)
        self._machine = (index, machine)
        return machine

    def _doubtful_side(self, machine: Machine, index: int) -> Iterator[Leaf]:
        """Search a side that floats cannot decide, and tell the machine."""
        self.outcome.add("doubts")
        leaves: Iterable[Leaf] | None
        if self.tape is not None:
            unit = machine.doubt_unit
            recorded = self.tape.side(machine.doubt(), unit, self.watch, self.outcome, self.whole)
            if recorded is None:
                return  # without an answer: both sides stay in the node
            leaves = recorded.leaves or None
        else:
            leaves = self._exact_search().regions(self._in_cell(index, machine.doubt()))
            if self.whole:
                leaves = None if leaves is None else list(leaves)
                if self.watch.exceeded() is not None:
                    return
        machine.answer(native.Verdict.EMPTY if leaves is None else native.Verdict.SETTLED)
        yield from leaves or ()

    def _by_tree(self, task: Task) -> Iterator[Found]:
        """Search a cell that has no room, or no proof in floats, in the other way."""
        if self._tree is None:
            self._tree = Searcher(self.problem, self.watch, self.outcome, "tree", whole=self.whole)
        self._tree.closed = self.closed
        yield from self._tree.run(task)
        self.left += self._tree.left

    def _portion(self, machine: Machine | NativeCells) -> int:
        """Run for a while."""
        if self._transcript is not None:
            self._opened = [signs for signs, _ in machine.open_nodes()]
        limit = self.watch.budget.regions
        most = None if limit is None else max(1, limit - self.watch.regions)
        left = self.watch.remaining
        return machine.run(self._steps, most, _QUIET if left is None else min(_QUIET, left))

    def _found(self, machine: Machine | NativeCells, frame: Frame) -> Iterator[Found]:
        count = machine.take_count()
        if self.tape is not None and isinstance(machine, Machine):
            steps = machine.take_steps()
            if self._transcript is not None:
                steps = self._transcript.translate(self._opened, steps)
            self.tape.write(steps, count)
        if not count:
            return
        self.watch.regions += count
        if self.outcome.keep:
            bits, points = machine.take_leaves()
            if len(bits) != count:
                raise InvariantError("leaves were lost between the search and its driver")
            yield Batch(bits, points, frame.point)
        else:
            yield Tally(count)

    def _in_cell(self, index: int, signs: NDArray[np.int8]) -> NDArray[np.int8]:
        """The signs as the exact search takes them."""
        return sign_walls(self.frames.walls(index), signs)

    def _exact_search(self) -> ExactTree:
        if self._exact is None:
            # Brings HiGHS, which most searches never ask.
            from milpcount.exact.tree import ExactTree

            self._exact = ExactTree(self.problem, self.watch, self.outcome, small=_SMALL)
        return self._exact

    def _popped(self, machine: Machine | NativeCells, index: int) -> Task:
        """The present node, taken out of the search."""
        before = machine.open_share()
        signs = machine.pop_node()
        return Task(index, signs, before - machine.open_share())

    def _exactly(self, task: Task) -> Iterator[Leaf]:
        """Search a node exactly."""
        signs = self._in_cell(task.frame, task.signs.copy())
        leaves: Iterable[Leaf]
        if self.tape is not None:
            recorded = self.tape.below(signs, self.watch, self.outcome, self.whole)
            if recorded is None:
                self.left.append(task)
                return
            leaves = recorded.leaves
        else:
            leaves = self._exact_search().regions(signs) or ()
            if self.whole:
                leaves = list(leaves)
                if self.watch.exceeded() is not None:
                    self.left.append(task)
                    return
        yield from leaves


def root_tasks(problem: CountProblem, frames: Frames) -> Iterator[Task]:
    """One task for each frame."""
    for k in range(len(frames)):
        yield Task(k, root_signs(problem, frames.walls(k)), 1.0 / len(frames))
