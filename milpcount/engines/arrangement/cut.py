"""Arrangements and cones in integers of 62 bits: ``kernels/src/cone.hpp``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from milpcount.core.run import Watch
from milpcount.engines.arrangement.hyperplanes import (
    Hyperplane,
    Open,
    general_position,
    largest_minor,
)
from milpcount.engines.arrangement.steps import counted, run
from milpcount.errors import InvariantError, UnsupportedError

if TYPE_CHECKING:
    from milpcount.kernels.native import Cone

__all__ = ["Cut", "cone_of"]

MOST_BITS = 62
MOST_SIDES = 64


def cone_of(forms: Sequence[Hyperplane], sides: Sequence[Hyperplane], memory: int) -> Cone | None:
    """The kernel for these forms on the cone where all sides are positive; None if beyond it.

    ``memory`` is in bytes.  Forms and sides have as many entries.
    """
    width = len(forms[0])
    if len(sides) > MOST_SIDES or largest_minor([*forms, *sides], width) >> MOST_BITS:
        return None
    # Not loaded before it is needed.
    from milpcount.kernels.native import make_cone

    rows = np.array(sides, dtype=np.int64).reshape(len(sides), width)
    return make_cone(np.array(forms, dtype=np.int64), rows, memory)


class Cut:
    """The regions of an arrangement within a domain that cuts its hyperplanes short.

    Attributes:
        value: their number, once it is proved.
        confirmed: whether the count in the opposite order gave the same number.
        statistics: of the first count.
    """

    def __init__(self, rows: Sequence[Hyperplane], inside: Open, memory: int) -> None:
        """Prepare; ``memory`` is in bytes.

        Raises:
            UnsupportedError: too many sides or vertices, or numbers that are too long.
        """
        # In homogeneous coordinates: the last one is positive.
        n = inside.dimension
        self._rows, self._sides = tuple(rows), (*inside.rows, (0,) * n + (1,))
        self._memory = memory
        self.value: int | None = None
        self.confirmed = False
        self.statistics: dict[str, int] = {}
        self._search = cone_of(self._rows, self._sides, memory)
        if self._search is None:
            bits = largest_minor([*self._rows, *self._sides], n + 1).bit_length()
            raise UnsupportedError(
                "engine arrangement: the domain cuts hyperplanes that have no common point in it; "
                f"then it serves {MOST_SIDES - 1} sides and {MOST_BITS} bits, and here are "
                f"{len(inside.rows)} and {bits}; use engine subdivision or tree"
            )

    @property
    def upper(self) -> int:
        """As many hyperplanes in general position over R^n."""
        return general_position(len(self._rows), len(self._rows[0]) - 1)

    def count(self, watch: Watch) -> Iterator[int]:
        """Yield lower bounds, and set ``value`` at the end unless a limit comes first."""
        assert self._search is not None
        yield from run(self._search, watch, "cutting hyperplanes")
        if self._search.overflow:
            raise UnsupportedError(
                "engine arrangement: numbers passed what this build's integers hold; "
                "use engine subdivision or tree"
            )
        self.statistics = self._search.statistics()
        if self._search.done:
            self.value = counted(self._search)

    def confirm(self, watch: Watch) -> None:
        """Count again, the hyperplanes and the sides in the opposite order.

        Raises:
            InvariantError: another number comes out.
        """
        search = cone_of(self._rows[::-1], self._sides[::-1], self._memory)
        assert search is not None
        for _ in run(search, watch, "confirming"):
            pass
        if search.done:
            if counted(search) != self.value:
                raise InvariantError(
                    f"regions were counted twice: {self.value} and {counted(search)}"
                )
            self.confirmed = True
