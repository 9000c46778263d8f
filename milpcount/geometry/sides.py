"""Which ends of a box are facets of a region, in many coordinates.

From a point inside the region one coordinate is moved to its end.  If the region's rows and the
other ends stay strict, the end is a facet.  Ends that the first such point does not prove cost a
linear programme, but most of them not one each: from near its optimum others are proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide
from milpcount.geometry.walls import Side

if TYPE_CHECKING:
    from milpcount.geometry.shooting import Shooting

__all__ = ["facets_on_ends"]

Float = NDArray[np.float64]
_COLUMNS = 512
_INWARD = 0.25  # of the way from an optimum to the centre


def facets_on_ends(shooting: Shooting, ends: Sequence[Side]) -> list[Side]:
    """The ends, on which no unit of the region vanishes, that are facets."""
    space = shooting.space
    places = np.array([space.place_of[s.index] for s in ends], dtype=np.intp)
    values = np.array(
        [
            space.lo[j] if s.kind == "lower" else space.hi[j]
            for s, j in zip(ends, places, strict=True)
        ]
    )
    proved = np.zeros(len(ends), dtype=bool)
    centre = shooting.centre
    if centre is not None:
        for start in range(0, len(ends), _COLUMNS):
            part = slice(start, start + _COLUMNS)
            proved[part] = shooting.end_alone(centre, places[part], values[part])
    decided = proved.copy()
    while not decided.all():
        k = int(np.flatnonzero(~decided)[0])
        proved[k], point = _by_programme(shooting, ends[k], int(places[k]), float(values[k]))
        decided[k] = True
        if point is not None and centre is not None:
            # An optimum has most coordinates at ends: near it many others are proved.
            todo = np.flatnonzero(~decided)
            near = point + _INWARD * (centre - point)
            good = todo[shooting.end_alone(near, places[todo], values[todo])]
            proved[good] = decided[good] = True
    return [side for side, good in zip(ends, proved.tolist(), strict=True) if good]


def _by_programme(
    shooting: Shooting, side: Side, j: int, value: float
) -> tuple[bool, Float | None]:
    """Let the coordinate pass its end and see how far it goes; the answer, and the optimum."""
    sign = 1.0 if side.kind == "lower" else -1.0
    proposal = (
        shooting.load().least_coordinate(j, sign, 1.0) if shooting.centre is not None else None
    )
    if proposal is not None and shooting.centre is not None:
        reached, here = proposal.point[j], shooting.centre[j]
        past = sign * (value - reached)
        if past > 0:
            step = (value - here) / (reached - here)
            point = shooting.centre + step * (proposal.point - shooting.centre)
            if shooting.on_end(point[:, None], np.array([j]), np.array([value]))[0]:
                return True, np.clip(proposal.point, shooting.space.lo, shooting.space.hi)
        if shooting.stays_within(j, sign, sign * value, proposal.duals):
            return False, np.clip(proposal.point, shooting.space.lo, shooting.space.hi)
    # Beyond this end, strictly inside everything else, in rational arithmetic.
    box = shooting.space.exact_box
    lo, hi = list(box.lo), list(box.hi)
    row = [-c for c in shooting.space.side_row(side)]
    (lo if sign > 0 else hi)[j] = None
    rows = [*shooting.exact_walls(), Row(tuple(row), True)]
    return decide(rows, ExactBox(tuple(lo), tuple(hi), box.denominator)).feasible, None
