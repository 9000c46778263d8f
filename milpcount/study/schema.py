"""The configuration of a study, strictly: unknown keys and wrong types are errors with a place."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from milpcount.engines import ENGINES
from milpcount.errors import ConfigError
from milpcount.sampling.methods import METHODS
from milpcount.study.seeds import canonical_json
from milpcount.study.strict import OneOrMore, Strict, require_valid
from milpcount.study.sweep import SweepNetworks, require_sensible_size
from milpcount.study.yaml_loader import load_yaml, parse_value

__all__ = [
    "CountGrid",
    "CountSettings",
    "DomainSettings",
    "EstimateGrid",
    "RandomNetworks",
    "StudyConfig",
    "load_config",
]

BoundName = Literal[
    "naive", "raghu2017", "montufar2017", "serra2018", "hinz2019", "activation_based"
]
DefinitionName = Literal["full", "nonempty", "linear"]
TableName = Literal["architectures", "runs", "sweep"]
FigureName = Literal["bounds_and_counts", "counts_and_accuracy", "sweep"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RandomNetworks(Strict):
    """Random networks of one architecture.

    Attributes:
        architecture: ``[n_0, n_1, ..., n_L, outputs]``.
        count: how many, each with a seed derived from the other settings and its number.
        weights: "pytorch" (uniform in +-1/sqrt(inputs of the layer), weights and biases) or
            "normal" (He: variance 2/inputs, biases standard normal times ``bias_scale``).
        bias_scale: for "normal".
    """

    architecture: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2)]
    count: Annotated[int, Field(ge=1)] = 1
    weights: Literal["pytorch", "normal"] = "pytorch"
    bias_scale: Number = 0.1


class DomainSettings(Strict):
    """Exactly one of: the box in the network's file, one box, the whole space."""

    from_file: bool = False
    box: Annotated[list[Number | list[Number]], Field(min_length=2, max_length=2)] | None = None
    whole_space: bool = False

    @model_validator(mode="after")
    def _one(self) -> DomainSettings:
        if self.from_file + (self.box is not None) + self.whole_space != 1:
            raise ValueError("name one domain: box: [lo, hi], from_file: true or whole_space: true")
        return self


class CountSettings(Strict):
    """One way of counting; ``options`` go to the engine."""

    engine: str
    definition: DefinitionName
    with_output: bool
    time_limit: float | None
    region_limit: int | None
    options: dict[str, JsonValue]


class CountGrid(Strict):
    """Ways of counting every network: all combinations of engines, definitions and outputs.

    Attributes:
        engine, definition, with_output: one value or a list.
        time_limit: seconds for one count.
        region_limit: for one count.
        options: of the engine.
    """

    engine: OneOrMore[str] = Field(default=["auto"])
    definition: OneOrMore[DefinitionName] = Field(default=["full"])
    with_output: OneOrMore[bool] = Field(default=[False])
    time_limit: Positive | None = None
    region_limit: Annotated[int, Field(ge=1)] | None = None
    options: dict[str, JsonValue] = Field(default={})

    @field_validator("engine")
    @classmethod
    def _known(cls, engines: list[str]) -> list[str]:
        known = ["auto", *ENGINES]
        for engine in engines:
            if engine not in known:
                near = difflib.get_close_matches(engine, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
                raise ValueError(f"no engine {engine!r}; {hint}")
        return engines

    @field_validator("options")
    @classmethod
    def _finite(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        canonical_json(options)  # raises ValueError for numbers that no JSON file holds
        return options

    def expand(self) -> list[CountSettings]:
        """Every combination, engines first."""
        return [
            CountSettings(
                engine=engine,
                definition=definition,
                with_output=with_output,
                time_limit=self.time_limit,
                region_limit=self.region_limit,
                options=self.options,
            )
            for engine, definition, with_output in itertools.product(
                self.engine, self.definition, self.with_output
            )
        ]


class EstimateGrid(Strict):
    """A way of estimating every network, for calibration: many seeds against the exact counts.

    Attributes:
        method: of :func:`milpcount.estimate`.
        label: in tables; the method where none is given.
        confidence: of the bounds.
        seeds: how many, from 0.
        time_limit: seconds for one estimate.
        options: of the method.
    """

    method: str
    label: str = ""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seeds: Annotated[int, Field(ge=1)] = 1
    time_limit: Positive | None = None
    options: dict[str, JsonValue] = Field(default={})

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        if method not in METHODS:
            near = difflib.get_close_matches(method, METHODS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(METHODS)}"
            raise ValueError(f"no method {method!r}; {hint}")
        return method


class StudyConfig(Strict):
    """A study: networks x counts, the bounds beside them, and what is made of the results.

    Attributes:
        name: of the study, for titles.
        title: what tables and figures are captioned with.
        root: folder that ``networks`` and ``output`` are relative to, itself relative to the file.
        networks: files or patterns such as ``networks/*.npz``.
        random: random networks.
        sweep: random networks of all combinations of sizes and initialisations.
        domain, counts, bounds: what is counted, how, and beside which analytic bounds.
        estimates: what a calibration compares with the counts
            (:mod:`milpcount.study.calibration`); ``milpcount run`` refuses them.
        output: folder of the store, tables and figures.
        tables, figures: which to write.
    """

    name: str
    title: str = ""
    root: str = "."
    networks: list[str] = Field(default=[])
    random: list[RandomNetworks] = Field(default=[])
    sweep: list[SweepNetworks] = Field(default=[])
    domain: DomainSettings
    counts: Annotated[list[CountGrid], Field(min_length=1)]
    estimates: list[EstimateGrid] = Field(default=[])
    bounds: list[BoundName] = Field(default=["montufar2017", "serra2018", "hinz2019"])
    output: str
    tables: list[TableName] = Field(default=["architectures", "runs"])
    figures: list[FigureName] = Field(default=["bounds_and_counts"])

    @model_validator(mode="after")
    def _some_networks(self) -> StudyConfig:
        if not self.networks and not self.random and not self.sweep:
            raise ValueError("no networks: give networks: [FILES], random: [...] or sweep: [...]")
        return self

    @field_validator("sweep")
    @classmethod
    def _can_end(cls, sweep: list[SweepNetworks]) -> list[SweepNetworks]:
        require_sensible_size(sweep)
        return sweep


def load_config(
    path: Path, overrides: Mapping[str, str] | None = None
) -> tuple[StudyConfig, dict[str, Any]]:
    """Read a configuration; return it with the plain values that it was made from.

    Arguments:
        path: a YAML file.
        overrides: dotted keys (``counts.0.time_limit``) and values as YAML text.

    Raises:
        ConfigError: one line with the file, the line where it can be told, the key, the remedy.
    """
    values = load_yaml(path)
    overrides = overrides or {}
    for key, text in overrides.items():
        _override(values, key, parse_value(text))
    return require_valid(StudyConfig, values, path, overrides), values


def _override(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place: Any = values
    for depth, part in enumerate(parents):
        if isinstance(place, list):
            place = place[_index(place, part, key)]
        elif isinstance(place, dict):
            place = place.setdefault(part, {})
        else:
            raise _not_a_group(key, parents[:depth])
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise _not_a_group(key, parents)


def _not_a_group(key: str, parents: list[str]) -> ConfigError:
    return ConfigError(f"--set {key}: {'.'.join(parents)} is a value, not a group of settings")


def _index(place: list[Any], part: str, key: str) -> int:
    if not part.isdecimal() or int(part) >= len(place):
        raise ConfigError(f"--set {key}: {part!r} is no place in a list of {len(place)} (from 0)")
    return int(part)
