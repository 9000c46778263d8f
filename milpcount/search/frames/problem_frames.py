"""Which frames a problem is searched in: one cube, or the charts of an unbounded domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.stage import Stage
from milpcount.errors import UnsupportedError
from milpcount.exact.extent import coordinate_ranges
from milpcount.exact.forms import ExactStage, domain_rows, exact_box, first_stage
from milpcount.search.frames.charts import Atlas, DomainRow
from milpcount.search.frames.frame import Frame, box_frame, zonotope_frame

__all__ = [
    "Frames",
    "certified_frame",
    "cube_frame",
    "is_bounded",
    "problem_frames",
    "root_signs",
    "searches_image",
    "sign_walls",
]

_SMALL = 1 << 12  # weights of a first stage whose frame is kept with the network
FEW_INPUTS = 6  # up to here the cube of the inputs is searched whatever the first layer


class Frames:
    """The frames of a problem, each built when it is asked for.

    A frame is None where floats do not reach: what lies there is searched exactly.

    Attributes:
        atlas: of an unbounded domain, whose charts the frames are.
    """

    def __init__(
        self,
        count: int,
        build: Callable[[int], Frame | None],
        atlas: Atlas | None = None,
        last: tuple[int, Frame | None] = (-1, None),
    ) -> None:
        self._count, self._build, self.atlas = count, build, atlas
        self._last = last

    def view(self) -> Frames:
        """The same frames, for another user, who has the one last asked for at hand."""
        return Frames(self._count, self._build, self.atlas, self._last)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Frame | None:
        last = self._last  # another thread may put its own in this place
        if last[0] != index:
            try:
                last = (index, self._build(index))
            except UnsupportedError:
                last = (index, None)
            self._last = last
        return last[1]

    def walls(self, index: int) -> dict[int, int]:
        """Units of the first layer that have one sign in this frame, with that sign."""
        return {} if self.atlas is None else self.atlas.walls(index)


def problem_frames(problem: CountProblem) -> Frames:
    """The frames in which a problem with at least one unit is searched."""
    return problem.once(_problem_frames)


def _problem_frames(problem: CountProblem) -> Frames:
    image = searches_image(problem)
    if _is_small_box(problem) and not image:
        # What is kept with a problem must not refer to it.
        network, stage, box = problem.network, problem.stages[0], problem.box
        return Frames(1, lambda _: _kept_frame(network, stage, box))
    # Later stages become integers only where floats leave something open.
    first = first_stage(problem)
    ranges = _ranges(problem)
    if ranges is not None:
        rows = [row.coefficients for row in domain_rows(problem)]
        if image:
            closed = problem.definition is Definition.NONEMPTY
            open_last = len(problem.stages) == 1 and not closed
            return Frames(1, lambda _: zonotope_frame(first, *ranges, open_last))
        return Frames(1, lambda _: box_frame(first, rows, *ranges))
    atlas = _atlas(problem, first)
    if any(unit is not None and problem.index.linear[unit] for unit in atlas.units):
        # A chart ends at the zeros of its basic units, and linear units cut nothing.
        return Frames(1, lambda _: None)
    return Frames(len(atlas), atlas.chart, atlas)


def _is_small_box(problem: CountProblem) -> bool:
    """Whether the problem is one for whose like the frame is kept with the network."""
    box = problem.domain
    if not isinstance(box, Box) or not box.is_bounded or problem.slice is not None:
        return False
    return bool(problem.widths) and problem.widths[0] * problem.dimension <= _SMALL


def _kept_frame(network: ReLUNetwork, first: Stage, box: Box) -> Frame:
    """The frame of a box: made once for counts of one network over one box, one after the other."""

    def make() -> Frame:
        lo, hi = ([Fraction(v) for v in end.tolist()] for end in (box.lo, box.hi))
        return box_frame(ExactStage.of(first), [], lo, hi)

    return network.latest("frame of a box", (first, box.lo.tobytes(), box.hi.tobytes()), make)


def root_signs(problem: CountProblem, walls: Mapping[int, int] | None = None) -> NDArray[np.int8]:
    """Signs of the root of a frame: presets for linear units, and for its walls."""
    signs = problem.index.open_signs()
    for unit, sign in (walls or {}).items():
        signs[unit] = 2 * sign
    return signs


def sign_walls(walls: Mapping[int, int], signs: NDArray[np.int8]) -> NDArray[np.int8]:
    """The signs with those of the frame's walls made rows of the cell, for exact search."""
    for unit, sign in walls.items():
        signs[unit] = sign
    return signs


