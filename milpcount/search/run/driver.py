"""Runs the compiled searches: in one go, or in portions that workers share and a file keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.problem import CountProblem
from milpcount.core.run import Found, Outcome, Watch
from milpcount.errors import UnsupportedError
from milpcount.search.searcher import Method, Searcher

if TYPE_CHECKING:
    from milpcount.search.recording.coordinates import Coordinates
    from milpcount.search.recording.tape import Tape
    from milpcount.search.recording.writer import CertificateWriter

__all__ = ["search"]


def search(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    method: Method,
    workers: int | DaskCluster,
    resume: Path | None,
    certificate: CertificateWriter | None = None,
) -> Iterator[Found]:
    """Yield what the search finds.

    Raises:
        UnsupportedError: resuming while the regions themselves are wanted.
        InputError: the file belongs to another run, or no Dask scheduler answers.
        SolverError: worker processes die again and again, or the Dask scheduler is gone.
    """
    coordinates: Coordinates | None = None
    tape: Tape | None = None
    if certificate is not None:
        from milpcount.search.frames.problem_frames import certified_frame, problem_frames
        from milpcount.search.recording.coordinates import Coordinates
        from milpcount.search.recording.transcript import orthant_segments

        around, reduced = certified_frame(problem)
        certificate.begin(around, reduced)
        coordinates = Coordinates(problem, around)
        if (atlas := problem_frames(problem).atlas) is not None:
            for signs, steps in orthant_segments(atlas, problem.index.open_signs()):
                certificate.segment([signs], steps, 0)
    if workers == 1 and resume is None:
        if coordinates is not None:
            from milpcount.search.recording.tape import Tape

            tape = Tape(problem, coordinates, certificate)
        searcher = Searcher(problem, watch, outcome, method, tape)
        for task in searcher.roots():
            if tape is not None:
                tape.open([task.signs])
            yield from searcher.run(task)
            if tape is not None:
                tape.flush()
            if watch.exceeded() is not None:
                return
        return
    if resume is not None and outcome.keep and not outcome.patterns_only:
        raise UnsupportedError("a run whose regions are wanted cannot be resumed; leave resume out")
    # Pools, processes and files: only a count that is shared or kept needs them.
    from milpcount.search.run.portions import search_in_portions

    yield from search_in_portions(
        problem, watch, outcome, method, workers, resume, certificate, coordinates
    )
