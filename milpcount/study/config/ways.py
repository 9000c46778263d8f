"""The ways in which a study looks at every network: counts, estimates, bounds over the domain."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator

from milpcount.engines.registry import ENGINES
from milpcount.sampling.methods import METHODS
from milpcount.study.config.seeds import canonical_json, derive_seed
from milpcount.study.config.strict import OneOrMore, Strict

__all__ = [
    "BoundGrid",
    "BoundSettings",
    "CountGrid",
    "CountSettings",
    "DefinitionName",
    "EstimateGrid",
    "EstimateSettings",
    "RunSettings",
]

DefinitionName = Literal["full", "nonempty", "linear", "closed", "affine"]
RangesName = Literal["interval", "lp", "milp"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CountSettings(Strict):
    """One way of counting; ``options`` go to the engine."""

    engine: str
    definition: DefinitionName
    with_output: bool
    time_limit: float | None
    region_limit: int | None
    options: dict[str, JsonValue]


class EstimateSettings(Strict):
    """One estimate; ``number`` tells apart the repetitions, ``options`` go to the method."""

    method: str
    label: str
    definition: Literal["full", "nonempty"]
    with_output: bool
    confidence: float
    number: int
    time_limit: float | None
    options: dict[str, JsonValue]

    def seed(self, network_sha256: str) -> int:
        """Seed of the method's random choices on a network, whatever the limit of time."""
        return derive_seed(
            network=network_sha256,
            method=self.method,
            definition=self.definition,
            with_output=self.with_output,
            options=self.options,
            number=self.number,
        )


class BoundSettings(Strict):
    """The analytic bounds with the units that are stable over the domain."""

    ranges: RangesName
    with_output: bool


RunSettings = CountSettings | EstimateSettings | BoundSettings


class Grid(Strict):
    """What all groups of ways have.

    Attributes:
        only: patterns of network names such as ``*_s0``; the others are left out.
    """

    only: OneOrMore[str] = Field(default=["*"])

    def takes(self, network: str) -> bool:
        """Whether a network of this name is looked at in these ways."""
        return any(fnmatchcase(network, pattern) for pattern in self.only)


class CountGrid(Grid):
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
        for engine in engines:
            _require_known("engine", engine, ["auto", *ENGINES])
        return engines

    @field_validator("options")
    @classmethod
    def _finite(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return _require_finite(options)

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


class EstimateGrid(Grid):
    """A way of estimating every network.

    Attributes:
        method: of :func:`milpcount.estimate`.
        label: in tables and figures; the method where none is given.
        definition, with_output: one value or a list.
        confidence: of the bounds.
        seeds: how many estimates of each network; the seeds derive from the network, the method,
            its options and their numbers.
        time_limit: seconds for one estimate.
        options: of the method.
    """

    method: str
    label: str = ""
    definition: OneOrMore[Literal["full", "nonempty"]] = Field(default=["full"])
    with_output: OneOrMore[bool] = Field(default=[False])
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seeds: Annotated[int, Field(ge=1)] = 1
    time_limit: Positive | None = None
    options: dict[str, JsonValue] = Field(default={})

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        _require_known("method", method, METHODS)
        return method

    @field_validator("options")
    @classmethod
    def _finite(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return _require_finite(options)

    def expand(self) -> list[EstimateSettings]:
        """Every combination, and every repetition of it."""
        return [
            EstimateSettings(
                method=self.method,
                label=self.label or self.method,
                definition=definition,
                with_output=with_output,
                confidence=self.confidence,
                number=number,
                time_limit=self.time_limit,
                options=self.options,
            )
            for definition, with_output, number in itertools.product(
                self.definition, self.with_output, range(self.seeds)
            )
        ]


class BoundGrid(Grid):
    """Bounds of every network over the domain, timed: ``activation_based`` knows stable units.

    Attributes:
        ranges: how stable units are found: "interval", "lp" or "milp" (the smallest constants
            of the paper); one or a list.
        with_output: one value or a list.
    """

    ranges: OneOrMore[RangesName] = Field(default=["lp"])
    with_output: OneOrMore[bool] = Field(default=[False])

    def expand(self) -> list[BoundSettings]:
        """Every combination."""
        return [
            BoundSettings(ranges=ranges, with_output=with_output)
            for ranges, with_output in itertools.product(self.ranges, self.with_output)
        ]


def _require_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of the known, with the nearest."""
    known = list(known)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"no {kind} {name!r}; {hint}")


def _require_finite(options: dict[str, JsonValue]) -> dict[str, JsonValue]:
    canonical_json(options)  # raises ValueError for numbers that no JSON file holds
    return options
