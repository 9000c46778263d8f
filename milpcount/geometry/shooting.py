"""Facets of a region in many coordinates: rays first, linear programmes for what they leave.

From a point inside the region, rays are sent out.  A ray that meets one wall before all others
proves that wall a facet: a point between its first and its second meeting lies beyond this wall
and strictly inside all others.  A wall that no ray proves costs one linear programme, the least
value of its row over what the other walls leave: below 0 its optimum, moved a little inward,
is such a point; otherwise its multipliers say that the wall is redundant.

All that floats propose is proved by floats with error bounds (redundancy:
:mod:`milpcount.geometry.redundancy`), or by rational arithmetic.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide
from milpcount.geometry.centred_rows import CentredRows
from milpcount.geometry.float_forms import ROUNDOFF
from milpcount.geometry.pivoting import Pivoting
from milpcount.geometry.programme import Programme, Proposal
from milpcount.geometry.projection import step_in_box
from milpcount.geometry.redundancy import least_over_box, redundant
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Crossing, Side, Wall

__all__ = ["CLOSE", "Shooting"]

Bits = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Float = NDArray[np.float64]

CLOSE = 1e-9
_ROUNDS = 3
_SMALLEST = 1e-300
_BEYOND = (0.1, 0.01)  # how far beyond a wall points are looked for
_SMALL = 6000  # numbers in the rows of a region that a dictionary in NumPy serves


class Shooting(CentredRows):
    """Decides the walls of one region."""

    def __init__(self, space: Space, bits: Bits, inside: Float | Crossing | None = None) -> None:
        """Take the pattern of a region, and a point in it or how a ray came in, if known."""
        super().__init__(space, bits, inside)
        self._facet: dict[int, bool] = {}
        self._shots: dict[int, Crossing] = {}

    @cached_property
    def unit_facets(self) -> tuple[Wall, ...]:
        """Facets on which units vanish."""
        mine = [k for k, wall in enumerate(self.walls) if wall.units]
        self._decide(mine)
        return tuple(
            sorted((self.walls[k] for k in mine if self._facet[k]), key=lambda wall: wall.units)
        )

    def _decide(self, todo: list[int]) -> None:
        todo = [k for k in todo if k not in self._facet]
        if todo and self._centre is not None:
            # Pivots of a small region cost less than more rays.
            for number in range(1 if self._is_small else _ROUNDS):
                before = len(self._facet)
                self._shoot(number)
                todo = [k for k in todo if k not in self._facet]
                if not todo:
                    return
                if number and len(self._facet) == before:
                    break
        if not todo:
            return
        if self._centre is not None:
            todo = self._without_solver(todo)
        for k in todo:
            proposal = None if self._centre is None else self.load().least_row(k, 1.0)
            answer = None if proposal is None else self._examine(k, proposal)
            self._facet[k] = self._rationally(k) if answer is None else answer

    @cached_property
    def _pivoted_ends(self) -> tuple[list[int], list[int]]:
        """The lower and upper ends of the box that a dictionary has as rows."""
        space = self.space
        ends = range(space.n) if self._carries_inputs and not space.reduced else range(0)
        lower = [j for j in ends if np.isfinite(space.lo[j])]
        return lower, [j for j in ends if np.isfinite(space.hi[j])]

    @property
    def _is_small(self) -> bool:
        """Whether a dictionary serves the region."""
        lower, upper = self._pivoted_ends
        return (len(self.walls) + len(lower) + len(upper)) * self.space.d <= _SMALL

    def _without_solver(self, todo: list[int]) -> list[int]:
        """Decide walls of a small region by pivots; return those that are left.

        Where the carrier is ``x`` and rows are in ``y``, the box is left out: what is redundant
        without it is redundant, and a ray towards the optimum may leave the region within the box.
        """
        assert self._centre is not None
        space, values = self.space, self._forms.values
        linked = self._carries_inputs and space.reduced
        if not self._is_small:
            return todo
        lower, upper = self._pivoted_ends
        self._measure()
        rows = [values[:, :-1] / self._lengths[:, None], np.eye(space.d)[lower]]
        rows.append(-np.eye(space.d)[upper])
        constants = [values[:, -1] / self._lengths, -space.lo[lower], space.hi[upper]]
        start = space.lift @ self._centre if linked else self._centre
        pivoting = Pivoting(np.vstack(rows), np.concatenate(constants), start)
        left = []
        for k in todo:
            proposal = pivoting.least_row(k, 1.0)
            if proposal is not None and linked:
                if proposal.value < 0 and self._beyond(k, proposal.point - start):
                    continue
                x = self._centre + space.pull @ (proposal.point - start)
                proposal = replace(proposal, point=x)
            answer = None if proposal is None else self._examine(k, proposal)
            if answer is None:
                left.append(k)
            else:
                self._facet[k] = answer
        return left

    def _beyond(self, k: int, way: Float) -> bool:
        """Whether a point of the box a little beyond a wall is found, along a way in ``y``."""
        assert self._centre is not None
        space, centre, here = self.space, self._centre, float(self._values[k])
        fall = -float(self._forms.values[k, :-1] @ way)
        if not fall > here:
            return False
        share = here / fall
        for part in _BEYOND:
            goal = (share + (1.0 - share) * part) * way
            inside = step_in_box(space, centre, goal)
            drop = -float(self._forms.values[k, :-1] @ (space.lift @ inside))
            if drop > here:
                shot = Crossing(centre, inside, here / drop)
                if self._candidates(k, (centre + inside)[:, None], shot):
                    return True
        return False

    def _measure(self) -> None:
        """Lengths of the rows' gradients."""
        lengths = np.linalg.norm(self._forms.values[:, :-1] @ self.space.lift, axis=1)
        self._lengths = np.where(lengths > 0, lengths, 1.0)

    def load(self) -> Programme:
        """The linear programme with the rows of this region, as long as their gradients are."""
        values, programme = self._forms.values, self.space.programme
        if programme.owner is not self:
            self._measure()
            programme.load(
                values[:, :-1] / self._lengths[:, None], values[:, -1] / self._lengths, self
            )
        return programme

    def _shoot(self, number: int) -> None:
        """Send rays along the walls' normals and random directions, and move to the middle."""
        assert self._centre is not None
        space, table = self.space, self._forms.values[:, :-1]
        undecided = [k for k in range(len(self.walls)) if k not in self._facet]
        normals = table[undecided if number else slice(None)].T
        if number == 0:
            extra = np.eye(space.d) if space.d <= 64 else np.zeros((space.d, 0))
        else:
            rng = np.random.default_rng(number)
            extra = rng.normal(size=(space.d, min(2 * space.d, 64)))
        covectors = np.hstack([normals, extra])
        if space.reduced and self._carries_inputs and space.is_bounded:
            # Towards the corner where the form is least: no other way in the box goes as far down.
            low = space.lift.T @ covectors > 0
            steps = np.where(low, space.lo[:, None], space.hi[:, None]) - self._centre[:, None]
            forward = space.lift @ steps
        else:
            forward = space.metric @ covectors
            forward = forward / np.maximum(np.linalg.norm(forward, axis=0), _SMALLEST)
            steps = space.pull @ forward if space.reduced and self._carries_inputs else forward
        ends = np.concatenate(self._box_ends(self._centre, steps))
        steps, forward = np.hstack([steps, -steps]), np.hstack([forward, -forward])
        slopes = table @ forward
        with np.errstate(all="ignore"):
            meets = np.where(slopes < 0, -self._values[:, None] / slopes, np.inf)
        first = np.argmin(meets, axis=0)
        columns = np.arange(meets.shape[1])
        one = meets[first, columns]
        meets[first, columns] = np.inf
        two = np.minimum(meets.min(axis=0, initial=np.inf), ends)
        self._prove(first, one, two, steps)
        self._to_the_middle(np.minimum(one, ends), steps)

    def _prove(self, first: NDArray[np.intp], one: Float, two: Float, steps: Float) -> None:
        """Prove the walls that rays meet first, each by its best ray."""
        assert self._centre is not None
        with np.errstate(all="ignore"):
            middle = np.where(np.isfinite(two), (one + two) / 2, 2 * one + 1.0)
            ratio = np.where(np.isfinite(one) & (two > one), middle / one, 0.0)
        best: dict[int, int] = {}
        for c in np.flatnonzero(ratio > 0).tolist():
            k = int(first[c])
            if k not in self._facet and (k not in best or ratio[c] > ratio[best[k]]):
                best[k] = c
        if not best:
            return
        walls, rays = np.array(list(best)), np.array(list(best.values()))
        directions = middle[rays] * steps[:, rays]
        good = self._alone(walls, self._centre[:, None] + directions)
        parts = one[rays] / middle[rays]
        for c in np.flatnonzero(good).tolist():
            k = int(walls[c])
            self._facet[k] = True
            self._shots[k] = Crossing(self._centre, directions[:, c], float(parts[c]))

    def _alone(self, walls: NDArray[np.intp], points: Float) -> Bools:
        """Which columns are proved to lie beyond their own wall and inside all others."""
        values, errors = self._at(points)
        columns = np.arange(len(walls))
        beyond = values[walls, columns] < -errors[walls, columns]
        values[walls, columns] = np.inf
        return np.asarray(beyond & self._in_box(points) & np.all(values > errors, axis=0))

    def _candidates(self, k: int, points: Float, shot: Crossing) -> bool:
        """Whether one of the columns is proved to lie beyond this wall alone."""
        good = self._alone(np.full(points.shape[1], k), points)
        if good.any():
            self._facet[k] = True
            self._shots[k] = shot
        return bool(good.any())

    def _examine(self, k: int, proposal: Proposal) -> bool | None:
        """Prove what an optimum says of a wall; None if floats do not."""
        assert self._centre is not None
        if proposal.value < 0:
            point = proposal.point[:, None]
            at = float(self._at(point)[0][k, 0])
            here = float(self._values[k])
            if at < 0:
                cut = -at / (here - at)
                parts = cut * np.array([0.5, 0.1, 0.9, 0.99, 0.01, 1e-3])
                points = point + (self._centre[:, None] - point) * parts
                shot = Crossing(
                    self._centre, points[:, 0] - self._centre, (1 - cut) / (1 - parts[0])
                )
                if self._candidates(k, points, shot):
                    return True
        return (
            False
            if redundant(
                self.space, self._forms, self._lengths, k, proposal.duals[: len(self.walls)]
            )
            else None
        )

    def _rationally(self, k: int) -> bool:
        """Whether a wall is a facet, by rational arithmetic."""
        if self._carries_inputs:
            rows = self.exact_walls()
            box = self._without(self.walls[k].side)
        else:
            rows = [self._row(v) for v in range(len(self.walls))]
            box = ExactBox((None,) * self.space.d, (None,) * self.space.d, 1)
        rows[k] = Row(tuple(-c for c in rows[k].coefficients), True)
        # The rows are strict, so a solution on an end of the box may be moved inward.
        return decide(rows, box).feasible

    def _without(self, side: Side | None) -> ExactBox:
        """The box, open where a wall coincides with one of its ends."""
        box = self.space.exact_box
        if side is None or side.kind == "row":
            return box
        j = self.space.place_of[side.index]
        lo, hi = list(box.lo), list(box.hi)
        if side.kind == "lower":
            lo[j] = None
        else:
            hi[j] = None
        return ExactBox(tuple(lo), tuple(hi), box.denominator)

    def crossing(self, wall: Wall) -> Crossing | None:
        """How a ray leaves through a facet, if one is known to."""
        shot = self._shots.get(self.walls.index(wall))
        return None if shot is None else replace(shot, units=wall.units)

    def stays_within(self, j: int, sign: float, end: float, duals: Float) -> bool:
        """Whether multipliers prove ``sign x_j > end`` on all that the other sides leave."""
        space = self.space
        if not (np.all(np.isfinite(space.lo)) and np.all(np.isfinite(space.hi))):
            return False
        rest, blur = self._against(duals)
        rest[-1] -= end
        return least_over_box(space, rest, blur + ROUNDOFF * np.abs(rest), (j, sign), True) > 0

    def _against(self, duals: Float) -> tuple[Float, Float]:
        """``-sum_v l_v r_v`` for multipliers of the loaded rows, and bounds on its errors."""
        weight = duals / self._lengths
        rest = -(weight @ self._forms.values)
        size = weight @ np.abs(self._forms.values)
        blur = 1.001 * (weight @ self._forms.errors + (len(weight) + 3) * ROUNDOFF * size)
        return rest, blur

    def least_coordinate(self, j: int, sign: float) -> float | None:
        """A proved lower bound on ``sign x_j`` over the region of a bounded box.

        A point proved inside comes as near to it as :data:`CLOSE` of the box's width; None where
        floats find no such bound and point.
        """
        space, centre = self.space, self._centre
        proposal = None if centre is None else self.load().least_coordinate(j, sign, 0.0)
        if proposal is None or centre is None:
            return None
        rest, blur = self._against(proposal.duals)
        bound = least_over_box(space, rest, blur, (j, sign))
        points = np.clip(proposal.point, space.lo, space.hi)[:, None]
        points = points + (centre[:, None] - points) * np.array([1e-12, 1e-11, 1e-10, 4e-10])
        values, errors = self._at(points)
        inside = self._in_box(points) & np.all(values > errors, axis=0)
        reached = float((sign * points[j])[inside].min(initial=np.inf))
        return bound if reached - bound <= CLOSE * (space.hi[j] - space.lo[j]) else None

    def side_facets(self) -> tuple[Wall, ...]:
        """Facets on sides of the domain on which no unit vanishes."""
        rows = [k for k, wall in enumerate(self.walls) if not wall.units]
        self._decide(rows)
        found = tuple(self.walls[k] for k in rows if self._facet[k])
        taken = {wall.side for wall in self.walls}
        ends = [s for s in self.space.sides if s.kind != "row" and s not in taken]
        if not ends:
            return found
        from milpcount.geometry.sides import facets_on_ends

        return (*(Wall((), side) for side in facets_on_ends(self, ends)), *found)
