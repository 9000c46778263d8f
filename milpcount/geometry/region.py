"""One activation region as users see it: pattern, witness, affine map, halfspaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.core.pattern import ActivationPattern
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Termination
from milpcount.core.run import Leaf, Outcome

if TYPE_CHECKING:
    from milpcount.exact.interior import InteriorPoints

__all__ = ["Region", "RegionStream"]


@dataclass(frozen=True, eq=False)
class Region:
    """An activation region that is proved to exist.

    Attributes:
        pattern: its activation pattern.
        problem: the counting problem that it belongs to.
    """

    pattern: ActivationPattern
    problem: CountProblem
    _leaf: Leaf
    _shared: InteriorPoints | None = None

    @property
    def witness(self) -> NDArray[np.float64] | None:
        """An input in the region, in floats; None where floats found none (a sliver).

        It is proved to lie in the region, inside of it when full regions are counted.  On a slice
        it is the exact witness rounded off the slice, and its pattern is proved to be the
        region's.  :attr:`exact_witness` is there always.
        """
        if self.problem.slice is None:
            return self.coordinates
        x = self.problem.input_point(self._point).floats()
        return x if self._points.pattern_at(x) == self._leaf.bits else None

    @property
    def exact_witness(self) -> tuple[Fraction, ...]:
        """A rational input in the region, proved; interior when full regions are counted.

        On a slice it lies on the slice exactly, and interior means relative to the slice; where
        the domain fixes coordinates, relative to the others.
        """
        return self.problem.input_point(self._point).fractions()

    @property
    def coordinates(self) -> NDArray[np.float64] | None:
        """A witness in the problem's coordinates, the slice's or else the inputs, in floats.

        None where floats found none.
        """
        return self._points.floats(self._leaf.bits, self._point)

    @property
    def exact_coordinates(self) -> tuple[Fraction, ...]:
        """The exact witness in the problem's coordinates: the slice's, else the inputs."""
        return self._point.fractions()

    @cached_property
    def _point(self) -> Point:
        return self._points.point(self._leaf.bits, self._leaf.witness)

    @cached_property
    def _points(self) -> InteriorPoints:
        from milpcount.exact.interior import InteriorPoints

        return self._shared or InteriorPoints(self.problem)

    def affine_map(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(A, b)`` with network output ``A x + b`` on the region, rounded once from exact.

        ``x`` is the network's input, on a slice too.
        """
        from milpcount.exact.forms import ExactStage, exact_stages
        from milpcount.exact.prefix import Prefix

        net = self.problem.network
        if net.stages:
            # Behind the counted stages there are linear ones only, whose states mean nothing.
            prefix = Prefix.root(exact_stages(net.stages))
            states = self.problem.index.spread(np.array(self._leaf.bits, dtype=np.uint8)).tolist()
            states += [1] * sum(net.widths)
            start = 0
            for width in net.widths:
                prefix = prefix.push(states[start : start + width])
                start += width
            final = prefix.enter(ExactStage.of(net.output))
        else:
            final = Prefix.root([ExactStage.of(net.output)]).forms
        scale = 1 << final.shift
        rounded = np.array([[int(v) / scale for v in row] for row in final.matrix.tolist()])
        return rounded[:, :-1], rounded[:, -1]

    def halfspaces(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(A, c)`` whose ``A x <= c`` is the closure of the region: one row a unit, unit length.

        ``x`` stands for the problem's own coordinates: the inputs, or on a slice the slice's
        coordinates (:attr:`coordinates`).  Rows are rounded from exact ones and may be redundant;
        units whose pre-activation is constant on the domain, and the sides of a box domain, are
        left out.
        """
        from milpcount.exact.dyadic import to_float
        from milpcount.exact.prefix import pattern_rows

        rows = pattern_rows(self.problem, self._leaf.bits) or []
        n = self.problem.dimension
        stacked = np.array([to_float(row.coefficients)[0] for row in rows]).reshape(-1, n + 1)
        top = np.max(np.abs(stacked[:, :n]), axis=1, keepdims=True, initial=0.0)
        stacked = stacked / np.where(top > 0, top, 1.0)
        length = np.linalg.norm(stacked[:, :n], axis=1, keepdims=True)
        stacked = stacked / np.where(length > 0, length, 1.0)
        return -stacked[:, :n], stacked[:, n]

    def __repr__(self) -> str:
        return f"Region({self.pattern})"


class RegionStream(Iterator[Region]):
    """Regions one by one, in bounded memory; :attr:`termination` says why the stream ended."""

    def __init__(self, problem: CountProblem, leaves: Iterator[Leaf], outcome: Outcome) -> None:
        from milpcount.exact.interior import InteriorPoints

        self._problem, self._leaves, self._outcome = problem, leaves, outcome
        self._points = InteriorPoints(problem)

    @property
    def termination(self) -> Termination:
        """UNKNOWN while regions may follow, then complete or the limit that was reached."""
        return self._outcome.termination

    def __next__(self) -> Region:
        leaf = next(self._leaves)
        pattern = ActivationPattern.from_bits(leaf.bits, self._problem.counted_widths)
        return Region(pattern, self._problem, leaf, self._points)
