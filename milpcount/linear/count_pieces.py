"""The numbers of pieces of a network's function, by every definition, from its full regions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome, Watch
from milpcount.linear.circuit import Circuit
from milpcount.linear.closed import merge_closed
from milpcount.linear.groups import equal_maps
from milpcount.linear.merge import merge_linear

__all__ = ["Ends", "count_pieces"]

Ends = tuple[int, int]  # proved ends of a number


def count_pieces(
    problem: CountProblem,
    bits: NDArray[np.uint8],
    definitions: Iterable[Definition],
    watch: Watch,
    outcome: Outcome,
) -> dict[Definition, Ends]:
    """Proved ends of the number of pieces, by definition.

    Arguments:
        problem: the network and the domain.
        bits: the patterns of all full regions, 0/1 of shape ``(regions, units)``, each once.  Of
            but some of them, different maps are different pieces by every definition: the lower
            end of "affine" then holds for all definitions, and no other end does.
        definitions: of those that merge regions.
        watch: its limits stop the merging.
        outcome: receives counts of what was done.
    """
    asked = set(definitions)
    if asked == {Definition.AFFINE}:
        return {Definition.AFFINE: _maps(problem, bits, watch, outcome)}
    pieces = merge_linear(problem, bits, watch, outcome)
    compared = pieces.map_of is not None
    found = {
        Definition.LINEAR: (pieces.lower, pieces.upper),
        Definition.AFFINE: (pieces.maps, pieces.maps if compared else pieces.upper),
    }
    if Definition.CLOSED in asked:
        closed = merge_closed(problem, bits, pieces, watch, outcome)
        found[Definition.CLOSED] = closed.lower, closed.upper
    return {definition: found[definition] for definition in asked}


def _maps(problem: CountProblem, bits: NDArray[np.uint8], watch: Watch, outcome: Outcome) -> Ends:
    n = len(bits)
    if n <= 1:
        return n, n
    circuit = Circuit.of(problem)
    maps = equal_maps(circuit, circuit.spread(bits), lambda: watch.exceeded() is not None)
    outcome.add("affine_maps", maps.count)
    return maps.count, maps.count if maps.finished else n
