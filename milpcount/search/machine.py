"""The native tree search: built from a frame, run in portions."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage
from milpcount.core.units import UnitIndex
from milpcount.kernels import native
from milpcount.search.frames.frame import Frame
from milpcount.search.long_frame import long_frame
from milpcount.search.native_net import native_net

__all__ = ["Machine"]

_NO_LIMIT = int(np.iinfo(np.int64).max)


class Machine:
    """One depth-first search over a frame."""

    def __init__(
        self,
        frame: Frame,
        layers: Sequence[Stage],
        closed: bool,
        emit: bool,
        record: bool = False,
    ) -> None:
        """Set up the root.

        Arguments:
            frame: coordinates and forms of the first layer.
            layers: the counted layers; of the first only the width and the slopes are used.
            closed: whether inactive sides include their boundary (definition ``nonempty``).
            emit: whether patterns and points of leaves are kept for :meth:`take_leaves`.
            record: whether the steps of a certificate are kept for :meth:`take_steps`.
        """
        generators = frame.generators
        self._frame, self._record = frame, record
        self._exact = False  # whether the frame's integers were asked for
        self._search = native.TreeSearch(
            native_net(frame, layers, closed),
            None if generators is None else np.ascontiguousarray(generators),
            emit=emit,
            record=record,
        )
        self._layers = layers
        self._taken = 0
        self.kernel_seconds = 0.0  # CPU seconds without the interpreter's lock

    @cached_property
    def _index(self) -> UnitIndex:
        return UnitIndex.of(self._layers)

    def start(self, signs: NDArray[np.int8], share: float = 1.0) -> bool:
        """Begin at the node with these signs; False if floats cannot find it.

        Arguments:
            signs: one a unit, 0 for undecided; those of complete layers and of one more, and those
                of units that have a sign from the start.
            share: of the whole tree, below this node.
        """
        return self._search.start(np.ascontiguousarray(signs, dtype=np.int8), share)

    def run(self, steps: int, most: int | None = None, seconds: float = math.inf) -> native.Stop:
        """Search on for so many steps or seconds, until about ``most`` regions more are found."""
        start = time.thread_time()
        code = self._search.run(steps, _NO_LIMIT if most is None else self.regions + most, seconds)
        self.kernel_seconds += time.thread_time() - start
        return code

    def stop(self) -> None:
        """Make a run in another thread return."""
        self._search.stop()

    def run_constrained(self, parity: native.Parity, steps: int, limit: int) -> native.Stop:
        """Search on for regions that satisfy constraints, until there are ``limit`` in all.

        After a doubt the caller counts what it finds there, as far as it satisfies them.
        """
        return self._search.run_parity(parity, steps, limit)

    @property
    def regions(self) -> int:
        """Regions counted so far."""
        return self._search.regions

    @property
    def nodes(self) -> int:
        """Steps taken so far."""
        return self._search.nodes

    @property
    def slot(self) -> int:
        """The slot of the present node; nodes wait in those before."""
        return self._search.slot

    def take_count(self) -> int:
        """Regions found since the last call."""
        count, self._taken = self.regions - self._taken, self.regions
        return count

    def take_leaves(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Patterns and points of the leaves found since the last call."""
        signs, points = self._search.take_leaves()
        return self._index.states(signs), points

    def take_steps(self) -> bytes:
        """The steps of the certificate since the last call."""
        return self._search.take_steps()

    @property
    def doubt_unit(self) -> int:
        """The unit of the side in doubt."""
        return self._search.doubt_unit

    def prove_exactly(self) -> bool:
        """Decide sides that only touch a cell in integers, from now on; whether that is new.

        To be asked at the first side in doubt, which the next run tries again.  Certificates are
        not written so.
        """
        if self._exact or self._record:
            return False
        self._exact = True
        integers = long_frame(self._frame)
        if integers is None:
            return False
        self._search.prove_exactly(*integers)
        return True

    def doubt(self) -> NDArray[np.int8]:
        """The side in doubt, as a prefix of signs."""
        return self._search.doubt()

    def answer(self, verdict: int) -> None:
        """Give the verdict on the side in doubt."""
        self._search.answer(verdict)

    def open_share(self) -> float:
        """Part of the tree that is still to be searched; every branching halves it."""
        return sum(self._search.share(d) for d in range(self.slot + 1))

    def pop_node(self) -> NDArray[np.int8]:
        """Take the present node out of the search, as a prefix of signs."""
        signs = self._search.open_node(self.slot)
        self._search.drop_node()
        return signs

    def open_nodes(self) -> list[tuple[NDArray[np.int8], float]]:
        """All nodes that are still to be searched, with their shares; they are disjoint."""
        return [(self._search.open_node(d), self._search.share(d)) for d in range(self.slot + 1)]

    def statistics(self) -> dict[str, int]:
        """Counters, by name."""
        return self._search.statistics()
