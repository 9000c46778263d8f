from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from milpcount.errors import ConfigError
from milpcount.study.store import ResultStore


def fill(folder: Path, *records: dict[str, object]) -> ResultStore:
    store = ResultStore(folder)
    with store.appending() as writer:
        for record in records:
            writer.append(record)
    return store


def test_round_trip_and_last_line_wins(tmp_path: Path) -> None:
    huge = str(3**2000)
    store = fill(tmp_path, {"key": "a", "lower": "1"}, {"key": "b", "lower": "2"})
    fill(tmp_path, {"key": "a", "lower": huge})
    assert store.read() == {"a": {"key": "a", "lower": huge}, "b": {"key": "b", "lower": "2"}}
    assert list(store.read()) == ["a", "b"]
    assert len(store.path.read_text().splitlines()) == 3


def test_nothing_stored(tmp_path: Path) -> None:
    assert ResultStore(tmp_path / "absent").read() == {}


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_torn_line_is_dropped(tmp_path: Path, cut: int) -> None:
    store = fill(tmp_path, {"key": "a", "lower": "1"}, {"key": "b", "lower": "22222"})
    content = store.path.read_bytes()
    store.path.write_bytes(content[:-cut])
    assert list(store.read()) == ["a"]
    fill(tmp_path, {"key": "c"})
    lines = store.path.read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["a", "c"]


def test_fresh_empties(tmp_path: Path) -> None:
    store = fill(tmp_path, {"key": "a"})
    with store.appending(fresh=True) as writer:
        writer.append({"key": "b"})
    assert list(store.read()) == ["b"]


@pytest.mark.parametrize("line", ["{", "[]", "5", '{"no": "key"}', ""])
def test_damage_in_the_middle_is_an_error(tmp_path: Path, line: str) -> None:
    store = fill(tmp_path, {"key": "a"})
    with store.path.open("a") as file:
        file.write(f'{line}\n{{"key": "b"}}\n')
    with pytest.raises(ConfigError, match=r"runs\.jsonl:2: not a stored run"):
        store.read()


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    store = fill(tmp_path, {"key": "a"})
    with store.appending() as writer:
        with (
            pytest.raises(ConfigError, match="another milpcount run"),
            ResultStore(tmp_path).appending(fresh=True),
        ):
            pass
        writer.append({"key": "b"})
    assert list(store.read()) == ["a", "b"]


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from milpcount.study.store import ResultStore\n"
        "with ResultStore(pathlib.Path(sys.argv[1])).appending() as writer:\n"
        "    writer.append({'key': 'a'}); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == 9
    assert list(fill(tmp_path, {"key": "b"}).read()) == ["a", "b"]


def test_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        fill(tmp_path, {"key": "a", "seconds": float("nan")})
    assert ResultStore(tmp_path).read() == {}
