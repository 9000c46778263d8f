"""The subdivision: the native kernel built from a frame, run in portions, its doubts resolved."""

from __future__ import annotations

import math
import time
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.exact.forms import problem_stages
from milpcount.kernels import native
from milpcount.search.exact_cell import ExactCells
from milpcount.search.frames.frame import Frame
from milpcount.search.native_net import native_net

__all__ = ["MAX_DIMENSION", "NativeCells"]

MAX_DIMENSION = 6
_BUFFER = 2_000_000  # numbers in the points of leaves handed over at once
_ROUNDOFF = 2.0**-53
_SMALL = 1 << 17  # weights of a network that is kept as the kernel reads it
_MOST = np.iinfo(np.int64).max

# Forms of the first stage, the form that is 1, rows of the domain, and the shift of the first.
Integers = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]


class NativeCells:
    """One depth-first subdivision over a frame; methods as of :class:`~.machine.Machine`."""

    def __init__(
        self,
        frame: Frame,
        problem: CountProblem,
        emit: bool,
        collect: bool = False,
    ) -> None:
        """Set up the root.

        Arguments:
            frame: coordinates and forms of the first layer.
            problem: its counted stages; they become integers only if a sign is in doubt.
            emit: whether leaves are kept for :meth:`take_leaves` or only counted.
            collect: whether whole cells are kept for :meth:`complex`.
        """
        self._emit, self._frame, self._problem = emit, frame, problem
        self.index = problem.index
        self.net, integers = _prepared(frame, problem)
        room = max(16, min(4096, _BUFFER // max(frame.n, 1))) if emit else 1
        self._kernel = native.Subdivision(
            self.net, leaf_room=room, collect=collect, integers=integers
        )
        self._taken = 0
        self.resolved = 0
        self.kernel_seconds = 0.0  # CPU seconds without the interpreter's lock

    @property
    def regions(self) -> int:
        """Regions counted so far."""
        return self._kernel.regions

    def start(self, signs: NDArray[np.int8], share: float = 1.0) -> bool:
        """Begin at the node with these signs."""
        self._kernel.start(np.ascontiguousarray(signs), share)
        return True

    def run(self, steps: int, most: int | None = None, seconds: float = math.inf) -> int:
        """Search on for so many steps or seconds, until about ``most`` regions more are found."""
        end = time.perf_counter() + seconds
        limit = _MOST if most is None else self.regions + most
        while True:
            start = time.thread_time()
            code = self._kernel.run(steps, limit, self._emit, seconds)
            self.kernel_seconds += time.thread_time() - start
            if code != native.Stop.DOUBT_SIGNS:
                return int(code)
            self._resolve()
            seconds = end - time.perf_counter()

    def stop(self) -> None:
        """Make a run in another thread return."""
        self._kernel.stop()

    def take_count(self) -> int:
        """Regions found since the last call."""
        count, self._taken = self.regions - self._taken, self.regions
        return count

    def take_leaves(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Patterns and points of the leaves found since the last call."""
        signs, points = self._kernel.take_leaves()
        return self.index.states(signs), points

    def open_share(self) -> float:
        """Part of the tree that is still to be searched; every branching halves it."""
        return float(self._kernel.shares().sum())

    def pop_node(self) -> NDArray[np.int8]:
        """Take the present node out of the search, as a prefix of signs."""
        signs = self._kernel.signs(self._kernel.top)
        self._kernel.drop()
        return signs

    def open_nodes(self) -> list[tuple[NDArray[np.int8], float]]:
        """All nodes that are still to be searched, with their shares; they are disjoint."""
        shares = self._kernel.shares().tolist()
        return [(self._kernel.signs(d), share) for d, share in enumerate(shares)]

    def at_leaf(self) -> bool:
        """Whether the present node has all units decided."""
        return self._kernel.stage == self.net.layers

    def last_cell(
        self,
    ) -> tuple[NDArray[np.int8], NDArray[np.float64], list[int], NDArray[np.bool_]]:
        """The leaf just left: signs, vertices in the cube, what the facets are, who lies where."""
        signs, at, rows, on = self._kernel.last_cell()
        return signs, at, rows.tolist(), on.astype(np.bool_)

    def complex(self, wanted: native.Wanted) -> dict[str, Any]:
        """Faces of all cells found so far; see :mod:`.cell_complex`."""
        return self._kernel.complex(wanted)

    def statistics(self) -> dict[str, int]:
        """Counters, by name."""
        return {**self._kernel.counters(), "signs_by_exact_vertices": self.resolved}

    @cached_property
    def _exact(self) -> ExactCells:
        return ExactCells(self._frame, problem_stages(self._problem), self.index)

    def _resolve(self) -> None:
        """Decide the open signs of the present cell exactly, and place their vertices anew."""
        kernel = self._kernel
        signs, stage = kernel.signs(kernel.top).tobytes(), kernel.stage
        for v, rows, units in kernel.open_signs():
            vertex = self._exact.vertex(signs, iter(rows))
            at = np.array([a / vertex.denominator for a in vertex.numerators], dtype=np.float64)
            exact = all(
                a << 60 == int(z * 2.0**60) * vertex.denominator
                for a, z in zip(vertex.numerators, at.tolist(), strict=True)
            )
            kernel.place_vertex(v, at, 0.0 if exact else _ROUNDOFF)
            for unit in units:
                if stage < 0:
                    row = self._exact.domain_row(unit)
                else:
                    row = self._exact.forms(signs, stage).row(unit)
                kernel.sign_vertex(v, unit, vertex.sign(row))
            self.resolved += len(units)


def _prepared(frame: Frame, problem: CountProblem) -> tuple[native.Net, Integers | None]:
    """What the kernel reads; that of a small network is kept for the next count in the frame."""

    def make() -> tuple[native.Net, Integers | None]:
        return native_net(frame, problem.stages, closed=False), _integers(frame)

    if problem.network.once(_weights, problem.stages) > _SMALL:
        return make()
    return problem.network.latest("net of cells", (frame, problem.stages), make)


def _weights(_: ReLUNetwork, stages: tuple[Stage, ...]) -> int:
    """How many there are."""
    return sum(math.prod(weight.shape) for stage in stages for weight in stage.weights)


def _integers(frame: Frame) -> Integers | None:
    """The frame's forms in integers of 64 bits; None where they do not fit."""
    columns = frame.n + 1
    one = (*[0] * frame.n, 1) if frame.exact.one is None else frame.exact.one
    rows = [[int(v) for v in row] for row in frame.exact.matrix.tolist()]
    try:
        return (
            np.array(rows, dtype=np.int64).reshape(-1, columns),
            np.array(one, dtype=np.int64),
            np.array(frame.exact_domain, dtype=np.int64).reshape(-1, columns),
            frame.exact.shift,
        )
    except OverflowError:
        return None
