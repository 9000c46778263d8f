"""An oracle for plane dual graphs, written for itself: convex polygons clipped in fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import combinations

import milpcount as mc
from milpcount.core.matrix import dense

__all__ = ["plane_graph"]

Corner = tuple[Fraction, Fraction]
Form = tuple[Fraction, Fraction, Fraction]  # a x + b y + c

_ZERO: Form = (Fraction(0), Fraction(0), Fraction(0))


def plane_graph(
    net: mc.ReLUNetwork, ends: int, with_output: bool
) -> tuple[set[bytes], set[frozenset[bytes]]]:
    """Patterns with interior points in ``[-ends, ends]^2``, and pairs that share a segment."""
    lo, hi = Fraction(-ends), Fraction(ends)
    cells = [([(lo, lo), (hi, lo), (hi, hi), (lo, hi)], b"", [[(Fraction(1), Fraction(0),
              Fraction(0)), (Fraction(0), Fraction(1), Fraction(0))]])]  # fmt: skip
    for stage in net.counted_stages(with_output):
        found = []
        for polygon, bits, outputs in cells:
            rows = [dense(w).tolist() for w in stage.weights]
            forms = []
            for i, bias in enumerate(stage.bias.tolist()):
                form = (Fraction(0), Fraction(0), Fraction(bias))
                for row, k in zip(rows, stage.reads, strict=True):
                    for weight, before in zip(row[i], outputs[k], strict=True):
                        form = _sum(form, Fraction(weight), before)
                forms.append(form)
            parts = [(polygon, bits, [])]
            for form, slope, linear in zip(
                forms, stage.slope.tolist(), stage.linear.tolist(), strict=True
            ):
                if linear:
                    parts = [(p, b, [*out, form]) for p, b, out in parts]
                    continue
                split = []
                for p, b, out in parts:
                    below = _sum(_ZERO, Fraction(slope), form)
                    if not any(form):
                        split.append((p, b + b"\0", [*out, below]))
                        continue
                    opposite = _sum(_ZERO, Fraction(-1), form)
                    for side, state, passed in ((form, b"\1", form), (opposite, b"\0", below)):
                        part = _clipped(p, side)
                        if part:
                            split.append((part, b + state, [*out, passed]))
                parts = split
            found += [(p, b, [*outputs, out]) for p, b, out in parts]
        cells = found
    return {bits for _, bits, _ in cells}, _edges([(bits, polygon) for polygon, bits, _ in cells])


def _sum(form: Form, factor: Fraction, other: Form) -> Form:
    a, b, c = (x + factor * y for x, y in zip(form, other, strict=True))
    return a, b, c


def _clipped(polygon: list[Corner], form: Form) -> list[Corner]:
    """The part where the form is at least 0; empty unless it has interior points."""
    values = [form[0] * x + form[1] * y + form[2] for x, y in polygon]
    if not any(v > 0 for v in values):
        return []
    out: list[Corner] = []
    for k, (corner, value) in enumerate(zip(polygon, values, strict=True)):
        before, last = polygon[k - 1], values[k - 1]
        if value * last < 0:
            t = last / (last - value)
            out.append((before[0] + t * (corner[0] - before[0]),
                        before[1] + t * (corner[1] - before[1])))  # fmt: skip
        if value >= 0:
            out.append(corner)
    return out


def _edges(cells: list[tuple[bytes, list[Corner]]]) -> set[frozenset[bytes]]:
    """Pairs of cells whose sides overlap in more than a point."""
    lines = defaultdict(list)
    for bits, polygon in cells:
        for k, (x, y) in enumerate(polygon):
            u, v = polygon[k - 1]
            if (x, y) == (u, v):
                continue
            a, b = y - v, u - x
            c = -(a * x + b * y)
            top = a if a else b
            ends = sorted([(x, u), (y, v)][a != 0])
            lines[a / top, b / top, c / top].append((ends, bits))
    return {
        frozenset((p, q))
        for sides in lines.values()
        for (s, p), (t, q) in combinations(sides, 2)
        if p != q and max(s[0], t[0]) < min(s[1], t[1])
    }
