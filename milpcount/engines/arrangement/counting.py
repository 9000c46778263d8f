"""Engine ``arrangement``: the number of regions of a single layer, by hyperplanes alone.

The zeros of units that are affine in the input are hyperplanes, and over R^n the full-dimensional
regions are those of their arrangement: equal, proportional and opposite units cut together,
constant ones not at all.  The same holds over an open convex domain in which all hyperplanes that
pass through it have a common point: shrinking towards that point maps every region into the
domain.  The arrangement is split into a product where it is one, and the factors are counted by
deletion and restriction modulo primes (``kernels/src/deletion.hpp``), whose result is proved:

- the product of the primes is above every minor of the hyperplanes (Hadamard's bound), so that
  modulo them the same minors vanish as over the rational numbers; or
- it equals the number for general position (Schläfli; Zaslavsky 1975), which no arrangement
  exceeds.

Over another domain the regions are counted by sections of a cone in integers of 62 bits
(``kernels/src/cone.hpp``), as long as every minor of hyperplanes and sides is below that.

Patterns that occur on hyperplanes alone (definition "nonempty") are not served: their number
depends on more than the arrangement (x and 2x have two, x and -x three).

What no formula gives is counted a second time: see :class:`~.rho.Rho` and :class:`~.cut.Cut`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from milpcount.core.problem import CountProblem
from milpcount.core.run import Found, Outcome, Tally, Watch
from milpcount.engines.arrangement.cut import Cut
from milpcount.engines.arrangement.hyperplanes import (
    Hyperplane,
    Open,
    factors,
    general_position,
    have_common_point,
    hyperplanes_of,
)
from milpcount.engines.arrangement.rho import Rho
from milpcount.engines.arrangement.vectors import Vectors
from milpcount.errors import InputError
from milpcount.exact.domains import require_full_dimensional

__all__ = ["count_arrangement"]


def count_arrangement(
    problem: CountProblem,
    watch: Watch,
    outcome: Outcome,
    *,
    memory: int = 1000,
    confirm: str = "yes",
) -> Iterator[Found]:
    """Yield tallies that add up to the number of regions.

    Arguments:
        problem: a single layer.
        watch: clock and limits.
        outcome: the record of the run.
        memory: megabytes that remembered restrictions may take.
        confirm: "no" leaves the second computation out.

    Raises:
        InputError: a negative memory.
        UnsupportedError: weights with too many bits, or a domain that cuts hyperplanes short and
            has too many sides, vertices or bits.
    """
    if memory < 0:
        raise InputError(f"engine arrangement: memory must be at least 0, not {memory}")
    require_full_dimensional(problem)
    rows = hyperplanes_of(problem)
    inside = Open.of(problem)
    centred = inside.has_origin() and not any(row[-1] for row in rows)
    outcome.upper, outcome.open_regions = general_position(len(rows), inside.dimension), 1
    if not centred:
        met = []
        for row in rows:
            if watch.exceeded() is not None:
                break
            if inside.meets(row):
                met.append(row)
        rows = met
    if watch.exceeded() is not None:
        outcome.finish(watch)
        return
    outcome.open_regions = 0
    outcome.statistics["hyperplanes"] = len(rows)
    if not rows:
        watch.regions += 1
        yield Tally(1)
        outcome.finish(watch)
        return
    if not inside.rows or centred or have_common_point(rows, inside):
        yield from _everywhere(rows, watch, outcome, memory * 10**6, confirm == "yes")
    else:
        yield from _within(Cut(rows, inside, memory * 10**6), watch, outcome, confirm == "yes")
    outcome.finish(watch)


def _everywhere(
    rows: list[Hyperplane], watch: Watch, outcome: Outcome, memory: int, confirm: bool
) -> Iterator[Tally]:
    """Count the arrangement over R^n, factor by factor."""
    parts = sorted((Vectors.of(part) for part in factors(rows)), key=lambda v: len(v.rows))
    counts = [Rho(vectors, memory) for vectors in parts]
    outcome.upper = math.prod(part.times * part.upper for part in parts)
    outcome.statistics |= {
        "factors": len(parts),
        "rank": sum(part.rank - (part.times == 1) for part in parts),
    }
    before = 1
    for part, rho in zip(parts, counts, strict=True):
        factor = before * part.times
        yield from _tallies((factor * lower for lower in rho.count(watch)), watch)
        if rho.value is None:
            return
        before = factor * rho.value
    outcome.upper = before
    for rho in counts:
        for name, value in rho.statistics.items():
            outcome.add(name, int(value))
        if confirm:
            rho.confirm(watch)
    watch.stopped = None  # a limit that ends the second computation leaves the count exact
    outcome.statistics |= {
        "proof": ", ".join(sorted({rho.proof for rho in counts})),
        "confirmed_by": ", ".join(sorted({rho.second or "nothing" for rho in counts})),
    }


def _within(cut: Cut, watch: Watch, outcome: Outcome, confirm: bool) -> Iterator[Tally]:
    """Count the regions within a domain that cuts hyperplanes short."""
    outcome.upper = cut.upper
    yield from _tallies(cut.count(watch), watch)
    if cut.value is None:
        return
    outcome.upper = cut.value
    if confirm:
        cut.confirm(watch)
    watch.stopped = None
    outcome.statistics |= {
        **cut.statistics,
        "proof": "integers of 62 bits",
        "confirmed_by": "the opposite order" if cut.confirmed else "nothing",
    }


def _tallies(lowers: Iterator[int], watch: Watch) -> Iterator[Tally]:
    """What each lower bound adds to those before it."""
    for lower in lowers:
        more = lower - watch.regions
        if more > 0:
            watch.regions += more
            yield Tally(more)
