"""The configuration of a study, strictly: unknown keys and wrong types are errors with a place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from milpcount.errors import ConfigError
from milpcount.study.yaml_loader import key_line, load_yaml, parse_value

__all__ = ["CountSettings", "DomainSettings", "RandomNetworks", "StudyConfig", "load_config"]

BoundName = Literal["naive", "raghu2017", "montufar2017", "serra2018", "hinz2019"]
TableName = Literal["architectures", "runs"]
FigureName = Literal["bounds_and_counts", "counts_and_accuracy"]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RandomNetworks(_Strict):
    """Random networks of one architecture.

    Attributes:
        architecture: ``[n_0, n_1, ..., n_L, outputs]``.
        count: how many, each with a seed derived from the architecture and its number.
        weights: "pytorch" (uniform in +-1/sqrt(inputs of the layer), weights and biases) or
            "normal" (He: variance 2/inputs, biases standard normal times ``bias_scale``).
        bias_scale: for "normal".
    """

    architecture: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2)]
    count: Annotated[int, Field(ge=1)] = 1
    weights: Literal["pytorch", "normal"] = "pytorch"
    bias_scale: Number = 0.1


class DomainSettings(_Strict):
    """Exactly one of: the box in the network's file, one box, the whole space."""

    from_file: bool = False
    box: tuple[Number | list[Number], Number | list[Number]] | None = None
    whole_space: bool = False

    @model_validator(mode="after")
    def _one(self) -> DomainSettings:
        if self.from_file + (self.box is not None) + self.whole_space != 1:
            raise ValueError("name one domain: box: [lo, hi], from_file: true or whole_space: true")
        return self


class CountSettings(_Strict):
    """How every network is counted; ``options`` go to the engine."""

    engine: str = "auto"
    definition: Literal["full", "nonempty"] = "full"
    with_output: bool = False
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    options: dict[str, Any] = {}


class StudyConfig(_Strict):
    """A study: networks x counts, the bounds beside them, and what is made of the results.

    Attributes:
        name: of the study, for titles.
        title: what tables and figures are captioned with.
        root: folder that ``networks`` and ``output`` are relative to, itself relative to the file.
        networks: files or patterns such as ``networks/*.npz``.
        random: random networks.
        domain, counts, bounds: what is counted, how, and beside which analytic bounds.
        output: folder of the store, tables and figures.
        tables, figures: which to write.
    """

    name: str
    title: str = ""
    root: str = "."
    networks: list[str] = []
    random: list[RandomNetworks] = []
    domain: DomainSettings
    counts: Annotated[list[CountSettings], Field(min_length=1)]
    bounds: list[BoundName] = ["montufar2017", "serra2018", "hinz2019"]
    output: str
    tables: list[TableName] = ["architectures", "runs"]
    figures: list[FigureName] = ["bounds_and_counts"]

    @model_validator(mode="after")
    def _some_networks(self) -> StudyConfig:
        if not self.networks and not self.random:
            raise ValueError("no networks: give networks: [FILES] or random: [...]")
        return self


def load_config(
    path: Path, overrides: Mapping[str, str] | None = None
) -> tuple[StudyConfig, dict[str, Any]]:
    """Read a configuration; return it with the plain values that it was made from.

    Arguments:
        path: a YAML file, or the ``study.json`` that a run left in its output folder.
        overrides: dotted keys (``counts.0.time_limit``) and values as YAML text.

    Raises:
        ConfigError: one line with the file, the line where it can be told, the key, the remedy.
    """
    if path.suffix == ".json":
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
    else:
        values = load_yaml(path)
    for key, text in (overrides or {}).items():
        _override(values, key, parse_value(text))
    try:
        return StudyConfig.model_validate(values, strict=False), values
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from error


def _override(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place: Any = values
    for part in parents:
        if isinstance(place, list):
            place = place[_index(place, part, key)]
        elif isinstance(place, dict):
            place = place.setdefault(part, {})
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise ConfigError(f"--set {key}: {'.'.join(parents)} is a value, not a group of settings")


def _index(place: list[Any], part: str, key: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        raise ConfigError(f"--set {key}: {part!r} is no place in a list of {len(place)} (from 0)")
    return int(part)


def _explain(path: Path, error: ValidationError) -> str:
    """One line on the first problem."""
    problem = error.errors(include_url=False)[0]
    where = tuple(part for part in problem["loc"] if isinstance(part, str | int))
    line = key_line(path, where) if path.suffix != ".json" else None
    place = f"{path}:{line}" if line else str(path)
    key = ".".join(map(str, where))
    if problem["type"] == "extra_forbidden":
        known = _keys_at(where[:-1])
        near = difflib.get_close_matches(str(where[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        return f"{place}: unknown key {key!r}; {hint}"
    if problem["type"] == "missing":
        return f"{place}: the key {key!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {key}: {message}" if key else f"{place}: {message}"


def _keys_at(parents: tuple[str | int, ...]) -> list[str]:
    """Known keys of the group of settings at a place."""
    groups: dict[str, type[BaseModel]] = {
        "random": RandomNetworks,
        "domain": DomainSettings,
        "counts": CountSettings,
    }
    model = groups.get(str(parents[0]), StudyConfig) if parents else StudyConfig
    return list(model.model_fields)
