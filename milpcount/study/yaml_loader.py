"""YAML as its readers expect it: no silent surprises of YAML 1.1, errors with file and line.

Against PyYAML's safe loader: ``1e-6`` is a number, only ``true`` and ``false`` are booleans
(``on``, ``yes`` and ``no`` are words), ``1:30``, ``1_000`` and dates are words, and a key given
twice is an error instead of the last one winning.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from milpcount.errors import ConfigError

__all__ = ["load_yaml", "parse_value"]


class _Loader(yaml.SafeLoader):
    """The safe loader with the resolvers of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|\.inf)$",
        "-+.0123456789",
    ),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise _LoadError(f"line {line}: the key {key!r} is not a word")
        if key in seen:
            raise _LoadError(f"line {line}: the key {key!r} stands in line {seen[key]} already")
        seen[key] = line
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    return float(str(text).replace(".inf", "inf"))


class _LoadError(Exception):
    """A problem that the loader found, with its line."""


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ConfigError: the file is missing, is no YAML, has a key twice, or holds no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    value = _load(text, str(path))
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: holds no settings (KEY: VALUE lines)")
    return value


def parse_value(text: str) -> Any:
    """Read one value as YAML, for ``--set KEY=VALUE``."""
    return _load(text, f"value {text!r}")


def key_line(path: Path, keys: tuple[str | int, ...]) -> int | None:
    """Line of a nested key in a YAML file, as far down as the file goes; None if unknown."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, yaml.YAMLError):
        return None
    line: int | None = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            match = [(k, v) for k, v in node.value if k.value == str(key)]
            if not match:
                break
            line, node = match[0][0].start_mark.line + 1, match[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            if key >= len(node.value):
                break
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _load(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except _LoadError as problem:
        raise ConfigError(f"{where}: {problem}") from problem
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"{where}: line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML: {error}") from error
