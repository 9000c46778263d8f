"""Dispatch on paths and objects, points from files, the shared data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, NetworkError
from milpcount.importers import load_boxes, load_network, load_point
from milpcount.importers.npz import save_npz
from tests.shared import data_folder

WEIGHTS = [np.eye(2), np.ones((1, 2))]
BIASES = [[0.0, 1.0], [0.0]]


def test_networks_and_pairs() -> None:
    net = load_network((WEIGHTS, BIASES))
    assert net.architecture == (2, 2, 1)
    assert load_network(net) is net
    assert load_network([WEIGHTS, BIASES], name="pair").name == "pair"


@pytest.mark.parametrize(
    "source", [(WEIGHTS,), [1, 2], (np.eye(2), np.zeros(2)), [], (WEIGHTS, BIASES, [])]
)
def test_other_lists(source: object) -> None:
    with pytest.raises(NetworkError, match="pair"):
        load_network(source)


@pytest.mark.parametrize("source", [3, None, {"W0": 1}, np.eye(2), object()])
def test_other_objects(source: object) -> None:
    with pytest.raises(NetworkError, match="torch modules"):
        load_network(source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.pt", "torch.onnx.export"),
        ("model.PTH", "pass the module itself"),
        ("model.ckpt", "pickle"),
        ("model.pkl", "pass the object itself"),
        ("model.joblib", "pickle"),
        ("model.h5", "tf2onnx"),
        ("model.keras", "tf2onnx"),
        ("model.txt", "unknown suffix .txt; networks are read from .npz, .onnx and .nnet"),
        ("model", "no suffix"),
    ],
)
def test_suffixes_that_are_not_read(tmp_path: Path, name: str, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(NetworkError) as caught:
        load_network(path)
    assert message in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".onnx", ".nnet"])
def test_unreadable_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    with pytest.raises(NetworkError, match="does not exist"):
        load_network(str(path))
    path.mkdir()
    with pytest.raises(NetworkError, match="is a directory"):
        load_network(path)
    path.rmdir()
    path.touch()
    with pytest.raises(NetworkError, match="is empty"):
        load_network(path)
    path.unlink()
    if hasattr(os, "mkfifo"):  # not on Windows
        os.mkfifo(path)
        with pytest.raises(NetworkError, match="not a regular file"):
            load_network(path)


def test_files_over_the_limit_are_not_read(tmp_path: Path) -> None:
    for suffix in (".npz", ".onnx", ".nnet"):
        path = tmp_path / f"model{suffix}"
        with path.open("wb") as stream:
            stream.truncate(5 * 2**30)  # sparse: takes no space
        with pytest.raises(NetworkError, match="over the limit"):
            load_network(path)


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    save_npz(load_network((WEIGHTS, BIASES)), tmp_path / "N.NPZ")
    assert load_network(tmp_path / "N.NPZ").architecture == (2, 2, 1)


def test_nothing_foreign_is_imported() -> None:
    """In a fresh interpreter: loading a pair and refusing an object needs no other package."""
    code = (
        "import sys\n"
        "from milpcount.importers import load_network\n"
        "from milpcount.errors import NetworkError\n"
        "load_network(([[[1.0]]], [[0.0]]))\n"
        "try:\n    load_network(object())\n"
        "except NetworkError:\n    pass\n"
        "print([m for m in ('torch', 'sklearn', 'onnx', 'onnxruntime') if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_points_of_numpy(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.float32([1, 2.5, -3]).reshape(shape)
    np.save(tmp_path / "p.npy", array)
    np.savez(tmp_path / "p.npz", any_name=array)
    for suffix in ("npy", "npz"):
        point = load_point(tmp_path / f"p.{suffix}")
        assert point.dtype == np.float64
        assert np.array_equal(point, [1, 2.5, -3])


def test_images_are_read_row_by_row(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.asfortranarray(np.arange(6).reshape(2, 3)))
    assert np.array_equal(load_point(tmp_path / "p.npy"), np.arange(6))


@pytest.mark.parametrize(
    "text",
    ["1,2.5,-3\n", "1\n2.5\n-3", "# a point\n1 2.5\t-3 # end\n\n", "1; 2.5; -3", "1, 2.5, -3,"],
)
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_points_of_text(tmp_path: Path, text: str, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    path.write_text(text)
    assert np.array_equal(load_point(str(path)), [1, 2.5, -3])


def test_points_that_are_not_read(tmp_path: Path) -> None:
    def refused(name: str, message: str) -> None:
        with pytest.raises(DomainError, match=message) as caught:
            load_point(tmp_path / name)
        assert name in str(caught.value)

    refused("p.npy", "does not exist")
    refused("p.json", r"\.npy, \.npz")
    (tmp_path / "p.csv").write_text("1,2\n3,four\n")
    refused("p.csv", "line 2: 'four' is not a number")
    (tmp_path / "p.csv").write_text("# nothing\n")
    refused("p.csv", "no number")
    (tmp_path / "p.csv").write_text("1,nan\n")
    refused("p.csv", "NaN or infinite value at place 1")
    np.save(tmp_path / "p.npy", np.array([object()]), allow_pickle=True)
    refused("p.npy", "pickled objects")
    np.save(tmp_path / "p.npy", np.array(["a"]))
    refused("p.npy", "save plain numbers")
    (tmp_path / "p.npy").write_bytes(b"\x93NUMPY\x01\x00")
    refused("p.npy", "not an array")
    np.savez(tmp_path / "p.npz", a=np.ones(2), b=np.ones(2))
    refused("p.npz", r"2 arrays \(a, b\)")
    (tmp_path / "p.npz").write_bytes(b"PK")
    refused("p.npz", "not a readable")


def networks(folder: str, pattern: str) -> list[Path]:
    found = sorted((data_folder() / folder).glob(pattern))
    assert found
    return found


def test_every_shared_archive_loads_and_survives_saving(tmp_path: Path) -> None:
    for path in networks("networks", "*.npz"):
        net = load_network(path)
        save_npz(net, tmp_path / path.name)
        assert load_network(tmp_path / path.name).sha256 == net.sha256


def test_every_shared_onnx_network_agrees_with_onnxruntime() -> None:
    from tests.importers.onnx_helpers import agree

    for path in networks("onnx", "*/*.onnx"):
        net = agree(path, tolerance=2e-4)
        assert net.notes == ()


def test_both_formats_of_acas_xu_are_one_network() -> None:
    """The ONNX file holds the float32 values of the decimals in the .nnet file."""
    (text,) = networks("onnx", "acasxu/*_1_1.nnet")
    (binary,) = networks("onnx", "acasxu/*_1_1_*.onnx")
    first, second = load_network(text), load_network(binary)
    for a, b in zip(first.weights + first.biases, second.weights + second.biases, strict=True):
        assert np.array_equal(a.astype(np.float32), b)
    assert first.input_box is not None
    rng = np.random.default_rng(0)
    x = rng.uniform(first.input_box.lo, first.input_box.hi, size=(200, 5))
    np.testing.assert_allclose(first.forward(x), second.forward(x), atol=1e-6)
    same = [first.pattern(point) == second.pattern(point) for point in x]
    assert np.mean(same) > 0.98


def test_every_shared_property_is_a_box_of_its_network() -> None:
    (text,) = networks("onnx", "acasxu/*_1_1.nnet")
    outer = load_network(text).input_box
    assert outer is not None
    for path in networks("onnx", "acasxu/*.vnnlib"):
        (box,) = load_boxes(path)
        assert box.dimension == 5
        assert np.all(box.lo >= outer.lo - 1e-6)
        assert np.all(box.hi <= outer.hi + 1e-6)


def test_names_and_types() -> None:
    assert isinstance(load_network((WEIGHTS, BIASES)), ReLUNetwork)
