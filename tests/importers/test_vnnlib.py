"""Input boxes of VNN-LIB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from milpcount.core.domain import Box
from milpcount.errors import DomainError
from milpcount.importers import load_boxes
from milpcount.importers.vnnlib import output_note

HEAD = """; a property
(set-logic QF_LRA)
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-fun Y_0 () Real)
(declare-const |Y_1| Real)
"""


def load(tmp_path: Path, *lines: str, head: str = HEAD) -> list[Box]:
    path = tmp_path / "p.vnnlib"
    path.write_text(head + "\n".join(lines))
    return load_boxes(path)


def ends(boxes: list[Box]) -> list[tuple[list[float], list[float]]]:
    return [(box.lo.tolist(), box.hi.tolist()) for box in boxes]


BOUNDS = (
    "(assert (>= X_0 -1.5)) (assert (<= X_0 0.1))",
    "(assert (<= -2 X_1)) (assert (>= 3e-1 X_1))",
)


def test_one_box(tmp_path: Path) -> None:
    boxes = load(tmp_path, *BOUNDS, "(assert (<= Y_0 Y_1))", "(check-sat)")
    assert ends(boxes) == [([-1.5, -2.0], [0.1, 0.3])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), (".5", 0.5), ("5.", 5.0), ("+2", 2.0), ("-1E-3", -1e-3),
        ("(- 0.25)", -0.25), ("(/ 1 3)", 1 / 3), ("(- (/ 1.0 3.0))", -1 / 3), ("(* 2 0.5)", 1.0),
        ("(+ 0.1 0.2)", 0.3), ("(- 1 0.25)", 0.75), ("(+ 4)", 4.0), ("1e-400", 0.0),
        ("0.30000000000000004441", 0.30000000000000004),
    ],
)  # fmt: skip
def test_numbers_are_read_to_the_nearest_float(tmp_path: Path, text: str, value: float) -> None:
    boxes = load(tmp_path, f"(assert (= X_0 {text}))", BOUNDS[1])
    assert ends(boxes) == [([value, -2.0], [value, 0.3])]


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("(<= (+ X_0 1) 3)", 2.0), ("(<= (* X_0 2) 1)", 0.5), ("(<= (* 2 X_0) (- 1 X_0))", 1 / 3),
        ("(<= (- 1) (- X_0))", 1.0), ("(<= (- X_0 (/ X_0 2) 0.25) 0)", 0.5),
        ("(>= (- 3 (* 4 X_0)) 2)", 0.25), ("(<= (+ X_0 (+ 1 (* -3 0.5))) 0)", 0.5),
        ("(<= (/ X_0 -4) 2)", None),
    ],
)  # fmt: skip
def test_terms_of_one_input(tmp_path: Path, term: str, value: float | None) -> None:
    boxes = load(
        tmp_path, f"(assert {term})", "(assert (>= X_0 -10)) (assert (<= X_0 10))", BOUNDS[1]
    )
    assert ends(boxes) == [([-10.0 if value is not None else -8.0, -2.0], [value or 10.0, 0.3])]


def test_conditions_on_outputs_are_told(tmp_path: Path) -> None:
    path = tmp_path / "p.vnnlib"
    path.write_text(HEAD + "\n".join(BOUNDS))
    assert output_note(path) is None
    path.write_text(HEAD + "\n".join([*BOUNDS, "(assert (<= Y_0 Y_1))"]))
    note = output_note(path)
    assert note is not None
    assert note.startswith("p.vnnlib also has conditions on outputs, which are not used")


def test_the_tightest_bounds_hold(tmp_path: Path) -> None:
    boxes = load(tmp_path, *BOUNDS, "(assert (and (< X_0 0) (> X_0 -1) (<= X_0 5)))")
    assert ends(boxes) == [([-1.0, -2.0], [0.0, 0.3])]


def test_alternatives(tmp_path: Path) -> None:
    boxes = load(
        tmp_path,
        BOUNDS[1],
        "(assert (or (and (>= X_0 0) (<= X_0 1) (<= Y_0 0))",
        "            (and (>= X_0 2) (<= X_0 3) (or (<= X_1 -1) (>= X_1 0)))",
        "            (and (>= X_0 5) (<= X_0 4))",  # empty: dropped
        "            (and (<= X_0 1) (>= X_0 0) (<= Y_1 0))))",  # the first again
    )
    assert ends(boxes) == [
        ([0.0, -2.0], [1.0, 0.3]),
        ([2.0, -2.0], [3.0, -1.0]),
        ([2.0, 0.0], [3.0, 0.3]),
    ]


def test_alternatives_of_outputs_leave_one_box(tmp_path: Path) -> None:
    outputs = "(assert (or (and (<= Y_0 Y_1)) (and (>= Y_0 (* 2 Y_1)) (<= X_0 0))))"
    assert ends(load(tmp_path, *BOUNDS, outputs)) == [([-1.5, -2.0], [0.1, 0.3])]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["(assert (<= X_0 1))", BOUNDS[1]], "no lower bound"),
        ([BOUNDS[0], "(assert (>= X_1 1))"], "X_1 no upper bound"),
        ([BOUNDS[0], BOUNDS[1], "(assert (>= X_0 1))"], "X_0 has lower bound 1 above"),
        (["(assert (<= X_0 X_1))"], "line 7: (<= X_0 X_1) is not a bound on one input"),
        (["", "(assert (<= (+ X_0 X_1) 1))"], "line 8:"),
        (["(assert (<= (* X_0 X_1) 1))"], "multiplies two variables"),
        (["(assert (<= X_0 (+ X_0 1)))"], "not a bound on one input"),
        (["(assert (<= X_0 Y_0))"], "not a bound on one input"),
        (["(assert (<= X_7 1))"], "'X_7' is neither a number nor a declared variable"),
        (["(assert (<= X_0 one))"], "'one' is neither"),
        (["(assert (<= Y_0 Z))"], "'Z' is neither"),
        (["(assert (<= 1 2))"], "without a variable"),
        (["(assert (<= X_0 1e999))"], "out of range"),
        (["(assert (<= X_0 " + "9" * 5000 + "))"], "out of range"),
        (["(assert (<= X_0 (/ 1 0)))"], "(/ 1 0) is not a number"),
        (["(assert (<= X_0 (max 1 0)))"], "is not a number"),
        (["(assert (not (<= X_0 1)))"], "(not (<= X_0 1)) is not a comparison"),
        (["(assert (or))"], "is not a comparison"),
        (["(assert X_0)"], "X_0 is not a comparison"),
        (["(assert (<= X_0 1) (<= X_0 2))"], "not a declaration"),
        (["(declare-const X_2 Int)"], "not a declaration"),
        (["(declare-const Z_0 Real)"], "'Z_0' is neither an input"),
        (["(declare-const X_00 Real)"], "'X_00' is neither an input"),
        (["(declare-const X_5 Real)"], "does not declare X_2"),
        (["(declare-network N)"], "only VNN-LIB 1.0"),
        (["()"], "not a declaration"),
        (["(assert (<= X_0 1)"], "1 parentheses are not closed"),
        (["(assert (<= X_0 1)))"], "without an opening one"),
        (["hello"], "'hello' outside of parentheses"),
        (['(assert "'], "unexpected '\"'"),
        (["(" * 100_000], "nested parentheses"),
        (["(assert (and " + "(or (<= X_0 1) (>= X_0 2))" * 30 + "))"], "alternatives or more"),
    ],
)
def test_refusals(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DomainError) as caught:
        load(tmp_path, *lines)
    assert message in str(caught.value)
    assert "p.vnnlib" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_inputs(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="does not declare X_0"):
        load(tmp_path, "(assert (<= Y_0 1))", head="(declare-const Y_0 Real)")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="does not exist"):
        load_boxes(tmp_path / "p.vnnlib")
    with pytest.raises(DomainError, match="directory"):
        load_boxes(tmp_path)


def test_many_inputs(tmp_path: Path) -> None:
    """The size of an image property."""
    count = 784
    lines = [f"(declare-const X_{i} Real)" for i in range(count)]
    lines += [f"(assert (<= X_{i} {i}.5))(assert (>= X_{i} {i}))" for i in range(count)]
    (box,) = load(tmp_path, *lines, head="")
    assert np.array_equal(box.lo, np.arange(count))
    assert np.array_equal(box.hi, np.arange(count) + 0.5)
