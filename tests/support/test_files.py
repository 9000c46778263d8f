"""What is written: only regular files and new ones; a full disk is one line and loses nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli.app import run
from milpcount.importers.npz import save_npz
from milpcount.study.store import ResultStore
from milpcount.study.whole_files import write_text
from tests.shared import random_net


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.npz"
    save_npz(random_net(np.random.default_rng(0), [3, 8, 4, 1]), path)
    return path


@contextlib.contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Within the block no file gets longer than so many bytes."""
    resource = pytest.importorskip("resource", reason="limits of POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("option", ["--resume", "--certificate"])
def test_only_regular_files_are_written(
    network: Path, option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(network.parent)
    cases = [(".", "is a folder"), ("absent/file", "there is no folder absent")]
    if os.name != "nt":
        os.mkfifo("pipe")
        cases += [("pipe", "is a device or a pipe"), ("net.npz/file", "Not a directory")]
    if sys.platform == "linux" and os.geteuid() == 0:
        with contextlib.suppress(PermissionError):  # in a container
            os.mknod("device", 0o600 | 0o020000, os.makedev(1, 7))  # another /dev/full
            cases.append(("device", "is a device or a pipe"))
    for name, message in cases:
        before = {p.name: p.stat(follow_symlinks=False).st_mode for p in Path().iterdir()}
        arguments = ["count", "net.npz", "--box", "-1", "1", "--engine", "tree", option, name]
        assert run(arguments) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
        assert ".lock" not in err
        assert {p.name: p.stat(follow_symlinks=False).st_mode for p in Path().iterdir()} == before


def test_a_foreign_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.write(b"1234\n")
        file.truncate(1 << 42)  # sparse: four terabytes
    network = random_net(np.random.default_rng(0), [3, 8, 4, 1])
    with pytest.raises(mc.InputError, match="is no file of a run to resume"):
        mc.count(network, mc.Box(-1, 1), engine="tree", resume=path)


def test_a_full_disk_while_a_run_is_kept(tmp_path: Path) -> None:
    network = random_net(np.random.default_rng(0), [3, 8, 4, 1])
    path = tmp_path / "run.jsonl"
    truth = mc.count(network, mc.Box(-1, 1), engine="tree").lower
    for size in (100, 600, 700):
        with (
            disk_of(size),
            pytest.raises(mc.OutputError, match=r"run\.jsonl: cannot be written: .*; what it hol"),
        ):
            mc.count(network, mc.Box(-1, 1), engine="tree", resume=path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.jsonl"]
    result = mc.count(network, mc.Box(-1, 1), engine="tree", resume=path)
    assert (result.lower, result.exact) == (truth, True)


def test_a_full_disk_while_a_certificate_is_written(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = network.with_name("net.cert")
    path.write_bytes(b"an older one")
    arguments = ["count", str(network), "--box", "-1", "1", "--certificate", str(path)]
    with disk_of(300):
        code = run(arguments)
    assert code == 4
    assert "net.cert: cannot be written" in capsys.readouterr().err
    assert path.read_bytes() == b"an older one"
    assert sorted(file.name for file in network.parent.iterdir()) == ["net.cert", "net.npz"]


def test_a_full_disk_while_runs_are_stored(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    with disk_of(100), store.appending() as writer:
        writer.append({"key": "a"})
        with pytest.raises(mc.OutputError, match="the runs before are kept"):
            writer.append({"key": "b", "text": "x" * 1000})
    assert list(store.read()) == ["a"]
    with store.appending() as writer:
        writer.append({"key": "b"})
    assert list(store.read()) == ["a", "b"]


def test_tables_replace_regular_files_alone(tmp_path: Path) -> None:
    with pytest.raises(mc.InputError, match="is a folder"):
        write_text(tmp_path, "x")
    path = tmp_path / "table.md"
    write_text(path, "old")
    with disk_of(100), pytest.raises(mc.OutputError, match=r"table\.md: cannot be written"):
        write_text(path, "x" * 1000)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.md"]
