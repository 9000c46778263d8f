"""The linear pieces of a small network, slowly and plainly, in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np

from milpcount.core.domain import Polytope
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide

Form = tuple[Fraction, ...]  # over the free coordinates, then the constant


def oracle_pieces(problem: CountProblem, bits: np.ndarray) -> tuple[list[int], int]:
    """The piece of each region, and the number of different maps.

    Regions with equal maps are merged if the polyhedron of the points that both closures have is
    of dimension n - 1: it spans a hyperplane, decided by linear programmes.
    """
    regions = [_region(problem, row) for row in bits.tolist()]
    domain, box = _domain(problem)
    piece = list(range(len(regions)))
    for i, j in combinations(range(len(regions)), 2):
        if piece[i] != piece[j] and regions[i][1] == regions[j][1]:
            rows = [*domain, *regions[i][0], *regions[j][0]]
            if _is_wall(rows, box):
                old, new = piece[j], piece[i]
                piece = [new if p == old else p for p in piece]
    return piece, len({region[1] for region in regions})


def oracle_closed(problem: CountProblem, bits: np.ndarray) -> list[int]:
    """The closed piece of each region.

    By the definition: all regions are joined in which the function equals the map of one at a
    common point of their closures, all pairs of them looked at, decided by linear programmes.
    """
    regions = [_region(problem, row) for row in bits.tolist()]
    domain, box = _domain(problem)
    labels = list(range(len(regions)))
    for affine in {region[1] for region in regions}:
        part = list(range(len(regions)))
        for i, j in combinations(range(len(regions)), 2):
            if part[i] != part[j]:
                gaps = [
                    tuple(x - y for x, y in zip(mine, theirs, strict=True))
                    for mine, theirs in zip(regions[i][1], affine, strict=True)
                ]
                equal = [form for g in gaps for form in (g, tuple(-c for c in g))]
                rows = [*domain, *regions[i][0], *regions[j][0], *equal]
                if decide([_row(form, False) for form in rows], box).feasible:
                    old, new = part[j], part[i]
                    part = [new if p == old else p for p in part]
        mine = [k for k, region in enumerate(regions) if region[1] == affine]
        for k in mine:
            labels[k] = next(i for i in mine if part[i] == part[k])
    return labels


def _free(problem: CountProblem) -> list[int]:
    return np.flatnonzero(problem.box.lo != problem.box.hi).tolist()


def _region(problem: CountProblem, bits: list[int]) -> tuple[list[Form], tuple[Form, ...]]:
    """The weak rows of the closure, and the map."""
    lo = problem.box.lo
    free = _free(problem)
    h: list[Form] = []
    for j in range(problem.dimension):
        unit = [Fraction(int(j == k)) for k in free]
        fixed = j not in free
        h.append((*unit, Fraction(float(lo[j])) if fixed else Fraction(0)))
    rows, place = [], 0
    for layer in problem.stages:
        after = []
        for w, b, s in zip(layer.weight, layer.bias, layer.slope, strict=True):
            g = _combine(w, b, h)
            active = bits[place]
            place += 1
            rows.append(g if active else tuple(-c for c in g))
            factor = Fraction(1) if active else Fraction(float(s))
            after.append(tuple(factor * c for c in g))
        h = after
    if not problem.with_output:
        net = problem.network
        h = [_combine(w, b, h) for w, b in zip(net.weights[-1], net.biases[-1], strict=True)]
    return rows, tuple(h)


def _combine(weights: np.ndarray, bias: float, forms: list[Form]) -> Form:
    total = [Fraction(0)] * len(forms[0])
    total[-1] = Fraction(float(bias))
    for w, form in zip(weights.tolist(), forms, strict=True):
        if w:
            total = [t + Fraction(w) * c for t, c in zip(total, form, strict=True)]
    return tuple(total)


def _domain(problem: CountProblem) -> tuple[list[Form], ExactBox]:
    """The domain as rows over the free coordinates; the box of the programmes has no ends."""
    free = _free(problem)
    n = len(free)
    rows: list[Form] = []
    for k, j in enumerate(free):
        lo, hi = float(problem.box.lo[j]), float(problem.box.hi[j])
        if np.isfinite(lo):
            rows.append((*(Fraction(int(k == i)) for i in range(n)), -Fraction(lo)))
        if np.isfinite(hi):
            rows.append((*(Fraction(-int(k == i)) for i in range(n)), Fraction(hi)))
    if isinstance(problem.domain, Polytope):
        for a, c in zip(problem.domain.A, problem.domain.c, strict=True):
            rows.append((*(-Fraction(v) for v in a.tolist()), Fraction(float(c))))
    return rows, ExactBox((None,) * n, (None,) * n, 1)


def _is_wall(rows: list[Form], box: ExactBox) -> bool:
    """Whether the polyhedron ``rows >= 0`` has dimension n - 1.

    A row is an implicit equation if no point of the polyhedron is strict in it.  The dimension of
    a non-empty polyhedron is n minus the rank of its implicit equations.
    """
    weak = [_row(form, False) for form in rows]
    if not decide(weak, box).feasible:
        return False
    equations = [
        form
        for k, form in enumerate(rows)
        if any(form[:-1])
        and not decide([*weak[:k], _row(form, True), *weak[k + 1 :]], box).feasible
    ]
    return _rank([list(form[:-1]) for form in equations]) == 1


def _row(form: Form, strict: bool) -> Row:
    scale = int(np.lcm.reduce([c.denominator for c in form], dtype=object))
    return Row(tuple(int(c * scale) for c in form), strict)


def _rank(rows: list[list[Fraction]]) -> int:
    rank = 0
    while rows and rows[0]:
        pivot = next((r for r in rows if r[0]), None)
        if pivot is None:
            rows = [r[1:] for r in rows]
            continue
        rank += 1
        rest = [r for r in rows if r is not pivot]
        rows = [
            [x - r[0] / pivot[0] * y for x, y in zip(r[1:], pivot[1:], strict=True)] for r in rest
        ]
    return rank
