"""Commands whose arguments are read without Typer, where there is nothing to be said about them.

Typer builds a Pydantic validator for each parameter of a command before it looks at the first
argument: a quarter of a second of CPU, more than most small counts.  What options there are and
of which types is in the signature of the command, and plain arguments (a path, known options with
numbers, words and flags) are read from it here, to the same values.  Whatever is not plain, help,
abbreviations and mistakes among it, is left to Typer, which finds the words.
"""

from __future__ import annotations

import enum
import inspect
import os
import re
import types
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

__all__ = ["plain_call"]

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?(e-?\d{1,2})?", re.ASCII)
# What an option may say about itself that does not change how its value is read.
_WORDS = frozenset({"param_decls", "help", "metavar", "show_default"})


class _NotPlainError(Exception):
    """Leave it to Typer."""


@dataclass(frozen=True)
class _Parameter:
    """A parameter of a command.

    Attributes:
        name: the keyword.
        type: what each of its words becomes, one entry a word.
        several: whether the value is the tuple of these.
        default: its value without any; ``inspect.Parameter.empty`` if it must be given.
        flags: what each flag sets it to; other names take words.
    """

    name: str
    type: tuple[type, ...]
    several: bool
    default: Any
    flags: dict[str, bool]


def plain_call(command: Callable[..., int], arguments: Sequence[str]) -> Callable[[], int] | None:
    """The command with these arguments, None where they are not plain."""
    try:
        return partial(command, **_values(command, arguments))
    except _NotPlainError:
        return None


def _values(command: Callable[..., int], arguments: Sequence[str]) -> dict[str, Any]:
    options, positional = _parameters(command)
    values: dict[str, Any] = {}
    words = deque(arguments)
    while words:
        word = words.popleft()
        name, equals, first = word.partition("=")
        if equals and name in options and not options[name].flags:
            # "--box=-1 1" is "--box -1 1".
            words.appendleft(first)
            word = name
        if word in options:
            parameter = options[word]
            if parameter.name in values:
                raise _NotPlainError  # which of them counts?
            if word in parameter.flags:
                values[parameter.name] = parameter.flags[word]
            else:
                values[parameter.name] = _taken(parameter, words)
        elif word.startswith("-") or not positional:
            raise _NotPlainError
        else:
            parameter = positional.pop(0)
            values[parameter.name] = _taken(parameter, deque([word]))
    for parameter in (*options.values(), *positional):
        if values.setdefault(parameter.name, parameter.default) is inspect.Parameter.empty:
            raise _NotPlainError
    return values


def _taken(parameter: _Parameter, words: deque[str]) -> Any:
    """The value of a parameter from the words that follow."""
    found = [_value(kind, words.popleft() if words else None) for kind in parameter.type]
    return tuple(found) if parameter.several else found[0]


def _value(kind: type, word: str | None) -> Any:
    if not word:
        raise _NotPlainError
    if kind is str:
        return word
    if kind is Path:
        path = Path(word)
        # Typer complains about a file that may not be read; nothing else is asked of it.
        if os.path.exists(path) and not os.access(path, os.R_OK):
            raise _NotPlainError
        return path
    if kind is int and _INTEGER.fullmatch(word):
        return int(word)
    if kind is float and _NUMBER.fullmatch(word):
        return float(word)
    if issubclass(kind, enum.Enum):
        for member in kind:
            if member.value == word:
                return member
    raise _NotPlainError


def _parameters(
    command: Callable[..., int],
) -> tuple[dict[str, _Parameter], list[_Parameter]]:
    """Options by their names, and the parameters that have a place.

    Raises:
        _NotPlainError: one that is more than a name and a type.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    options: dict[str, _Parameter] = {}
    positional = []
    for name, stated in signature.parameters.items():
        kind, info = _told(hints.get(name))
        several = get_origin(kind) is tuple
        kinds = get_args(kind) if several else (kind,)
        if not all(isinstance(one, type) and get_origin(one) is None for one in kinds):
            raise _NotPlainError
        # In an annotation the first name stands in the place of a default value.
        names = [n for n in (info.default, *(info.param_decls or ())) if isinstance(n, str)]
        flags = {}
        if kind is bool:
            first, _, second = names[0].partition("/") if len(names) == 1 else ("", "", "")
            flags = {first: True} | ({second: False} if second else {})
            names = list(flags)
        parameter = _Parameter(name, kinds, several, stated.default, flags)
        if isinstance(info, ArgumentInfo) and not names:
            positional.append(parameter)
        elif names and all(n.startswith("--") and "/" not in n for n in names):
            options |= dict.fromkeys(names, parameter)
        else:
            raise _NotPlainError
    return options, positional


def _told(hint: Any) -> tuple[Any, ArgumentInfo | OptionInfo]:
    """Type of a parameter, without None, and what Typer is told about it."""
    if get_origin(hint) is not Annotated:
        raise _NotPlainError
    kind, *extras = get_args(hint)
    if len(extras) != 1 or type(extras[0]) not in (ArgumentInfo, OptionInfo):
        raise _NotPlainError
    info = extras[0]
    silent = vars(type(info)(default=info.default))
    if any(value != silent[key] for key, value in vars(info).items() if key not in _WORDS):
        raise _NotPlainError
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        if len(kinds) != 1:
            raise _NotPlainError
        kind = kinds[0]
    return kind, info
