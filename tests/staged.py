"""Networks of stages at random, and an oracle for them in exact fractions, written for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from pathlib import Path

import numpy as np

import milpcount as mc
from milpcount.core.domain import Domain, Polytope, Slice
from milpcount.core.matrix import dense
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide

Form = list[Fraction]


def random_stages(
    rng: np.random.Generator,
    inputs: int,
    widths: Sequence[int],
    *,
    kind: str = "dyadic",
    linear: float = 0.2,
    reads_input: float = 0.3,
    sparse: bool = False,
) -> mc.ReLUNetwork:
    """A network whose stages read the one before, and others at random.

    Arguments:
        kind: "dyadic", or "integer" for small integers with many ties and zeros.
        linear: chance of a unit to be linear.
        reads_input: chance of a later stage to read the input.
        sparse: whether weights are stored as sparse rows.
    """

    def numbers(*shape: int) -> np.ndarray:
        if kind == "integer":
            return rng.integers(-1, 2, size=shape).astype(float)
        return np.asarray(np.round(rng.normal(size=shape) * 64) / 64)

    def stage(k: int, units: int, last: bool) -> mc.Stage:
        older = [s for s in range(1, k - 1) if rng.random() < 0.5]
        reads = [*([0] if k == 1 or rng.random() < reads_input else []), *older]
        reads += [k - 1] if k > 1 else []
        every = [inputs, *widths]
        weights = [numbers(units, every[s]) for s in reads]
        slope = rng.choice([0.0, 0.0, 0.25, -1.0], size=units)
        gate = mc.ReLUGate(slope, rng.random(units) < linear)
        return mc.Stage(
            tuple(reads),
            tuple(mc.SparseMatrix.of(w) if sparse else w for w in weights),
            numbers(units) * 0.5,
            mc.LinearGate(units) if last else gate,
        )

    hidden = [stage(k, units, False) for k, units in enumerate(widths, 1)]
    return mc.ReLUNetwork.of_stages(hidden, stage(len(widths) + 1, 2, True))


def stage_values(net: mc.ReLUNetwork, x: Sequence[Fraction]) -> list[list[Fraction]]:
    """Pre-activations of every stage, the output's last, at a rational input."""
    outputs, found = [list(x)], []
    for stage in (*net.stages, net.output):
        values = [Fraction(b) for b in stage.bias.tolist()]
        for source, matrix in zip(stage.reads, stage.weights, strict=True):
            for i, row in enumerate(dense(matrix).tolist()):
                pairs = zip(row, outputs[source], strict=True)
                values[i] += sum((Fraction(w) * h for w, h in pairs if w), Fraction(0))
        found.append(values)
        slopes = zip(values, stage.slope.tolist(), strict=True)
        outputs.append([v if v > 0 else Fraction(s) * v for v, s in slopes])
    return found


def oracle(
    net: mc.ReLUNetwork, domain: Domain, definition: str = "full", with_output: bool = False
) -> set[tuple[int, ...]]:
    """All patterns, each prefix decided by an exact linear programme over forms made here."""
    space = domain.resolve(net.input_dimension)
    if isinstance(space, Slice):
        points = [[Fraction(v) for v in p] for p in space.points.tolist()]
        n = len(points) - 1
        columns = [[p[j] - points[0][j] for p in points[1:]] for j in range(len(points[0]))]
        inputs = [[*c, o] for c, o in zip(columns, points[0], strict=True)]
        box = ExactBox.of(space.box)
    else:
        n = net.input_dimension
        inputs = [[Fraction(int(i == j)) for i in range(n + 1)] for j in range(n)]
        whole = mc.WholeSpace().resolve(n)
        box = ExactBox.of(whole if isinstance(space, Polytope) else space)
    rows: list[Row] = []
    if isinstance(space, Polytope):
        for a, c in zip(space.A.tolist(), space.c.tolist(), strict=True):
            row = _integers([*(-Fraction(v) for v in a), Fraction(c)])
            rows.append(Row(row, definition == "full"))
    stages = [*net.stages, *([net.output] if with_output else [])]

    def forms(stage: mc.Stage, outputs: list[list[Form]]) -> list[Form]:
        out = [[Fraction(0)] * n + [Fraction(b)] for b in stage.bias.tolist()]
        for source, matrix in zip(stage.reads, stage.weights, strict=True):
            for i, weights in enumerate(dense(matrix).tolist()):
                for w, form in zip(weights, outputs[source], strict=True):
                    if w:
                        out[i] = [a + Fraction(w) * b for a, b in zip(out[i], form, strict=True)]
        return out

    def search(
        bits: tuple[int, ...], rows: list[Row], outputs: list[list[Form]], here: list[Form]
    ) -> Iterator[tuple[int, ...]]:
        k, i = len(outputs) - 1, len(here)
        if k == len(stages):
            yield bits
            return
        stage = stages[k]
        if i == stage.width:
            yield from search(bits, rows, [*outputs, here], [])
            return
        form = forms(stage, outputs)[i]
        if stage.linear[i] and not (with_output and k == len(stages) - 1):
            yield from search(bits, rows, outputs, [*here, form])
            return
        slope = Fraction(0) if with_output and k == len(stages) - 1 else Fraction(stage.slope[i])
        for active in (0, 1):
            more = rows
            if any(form[j] for j in box.free):
                signed = [v if active else -v for v in form]
                more = [*rows, Row(_integers(signed), bool(active) or definition == "full")]
                if not decide(more, box).feasible:
                    continue
            else:
                at = [Fraction(a or 0, box.denominator) for a in box.lo]
                value = sum((c * v for c, v in zip(form, at, strict=False)), form[-1])
                if (value > 0) != bool(active):
                    continue
            passed = form if active else [slope * v for v in form]
            yield from search((*bits, active), more, outputs, [*here, passed])

    found = list(search((), rows, [inputs], []))
    assert len(found) == len(set(found))
    return set(found)


def _integers(form: Form) -> tuple[int, ...]:
    common = lcm(1, *(v.denominator for v in form))
    return tuple(int(v * common) for v in form)


def save_stages(net: mc.ReLUNetwork, path: Path) -> None:
    """Write a network of stages as the second checker reads it."""
    arrays: dict[str, np.ndarray] = {}
    names = []
    for k, stage in enumerate((*net.stages, net.output), 1):
        names.append("-".join(map(str, (k, *stage.reads))))
        for source, matrix in zip(stage.reads, stage.weights, strict=True):
            arrays[f"W{k}_{source}"] = dense(matrix)
        arrays[f"b{k}"], arrays[f"slope{k}"] = stage.bias, stage.slope
        arrays[f"linear{k}"] = stage.linear
    with path.open("wb") as file:
        np.savez(file, reads=np.array(" ".join(names)), **arrays)
