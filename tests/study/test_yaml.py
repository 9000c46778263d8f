from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from milpcount.errors import ConfigError
from milpcount.study.config.yaml_loader import key_line, load_yaml, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-6", 1e-6),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("3.", 3.0),
        ("12", 12),
        ("-3", -3),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("True", "True"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("017", "017"),
        ("0x1F", "0x1F"),
        ("2026-11-21", "2026-11-21"),
        ("'7'", "7"),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values(text: str, value: Any) -> None:
    read = parse_value(text)
    assert read == value
    assert type(read) is type(value)


def test_infinity_only_when_written() -> None:
    assert parse_value("-.inf") == -math.inf
    with pytest.raises(ConfigError, match="1e999 is too large"):
        parse_value("1e999")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands in line 1 already"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: the key 'b' stands in line 2 already"),
        ("a: 1\n7: 2\n", "line 2: the key 7 is not a word"),
        ("a: [1, 2\nb: 3\n", "line 2: "),
        ("a: &x [1]\nb: *x\n", "line 2: aliases"),
        ("a: !!python/object:os.system {}\n", "line 1: tags"),
        ("a: !!int x\n", "line 1: tags"),
        ("a: " + "9" * 5000 + "\n", "line 1: the number has too many digits"),
        ("a: \x00\n", "not YAML"),
        ("a: " + "[" * 5000 + "\n", "nested too deeply"),
        ("", "holds no settings"),
        ("- 1\n", "holds no settings"),
        ("a: 1\n---\nb: 2\n", "line 2: "),
    ],
)
def test_refusals_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_yaml(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_yaml(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_yaml(binary)


def test_key_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\ncounts:\n  - x: 1\n  - y: 2\n    z: 3\n", encoding="utf-8")
    assert key_line(path, ("counts", 1, "z")) == 5
    assert key_line(path, ("counts", 1, "w")) == 4
    assert key_line(path, ("counts", 7)) == 2
    assert key_line(path, ("b",)) is None
    assert key_line(Path(os.devnull), ("b",)) is None