def cube_frame(problem: CountProblem) -> Frame:
    """The frame of a bounded domain in all coordinates that vary.

    Raises:
        UnsupportedError: the domain is unbounded, or numbers are beyond the range of floats.
    """
    ranges = _ranges(problem)
    if ranges is None:
        raise UnsupportedError("the domain is unbounded: give a box or a bounded polytope")
    rows = [row.coefficients for row in domain_rows(problem)]
    return box_frame(first_stage(problem), rows, *ranges, every=True)


def is_bounded(problem: CountProblem) -> bool:
    """Whether the search runs in one cube, not in charts."""
    return _ranges(problem) is not None


def searches_image(problem: CountProblem) -> bool:
    """Whether the first layer's image is searched, unless its numbers are beyond floats."""
    return _reduces(problem) and problem.box.is_bounded and not len(problem.rows[1])


def certified_frame(problem: CountProblem) -> tuple[Box | None, bool]:
    """The box around a bounded polytope; whether the first layer's image is searched."""
    ranges = _ranges(problem)
    if ranges is None:
        return None, False
    around = None
    if not problem.box.is_bounded:
        around = Box([float(v) for v in ranges[0]], [float(v) for v in ranges[1]])
    return around, problem_frames(problem)[0] is not None and not len(problem.rows[1]) and _reduces(
        problem
    )


def _reduces(problem: CountProblem) -> bool:
    """Whether the first layer has so few units that searching its image is worth the check.

    At 16 inputs and 12 units it is not: the cube holds 249,261 cells, 142,838 of them regions.
    """
    vary = problem.box.varying
    # Without any unit there is no first layer.
    return bool(problem.widths) and vary > FEW_INPUTS and vary >= 2 * problem.widths[0]


def _ranges(problem: CountProblem) -> tuple[list[Fraction], list[Fraction]] | None:
    """Ends of the coordinates over the domain, None if it is unbounded; floats hold them."""
    box = problem.box
    if box.is_bounded:
        return [Fraction(v) for v in box.lo.tolist()], [Fraction(v) for v in box.hi.tolist()]
    if not len(problem.rows[1]):
        return None
    exact = coordinate_ranges(problem)
    if exact is None:
        return None
    # A little wider, on floats: the rows of the polytope cut the rest off.
    lo = [Fraction(float(np.nextafter(float(a), -np.inf))) for a, _ in exact]
    hi = [Fraction(float(np.nextafter(float(b), np.inf))) for _, b in exact]
    return lo, hi


def _atlas(problem: CountProblem, first: ExactStage) -> Atlas:
    """The charts of an unbounded domain: finite ends of its box are rows like any other."""
    box = exact_box(problem)
    n = problem.dimension
    fixed = {
        j: Fraction(a, box.denominator)
        for j, (a, b) in enumerate(zip(box.lo, box.hi, strict=True))
        if a is not None and a == b
    }

    def substituted(row: tuple[int, ...]) -> tuple[int, ...]:
        """``denominator`` times the row, the fixed coordinates put in."""
        at = sum(row[j] * int(v * box.denominator) for j, v in fixed.items())
        return (
            *(0 if j in fixed else c * box.denominator for j, c in enumerate(row[:-1])),
            row[-1] * box.denominator + at,
        )

    weight = first.weights[0].tolist()
    units = [
        substituted((*(int(v) for v in row), b)) for row, b in zip(weight, first.bias, strict=True)
    ]
    rows = [substituted(row.coefficients) for row in domain_rows(problem)]
    domain = [DomainRow(row, k) for k, row in enumerate(rows) if any(row[:-1])]
    for j, (a, b) in enumerate(zip(box.lo, box.hi, strict=True)):
        for end, sign in ((a, 1), (b, -1)):
            if j not in fixed and end is not None:
                row = [0] * (n + 1)
                row[j], row[n] = sign * box.denominator, -sign * end
                domain.append(DomainRow(tuple(row), None))
    lift = box.denominator.bit_length() - 1
    return Atlas.of(
        units, first.shift + lift, lift, domain, fixed, n, problem.index.linear.tolist()
    )
