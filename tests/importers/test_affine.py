"""Folding affine stages: exact where it says so, close and noted where not."""

from __future__ import annotations

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image

SIZE = 3
numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0]),
    st.floats(-4, 4, width=32).map(lambda v: v if abs(v) > 1e-20 else 0.0),
)
vectors = hnp.arrays(np.float64, SIZE, elements=numbers)
matrices = hnp.arrays(np.float64, (SIZE, SIZE), elements=numbers)
stages = st.one_of(
    st.tuples(st.just("shift"), vectors),
    st.tuples(st.just("scale"), vectors),
    st.tuples(st.just("divide"), vectors.map(lambda v: np.where(v == 0, 2.0, v))),
    st.tuples(st.just("matrix"), matrices),
    st.tuples(st.just("windows"), vectors),
    st.tuples(st.just("turn"), vectors),
    st.tuples(st.just("double"), vectors),
)

Exact = list[list[Fraction]]


def run(folder: Folder, image: Image, kind: str, value: np.ndarray) -> Image:
    if kind == "matrix":
        return folder.apply(image, None, value, 1.0, (SIZE,))
    if kind == "windows":  # a circular convolution
        index = (np.arange(SIZE)[:, None] + np.arange(SIZE)) % SIZE
        matrix = np.broadcast_to(value, (SIZE, SIZE))
        return folder.apply(image, index, matrix, 0.0, (SIZE,))
    if kind == "turn":
        return folder.take(image, np.array([2, 0, 1]))
    if kind == "double":
        return folder.add(image, folder.take(image, np.array([0, -1, 1])))
    return {"shift": folder.shift, "scale": folder.scale, "divide": folder.divide}[kind](
        image, value
    )


def run_exactly(rows: Exact, kind: str, value: np.ndarray) -> Exact:
    """The same on rows of rational coefficients, the constant last."""
    exact = [[Fraction(v) for v in np.atleast_1d(row)] for row in value]

    def combine(matrix: list[list[Fraction]], constant: int) -> Exact:
        out = []
        for row in matrix:
            columns = zip(*rows, strict=True)
            new = [sum(map(operator.mul, row, column), Fraction(0)) for column in columns]
            new[-1] += constant
            out.append(new)
        return out

    flat = [v[0] for v in exact]
    one = [[Fraction(int(i == j)) for j in range(SIZE)] for i in range(SIZE)]
    match kind:
        case "matrix":
            return combine(exact, 1)
        case "windows":
            return combine([[flat[(j - i) % SIZE] for j in range(SIZE)] for i in range(SIZE)], 0)
        case "turn":
            return [rows[2], rows[0], rows[1]]
        case "double":
            return combine([[2, 0, 0], [0, 1, 0], [0, 1, 1]], 0)  # type: ignore[list-item]
        case "shift":
            return [[*row[:-1], row[-1] + v] for row, v in zip(rows, flat, strict=True)]
        case "scale":
            return combine([[v * e for e in line] for v, line in zip(flat, one, strict=True)], 0)
    return combine([[e / v for e in line] for v, line in zip(flat, one, strict=True)], 0)


@settings(deadline=None)
@given(st.lists(stages, min_size=1, max_size=5))
def test_a_fold_is_exact(chain: list[tuple[str, np.ndarray]]) -> None:
    """With linear units where it would round; but for quotients, whose divisor is inverted."""
    folder = Folder(SIZE, "net")
    image = folder.input((SIZE,))
    truth = [[Fraction(int(i == j)) for j in range(SIZE + 1)] for i in range(SIZE)]
    size = truth
    for i, (kind, value) in enumerate(chain):
        folder.place = f"stage {i}"
        image = run(folder, image, kind, value)
        truth = run_exactly(truth, kind, value)
        size = run_exactly([[abs(v) for v in row] for row in size], kind, np.abs(value))
    net = folder.finish(folder.relu(image))
    got = forms(net)
    rounded = [note for note in net.notes if "no float64" in note]
    assert not rounded or any(kind == "divide" for kind, _ in chain)
    for ours, true, scale in zip(got, truth, size, strict=True):
        for a, b, s in zip(ours, true, scale, strict=True):
            if not rounded:
                assert a == b
            assert abs(a - b) <= s * Fraction(1, 2**48)


