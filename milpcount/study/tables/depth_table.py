"""How an analytic bound depends on depth: a number of units shared by one to several layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from milpcount.api import bound
from milpcount.study.config.strict import OneOrMore, Strict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DepthBounds", "bounds_by_depth", "depth_table"]

Count = Annotated[int, Field(ge=1, le=1000)]


class DepthBounds(Strict):
    """Bounds of architectures with equal layers; pure arithmetic, no networks.

    Attributes:
        units: in total, shared equally by the layers: one number or a list.
        layers: depths; of a total those that divide it are taken.
        inputs: numbers of inputs, from 1 to this, or a list.
        bound: which.
    """

    units: OneOrMore[Count]
    layers: list[Count] = Field(default=[1, 2, 3, 4, 5, 6], min_length=1)
    inputs: Count | Annotated[list[Count], Field(min_length=1)] = 60
    bound: Literal["naive", "raghu2017", "montufar2017", "serra2018", "hinz2019"] = "serra2018"

    @field_validator("units", "layers", "inputs")
    @classmethod
    def _once(cls, values: int | list[int]) -> int | list[int]:
        if isinstance(values, list) and len(set(values)) < len(values):
            raise ValueError("a number stands twice")
        return values

    @model_validator(mode="after")
    def _divisible(self) -> DepthBounds:
        for total in self.units:
            if not self.depths(total):
                raise ValueError(f"{total} units: no depth of {self.layers} divides them equally")
        return self

    def depths(self, total: int) -> list[int]:
        """The depths that share a total equally."""
        return [depth for depth in self.layers if total % depth == 0]

    def input_numbers(self) -> list[int]:
        """The numbers of inputs, rising."""
        if isinstance(self.inputs, int):
            return list(range(1, self.inputs + 1))
        return sorted(self.inputs)


def bounds_by_depth(settings: DepthBounds) -> Mapping[tuple[int, int, int], int]:
    """The bound for every ``(total units, layers, inputs)``."""
    return {
        (total, depth, inputs): bound([inputs] + [total // depth] * depth).upper[settings.bound]
        for total in settings.units
        for depth in settings.depths(total)
        for inputs in settings.input_numbers()
    }


def depth_table(settings: DepthBounds) -> pd.DataFrame:
    """One row a total and number of inputs: the bound at every depth, and the best depths."""
    values = bounds_by_depth(settings)
    rows = []
    for total in settings.units:
        depths = settings.depths(total)
        for inputs in settings.input_numbers():
            row = {depth: values[total, depth, inputs] for depth in depths}
            best = max(row.values())
            rows.append(
                {"units": total, "inputs": inputs}
                | {_column(depth): row.get(depth) for depth in settings.layers}
                # Equal values, as one and two layers of 60 units at 30 inputs, are all named.
                | {"best_depth": " = ".join(str(d) for d in depths if row[d] == best)}
            )
    import pandas as pd  # on use: configurations are read where nothing is tabulated

    return pd.DataFrame(rows, dtype=object)


def _column(depth: int) -> str:
    return "1_layer" if depth == 1 else f"{depth}_layers"
