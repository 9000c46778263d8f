"""YAML as its readers expect it: no silent surprises of YAML 1.1, errors with file and line.

Against PyYAML's safe loader: ``1e-6`` is a number, only ``true`` and ``false`` are booleans
(``on``, ``yes`` and ``no`` are words), ``1:30``, ``1_000`` and dates are words, and a key given
twice is an error instead of the last one winning.  Tags and aliases are refused: settings need
neither, and a few nested aliases stand for gigabytes.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from milpcount.errors import ConfigError

__all__ = ["key_line", "load_yaml", "parse_value"]


class _LoadError(Exception):
    """A problem that the loader found, with its line."""

    def __init__(self, place: yaml.Node | yaml.Event, problem: str) -> None:
        line = place.start_mark.line + 1 if place.start_mark else 1
        super().__init__(f"line {line}: {problem}")


class _Loader(yaml.SafeLoader):
    """The safe loader with the resolvers of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own attribute

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _LoadError(event, "aliases (*name) are not read; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _LoadError(event, f"tags ({tag}) are not read; write a plain value")
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.inf)$",
        "-+.0123456789",
    ),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _LoadError(key_node, f"the key {key!r} is not a word; quote it")
        if key in mapping:
            raise _LoadError(key_node, f"the key {key!r} stands in line {lines[key]} already")
        lines[key] = key_node.start_mark.line + 1
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    try:
        return int(str(loader.construct_scalar(node)))
    except ValueError as error:  # Python reads no integer of more than 4300 digits
        raise _LoadError(node, "the number has too many digits") from error


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node))
    value = float(text.replace(".inf", "inf"))
    if math.isinf(value) and "inf" not in text:
        raise _LoadError(node, f"the number {text} is too large; write .inf if meant")
    return value


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
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
    """Read one value as YAML, for ``--set KEY=VALUE``.

    Raises:
        ConfigError: the text is no YAML.
    """
    return _load(text, f"value {text!r}")


def key_line(path: Path, keys: tuple[str | int, ...]) -> int | None:
    """Line of a nested key in a YAML file, as far down as the file goes; None if unknown."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, _LoadError):
        return None
    line: int | None = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            match = [(k, v) for k, v in node.value if k.value == key]
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
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{where}: line {line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: nested too deeply") from error