def forms(net: ReLUNetwork) -> Exact:
    """Rational coefficients of the pre-activations of the last stage; all before are linear."""
    outputs = [[[Fraction(int(i == j)) for j in range(SIZE + 1)] for i in range(SIZE)]]
    for stage in net.stages:
        rows = [[Fraction(0)] * SIZE + [Fraction(b)] for b in stage.bias.tolist()]
        for read, weight in zip(stage.reads, stage.weights, strict=True):
            for row, factors in zip(rows, dense(weight).tolist(), strict=True):
                for factor, form in zip(factors, outputs[read], strict=True):
                    for j, value in enumerate(form):
                        row[j] += Fraction(factor) * value
        outputs.append(rows)
    return outputs[-1]


def test_notes_name_places_once_and_few() -> None:
    folder = Folder(1, "net")
    image = folder.input((1,))
    for i in range(12):
        folder.place = f"node Div 'm{i}'"
        image = folder.divide(folder.divide(image, 3), 7)
    (note,) = folder.finish(image).notes
    assert note.count("Div") == 8
    assert "and 4 more" in note


def test_units_that_the_output_does_not_need_are_left_out() -> None:
    folder = Folder(2, "net")
    x = folder.input((2,))
    first = folder.relu(x)
    unused = folder.relu(folder.scale(x, 3.0))
    folder.relu(folder.add(unused, first))
    later = folder.relu(folder.apply(first, None, np.array([[1.0, -1.0]]), 0.0, (1,)))
    folder.relu(later)
    net = folder.finish(folder.concat([x, later], 0))
    assert net.counted_widths == (2, 1)
    assert np.array_equal(net.forward([-3.0, 4.0]), [-3.0, 4.0, 0.0])
    assert np.array_equal(net.forward([4.0, 3.0]), [4.0, 3.0, 1.0])


def test_units_behind_zero_weights_stay() -> None:
    folder = Folder(2, "net")
    hidden = folder.relu(folder.input((2,)))
    second = folder.relu(folder.apply(hidden, None, np.zeros((3, 2)), 1.0, (3,)))
    net = folder.finish(folder.apply(second, None, np.zeros((1, 3)), 0.0, (1,)))
    assert net.is_chain
    assert net.widths == (2, 3)


def test_products_that_take_too_long_are_not_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("milpcount.importers.affine._MAX_WORK", 20)
    folder = Folder(3, "net")
    first, second = np.full((3, 3), 2.0), np.arange(9.0).reshape(3, 3)
    image = folder.apply(folder.input((3,)), None, first, 0.0, (3,))
    net = folder.finish(folder.relu(folder.apply(image, None, second, 0.0, (3,))))
    assert net.counted_widths == (0, 3)
    assert np.array_equal(dense(net.stages[0].weights[0]), first)
    assert np.array_equal(dense(net.stages[1].weights[0]), second)


def test_products_beyond_float64_are_not_formed() -> None:
    folder = Folder(3, "net")
    huge = np.full((3, 3), 1e200)
    image = folder.apply(folder.input((3,)), None, huge, 0.0, (3,))
    net = folder.finish(folder.relu(folder.apply(image, None, huge, 0.0, (3,))))
    assert net.counted_widths == (0, 3)
    assert net.notes == ("the network ends in a ReLU: its units are hidden layer 2 and the output "
                         "layer is the identity",)  # fmt: skip


def test_units_that_join_a_layer_late() -> None:
    """What was folded before they came keeps a zero for them."""
    folder = Folder(2, "net")
    x = folder.input((2,))
    first = folder.relu(x)
    early = folder.apply(first, None, np.array([[1.0, 2.0]]), 0.0, (1,))
    second = folder.relu(folder.scale(x, -1.0))
    late = folder.apply(second, None, np.array([[4.0, 8.0]]), 0.0, (1,))
    net = folder.finish(folder.add(early, late))
    assert net.widths == (4,)
    assert np.array_equal(net.weights[1], [[1, 2, 4, 8]])
