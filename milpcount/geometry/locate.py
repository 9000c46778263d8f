"""Where points lie: the region of one point, the regions around one, the regions of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.arguments import network_of, problem_of
from milpcount.core.domain import Domain, WholeSpace
from milpcount.core.matrix import dense
from milpcount.core.pattern import ActivationPattern
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.run import Leaf
from milpcount.errors import DomainError, InvariantError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.feasibility import Row
from milpcount.geometry.float_forms import ROUNDOFF
from milpcount.geometry.point_checks import checked_point, require_in_domain, row_value
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.region import Region
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Side

__all__ = ["Locations", "around", "locate", "one_region", "region_at", "regions_at"]

Bits = NDArray[np.uint8]
Float = NDArray[np.float64]

_CHUNK = 2048  # points at a time
_NAMED = 12  # vanishing units that a message names


def region_at(
    net: Any, x: ArrayLike, domain: Domain | None = None, *, with_output: bool = False
) -> Region:
    """Return the full-dimensional activation region that holds a point in its interior.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads.
        x: the point: an input, or on a slice the slice's coordinates.
        domain: as for :func:`milpcount.count`, but the whole space when None.  The point may lie
            on its boundary: the region is then the one whose closure in the domain holds it.
        with_output: whether the units of the last affine layer count as ReLUs too.

    Raises:
        DomainError: a point of the wrong length, not finite, outside the domain, or on the boundary
            between regions; the message names the units that vanish there, and
            :func:`regions_at` gives the regions around it.
    """
    prepared, point = _prepare(net, x, domain, with_output)
    return one_region(prepared, point)


def one_region(prepared: Prepared, point: Float) -> Region:
    """The region around a point of the domain.

    Raises:
        DomainError: there are several.
    """
    found = around(prepared, point)
    if len(found) == 1:
        return found[0]
    vanishing = sorted(set().union(*(_vanishing(prepared, r.pattern.bits, point) for r in found)))
    named = ", ".join(map(str, vanishing[:_NAMED])) + (", ..." if len(vanishing) > _NAMED else "")
    raise DomainError(
        f"the point lies on the boundary between {len(found)} regions: the pre-activations of "
        f"unit(s) {named} vanish there; use regions_at, or move the point"
    )


def regions_at(
    net: Any, x: ArrayLike, domain: Domain | None = None, *, with_output: bool = False
) -> tuple[Region, ...]:
    """Return all full-dimensional regions whose closure holds a point; arguments as above.

    They are the regions of the arrangement of directions at the point: of the units that vanish
    there, stage by stage, and of the sides of the domain that it lies on.  In order of pattern.
    """
    prepared, point = _prepare(net, x, domain, with_output)
    return tuple(sorted(around(prepared, point), key=lambda r: r.pattern.bits.tolist()))


def _prepare(
    net: Any, x: ArrayLike, domain: Domain | None, with_output: bool
) -> tuple[Prepared, Float]:
    problem = problem_of(net, WholeSpace() if domain is None else domain, "full", with_output)
    require_full_dimensional(problem)
    point = checked_point(x, problem.dimension, "the point")
    require_in_domain(problem, point, "the point")
    return Prepared(problem), point


def around(prepared: Prepared, point: Float) -> list[Region]:
    """The regions whose closure holds the point."""
    space = prepared.space
    x = point[list(space.free)]
    exact = Point.of_floats(x)
    signs = space.signs_at(x)
    if np.all(signs[space.index.positions]):
        bits = space.index.states(signs)
        return [_region(prepared, bits, Leaf(tuple(bits.tolist()), Point.of_floats(point)))]
    from milpcount.geometry.tangent import directions

    tight = [side for side in space.sides if _on_side(space, side, x, exact)]
    out = []
    for bits, direction in directions(space, exact, signs, [space.side_row(s) for s in tight]):
        witness = prepared.inputs(_step(space, bits, exact, direction))
        states = bits[space.index.positions]
        out.append(_region(prepared, states, Leaf(tuple(states.tolist()), witness)))
    if not out:
        raise InvariantError("no region around a point of the domain")
    return out


def _region(prepared: Prepared, bits: Bits, leaf: Leaf) -> Region:
    pattern = ActivationPattern.from_bits(bits, prepared.problem.counted_widths)
    return Region(pattern, prepared.problem, leaf, prepared)


def _on_side(space: Space, side: Side, x: Float, exact: Point) -> bool:
    if side.kind == "row":
        return row_value(Row(space.side_row(side), False), exact) == 0
    j = space.place_of[side.index]
    return bool(x[j] == (space.lo if side.kind == "lower" else space.hi)[j])


def _step(space: Space, bits: Bits, at: Point, direction: tuple[int, ...]) -> Point:
    """The point a little along a direction that leads into the region with these bits."""
    rows = [Row(space.side_row(side), True) for side in space.sides]
    for unit in space.index.positions.tolist():
        form = space.exact_row(bits, unit)
        if any(form[:-1]):
            sign = 1 if bits[unit] else -1
            rows.append(space.on_inputs(Row(tuple(sign * c for c in form), True)))
    # At x + s d a row is value / denominator + s slope; half of the least s where one vanishes.
    limit: tuple[int, int] | None = None
    for row in rows:
        slope = sum(c * v for c, v in zip(row.coefficients, direction, strict=False) if c)
        if slope >= 0:
            continue
        value = row_value(row, at)
        if limit is None or value * limit[1] < limit[0] * -slope:
            limit = (value, -slope)
    value, slope = limit or (at.denominator, 1)
    # A power of two below half of it keeps the numbers short: s = 2**-k.
    shift = max(0, (2 * slope * at.denominator // max(value, 1)).bit_length() + 1)
    numerators = tuple(
        (a << shift) + v * at.denominator for a, v in zip(at.numerators, direction, strict=True)
    )
    return Point(numerators, at.denominator << shift)


def _vanishing(prepared: Prepared, bits: NDArray[np.bool_], point: Float) -> set[int]:
    """Units whose forms on this region are not 0 but vanish at the point."""
    space = prepared.space
    at = Point.of_floats(point[list(space.free)])
    pattern = space.index.spread(bits.astype(np.uint8))
    out = set()
    for bit, unit in enumerate(space.index.positions.tolist()):
        form = space.exact_row(pattern, unit)
        if any(form[:-1]) and row_value(space.on_inputs(Row(form, False)), at) == 0:
            out.add(bit)
    return out


@dataclass(frozen=True, eq=False)
class Locations:
    """The regions of the rows of a data set.

    A row on a boundary belongs to the pattern that it has: a unit is active where its
    pre-activation is above 0.

    Attributes:
        widths: units per counted layer.
        bits: patterns of the regions, one a row, in order of first occurrence, 0/1 for each unit.
        first: for each region the row of the data set in which it occurs first.
        region: for each row of the data set the place of its region in ``bits``.
        counts: for each region how many rows it holds.
        on_boundary: for each row whether the pre-activation of some unit is exactly 0 there.
    """

    widths: tuple[int, ...]
    bits: Bits
    first: NDArray[np.int64]
    region: NDArray[np.int64]
    counts: NDArray[np.int64]
    on_boundary: NDArray[np.bool_]

    @property
    def shared(self) -> int:
        """How many rows share their region with another row."""
        return int(self.counts[self.counts > 1].sum())

    def pattern(self, row: int) -> ActivationPattern:
        """The pattern of a row of the data set."""
        return ActivationPattern.from_bits(self.bits[self.region[row]], self.widths)

    def __len__(self) -> int:
        return len(self.bits)


def locate(net: Any, points: ArrayLike, *, with_output: bool = False) -> Locations:
    """Find the activation pattern of every row of a data set, exactly.

    Signs that floats prove with an error bound stand; the others are found in integers.

    Arguments:
        net: the network.
        points: shape ``(rows, inputs)``.
        with_output: whether the units of the last affine layer count as ReLUs too.

    Raises:
        DomainError: another shape, or a NaN or infinity; the message names the row.
    """
    net = network_of(net)
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"the points are not a matrix of numbers: {error}") from error
    if array.ndim != 2 or array.shape[1] != net.input_dimension:
        raise DomainError(
            f"the points have shape {array.shape}; (rows, {net.input_dimension}) is needed"
        )
    if not len(array):
        raise DomainError("there are no points to locate")
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        raise DomainError(f"row {bad[0, 0]} is not finite in coordinate {bad[0, 1]}; correct it")
    problem = CountProblem.of(net, WholeSpace(), "full", with_output)
    packed, boundary = [], []
    space = Space(problem)
    for start in range(0, len(array), _CHUNK):
        chunk = array[start : start + _CHUNK]
        bits, doubtful = _many(problem, chunk)
        zero = np.zeros(len(chunk), dtype=bool)
        for row in np.flatnonzero(doubtful).tolist():
            signs = space.signs_at(chunk[row])[space.index.positions]
            bits[row] = signs > 0
            zero[row] = np.any(signs == 0)
        packed.append(np.packbits(bits, axis=1))
        boundary.append(zero)
    table = np.ascontiguousarray(np.concatenate(packed))
    keys = table.view(np.dtype((np.void, max(table.shape[1], 1)))).ravel() if table.size else None
    if keys is None:
        place, first = np.zeros(len(array), dtype=np.int64), np.zeros(1, dtype=np.int64)
    else:
        _, index, inverse = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(index, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        place, first = rank[inverse.reshape(-1)].astype(np.int64), index[order].astype(np.int64)
    return Locations(
        problem.widths,
        np.unpackbits(table[first], axis=1, count=problem.n_units)
        if table.size
        else np.zeros((1, 0), np.uint8),
        first,
        place,
        np.bincount(place, minlength=len(first)).astype(np.int64),
        np.concatenate(boundary),
    )


def _many(problem: CountProblem, points: Float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits of many points in floats, and which of them floats do not prove.

    Errors are bounded by lengths: ``|w . e| <= |w| |e|`` (Cauchy and Schwarz).
    """
    outputs = [(points, np.zeros(len(points)))]
    out = []
    doubtful = np.zeros(len(points), dtype=bool)
    with np.errstate(all="ignore"):
        for stage in problem.stages:
            g = np.repeat(stage.bias[None, :], len(points), axis=0)
            error = np.repeat(ROUNDOFF * np.abs(stage.bias)[None, :], len(points), axis=0)
            terms = len(stage.reads) + 4 + sum(w.shape[1] for w in stage.weights)
            for k, weight in zip(stage.reads, stage.weights, strict=True):
                matrix = dense(weight)
                h, spread = outputs[k]
                g += h @ matrix.T
                length = np.linalg.norm(matrix, axis=1)
                size = spread + terms * ROUNDOFF * np.linalg.norm(h, axis=1)
                error += np.outer(1.001 * size, length)
            error += terms * ROUNDOFF * np.abs(stage.bias)
            counted = ~stage.linear
            doubtful |= ~np.all((np.abs(g) > error)[:, counted], axis=1)
            active = g > 0
            out.append(active[:, counted])
            factor = np.maximum(1.0, np.abs(stage.slope))
            spread = np.linalg.norm((error + 2 * ROUNDOFF * np.abs(g)) * factor, axis=1)
            outputs.append((np.where(active, g, stage.slope * g), spread))
    bits = np.concatenate(out, axis=1) if out else np.zeros((len(points), 0), dtype=bool)
    return bits, doubtful
