"""The tape of a search: steps of a certificate, collected and cut into segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.search.frames.charts import Atlas
from milpcount.search.recording import encode
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.recording.exact_steps import ExactRecorder, Recorded
from milpcount.search.recording.transcript import Transcript
from milpcount.search.recording.writer import CertificateWriter

__all__ = ["Tape"]

_LENGTH = 1 << 15  # bytes of a segment, about; segments are checked in parallel

Nodes = Sequence[NDArray[np.int8]]


class Tape:
    """Collects the steps of searches.

    Attributes:
        opened: the nodes with which the present segment begins.
    """

    def __init__(
        self,
        problem: CountProblem,
        coordinates: Coordinates,
        writer: CertificateWriter | None = None,
    ) -> None:
        """With a writer long tapes are cut and written; else :meth:`take` hands them out."""
        self._problem, self._coordinates, self._writer = problem, coordinates, writer
        self._steps: list[bytes] = []
        self._size = 0
        self._regions = 0
        self._exact: ExactRecorder | None = None
        self.opened: Nodes = []

    def transcript(self, atlas: Atlas, index: int) -> Transcript:
        """What translates the steps of a chart."""
        return Transcript(self._problem, atlas, index, self._coordinates)

    def open(self, nodes: Nodes) -> None:
        """Begin a segment with these nodes, the last one first to be searched."""
        self.opened = [signs.copy() for signs in nodes]

    def write(self, steps: bytes, regions: int) -> None:
        """Add steps with so many regions."""
        if steps:
            self._steps.append(steps)
            self._size += len(steps)
            self._regions += regions

    def cut(self, nodes: Callable[[], Nodes]) -> None:
        """Write the segment if it is long enough; ``nodes()`` are those that are open."""
        if self._writer is not None and self._size >= _LENGTH:
            self.flush()
            self.open(nodes())

    def flush(self) -> None:
        """Write the segment."""
        if self._writer is not None:
            self._writer.segment(self.opened, *self.take())

    def take(self) -> tuple[bytes, int]:
        """Steps and number of regions of the segment, which ends."""
        out = b"".join(self._steps), self._regions
        self._steps, self._size, self._regions = [], 0, 0
        return out

    def side(
        self,
        signs: NDArray[np.int8],
        unit: int,
        watch: Watch,
        outcome: Outcome,
        whole: bool = False,
    ) -> Recorded | None:
        """Search one side of the present node exactly: that of the unit's sign among ``signs``."""
        _, place = self._problem.index.place(unit)
        branch = encode.branch(place, int(signs[unit]))
        return self.below(signs, watch, outcome, whole, branch)

    def below(
        self,
        signs: NDArray[np.int8],
        watch: Watch,
        outcome: Outcome,
        whole: bool = False,
        before: bytes = b"",
    ) -> Recorded | None:
        """Search the present node, which has these signs, exactly.

        Arguments:
            signs: one a unit.
            watch: clock and limits.
            outcome: gets statistics.
            whole: to write all or, where a limit is reached, nothing; then the answer is None.
            before: a step that leads there.
        """
        if self._exact is None:
            self._exact = ExactRecorder(self._problem, watch, outcome, self._coordinates)
        self._exact.renew(watch)
        recorded = self._exact.below(signs)
        if whole and watch.exceeded() is not None:
            return None
        self.write(before + recorded.steps, len(recorded.leaves))
        return recorded
