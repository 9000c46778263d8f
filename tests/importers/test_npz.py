"""Networks as .npz archives: what is written comes back, what is wrong is refused by name."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, InputError, NetworkError
from milpcount.importers import load_network
from milpcount.importers.npz import load_metadata, load_npz, save_npz

GOOD = {"W0": np.eye(2), "b0": np.zeros(2), "W1": np.ones((1, 2)), "b1": np.zeros(1)}


def archive(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def raw_member(header: str, data: bytes = b"") -> bytes:
    """A .npy file with a header of one's own."""
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for key, data in members.items():
            z.writestr(f"{key}.npy", data)
    return path


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.fixture
def net() -> ReLUNetwork:
    rng = np.random.default_rng(3)
    return ReLUNetwork(
        [rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(2, 4))],
        [rng.normal(size=4), rng.integers(-3, 3, size=2)],
        [[0.0, 0.25, 0.0, 0.1]],
        input_box=Box([0, 0, -np.inf], 1),
        name="original",
        notes=["folded", "zweiter Hinweis – mit Strich"],
    )


@pytest.mark.parametrize("narrow", [True, False])
def test_round_trip(tmp_path: Path, net: ReLUNetwork, narrow: bool) -> None:
    path = tmp_path / "net.npz"
    save_npz(net, path, narrow=narrow, epoch=3, data="mnist")
    back = load_network(path)
    assert back.sha256 == net.sha256
    assert back.notes == net.notes
    assert back.name == "net.npz"
    assert back.input_box is not None
    assert np.array_equal(back.input_box.resolve(3).lo, [0, 0, -np.inf])
    assert np.array_equal(back.input_box.resolve(3).hi, [1, 1, 1])
    metadata = load_metadata(path)
    assert metadata["epoch"] == 3
    assert str(metadata["data"]) == "mnist"
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_narrow_keeps_float32_where_exact(tmp_path: Path, net: ReLUNetwork) -> None:
    save_npz(net, tmp_path / "a.npz")
    save_npz(net, tmp_path / "b.npz", narrow=False)
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert a["W0"].dtype == np.float32
        assert a["W1"].dtype == np.float64
        assert {b[key].dtype for key in ("W0", "W1")} == {np.dtype(np.float64)}


def test_save_replaces_whole_files_only(tmp_path: Path, net: ReLUNetwork) -> None:
    path = tmp_path / "net.npz"
    save_npz(net, path)
    before = path.read_bytes()
    with pytest.raises(NetworkError, match="metadata 'bad'"):
        save_npz(net, path, bad=object())
    assert path.read_bytes() == before
    save_npz(net.subnetwork(0, 0), path)
    assert load_npz(path).depth == 0


def test_save_refuses(tmp_path: Path, net: ReLUNetwork) -> None:
    with pytest.raises(NetworkError, match=r"\.npz"):
        save_npz(net, tmp_path / "net.dat")
    with pytest.raises(NetworkError, match="notes"):
        save_npz(net, tmp_path / "net.npz", notes="mine")
    with pytest.raises(NetworkError, match="cannot be written"):
        save_npz(net, tmp_path / "nowhere" / "net.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", ">f8", "i1", "i8"])
def test_stored_types_are_widened_exactly(tmp_path: Path, dtype: str) -> None:
    weight = np.array([[1, -3], [2, 7]]).astype(dtype)
    net = load_npz(archive(tmp_path / "n.npz", W0=weight, b0=weight[0]))
    assert np.array_equal(net.weights[0], [[1, -3], [2, 7]])


def test_fortran_order_and_compression(tmp_path: Path) -> None:
    weight = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(tmp_path / "n.npz", W0=weight, b0=np.zeros(2))
    assert np.array_equal(load_npz(tmp_path / "n.npz").weights[0], weight)


