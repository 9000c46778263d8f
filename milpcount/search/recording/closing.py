"""Certificates for patterns found by whatever engine: the closed trie, or a list of witnesses."""

from __future__ import annotations

from collections.abc import Iterable

from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.exact.interior import InteriorPoints
from milpcount.search.recording import encode
from milpcount.search.recording.coordinates import Coordinates
from milpcount.search.recording.exact_steps import ExactRecorder
from milpcount.search.recording.writer import CertificateWriter

__all__ = ["certify", "list_witnesses"]

_AT_ONCE = 1000


def certify(
    problem: CountProblem,
    writer: CertificateWriter,
    leaves: Iterable[Leaf],
    watch: Watch,
    outcome: Outcome,
) -> None:
    """Write the trie of the patterns, with a proof that every missing branch is empty.

    Raises:
        InvariantError: a branch is not empty: a region is missing among the leaves.
    """
    known = {leaf.bits: leaf.witness for leaf in leaves}
    # Its own clock: the regions are counted already.
    recorder = ExactRecorder(problem, Watch(), outcome, Coordinates(problem, None), known)
    root = problem.index.open_signs()
    watch.report("closing the certificate", force=True)
    recorded = recorder.below(root)
    missed = [leaf for leaf in recorded.leaves if leaf.bits not in known]
    if missed:
        raise InvariantError(f"{len(missed)} regions are missing among those found")
    writer.segment([root], recorded.steps, len(recorded.leaves))


def list_witnesses(
    problem: CountProblem, writer: CertificateWriter, leaves: Iterable[Leaf]
) -> None:
    """Write a list of witnesses, which proves that there are at least so many regions."""
    writer.is_list = True
    coordinates, points = Coordinates(problem, None), InteriorPoints(problem)
    inside = (points.point(leaf.bits, leaf.witness) for leaf in leaves)
    steps = [encode.point(coordinates.of(point)) for point in inside]
    for k in range(0, len(steps), _AT_ONCE):
        part = steps[k : k + _AT_ONCE]
        writer.segment([], b"".join(part), len(part))
