"""Affine maps and half-spaces of many regions of one network, quickly and to stated accuracy.

The network's map on a region is ``F B x + b`` with ``F`` of few columns (:mod:`.space`).  Floats
give it with a bound on the error of every entry; entries that they do not give to
:data:`ACCURACY` are computed in integers and rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, WholeSpace
from milpcount.core.problem import CountProblem
from milpcount.errors import InputError
from milpcount.exact.feasibility import Row
from milpcount.geometry.float_forms import ROUNDOFF, WIDE_ROUNDOFF
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Wall

if TYPE_CHECKING:
    from milpcount.geometry.region import Region

__all__ = ["ACCURACY", "Maps", "affine_maps", "unit_length"]

ACCURACY = 2.0**-40
_TOGETHER = 1 << 20  # numbers of an array that regions share

Bits = NDArray[np.bool_]
Float = NDArray[np.float64]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]


class Maps:
    """The network of a problem, prepared for maps."""

    def __init__(self, problem: CountProblem) -> None:
        self._problem = problem

    @cached_property
    def _inputs(self) -> Space:
        """All inputs, hidden units and outputs: the outputs are the last forms."""
        return Space(CountProblem.of(self._problem.network, WholeSpace(), with_output=True))

    @cached_property
    def _domain(self) -> Space:
        """The problem's own coordinates that vary, without sides where it is a box."""
        problem = self._problem
        box = problem.domain
        if isinstance(box, Box):
            vary = box.lo < box.hi
            lo, hi = np.where(vary, -np.inf, box.lo), np.where(vary, np.inf, box.hi)
            problem = replace(problem, domain=Box(lo, hi))
        return Space(problem)

    def affine_map(self, bits: Bits) -> tuple[Float, Float]:
        """``(A, b)`` of the region with these bits."""
        matrices, constants = self._affine_maps(bits[None])
        return matrices[0], constants[0]

    def affine_maps(self, bits: Bits) -> tuple[Float, Float]:
        """``A`` and ``b`` of many regions, one row of bits each."""
        net = self._problem.network
        outputs, inputs = net.output_dimension, net.input_dimension
        matrices = np.empty((len(bits), outputs, inputs))
        constants = np.empty((len(bits), outputs))
        space = self._inputs
        each = max(1, outputs * space.n, space.n_units * (space.d + 1))
        step = max(1, _TOGETHER // each)
        for k in range(0, len(bits), step):
            part = slice(k, k + step)
            matrices[part], constants[part] = self._affine_maps(bits[part])
        return matrices, constants

    def _affine_maps(self, bits: Bits) -> tuple[Float, Float]:
        space, outputs = self._inputs, self._problem.network.output_dimension
        hidden = space.index.n_units - outputs
        full = np.ones((len(bits), space.n_units), dtype=np.uint8)
        full[:, space.index.positions[:hidden]] = bits[:, :hidden]
        # A single region: its active units' columns alone.
        values, errors = space.floats.forms_of(full[0] if len(full) == 1 else full)
        values, errors = (a.reshape(len(bits), -1, space.d + 1) for a in (values, errors))
        last, spread = values[:, -outputs:, :-1], errors[:, -outputs:, :-1]
        constants = values[:, -outputs:, -1].copy()
        with np.errstate(all="ignore"):
            if space.reduced:
                flat = last.reshape(-1, space.d)
                matrices = (flat @ space.lift).reshape(*constants.shape, space.n)
                sizes = spread + (space.d + 2) * ROUNDOFF * np.abs(last)
                least = sizes.reshape(-1, space.d) @ self._least_lift
                least = least.reshape(matrices.shape)
            else:
                matrices, least = last.copy(), spread / ACCURACY
            wrong = np.flatnonzero(~(least <= np.abs(matrices)))
            doubt = errors[:, -outputs:, -1]
            wrong_constants = np.argwhere(~(doubt <= ACCURACY * np.abs(constants)))
        if wrong.size and space.reduced:
            wrong = self._widely(matrices, wrong, full, errors)
        places = np.unravel_index(wrong, matrices.shape)
        for r in {*places[0].tolist(), *wrong_constants[:, 0].tolist()}:
            mine, here = places[0] == r, wrong_constants[:, 0] == r
            self._correct(
                matrices[r],
                constants[r],
                (places[1][mine], places[2][mine]),
                wrong_constants[here, 1],
                full[r],
            )
        return matrices, constants

    @cached_property
    def _least_lift(self) -> Float:
        """Sizes of ``B``, such that their products with error bounds are what is accurate at least.

        An entry of that absolute value is known to :data:`ACCURACY`.
        """
        return np.asarray(1.001 / ACCURACY * self._inputs.lift_size)

    def _correct(
        self,
        matrix: Float,
        constants: Float,
        wrong: Places,
        wrong_constants: NDArray[np.intp],
        bits: NDArray[np.uint8],
    ) -> None:
        """Put in entries of one region that floats do not give, from integers."""
        space, (rows, places) = self._inputs, wrong
        last = space.exact_forms(bits)[-1]
        common = 1 if last.one is None else last.one[-1]
        needed = {*rows.tolist(), *wrong_constants.tolist()}
        entries = {i: [int(last.matrix[i, j]) for j in range(space.d + 1)] for i in needed}
        for i in wrong_constants.tolist():
            constants[i] = _quotient(entries[i][-1], common << last.shift)
        if not space.reduced:
            for i, j in zip(rows.tolist(), places.tolist(), strict=True):
                matrix[i, j] = _quotient(entries[i][j], common << last.shift)
            return
        shift = last.shift + space.exact_lift[1]
        columns = self._lift_columns
        for i, j in zip(rows.tolist(), places.tolist(), strict=True):
            value = sum(a * b for a, b in zip(entries[i], columns[j], strict=False))
            matrix[i, j] = _quotient(value, common << shift)

    def _widely(
        self, matrices: Float, wrong: NDArray[np.intp], bits: NDArray[np.uint8], errors: Float
    ) -> NDArray[np.intp]:
        """Put in what the widest floats of the machine give; returns what they do not either.

        ``wrong`` are places in the flat matrices.
        """
        if WIDE_ROUNDOFF >= ROUNDOFF:
            return wrong
        space, (_, outputs, n) = self._inputs, matrices.shape
        with np.errstate(all="ignore"):
            values, spread = space.floats.wide_forms_of(bits[0] if len(bits) == 1 else bits, errors)
            last = values[..., -outputs:, :-1].reshape(-1, space.d)
            sizes = spread[..., -outputs:, :-1].reshape(-1, space.d)
            sizes = sizes + (space.d + 2) * WIDE_ROUNDOFF * np.abs(last).astype(np.float64)
            rows, places = np.divmod(wrong, n)
            columns = self._columns[places]
            found = np.einsum("ij,ij->i", last[rows], columns).astype(np.float64)
            blur = 1.001 * np.einsum("ij,ij->i", sizes[rows], np.abs(columns))
            good = blur + ROUNDOFF * np.abs(found) <= ACCURACY * np.abs(found)
        matrices.reshape(-1)[wrong[good]] = found[good]
        return np.asarray(wrong[~good])

    @cached_property
    def _columns(self) -> Float:
        """Columns of ``B``, one a row."""
        return np.ascontiguousarray(self._inputs.lift.T)

    @cached_property
    def _lift_columns(self) -> list[list[int]]:
        """Columns of ``B`` in integers."""
        lift, _ = self._inputs.exact_lift
        rows = [[int(v) for v in row] for row in lift.tolist()]
        return [list(column) for column in zip(*rows, strict=True)]

    def halfspaces(self, bits: Bits) -> tuple[Float, Float]:
        """``(A, c)`` of the region with these bits."""
        space = self._domain
        spread_bits = space.index.spread(bits.astype(np.uint8))
        forms = space.float_forms(spread_bits)
        slopes, spread = forms.values[:, :-1], forms.errors[:, :-1]
        varies = (slopes != 0).any(axis=1) | (spread != 0).any(axis=1)
        rows = np.flatnonzero(varies & ~space.index.linear)
        sign = np.where(spread_bits[rows], -1.0, 1.0)
        slopes, spread = sign[:, None] * slopes[rows], spread[rows]
        offset, doubt = -sign * forms.values[rows, -1], forms.errors[rows, -1]
        with np.errstate(all="ignore"):
            if space.reduced:
                # The length of e |B| is at most the sum of e_k |B_k| over the rows of B.
                spread = spread + (space.d + 2) * ROUNDOFF * np.abs(slopes)
                blur = 1.001 * (spread @ self._lift_lengths) + doubt
                matrix = slopes @ space.lift
            else:
                matrix, blur = slopes, np.linalg.norm(spread, axis=1) + doubt
            length = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
            unsure = np.flatnonzero(~(blur <= ACCURACY * length))
        constant = []
        for i in unsure.tolist():
            unit = int(rows[i])
            exact = space.on_inputs(Row(space.exact_row(spread_bits, unit), True)).coefficients
            if not any(exact[:-1]):
                constant.append(i)
                length[i] = 1.0
                continue
            top = max(abs(c) for c in exact[:-1])
            row = sign[i] * np.array([_quotient(c, top) for c in exact])
            matrix[i], offset[i] = row[:-1], -row[-1]
            length[i] = np.linalg.norm(row[:-1])
        matrix /= length[:, None]
        offset /= length
        if constant:
            matrix, offset = np.delete(matrix, constant, axis=0), np.delete(offset, constant)
        first, right = self._polytope
        if space.n < self._problem.dimension:
            wide = np.zeros((len(matrix), self._problem.dimension))
            wide[:, list(space.free)] = matrix
            matrix = wide
        if len(right):
            return np.vstack([first, matrix]), np.concatenate([right, offset])
        return matrix, offset

    @cached_property
    def _lift_lengths(self) -> Float:
        """Lengths of the rows of ``B``."""
        return np.asarray(1.001 * np.linalg.norm(self._domain.lift, axis=1))

    @cached_property
    def _polytope(self) -> tuple[Float, Float]:
        """The rows of the polytope, of unit length."""
        matrix, right = self._problem.rows
        length = np.linalg.norm(matrix, axis=1)
        keep = length > 0
        return matrix[keep] / length[keep, None], right[keep] / length[keep]


def affine_maps(regions: Iterable[Region]) -> tuple[Float, Float]:
    """``(A, b)`` of many regions of one network: ``A[k] x + b[k]`` is its output on region ``k``.

    As :meth:`milpcount.Region.affine_map`, some times faster.

    Arguments:
        regions: of one network; their domains may differ.

    Returns:
        Arrays of the shapes ``(regions, outputs, inputs)`` and ``(regions, outputs)``.

    Raises:
        InputError: no region, or regions of several networks.
    """
    found = list(regions)
    if not found:
        raise InputError("no regions are given; affine_maps needs at least one")
    problem, hidden = found[0].problem, sum(found[0].problem.network.counted_widths)
    for region in found:
        network = region.problem.network
        if network is not problem.network and network.sha256 != problem.network.sha256:
            raise InputError("the regions belong to several networks; give those of one")
    return problem.once(Maps).affine_maps(np.array([r.pattern.bits[:hidden] for r in found]))


def unit_length(space: Space, bits: NDArray[np.uint8], wall: Wall) -> tuple[Float, float]:
    """Outer normal of unit length and offset of a wall, in the problem's coordinates."""
    if wall.side is not None and wall.side.kind != "row":
        normal = np.zeros(space.problem.dimension)
        j, lower = wall.side.index, wall.side.kind == "lower"
        normal[j] = -1.0 if lower else 1.0
        box = space.problem.box
        return normal, float(-box.lo[j] if lower else box.hi[j])
    if wall.side is not None:
        row = space.side_row(wall.side)
    else:
        form = space.exact_row(bits, wall.units[0])
        sign = 1 if bits[wall.units[0]] else -1
        row = tuple(sign * c for c in form)
        if space.reduced:
            top = max(abs(c) for c in row[:-1])
            normal = np.array([-c / top for c in row[:-1]]) @ space.lift
            length = float(np.linalg.norm(normal))
            wide = np.zeros(space.problem.dimension)
            wide[list(space.free)] = normal / length
            return wide, _quotient(row[-1], top) / length
    top = max(abs(c) for c in row[:-1])
    normal = np.zeros(space.problem.dimension)
    normal[list(space.free)] = [-c / top for c in row[:-1]]
    length = float(np.linalg.norm(normal))
    return normal / length, _quotient(row[-1], top) / length


def _quotient(a: int, b: int) -> float:
    try:
        return a / b
    except OverflowError:
        return float("inf") if a > 0 else float("-inf")
