"""The walls of a region, seen from a point that is proved to lie inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.errors import InvariantError
from milpcount.exact.feasibility import decide
from milpcount.geometry.balls import inner_point
from milpcount.geometry.float_forms import ROUNDOFF, FloatForms
from milpcount.geometry.region_rows import RegionRows
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Crossing

__all__ = ["CentredRows"]

Bits = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Float = NDArray[np.float64]


class CentredRows(RegionRows):
    """The walls of one region and a point inside, the centre, where floats can prove one.

    The *carrier* is where points live: ``x``, or ``y`` where that says everything.
    """

    def __init__(self, space: Space, bits: Bits, inside: Float | Crossing | None = None) -> None:
        """Take the pattern of a region, and a point in it or how a ray came in, if known."""
        super().__init__(space, bits)
        self._centre: Float | None = None
        self._values = np.zeros(0)
        point = self._entered(inside) if isinstance(inside, Crossing) else inside
        if point is None or not (self._move(point) or self._move(self._nudged(point))):
            self._find_centre()

    def _move(self, point: Float) -> bool:
        """Make a point the centre, if it is proved to lie inside."""
        values, errors = self._at(point[:, None])
        if not (self._in_box(point[:, None])[0] and np.all(values > errors)):
            return False
        self._centre, self._values = point, values[:, 0]
        return True

    def _nudged(self, point: Float) -> Float:
        """A point a little nearer to the middle of the box: half the way to the next wall."""
        space = self.space
        if not self._carries_inputs:
            return point
        lo = np.where(np.isfinite(space.lo), space.lo, np.minimum(space.hi, point) - 1.0)
        hi = np.where(np.isfinite(space.hi), space.hi, np.maximum(space.lo, point) + 1.0)
        step = (lo + hi) / 2 - point
        at, _ = self._at(point[:, None])
        slopes = self._forms.values[:, :-1] @ (space.lift @ step)
        with np.errstate(all="ignore"):
            reach = np.where(slopes < 0, -at[:, 0] / slopes, np.inf).min(initial=1.0)
        return np.asarray(point + 0.5 * max(float(reach), 0.0) * step)

    def _find_centre(self) -> None:
        """Find a point inside that floats can prove; None stays where there is none."""
        point = inner_point(self.space, self._forms)
        if point is not None:
            self._move(point)

    def _entered(self, shot: Crossing) -> Float | None:
        """A point on the ray, half the way from where it came in to the next wall."""
        at = shot.start + shot.t * shot.direction
        values = self._at(np.stack([at, shot.direction], axis=1))[0]
        with np.errstate(all="ignore"):
            slope = values[:, 1] - self._forms.values[:, -1]
            meets = np.where(slope < 0, -values[:, 0] / slope, np.inf)
        through = set(shot.units)
        meets[[k for k, wall in enumerate(self.walls) if through.intersection(wall.units)]] = np.inf
        end = float(self._box_ends(at, shot.direction[:, None])[0][0])
        reach = float(min(meets[meets > 0].min(initial=np.inf), end, 1.0))
        return np.asarray(at + 0.5 * reach * shot.direction)

    def interior(self) -> Point:
        """A rational point inside, in the coordinates that vary."""
        if self._centre is not None:
            centre = self._centre
            x = centre if self._carries_inputs else self.space.pull @ centre
            y, blur = self.space.reduce(x[:, None])
            values, errors = self._forms.at(y, blur)
            if np.all(values > errors):
                return Point.of_floats(x)
        witness = decide(self.exact_walls(), self.space.exact_box).witness
        if witness is None:
            raise InvariantError("a region has no interior point")
        return witness

    @property
    def forms(self) -> FloatForms:
        """The rows of the walls, each up to a power of two, with bounds on their errors."""
        return self._forms

    @property
    def centre(self) -> Float | None:
        """A point of the carrier that is proved to lie inside; None if floats found none."""
        return self._centre

    @property
    def carries_inputs(self) -> bool:
        """Whether points of the carrier are inputs."""
        return self._carries_inputs

    def _box_ends(self, start: Float, steps: Float) -> tuple[Float, Float]:
        """How far the columns go until they leave the box, and how far backwards."""
        if not self._carries_inputs:
            return np.full(steps.shape[1], np.inf), np.full(steps.shape[1], np.inf)
        with np.errstate(all="ignore"):
            # The start lies strictly inside: where a step is 0 these are the infinities.
            up = (self.space.hi - start)[:, None] / steps
            down = (self.space.lo - start)[:, None] / steps
        ahead = np.maximum(up, down).min(axis=0, initial=np.inf)
        return ahead, -np.minimum(up, down).max(axis=0, initial=-np.inf)

    def _to_the_middle(self, reach: Float, steps: Float) -> None:
        """Move to the mean of the middles of the chords along the steps."""
        assert self._centre is not None
        half = len(reach) // 2
        ahead, behind = reach[:half], reach[half:]
        ahead, behind = (
            np.where(np.isfinite(ahead), ahead, np.where(np.isfinite(behind), behind, 1.0)),
            np.where(np.isfinite(behind), behind, np.where(np.isfinite(ahead), ahead, 1.0)),
        )
        if half:
            self._move(self._centre + steps[:, :half] @ ((ahead - behind) / 2) / half)

    def on_end(self, points: Float, places: NDArray[np.intp], values: Float) -> Bools:
        """Whether the columns, moved onto these ends, are proved strict in everything else."""
        columns = np.arange(points.shape[1])
        points[places, columns] = values
        lo, hi = self.space.lo[:, None], self.space.hi[:, None]
        inside = (points > lo) & (points < hi)
        inside[places, columns] = True
        at, errors = self._at(points)
        return np.asarray(np.all(inside, axis=0) & np.all(at > errors, axis=0))

    def end_alone(self, centre: Float, places: NDArray[np.intp], values: Float) -> Bools:
        """Whether a point with one coordinate moved onto an end is strict in everything else."""
        space = self.space
        if not self._in_box(centre[:, None])[0]:
            return np.zeros(len(places), dtype=bool)
        y, blur = space.reduce(centre[:, None])
        part = space.lift[:, places]
        moved = y + part * (values - centre[places])
        size = np.abs(y) + np.abs(part) * (np.abs(values) + np.abs(centre[places]))
        error = 8 * ROUNDOFF * size + (0.0 if blur is None else blur)
        at, errors = self._forms.at(moved, error)
        return np.asarray(np.all(at > errors, axis=0))