def test_leaky_slopes(tmp_path: Path) -> None:
    path = archive(tmp_path / "n.npz", **GOOD, slope0=np.float32(0.125))
    net = load_npz(path, name="leaky")
    assert net.name == "leaky"
    assert np.array_equal(net.slopes[0], [0.125, 0.125])
    path = archive(tmp_path / "n.npz", **GOOD, slope0=np.zeros(3))
    with pytest.raises(NetworkError, match=r"slope0 has shape \(3,\)"):
        load_npz(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W2": np.ones((1, 1))}, "no b2"),
        ({"b1": None}, "no b1"),
        ({"W0": None, "W1": None}, "no array W0"),
        ({"W0": None}, "no W0"),
        ({"w1": np.ones(1)}, "unknown array 'w1'; did you mean 'W1'"),
        ({"low": np.ones(1)}, "did you mean 'lo'"),
        ({"slope1": np.ones(1)}, "slope1"),
        ({"labels": np.ones(1)}, "meta_"),
        ({"W0": np.ones((2, 3, 1))}, "W0 has shape"),
        ({"W1": np.ones((1, 5))}, "W1 takes 5 inputs"),
        ({"b1": np.ones(2)}, "b1 has 2 entries"),
        ({"b1": np.array([np.nan])}, "b1 has a NaN or infinite value"),
        ({"W0": np.array([["a", "b"]])}, "W0 holds strings"),
        ({"W0": np.eye(2) * 1j}, "W0 holds complex128"),
        ({"W0": np.array([[None, 1], [2, 3]])}, "pickled objects"),
    ],
)
def test_wrong_arrays_are_named(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    arrays = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    path = archive(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(NetworkError, match=r"wrong\.npz") as caught:
        load_network(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({"lo": np.zeros(2)}, "only one of"),
        ({"lo": np.ones(2), "hi": np.zeros(2)}, "empty in coordinate 0"),
        ({"lo": np.array([0, np.nan]), "hi": np.ones(2)}, "NaN"),
        ({"lo": np.zeros((1, 2)), "hi": np.ones(2)}, "shape"),
    ],
)
def test_wrong_boxes(tmp_path: Path, box: dict[str, np.ndarray], message: str) -> None:
    path = archive(tmp_path / "wrong.npz", **GOOD, **box)
    with pytest.raises(DomainError, match=r"wrong\.npz") as caught:
        load_network(path)
    assert message in str(caught.value)


def test_box_of_another_dimension(tmp_path: Path) -> None:
    path = archive(tmp_path / "wrong.npz", **GOOD, lo=np.zeros(3), hi=np.ones(3))
    with pytest.raises(InputError, match=r"wrong\.npz.*3 coordinates"):
        load_network(path)


def test_no_layers(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="no array W0"):
        load_network(archive(tmp_path / "n.npz", meta_x=np.ones(1)))


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }\n"


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (raw_member(HUGE % "1000000, 1000000"), "impossible shape (1000000, 1000000)"),
        (raw_member(HUGE % "1000, 1000"), "claims shape (1000, 1000)"),
        (raw_member(HUGE % "3,", b"12345678"), "truncated or damaged"),
        (raw_member(HUGE % "-2, -1", b"\0" * 16), "impossible shape"),
        (raw_member(HUGE % "0, 10000000000"), "impossible shape"),
        (raw_member("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"), "pickled"),
        (raw_member("{'descr': '<U0', 'fortran_order': False, 'shape': (9,), }\n"), "strings"),
        (raw_member("__import__('os').abort()\n"), ".npy format"),
        (raw_member("(" * 5000), ".npy format"),
        (raw_member("(" * 900 + "\n"), ".npy format"),
        (raw_member("-" * 900 + "1\n"), ".npy format"),
        (raw_member("  {}\n {}\n"), ".npy format"),
        (raw_member("{'descr': '<f8'}\n"), ".npy format"),
        (raw_member("{'descr': 'nonsense', 'fortran_order': 0, 'shape': 3}\n"), ".npy format"),
        (b"\x93NUMPY\x03\x00" + b"\0" * 20, ".npy format"),
        (b"\x93NUMPY\x09\x00" + b"\0" * 20, ".npy format"),
        (b"\x93NUMPY\x01", ".npy format"),
        (b"not numpy", ".npy format"),
        (b"", ".npy format"),
    ],
)
def test_hostile_members(tmp_path: Path, member: bytes, message: str) -> None:
    path = zipped(tmp_path / "n.npz", W0=member, b0=npy(np.zeros(2)))
    with pytest.raises(NetworkError, match=r"n\.npz") as caught:
        load_network(path)
    assert message in str(caught.value)


def test_sizes_are_checked_before_unpacking(tmp_path: Path) -> None:
    """A few kilobytes that would unpack to more than the limit."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("W0.npy", npy(np.zeros((10, 10))))
    data = path.read_bytes()
    size = (npy(np.zeros((10, 10))).__len__()).to_bytes(4, "little")
    at = data.rindex(size)  # the central directory
    path.write_bytes(data[:at] + (2**32 - 2).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(NetworkError, match="over the limit"):
        load_network(path)


def test_other_archives(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("readme.txt", "hello")
    with pytest.raises(NetworkError, match=r"readme\.txt"):
        load_network(path)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("W0.npy", npy(np.eye(2)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            z.writestr("W0.npy", npy(np.eye(2)))
    with pytest.raises(NetworkError, match="two arrays 'W0'"):
        load_network(path)


@pytest.mark.parametrize("cut", [1, 0.9, 0.5, 0.1])
def test_truncation_anywhere(tmp_path: Path, cut: float) -> None:
    path = archive(tmp_path / "n.npz", **GOOD)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut) - 1])
    with pytest.raises(NetworkError, match="write it again"):
        load_network(path)


def test_damage_anywhere_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    np.savez_compressed(path, **GOOD, lo=np.zeros(2), hi=np.ones(2))
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.choice(len(data), size=200, replace=False):
        broken = bytearray(data)
        broken[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(broken))
        # Some bytes say nothing about the content (time stamps).
        with contextlib.suppress(InputError):
            assert load_network(path).architecture == (2, 2, 1)
