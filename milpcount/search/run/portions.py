"""Runs a compiled search in portions that workers share and a file keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Batch, Found, Outcome, Tally, Watch
from milpcount.errors import InputError, InvariantError
from milpcount.search.frames.problem_frames import problem_frames
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.recording.writer import CertificateWriter
from milpcount.search.run.bundle import Bundle, Report, halve
from milpcount.search.run.dask_pool import DaskPool
from milpcount.search.run.journal import Journal, holding
from milpcount.search.run.local_pool import Local
from milpcount.search.run.pool import Pool
from milpcount.search.searcher import Method, root_tasks

__all__ = ["search_in_portions"]

_LOOK = 0.05  # seconds between two looks at limits
_LAST_WORD = 5.0  # seconds to wait for the reports of workers that were told to stop


def search_in_portions(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    method: Method,
    workers: int | DaskCluster,
    resume: Path | None,
    certificate: CertificateWriter | None,
    coordinates: Coordinates | None,
) -> Iterator[Found]:
    """Yield what the search finds.

    Raises:
        InputError: the file belongs to another run, or no Dask scheduler answers.
        SolverError: worker processes die again and again, or the Dask scheduler is gone.
    """
    with holding(resume):
        journal = Journal(resume, problem, method, outcome.keep)
        watch.seconds_before = journal.seconds
        if journal.count:
            watch.regions += journal.count
            if outcome.keep:
                for bits in _kept(journal):
                    yield Batch(bits, np.zeros((len(bits), 0)), _no_point)
            else:
                yield Tally(journal.count)
        if not journal.resumed:
            journal.begin([list(root_tasks(problem, problem_frames(problem)))])
        pool: Pool
        if isinstance(workers, DaskCluster):
            watch.report("connecting to the Dask cluster", force=True)
            pool = DaskPool(workers, problem, method, outcome.keep, coordinates)
        else:
            pool = Local(problem, method, outcome.keep, workers, coordinates)
        try:
            yield from _Run(problem, watch, outcome, journal, pool, certificate).run()
        finally:
            pool.close()
            for name, value in journal.statistics.items():
                outcome.add(name, value)


class _Run:
    """The loop that deals bundles out and takes reports in."""

    def __init__(
        self,
        problem: CountProblem,
        watch: Watch,
        outcome: Outcome,
        journal: Journal,
        pool: Pool,
        certificate: CertificateWriter | None,
    ) -> None:
        self._certificate = certificate
        self._frames = problem_frames(problem)
        self._watch, self._outcome, self._journal, self._pool = watch, outcome, journal, pool
        self._waiting = list(journal.open)
        self._working: set[int] = set()
        self._unhurried: set[int] = set()  # of those, the ones with a whole slice of time

    def run(self) -> Iterator[Found]:
        """Until all bundles are finished or a limit is reached."""
        while (self._waiting or self._working) and self._watch.exceeded() is None:
            self._deal()
            yield from self._collect(_LOOK)
        if self._working:
            self._pool.stop()
            seconds = 0.0
            while self._working and seconds < _LAST_WORD:
                yield from self._collect(_LOOK)
                seconds += _LOOK

    def _deal(self) -> None:
        """Give every idle worker a bundle, halving the largest while there are too few."""
        enough = 2 * self._pool.size
        while self._waiting and len(self._waiting) + len(self._working) < enough:
            sizes = [(self._share(k), k) for k in self._waiting if len(self._journal.open[k]) > 1]
            if not sizes:
                break
            number = max(sizes)[1]
            self._waiting.remove(number)
            self._waiting += self._journal.split(number, halve(self._journal.open[number]))
        scarce = len(self._waiting) + len(self._working) < enough
        seconds = self._pool.short if scarce and self._pool.size > 1 else self._pool.slice
        if self._watch.remaining is not None:
            seconds = min(seconds, self._watch.remaining + 0.01)
        while self._waiting and self._pool.idle:
            number = max(self._waiting, key=self._share)
            self._waiting.remove(number)
            self._working.add(number)
            if not scarce:
                self._unhurried.add(number)
            self._pool.submit(number, self._journal.open[number], seconds)
        if self._unhurried and self._pool.idle:
            # Nothing waits: who is at work shares what is left with who is not.
            self._unhurried.clear()
            self._pool.stop()

    def _share(self, number: int) -> float:
        return sum(t.share for t in self._journal.open[number])

    def _collect(self, seconds: float) -> Iterator[Found]:
        for number, report in self._pool.wait(seconds):
            self._working.remove(number)
            self._unhurried.discard(number)
            if self._certificate is not None and report.steps is not None:
                opened = [task.signs for task in self._journal.open[number]]
                self._certificate.segment(opened, report.steps, report.count)
            left: list[Bundle] = [report.left] if report.left else []
            self._waiting += self._journal.finish(
                number, report.count, report.closed, report.statistics, left,
                _patterns(report) if self._outcome.keep else None,
            )  # fmt: skip
            self._watch.regions += report.count
            yield from self._found(report)
        phase = "searching" if self._pool.size else "waiting for workers"
        self._watch.report(phase, self._journal.closed)

    def _found(self, report: Report) -> Iterator[Found]:
        if not self._outcome.keep:
            if report.count:
                yield Tally(report.count)
            return
        for index, bits, points in report.batches:
            frame = self._frames[index]
            assert frame is not None
            yield Batch(bits, points, frame.point)
        yield from report.leaves


def _patterns(report: Report) -> NDArray[np.uint8] | None:
    """The patterns of a report, one row a region; None if it has none."""
    bits = [bits for _, bits, _ in report.batches] + [leaf.patterns() for leaf in report.leaves]
    return np.concatenate(bits) if bits else None


def _kept(journal: Journal) -> list[NDArray[np.uint8]]:
    """The patterns that an earlier run found.

    Raises:
        InputError: they are not as many as it counted.
    """
    try:
        kept = journal.patterns()
    except ValueError as error:
        raise InputError(
            f"the file of the run is damaged and cannot be resumed: {error}"
        ) from error
    if sum(len(bits) for bits in kept) != journal.count:
        raise InputError("the file of the run lacks patterns and cannot be resumed; begin anew")
    return kept


def _no_point(row: NDArray[np.float64]) -> Point:
    """Never asked for: who resumes wants patterns only."""
    raise InvariantError("a witness was asked for that a resumed run does not have")
