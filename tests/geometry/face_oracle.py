"""All faces of a network in rational arithmetic, one sign after the other; written for itself.

A set of points with the same signs of some first units is a relatively open polyhedron on which the
next unit is one affine function: it is split into the parts where that is negative, zero, positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm

from flint import fmpq, fmpq_mat

import milpcount as mc
from milpcount.core.domain import Polytope, Slice
from milpcount.core.matrix import dense
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide

Form = list[Fraction]
Name = tuple[tuple[int, ...], tuple[bool, ...]]  # signs of the units, sides


def faces(net: mc.ReLUNetwork, domain: mc.Domain, with_output: bool = False) -> dict[Name, int]:
    """Every face by its signs and its sides, with its dimension."""
    inputs, sides = _coordinates(net, domain)
    n = len(inputs[0]) - 1
    found: dict[Name, int] = {}
    for on, rows, zeros in _domain_faces(sides, n):
        for signs, equations in _split(net, inputs, with_output, rows, zeros, n):
            rank = (
                fmpq_mat(
                    len(equations),
                    n,
                    [fmpq(c.numerator, c.denominator) for e in equations for c in e[:n]],
                ).rank()
                if equations
                else 0
            )
            found[signs, on] = n - rank
    return found


def _coordinates(net: mc.ReLUNetwork, domain: mc.Domain) -> tuple[list[Form], list[Form]]:
    """The inputs as forms of the coordinates that vary, and the sides, each at least 0 inside."""
    resolved = domain.resolve(net.input_dimension)
    box = resolved.box if isinstance(resolved, Slice) else resolved
    if isinstance(box, Polytope):
        n = net.input_dimension
        rows = [
            [*(-Fraction(float(a)) for a in row), Fraction(float(c))]
            for row, c in zip(box.A, box.c, strict=True)
        ]
        return [[Fraction(int(i == j)) for i in range(n + 1)] for j in range(n)], rows
    free = [j for j in range(len(box.lo)) if box.lo[j] < box.hi[j]]
    n = len(free)

    def coordinate(j: int) -> Form:
        if j in free:
            return [Fraction(int(i == free.index(j))) for i in range(n + 1)]
        return [Fraction(0)] * n + [Fraction(float(box.lo[j]))]

    forms = [coordinate(j) for j in range(len(box.lo))]
    sides = []
    for j in free:
        for sign, end in ((1, box.lo[j]), (-1, box.hi[j])):
            if abs(end) < float("inf"):
                side = [sign * c for c in forms[j]]
                side[-1] -= sign * Fraction(float(end))
                sides.append(side)
    if not isinstance(resolved, Slice):
        return forms, sides
    origin, *others = [[Fraction(float(v)) for v in p] for p in resolved.points]
    out = []
    for i, base in enumerate(origin):
        form = [Fraction(0)] * n + [base]
        for t, point in zip(forms, others, strict=True):
            form = [a + (point[i] - base) * b for a, b in zip(form, t, strict=True)]
        out.append(form)
    return out, sides


def _domain_faces(
    sides: list[Form], n: int
) -> Iterator[tuple[tuple[bool, ...], list[Form], list[Form]]]:
    """Which sides, the strict rows, the equations: of every face of the domain."""
    open_: list[tuple[tuple[bool, ...], list[Form], list[Form]]] = [((), [], [])]
    for side in sides:
        more = []
        for on, rows, zeros in open_:
            if _feasible([*rows, side], zeros, n):
                more.append(((*on, False), [*rows, side], zeros))
            if _feasible(rows, [*zeros, side], n):
                more.append(((*on, True), rows, [*zeros, side]))
        open_ = more
    yield from open_


def _split(
    net: mc.ReLUNetwork,
    inputs: list[Form],
    with_output: bool,
    rows: list[Form],
    zeros: list[Form],
    n: int,
) -> Iterator[tuple[tuple[int, ...], list[Form]]]:
    stages = [*net.stages, *([net.output.as_relu()] if with_output else [])]

    def form_of(k: int, unit: int, outputs: list[list[Form]]) -> Form:
        stage = stages[k]
        total = [Fraction(0)] * n + [Fraction(float(stage.bias[unit]))]
        for read, weight in zip(stage.reads, stage.weights, strict=True):
            for w, h in zip(dense(weight)[unit], outputs[read], strict=True):
                if w:
                    total = [a + Fraction(float(w)) * b for a, b in zip(total, h, strict=True)]
        return total

    def go(
        k: int,
        unit: int,
        outputs: list[list[Form]],
        signs: tuple[int, ...],
        rows: list[Form],
        zeros: list[Form],
    ) -> Iterator[tuple[tuple[int, ...], list[Form]]]:
        if k == len(stages):
            yield signs, zeros
            return
        stage = stages[k]
        if unit == stage.width:
            yield from go(k + 1, 0, [*outputs, []], signs, rows, zeros)
            return
        form = form_of(k, unit, outputs)
        here = outputs[k + 1]
        slope = Fraction(float(stage.slope[unit]))
        if stage.linear[unit]:
            after = [*outputs[: k + 1], [*here, form]]
            yield from go(k, unit + 1, after, signs, rows, zeros)
            return
        minus = [-c for c in form]
        for sign, more, equal, factor in (
            (1, [form], [], Fraction(1)),
            (0, [], [form], Fraction(0)),
            (-1, [minus], [], slope),
        ):
            if _feasible([*rows, *more], [*zeros, *equal], n):
                passed = [factor * c for c in form]
                after = [*outputs[: k + 1], [*here, passed]]
                yield from go(k, unit + 1, after, (*signs, sign), [*rows, *more], [*zeros, *equal])

    yield from go(0, 0, [inputs, []], (), rows, zeros)


def _feasible(rows: list[Form], zeros: list[Form], n: int) -> bool:
    system = [Row(_integers(row), True) for row in rows]
    for row in zeros:
        system += [Row(_integers(row), False), Row(_integers([-c for c in row]), False)]
    return decide(system, ExactBox((None,) * n, (None,) * n, 1)).feasible


def _integers(form: Form) -> tuple[int, ...]:
    scale = lcm(*(c.denominator for c in form))
    return tuple(int(c * scale) for c in form)
