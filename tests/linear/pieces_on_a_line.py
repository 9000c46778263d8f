"""The pieces of a network with one input, from its breakpoints, in fractions and nothing else."""

from __future__ import annotations

import itertools
from fractions import Fraction

import milpcount as mc

Line = tuple[Fraction, Fraction]  # slope and constant
Piece = tuple[Fraction, Fraction, tuple[Line, ...]]


def function_on(net: mc.ReLUNetwork, lo: int, hi: int) -> list[Piece]:
    """The function on consecutive intervals: ends, and slope and constant of each output."""
    pieces: list[Piece] = [(Fraction(lo), Fraction(hi), ((Fraction(1), Fraction(0)),))]
    for layer in net.stages:
        cut: list[Piece] = []
        for a, b, inputs in pieces:
            forms = _affine(layer.weight, layer.bias, inputs)
            zeros = {-c / s for s, c in forms if s}
            ends = sorted({a, b, *(z for z in zeros if a < z < b)})
            for left, right in itertools.pairwise(ends):
                middle = (left + right) / 2
                passed = []
                for (s, c), slope in zip(forms, layer.slope.tolist(), strict=True):
                    factor = Fraction(1) if s * middle + c > 0 else Fraction(slope)
                    passed.append((factor * s, factor * c))
                cut.append((left, right, tuple(passed)))
        pieces = cut
    out = net.output
    return [(a, b, _affine(out.weight, out.bias, inputs)) for a, b, inputs in pieces]


def _affine(weight: object, bias: object, inputs: tuple[Line, ...]) -> tuple[Line, ...]:
    out = []
    for row, b in zip(weight.tolist(), bias.tolist(), strict=True):  # type: ignore[attr-defined]
        slope = sum((Fraction(w) * s for w, (s, _) in zip(row, inputs, strict=True)), Fraction(0))
        constant = sum(
            (Fraction(w) * c for w, (_, c) in zip(row, inputs, strict=True)), Fraction(b)
        )
        out.append((slope, constant))
    return tuple(out)


def numbers_on_a_line(net: mc.ReLUNetwork, lo: int, hi: int) -> dict[str, int]:
    """How many linear, closed and affine pieces there are on an interval."""
    pieces = function_on(net, lo, hi)
    maps = [lines for _, _, lines in pieces]
    linear = 1 + sum(one != two for one, two in itertools.pairwise(maps))
    closed = 0
    for chosen in set(maps):
        # The closed set on which the function is this map, as intervals from left to right.
        parts: list[tuple[Fraction, Fraction, bool]] = []
        for a, b, lines in pieces:
            if lines == chosen:
                parts.append((a, b, True))
                continue
            gaps = [(s - t, c - d) for (s, c), (t, d) in zip(lines, chosen, strict=True)]
            if any(s == 0 and c for s, c in gaps):
                continue
            points = {-c / s for s, c in gaps if s}
            if len(points) == 1 and a <= min(points) <= b:
                parts.append((min(points), min(points), False))
        end, full = None, False
        for a, b, whole in sorted(parts, key=lambda part: part[:2]):
            if end is None or a > end:
                closed += full
                full = False
            end, full = b if end is None else max(end, b), full or whole
        closed += full
    return {"linear": linear, "closed": closed, "affine": len(set(maps))}
