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

What the first way has counted is then counted a second time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from milpcount.core.problem import CountProblem
from milpcount.core.run import Found, Outcome, Tally, Watch
from milpcount.engines.arrangement.hyperplanes import (
    Hyperplane,
    Open,
    factors,
    have_common_point,
    hyperplanes_of,
)
from milpcount.engines.arrangement.rho import Rho
from milpcount.engines.arrangement.vectors import Vectors
from milpcount.errors import InputError, UnsupportedError
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
        UnsupportedError: a domain that cuts hyperplanes short without a common point of them, or
            weights with too many bits.
    """
    if memory < 0:
        raise InputError(f"engine arrangement: memory must be at least 0, not {memory}")
    require_full_dimensional(problem)
    rows = hyperplanes_of(problem)
    inside = Open.of(problem)
    centred = inside.has_origin() and not any(row[-1] for row in rows)
    if not centred:
        rows = [row for row in rows if inside.meets(row)]
    outcome.statistics["hyperplanes"] = len(rows)
    if not rows:
        watch.regions += 1
        yield Tally(1)
        outcome.finish(watch)
        return
    if inside.rows and not centred and not have_common_point(rows, inside):
        raise UnsupportedError("engine arrangement: the domain cuts hyperplanes short")
    yield from _product(rows, watch, outcome, memory * 10**6, confirm == "yes")
    outcome.finish(watch)


def _product(
    rows: list[Hyperplane], watch: Watch, outcome: Outcome, memory: int, confirm: bool
) -> Iterator[Tally]:
    """Count the arrangement factor by factor."""
    parts = sorted((Vectors.of(part) for part in factors(rows)), key=lambda v: len(v.rows))
    counts = [Rho(vectors, memory) for vectors in parts]
    outcome.upper = math.prod(part.times * part.upper for part in parts)
    before = 1
    for part, rho in zip(parts, counts, strict=True):
        for lower in rho.count(watch):
            more = before * part.times * lower - watch.regions
            if more > 0:
                watch.regions += more
                yield Tally(more)
        if rho.value is None:
            break
        before *= part.times * rho.value
    complete = all(rho.value is not None for rho in counts)
    if complete and confirm:
        for rho in counts:
            rho.confirm(watch)
        watch.stopped = None  # a limit that ends the second computation leaves the count exact
    outcome.statistics |= {
        "factors": len(parts),
        "rank": sum(part.rank - (part.times == 1) for part in parts),
    }
    if complete:
        outcome.statistics["proof"] = ", ".join(sorted({rho.proof for rho in counts}))
        outcome.statistics["confirmed"] = all(rho.confirmed for rho in counts)
    for rho in counts:
        for name, value in rho.statistics.items():
            outcome.add(name, int(value))
