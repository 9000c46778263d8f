"""What floats cannot prove, settled in exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.search.tree_highs import TreeSearch

__all__ = ["ExactSearch"]


class ExactSearch:
    """Searches the cells of given prefixes of signs over HiGHS with exact proofs."""

    def __init__(self, problem: CountProblem, watch: Watch, outcome: Outcome) -> None:
        self._search = TreeSearch(problem, watch, outcome, {})
        self._outcome = outcome

    def regions(self, signs: NDArray[np.int8]) -> Iterator[Leaf] | None:
        """The regions of the cell with these signs; None if it is proved empty."""
        node = self._search.subtree(signs.tolist())
        return None if node is None else self._search.run(node)
