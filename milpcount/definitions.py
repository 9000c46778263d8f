"""How many linear regions a network has, by all definitions that are in use, side by side.

Stargalla, Hertrich and Reichman (NeurIPS 2025) number six definitions of a linear region; their
counts satisfy ``R6 <= R5 <= R4 <= R3 <= R2 <= R1``.  The third, the fewest full-dimensional
polyhedra of a polyhedral complex on each of which the function is affine, is an optimisation
problem over all complexes and is not solved here: it lies between the fourth and the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.api import count
from milpcount.arguments import budget_of, problem_of, watched
from milpcount.bounds import proved_upper
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.result import (
    Budget,
    Definition,
    Limit,
    Progress,
    ProgressCallback,
    TerminationReason,
)
from milpcount.core.run import Outcome, Watch
from milpcount.engines.registry import choose_engine, run_engine
from milpcount.errors import InputError
from milpcount.linear import count_pieces
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

__all__ = ["Notion", "Notions", "notions"]

# In the paper's order: its name, what is counted, and our definition of the same.
_SIX = (
    ("activation regions", "patterns that some input has", Definition.NONEMPTY),
    ("proper activation regions", "patterns of full-dimensional sets", Definition.FULL),
    ("convex regions", "fewest polyhedra of a complex, the function affine on each", None),
    ("open connected regions", "maximal connected open sets of one map", Definition.LINEAR),
    ("closed connected regions", "maximal connected closed sets of one map", Definition.CLOSED),
    ("affine regions", "different affine maps", Definition.AFFINE),
)
_MERGED = (Definition.LINEAR, Definition.CLOSED, Definition.AFFINE)

Ends = tuple[int, int | None]


@dataclass(frozen=True)
class Notion:
    """The number of linear regions by one definition.

    Attributes:
        number: of the definition in the paper, 1 to 6.
        name: of what is counted, as in the paper.
        meaning: in a few words.
        definition: what :func:`milpcount.count` calls it; None for the third.
        lower: proved lower bound.
        upper: proved upper bound, None when unknown.
    """

    number: int
    name: str
    meaning: str
    definition: Definition | None
    lower: int
    upper: int | None

    @property
    def count(self) -> int | None:
        """The number; None where only bounds are proved, and always for the third."""
        return self.lower if self.definition is not None and self.lower == self.upper else None

    def __str__(self) -> str:
        """The number, or its ends."""
        if self.lower == self.upper:
            return to_decimal(self.lower)
        upper = "?" if self.upper is None else to_decimal(self.upper)
        return f"{to_decimal(self.lower)} to {upper}"


@dataclass(frozen=True, repr=False)
class Notions:
    """The numbers of linear regions of one network over one domain.

    ``notions[4]`` is the one with the paper's number 4; iteration goes from 1 to 6.

    Attributes:
        entries: all six, in the paper's order.
        with_output: whether the output units counted as ReLUs.
        stopped_by: the limit that stopped the counting, None if it finished.
        seconds: wall time.
        network_sha256: content hash of the network.
        notes: what an importer changed when it read the network.
        version: of milpcount.
    """

    entries: tuple[Notion, ...]
    with_output: bool
    stopped_by: Limit | None
    seconds: float
    network_sha256: str
    notes: tuple[str, ...] = ()
    version: str = __version__

    def __getitem__(self, number: int) -> Notion:
        """The notion with this number, from 1 to 6.

        Raises:
            InputError: there is no such number.
        """
        if number not in range(1, len(self.entries) + 1):
            raise InputError(f"the notions are numbered 1 to {len(self.entries)}, not {number!r}")
        return self.entries[number - 1]

    def __iter__(self) -> Iterator[Notion]:
        """All six."""
        return iter(self.entries)

    @property
    def counts(self) -> tuple[int | None, ...]:
        """The six numbers; None where only bounds are proved, and always for the third."""
        return tuple(entry.count for entry in self.entries)

    @property
    def exact(self) -> bool:
        """Whether all but the third are proved."""
        return all(entry.lower == entry.upper for entry in self if entry.definition is not None)

    def __repr__(self) -> str:
        """A table."""
        shown = [str(entry) for entry in self.entries]
        width = max(map(len, shown))
        lines = [
            f"R{entry.number}  {text:>{width}}  {entry.name}: {entry.meaning}"
            for entry, text in zip(self.entries, shown, strict=True)
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The object that ``milpcount notions --json`` prints; counts are decimal strings."""
        return {
            "notions": [
                {
                    "number": entry.number,
                    "name": entry.name,
                    "definition": None if entry.definition is None else str(entry.definition),
                    "count": None if entry.count is None else to_decimal(entry.count),
                    "lower": to_decimal(entry.lower),
                    "upper": None if entry.upper is None else to_decimal(entry.upper),
                }
                for entry in self.entries
            ],
            "exact": self.exact,
            "with_output": self.with_output,
            "seconds": self.seconds,
            "stopped_by": None if self.stopped_by is None else str(self.stopped_by),
            "network_sha256": self.network_sha256,
            "version": self.version,
            "notes": list(self.notes),
        }


