"""The dual graph from all cells at once."""

from __future__ import annotations

from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.geometry.graph import RegionGraph
from milpcount.geometry.region import Prepared

__all__ = ["bulk_graph", "serves"]


def serves(problem: CountProblem) -> str | None:
    """Why the cells of a problem cannot be made all at once; None if they can."""
    return "native kernels are missing"


def bulk_graph(prepared: Prepared, watch: Watch) -> RegionGraph | None:
    """The graph; None where the cells of an unbounded domain reach too far out."""
    return None
