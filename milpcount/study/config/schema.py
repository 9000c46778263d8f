"""The configuration of a study, strictly: unknown keys and wrong types are errors with a place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from milpcount.core.domain import Box
from milpcount.errors import ConfigError, DomainError
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.sweep_networks import SweepNetworks, require_sensible_size
from milpcount.study.config.ways import (
    BoundGrid,
    BoundSettings,
    CountGrid,
    CountSettings,
    EstimateGrid,
    EstimateSettings,
    RunSettings,
)
from milpcount.study.config.yaml_loader import load_yaml, parse_value
from milpcount.study.tables.depth_table import DepthBounds

__all__ = [
    "BoundGrid",
    "BoundSettings",
    "CountGrid",
    "CountSettings",
    "DomainSettings",
    "EstimateGrid",
    "EstimateSettings",
    "RandomNetworks",
    "RunSettings",
    "StudyConfig",
    "load_config",
]

BoundName = Literal[
    "naive", "raghu2017", "montufar2017", "serra2018", "hinz2019", "activation_based"
]
TableName = Literal[
    "architectures",
    "runs",
    "estimates",
    "gap_closed",
    "epochs",
    "bounds_by_depth",
    "sweep",
    "calibration",
]
FigureName = Literal[
    "bounds_and_counts",
    "counts_and_accuracy",
    "counts_and_accuracy_wide",
    "counts_and_loss",
    "counts_and_loss_wide",
    "sampling_and_bounds",
    "counts_by_epoch",
    "bounds_by_depth",
    "sweep",
]
Number = Annotated[float, Field(allow_inf_nan=False)]


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
        if self.box is not None:
            try:
                Box(*self.box)
            except DomainError as error:
                raise ValueError(f"box: {error}") from None
        return self


class StudyConfig(Strict):
    """A study: networks x ways of looking at them, and what is made of the results.

    Attributes:
        name: of the study, for titles.
        title: what tables and figures are captioned with.
        root: folder that the paths are relative to, itself relative to the file.
        networks: files or patterns such as ``networks/*.npz``.
        network_output: which output of these networks, where their ``.onnx`` files have several.
        random: random networks.
        sweep: random networks of all combinations of sizes and initialisations.
        domain: what is counted over; needed wherever there are networks.
        counts: ways of counting every network.
        estimates: probabilistic bounds and estimates of every network.
        domain_bounds: bounds of every network over the domain, timed.
        bounds: analytic bounds that tables and figures show.
        depth_bounds: bounds of architectures alone, by depth and inputs; no networks.
        reuse: folders of other studies, whose finished runs are not done again.
        output: folder of the store, tables and figures.
        tables, figures: which to write.
    """

    name: str
    title: str = ""
    root: str = "."
    networks: list[str] = Field(default=[])
    network_output: Annotated[str, Field(min_length=1)] | None = None
    random: list[RandomNetworks] = Field(default=[])
    sweep: list[SweepNetworks] = Field(default=[])
    domain: DomainSettings | None = None
    counts: Annotated[list[CountGrid], Field(min_length=1)] = Field(default=[])
    estimates: list[EstimateGrid] = Field(default=[])
    domain_bounds: list[BoundGrid] = Field(default=[])
    bounds: list[BoundName] = Field(default=["montufar2017", "serra2018", "hinz2019"])
    depth_bounds: DepthBounds | None = None
    reuse: list[str] = Field(default=[])
    output: str
    tables: list[TableName] = Field(default=["architectures", "runs"])
    figures: list[FigureName] = Field(default=["bounds_and_counts"])

    @model_validator(mode="after")
    def _something_to_do(self) -> StudyConfig:
        if self.depth_bounds is None:
            asked = {"bounds_by_depth"} & {*self.tables, *self.figures}
            if asked:
                raise ValueError("bounds_by_depth needs the section depth_bounds: {units: [...]}")
        if not self.networks and not self.random and not self.sweep:
            if self.depth_bounds is not None and not self.grids:
                return self
            raise ValueError("no networks: give networks: [FILES], random: [...] or sweep: [...]")
        if not self.grids:
            raise ValueError("nothing to do: give counts:, estimates: or domain_bounds:")
        if self.domain is None:
            raise ValueError("the key 'domain' is missing: domain: {box: [lo, hi]} or the like")
        return self

    @model_validator(mode="after")
    def _output_of_files(self) -> StudyConfig:
        if self.network_output is not None and not self.networks:
            raise ValueError("network_output names an output of files: give networks: [FILES]")
        return self

    @field_validator("sweep")
    @classmethod
    def _can_end(cls, sweep: list[SweepNetworks]) -> list[SweepNetworks]:
        require_sensible_size(sweep)
        return sweep

    @property
    def grids(self) -> list[CountGrid | EstimateGrid | BoundGrid]:
        """All groups of ways of looking at a network."""
        return [*self.counts, *self.estimates, *self.domain_bounds]


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
