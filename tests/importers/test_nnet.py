"""The .nnet text format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from milpcount.errors import DomainError, InputError, NetworkError
from milpcount.importers import load_network
from milpcount.importers.nnet import load_nnet

TEXT = """// A comment
// another

2,2,1,3,
2,3,1,
0,
-1.0,0,
3,8.0,
1.0,4,0.5,
2.0,8.0,4.0,
1.0,-2.0,
0.5,0.25,
-1e0,3,
0.5,
-1,
2.25,
1,2,-4,
0.75,
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "n.nnet"
    path.write_text(TEXT)
    return path


def test_the_header_of_the_first_acas_xu_networks(path: Path) -> None:
    """Two discrete inputs have numbers too; the last ones are those of all outputs."""
    expected = load_network(path)
    lines = TEXT.splitlines()
    start = lines.index("-1.0,0,")
    for k, extra in enumerate(("0,-3,", "100,3,", "35,0,", "100,6,")):
        numbers = lines[start + k].rstrip(",").split(",")
        lines[start + k] = ",".join(numbers[:2]) + "," + extra + ",".join(numbers[2:])
    path.write_text("\n".join(lines))
    assert load_network(path).sha256 == expected.sha256
    lines[start] = "-1.0,0,"
    path.write_text("\n".join(lines))
    with pytest.raises(NetworkError, match="2 numbers more"):
        load_network(path)


def test_normalised(path: Path) -> None:
    net = load_network(path)
    assert net.architecture == (2, 3, 1)
    assert np.array_equal(net.weights[0], [[1, -2], [0.5, 0.25], [-1, 3]])
    assert np.array_equal(net.biases[0], [0.5, -1, 2.25])
    assert np.array_equal(net.weights[1], [[1, 2, -4]])
    assert np.array_equal(net.biases[1], [0.75])
    assert net.input_box is not None
    assert np.array_equal(net.input_box.lo, [-1, -0.5])
    assert np.array_equal(net.input_box.hi, [1, 0.5])
    assert "normalised" in net.notes[0]
    assert net.name == "n.nnet"


def test_raw(path: Path) -> None:
    """These numbers fold without rounding."""
    net, raw = load_nnet(path), load_nnet(path, normalized=False)
    assert raw.notes == ()
    assert raw.input_box is not None
    assert np.array_equal(raw.input_box.lo, [-1, 0])
    assert np.array_equal(raw.input_box.hi, [3, 8])
    for x in np.random.default_rng(0).integers(-4, 9, size=(20, 2)) / 4:
        scaled = (x - [1, 4]) / [2, 8]
        assert np.array_equal(raw.forward(x), net.forward(scaled) * 4 + 0.5)
        assert raw.pattern(x) == net.pattern(scaled)


def test_raw_rounds_with_a_note(path: Path) -> None:
    path.write_text(TEXT.replace("2.0,8.0,4.0", "3.0,8.0,4.0"))
    assert "input normalisation" in load_nnet(path, normalized=False).notes[0]


def test_normalised_box_is_the_nearest_float(path: Path) -> None:
    path.write_text(TEXT.replace("2.0,8.0,4.0", "3.0,8.0,4.0"))
    box = load_nnet(path).input_box
    assert box is not None
    assert box.lo[0] == -2 / 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2,3,1,\n", "2,3,2,\n", "layer sizes"),
        ("2,3,1,\n", "2,3000000,1,\n", "claims"),
        ("2,2,1,3,", "2000000000,2,1,3,", "claims 2000000000 layers"),
        ("2,2,1,3,", "2,2,1.5,3,", "not integers"),
        ("2,2,1,3,", "0,2,1,3,", "claims 0 layers"),
        ("2,3,1,\n", "2,-3,1,\n", "layer sizes"),
        ("2.0,8.0,4.0", "0.0,8.0,4.0", "range of 0"),
        ("1.0,-2.0", "1.0,-2.0,7.0", "line 11 has 3 numbers; weights of layer 0 take 2"),
        ("1.0,-2.0", "1.0,two", "line 11: weights of layer 0 are not all numbers"),
        ("1.0,-2.0", "1.0,nan", "line 11 has a NaN"),
        ("1,2,-4,\n0.75,\n", "1,2,-4,\n", "ends before a bias of layer 1"),
        ("0.75,\n", "0.75,\n0.5,\n", "after the last bias"),
        ("1.0,4,0.5", "1.0,4", "means"),
    ],
)
def test_malformed(path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(NetworkError) as caught:
        load_network(path)
    assert message in str(caught.value)
    assert "n.nnet" in str(caught.value)


def test_inverted_box(path: Path) -> None:
    path.write_text(TEXT.replace("3,8.0,", "-3,8.0,"))
    with pytest.raises(DomainError, match=r"n\.nnet: the box is empty in coordinate 0"):
        load_network(path)


def test_truncated_anywhere(path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    for count in range(len(lines)):
        path.write_text("".join(lines[:count]))
        with pytest.raises(InputError, match=r"n\.nnet"):
            load_network(path)


def test_not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x01" * 10)
    with pytest.raises(NetworkError, match="not a text file"):
        load_network(path)
