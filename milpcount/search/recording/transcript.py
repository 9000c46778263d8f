"""Steps of a search in a chart, as steps over the problem's own coordinates.

A certificate knows no charts (:mod:`milpcount.search.frames.charts`): of an unbounded domain its
sums are bounded over all of ``R^n``, so that they have to cancel.  Every step of the compiled
search has a counterpart.

**Points.**  That of ``s`` in the simplex.

**Sums.**  Let ``w_i >= 0`` be the weights of rows ``g_i``, the row that they refute among them.  In
the chart ``t g_i`` are affine forms in ``s``, and so is, ``t`` being ``1 - sum s``,

    t sum_i w_i g_i  =  b t + sum_k a_k s_k.

The search proved that this is at most 0 on the cube, hence at the simplex's corners: ``b <= 0`` and
all ``a_k <= 0``.  Up to a factor ``t s_k`` is ``t`` times the signed row of a basic unit or a row
of the domain, and these hold in the orthant.  Added with the weight ``-a_k`` they leave the
constant ``b <= 0``.  So whatever the search rounds its weights to, the sum cancels exactly.  A
row that is an end of the box need not be added: sums are bounded over the box.

Weights ``w_i`` are dyadic, ``a_k`` are multiples of ``1 / common``, the forms' denominator; all are
multiplied by it.  A row that is refuted then has another weight than 1, as steps 6 and 7 want it,
so that a branch is written and its empty side.

**Orthants.**  They are reached from the root by branches on the basic units.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import mul

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.errors import InvariantError
from milpcount.exact.forms import problem_stages
from milpcount.exact.prefix import Prefix
from milpcount.search.frames.charts import Atlas
from milpcount.search.recording import encode
from milpcount.search.recording.chart_steps import Branch, Never, Spot, read_steps
from milpcount.search.recording.coordinates import Coordinates

__all__ = ["Transcript", "orthant_segments"]

_OPEN, _ACTIVE, _INACTIVE, _LINEAR = range(4)

Signs = NDArray[np.int8]
ScaledRow = tuple[tuple[int, ...], int]


class _Node:
    """A node: what its units are, and the rows of all stages that were entered.

    Attributes:
        rows: of every unit, with the ``shift`` of ``row = 2**shift common t g``; never changed,
            because the nodes below share them.
        prefix: behind these stages.
    """

    __slots__ = ("prefix", "rows", "units")

    def __init__(self, units: bytearray, prefix: Prefix, rows: list[ScaledRow]) -> None:
        self.units, self.prefix, self.rows = units, prefix, rows

    def child(self, unit: int, sign: int) -> _Node:
        """The node where the unit has this sign; here it gets the other one."""
        child = _Node(bytearray(self.units), self.prefix, self.rows)
        child.units[unit] = _ACTIVE if sign > 0 else _INACTIVE
        self.units[unit] = _INACTIVE if sign > 0 else _ACTIVE
        return child


class Transcript:
    """Translates the steps of one chart, portion by portion."""

    def __init__(
        self, problem: CountProblem, atlas: Atlas, index: int, coordinates: Coordinates
    ) -> None:
        """Set up for an orthant of the atlas."""
        units = problem.index
        self._starts, self._linear = units.starts, units.linear
        self._atlas, self._coordinates = atlas, coordinates
        self._sigma = atlas.orthant(index)
        charted = atlas.on_simplex(self._sigma)
        self._common, self._cuts = charted.common, charted.cuts
        self._root = Prefix.root(problem_stages(problem), charted.first)
        self._first = charted.first.scaled_rows()
        self._common_odd, self._common_power = _odd(charted.common)
        # Numbers in certificates: the domain's rows, then the units.
        self._before = len(problem.rows[1])
        # For each s_k the number of what it is a multiple of, and the exponent of the multiple.
        self._basic: list[tuple[int, int] | None] = []
        for unit, row, scale in zip(atlas.units, atlas.rows, atlas.scales, strict=True):
            power = scale.bit_length() - 1
            if unit is not None:
                self._basic.append((self._before + unit, atlas.shift - power))
            elif row is not None and row.number is not None:
                self._basic.append((row.number, atlas.lift - power))
            else:
                self._basic.append(None)
        self._stack: list[_Node] = []

    def translate(self, opened: Sequence[Signs], steps: bytes) -> bytes:
        """The steps of a portion.

        Arguments:
            opened: the nodes with which it began, the last one first to be searched.
            steps: as the compiled search wrote them.
        """
        stack = self._stack = self._resume(opened)
        out: list[bytes] = []
        for step in read_steps(steps, len(self._sigma)):
            if isinstance(step, Spot):
                stack.pop()
                point = self._atlas.point(step.numerators, step.shift, self._sigma)
                out.append(encode.point(self._coordinates.of(point)))
                continue
            node = stack[-1]
            stage = self._present(node)
            unit = self._starts[stage] + step.place
            out.append(encode.branch(step.place, step.sign))
            if isinstance(step, Branch):
                stack.append(node.child(unit, step.sign))
            else:
                out.append(self._refuted(node, unit, step))
                node.units[unit] = _INACTIVE if step.sign > 0 else _ACTIVE
        return b"".join(out)

    def _resume(self, opened: Sequence[Signs]) -> list[_Node]:
        """The stack; nodes that waited in the last portion have their forms still."""
        known = {bytes(node.units): node for node in self._stack}
        stack = []
        for signs in opened:
            units = np.where(signs > 0, _ACTIVE, np.where(signs < 0, _INACTIVE, _OPEN))
            units[self._linear] = _LINEAR
            key = units.astype(np.uint8).tobytes()
            stack.append(known.get(key) or _Node(bytearray(key), self._root, self._first))
        return stack

    def _present(self, node: _Node) -> int:
        """The stage of the first open unit; its forms are at hand from then on."""
        stage = bisect_right(self._starts, node.units.find(_OPEN)) - 1
        while node.prefix.stage < stage:
            first, behind = self._starts[node.prefix.stage : node.prefix.stage + 2]
            node.prefix = node.prefix.push([s != _INACTIVE for s in node.units[first:behind]])
            node.rows = node.rows + node.prefix.forms.scaled_rows()
        return stage

    def _refuted(self, node: _Node, unit: int, step: Never) -> bytes:
        """The sum of a step, which settles the empty side of its branch."""
        units, rows, before = node.units, node.rows, self._before
        common, common_power = self._common_odd, self._common_power
        # Of each row of the search: an integer and a power of two by which it is multiplied.
        row, shift = rows[unit]
        factors, powers, parts = [step.sign], [-shift], [row]
        written = [(before + unit, common, common_power)]
        for number, mantissa, exponent in step.terms:
            other = number - len(self._cuts)
            if other >= 0:
                row, shift = rows[other]
                factors.append(mantissa if units[other] == _ACTIVE else -mantissa)
                powers.append(exponent - shift)
                parts.append(row)
                odd, spare = _odd(mantissa)
                written.append((before + other, common * odd, common_power + spare + exponent))
            elif number:
                row, denominator = self._cuts[number]
                power = exponent - max(abs(v).bit_length() for v in row)
                factors.append(self._common * mantissa)
                powers.append(power)
                parts.append(row)
                name = self._atlas.cuts[number - 1][0].number
                if name is not None:
                    odd, spare = _odd(self._common * mantissa * denominator)
                    written.append((name, odd, spare + power + self._atlas.lift))
            # Row 0 is t itself: without it the sum is smaller still.
        least = min(powers)
        factors = [f << (power - least) for f, power in zip(factors, powers, strict=True)]
        *total, constant = [sum(map(mul, factors, column)) for column in zip(*parts, strict=True)]
        for basic, c in zip(self._basic, total, strict=True):
            rest = -(c + constant)
            if rest < 0 or constant > 0:
                raise InvariantError("a sum that was proved to be negative is not")
            if rest and basic is not None:
                odd, spare = _odd(rest)
                written.append((basic[0], odd, least + spare + basic[1]))
        return encode.empty(written)


def _odd(number: int) -> tuple[int, int]:
    """A number above 0 as an odd one, which has few bits, times a power of two."""
    spare = (number & -number).bit_length() - 1
    return number >> spare, spare


def orthant_segments(atlas: Atlas, root: Signs) -> Iterator[tuple[Signs, bytes]]:
    """Segments, each a node and its steps, that lead from the root to all orthants.

    Each opens a node and leaves orthants or nodes that are opened later: it takes the next basic
    unit active, and the one behind it, and so on.
    """
    units = sorted(unit for unit in atlas.units if unit is not None)
    waiting = [(root, 0)] if units else []
    while waiting:
        signs, done = waiting.pop()
        steps = b"".join(encode.branch(unit, 1) for unit in units[done:])
        yield signs, steps
        for k in range(done, len(units)):
            if k + 1 < len(units):
                other = signs.copy()
                other[units[k]] = -1
                waiting.append((other, k + 1))
            signs = signs.copy()
            signs[units[k]] = 1