def notions(
    net: Any,
    domain: Domain | None = None,
    *,
    with_output: bool = False,
    engine: str = "auto",
    budget: Budget | float | None = None,
    progress: ProgressCallback | bool | None = None,
) -> Notions:
    """Count the linear regions of a network by all definitions, exactly.

    The third has no count, only proved bounds.  A limit gives bounds of the others too.

    Arguments:
        net: the network, as for :func:`milpcount.count`.
        domain: as for :func:`milpcount.count`.
        with_output: whether the units of the last affine layer count as ReLUs too.
        engine: that searches the full-dimensional regions.
        budget: limits of it all; a limit of regions holds for each search.
        progress: as for :func:`milpcount.count`.

    Raises:
        InputError: a domain, engine or limit that does not fit.
    """
    problem = problem_of(net, domain, Definition.FULL, with_output)
    budget = budget_of(budget) or Budget()
    with watched(progress) as shown:
        watch = Watch(budget, shown)
        found = _full(problem, engine, watch)
        stopped = watch.stopped
        if stopped is None or stopped.limit is Limit.REGIONS:
            found[Definition.NONEMPTY], late = _nonempty(problem, budget, watch, shown)
            stopped = stopped or late
    ends = _consistent(found, problem)
    return Notions(
        entries=tuple(
            Notion(k, name, meaning, definition, *ends[k - 1])
            for k, (name, meaning, definition) in enumerate(_SIX, 1)
        ),
        with_output=with_output,
        stopped_by=None if stopped is None else stopped.limit,
        seconds=watch.seconds,
        network_sha256=problem.network.sha256,
        notes=problem.network.notes,
    )


def _full(problem: CountProblem, engine: str, watch: Watch) -> dict[Definition, Ends]:
    """Search the full regions once, and merge them in every way."""
    outcome = Outcome(patterns_only=True)
    name = choose_engine(engine, problem)
    patterns: list[NDArray[np.uint8]] = [np.zeros((0, problem.n_units), dtype=np.uint8)]
    found: dict[Definition, Ends] = {}
    try:
        patterns.extend(some.patterns() for some in run_engine(name, problem, watch, outcome, {}))
        bits = np.concatenate(patterns)
        if outcome.termination.reason is TerminationReason.COMPLETE:
            found[Definition.FULL] = len(bits), len(bits)
            found |= count_pieces(problem, bits, _MERGED, watch, outcome)
        else:
            found[Definition.FULL] = len(bits) + outcome.open_regions, outcome.upper
            asked = [Definition.AFFINE]
            maps = count_pieces(problem, bits, asked, watch, outcome)[Definition.AFFINE]
            found[Definition.AFFINE] = maps[0], None
    except KeyboardInterrupt:
        watch.stop(Limit.INTERRUPT, "Ctrl-C")
    return found


def _nonempty(
    problem: CountProblem, budget: Budget, watch: Watch, shown: ProgressCallback | None
) -> tuple[Ends, Any]:
    """Count the patterns that occur, in the time that is left."""
    left = watch.remaining
    if left == 0.0:
        return (0, None), watch.stop(Limit.TIME, f"{budget.seconds:g} s")
    before = watch.seconds

    def later(part: Progress) -> None:
        if shown is not None:
            shown(Progress(part.phase, part.regions, before + part.seconds, part.fraction))

    result = count(
        problem.network,
        problem.domain if problem.slice is None else problem.slice,
        definition=Definition.NONEMPTY,
        with_output=problem.with_output,
        budget=Budget(seconds=left, regions=budget.regions),
        progress=later,
    )
    limit = result.termination if result.termination.limit is not None else None
    return (result.lower, result.upper), limit


def _consistent(found: dict[Definition, Ends], problem: CountProblem) -> list[Ends]:
    """The ends in the paper's order, each sharpened by ``R6 <= ... <= R1``."""
    ends: list[Ends] = [
        (0, None) if definition is None else found.get(definition, (0, None))
        for _, _, definition in _SIX
    ]
    if ends[0][1] is None:
        ends[0] = ends[0][0], proved_upper(problem)
    for k in range(1, len(ends)):
        lower, upper = ends[k]
        above = ends[k - 1][1]
        ends[k] = lower, above if upper is None or (above is not None and above < upper) else upper
    for k in range(len(ends) - 2, -1, -1):
        ends[k] = max(ends[k][0], ends[k + 1][0]), ends[k][1]
    return ends
