"""Settings that are what they say: no unknown keys, no conversions, errors of one line."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from milpcount.errors import ConfigError
from milpcount.study.config.yaml_loader import key_line

__all__ = ["OneOrMore", "PlacedError", "Strict", "require_valid", "where_set"]

Place = tuple[str | int, ...]


class PlacedError(ConfigError):
    """A setting that only its use shows to be wrong.

    Attributes:
        place: the keys that lead to it, for :func:`where_set`.
    """

    def __init__(self, message: str, *place: str | int) -> None:
        """Say what is wrong with the setting at a place."""
        super().__init__(message)
        self.place: Place = place


T = TypeVar("T")
OneOrMore = Annotated[
    list[T],
    Field(min_length=1),
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
]


class Strict(BaseModel):
    """Base of settings: ``with_output: "yes"`` or a misspelled key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=Strict)


def require_valid(
    model: type[M],
    values: dict[str, Any],
    path: Path,
    overridden: Collection[str] = (),
    option: str = "--set ",
) -> M:
    """Return the settings that ``values`` hold.

    Arguments:
        model: what the settings are.
        values: as read from the file, overrides put in.
        path: of the file, for messages.
        overridden: the dotted keys that did not come from the file but from the command line.
        option: what such a key is written after there.

    Raises:
        ConfigError: one line with the file, the line where it can be told, the key, the remedy.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(model, values, path, overridden, option, error)) from error


def _explain(
    model: type[Strict],
    values: dict[str, Any],
    path: Path,
    overridden: Collection[str],
    option: str,
    error: ValidationError,
) -> str:
    """One line on the first problem; on an unknown key first, which another one may be for."""
    problems = error.errors(include_url=False)
    unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    problem = [*unknown, *problems][0]
    missing = problem["type"] == "missing"
    place = _place(values, problem["loc"], missing)
    key = ".".join(map(str, place))
    where = where_set(path, place, overridden, option)
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        return f"{where}: unknown key {key!r}; {hint}"
    if missing:
        return f"{where}: the key {key!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if problem["type"] == "value_error" else f", not {_shown(problem['input'])}"
    return f"{where}: {key}: {message}{given}" if key else f"{where}: {message}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _place(values: Any, location: Place, missing: bool) -> Place:
    """The part of pydantic's location that the user wrote: no names of union members."""
    place: list[str | int] = []
    for part in location:
        inside = (isinstance(values, dict) and part in values) or (
            isinstance(values, list) and isinstance(part, int) and part < len(values)
        )
        if inside:
            values = values[part]
        elif not (missing and part == location[-1]):
            continue
        place.append(part)
    return tuple(place)


def where_set(
    path: Path, place: Place, overridden: Collection[str] = (), option: str = "--set "
) -> str:
    """``--set KEY`` or ``FILE:LINE``, whichever the value came from."""
    dotted = ".".join(map(str, place))
    for key in overridden:
        if f"{dotted}.".startswith(f"{key}."):
            return f"{option}{key}"
    line = key_line(path, place)
    return f"{path}:{line}" if line else str(path)


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """Known keys of the group of settings at a place."""
    for part in place:
        if isinstance(part, str):
            model = _group(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _group(annotation: Any) -> type[BaseModel] | None:
    """The settings that ``list[X] | None`` and the like are about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = map(_group, typing.get_args(annotation))
    return next((group for group in found if group is not None), None)
