"""scripts/train_mnist.py, on small made-up images."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.errors import ConfigError, InputError
from milpcount.importers import load_network

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import train_mnist

    return train_mnist


def settings(script: Any, config: Path | None = None, **options: object) -> Any:
    return script.read_settings(argparse.Namespace(config=config, **options))


def images(script: Any) -> Any:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200)
    pixels = (rng.random((200, 12)) * 0.2).astype(np.float32)
    pixels[np.arange(200), labels] = 1
    return script.Mnist(pixels, labels, pixels[:50], labels[:50])


def test_settings_from_file_and_command_line(script: Any, tmp_path: Path) -> None:
    config = SCRIPTS.parent / "configs" / "mnist8" / "train.yaml"
    read = settings(script, config, epochs=3, l1=0.0, hidden=None)
    assert len(read.hidden) == 7
    assert (read.epochs, read.seeds, read.l1) == (3, 3, 0.0)
    assert settings(script, hidden="16,8").hidden == [[16, 8]]
    for options, message in (
        ({}, "nothing to train"),
        ({"hidden": "4,x"}, "--hidden: hidden.0.1: Input should be a valid integer, not 'x'"),
        ({"hidden": "4", "optimizer": "lion"}, "--optimizer: optimizer: Input should be 'adam'"),
    ):
        with pytest.raises(ConfigError) as caught:
            settings(script, **options)  # type: ignore[arg-type]
        assert message in str(caught.value)
    bad = tmp_path / "bad.yaml"
    bad.write_text("hidden: [[2]]\nepoch: 2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.yaml:2: unknown key 'epoch'; did you mean epochs"):
        settings(script, bad)


def test_reads_idx(script: Any, tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    head = bytes([0, 0, 8, 3]) + np.array(array.shape, dtype=">u4").tobytes()
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(head + array.tobytes()))
    assert np.array_equal(script.read_idx(path), array)


def test_mnist_files_are_checked(script: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no train-images.*--data"):
        script.load_mnist(tmp_path)
    for name in script.FILES:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(InputError, match="wrong SHA-256"):
        script.load_mnist(tmp_path)


def test_trains_the_same_network_again_and_keeps_it(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    data = images(script)
    options = {"hidden": "6,5", "epochs": 30, "batch_size": 20, "seeds": 2, "l1": 1e-5}
    for folder in ("one", "two"):
        script.train_all(settings(script, output=str(tmp_path / folder), **options), data)
    networks = [load_network(tmp_path / f / "6-5_s0.npz") for f in ("one", "two")]
    assert networks[0].sha256 == networks[1].sha256
    assert networks[0].architecture == (12, 6, 5, 10)
    assert networks[0].input_box is not None
    assert networks[0].input_box.contains(np.full(12, 0.5))
    assert networks[0].sha256 != load_network(tmp_path / "one" / "6-5_s1.npz").sha256
    assert np.load(tmp_path / "one" / "6-5_s0.npz")["W0"].dtype == np.float32
    record = json.loads((tmp_path / "one" / "6-5_s0.json").read_text())
    outputs = networks[0].forward(data.test_images)
    accuracy = float((outputs.argmax(1) == data.test_labels).mean())
    assert record["test_accuracy"] == pytest.approx(accuracy) != 0
    assert record["hidden"] == [6, 5]
    capsys.readouterr()
    script.train_all(settings(script, output=str(tmp_path / "one"), **options), data)
    assert capsys.readouterr().out == "6-5_s0: there already\n6-5_s1: there already\n"
    other = settings(script, output=str(tmp_path / "one"), **options | {"epochs": 2})
    with pytest.raises(InputError, match="trained with epochs 30, not 2"):
        script.train_all(other, data)


def test_dead_networks_are_drawn_again(script: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    asked = settings(
        script, hidden="1", epochs=1, attempts=2, min_accuracy=1.0, output=str(tmp_path)
    )
    with pytest.raises(InputError, match=r"1_s0: 2 attempts stayed below 1\.0"):
        script.train_all(asked, images(script))
    assert not list(tmp_path.iterdir())


def test_missing_torch_is_named(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    asked = settings(script, hidden="2", output=str(tmp_path))
    with pytest.raises(InputError, match=r'pip install "milpcount\[torch\]"'):
        script.train_all(asked, images(script))


def test_networks_in_the_tree_are_what_their_settings_say(script: Any) -> None:
    root = SCRIPTS.parent
    asked = settings(script, root / "configs" / "mnist8" / "train.yaml")
    folder = root / asked.output
    names = {"-".join(map(str, w)) + f"_s{k}" for w in asked.hidden for k in range(asked.seeds)}
    assert {path.stem for path in folder.glob("*.npz")} == names
    for name in names:
        script.require_same_settings(folder / f"{name}.json", asked)
        record = json.loads((folder / f"{name}.json").read_text())
        assert load_network(folder / f"{name}.npz").widths == tuple(record["hidden"])
        assert record["test_accuracy"] >= asked.min_accuracy
