"""Engines ``tree`` and ``subdivision``: compiled searches, every decision proved.

The compiled code searches in floats and proves what it finds.
``tree`` decides signs by linear programmes: a region by a point that satisfies the rows of its
cell with rounding errors to spare, an empty side by multipliers with outward rounding.
``subdivision`` keeps all vertices of a cell and reads signs off them.  What floats cannot prove
is handed out, and exact arithmetic decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.problem import CountProblem
from milpcount.core.run import Found, Leaf, Outcome, Watch
from milpcount.errors import InputError, UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import decide
from milpcount.exact.forms import domain_rows

if TYPE_CHECKING:
    from milpcount.search.recording.writer import CertificateWriter
    from milpcount.search.searcher import Method

__all__ = ["enumerate_subdivision", "enumerate_tree"]


def enumerate_tree(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    *,
    workers: int | DaskCluster | None = None,
    resume: str | Path | None = None,
    certificate: CertificateWriter | None = None,
) -> Iterator[Found]:
    """Yield the regions of the problem, or tallies where only their number is wanted.

    Arguments:
        problem: what to count.
        watch: clock and limits.
        outcome: the record of the run.
        workers: number of threads or processes, or a cluster; None for one.
        resume: a file that keeps what is done, so that a run that ends early can go on.
        certificate: takes the steps of the search.

    Raises:
        UnsupportedError: resuming an enumeration, or with a certificate.
        InputError: a bad number of workers, or a file of another run.
    """
    if certificate is not None and resume is not None:
        raise UnsupportedError("a count that resumes has no certificate; leave one of the two out")
    yield from _enumerate("tree", problem, watch, outcome, workers, resume, certificate)


def enumerate_subdivision(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    *,
    workers: int | DaskCluster | None = None,
    resume: str | Path | None = None,
) -> Iterator[Found]:
    """Yield the regions of a problem with few inputs, by their vertices.

    Arguments and errors as for :func:`enumerate_tree`; the definition is ``full``.
    """
    yield from _enumerate("subdivision", problem, watch, outcome, workers, resume)


def _enumerate(
    method: Method,
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    workers: int | DaskCluster | None,
    resume: str | Path | None,
    certificate: CertificateWriter | None = None,
) -> Iterator[Found]:
    if isinstance(workers, int) and workers < 1:
        raise InputError(f"the number of workers must be at least 1, not {workers}")
    require_full_dimensional(problem)
    if not problem.stages:
        leaf = _whole_domain(problem, watch)
        if certificate is not None:
            from milpcount.search.recording.closing import certify

            certify(problem, certificate, [leaf], watch, outcome)
        yield leaf
        outcome.finish(watch)
        return
    watch.report("loading the kernels")
    start = watch.seconds
    # Not loaded before it is needed.
    from milpcount.search.run.driver import search

    outcome.statistics["loading_seconds"] = watch.seconds - start
    path = None if resume is None else Path(resume)
    yield from search(problem, watch, outcome, method, workers or 1, path, certificate)
    outcome.finish(watch)


def _whole_domain(problem: CountProblem, watch: Watch) -> Leaf:
    """The one region of a network without units."""
    witness = decide(domain_rows(problem), ExactBox.of(problem.box)).witness
    assert witness is not None
    watch.regions += 1
    return Leaf((), witness)
