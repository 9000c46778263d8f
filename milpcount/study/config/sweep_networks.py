"""Sweeps: random networks of every combination of sizes and initialisations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from milpcount.study.config.strict import OneOrMore, Strict
from milpcount.support.text import number_text

__all__ = ["MAX_NETWORKS", "Combination", "SweepNetworks", "require_sensible_size"]

MAX_NETWORKS = 10_000
_MAX_WEIGHTS = 10_000_000

Size = Annotated[int, Field(ge=1, le=100_000)]
Depth = Annotated[int, Field(ge=1, le=1000)]
Scale = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Weights = Literal["pytorch", "normal"]


@dataclass(frozen=True)
class Combination:
    """One architecture with one initialisation; ``seeds`` networks are drawn of it."""

    architecture: tuple[int, ...]
    weights: Weights
    bias_scale: float
    seeds: int

    @property
    def label(self) -> str:
        """For the names of its networks, such as ``normal0.1-2-8-8-1``."""
        scale = number_text(self.bias_scale) if self.weights == "normal" else ""
        return f"{self.weights}{scale}-{'-'.join(map(str, self.architecture))}"


class SweepNetworks(Strict):
    """Random networks of all combinations of the values given; one value or a list of each.

    Attributes:
        inputs: input dimensions.
        depth, width: numbers of hidden layers and units in each of them, or
        widths: the hidden layers themselves, such as ``[[8, 8], [16, 4]]``.
        outputs: units of the last layer, which has no ReLU.
        weights, bias_scale: initialisations; ``bias_scale`` is of "normal" alone, and "pytorch"
            networks are not drawn once more for each.
        seeds: how many networks of each combination.
    """

    inputs: OneOrMore[Size]
    depth: OneOrMore[Depth] | None = None
    width: OneOrMore[Size] | None = None
    widths: Annotated[
        list[Annotated[list[Size], Field(min_length=1)]] | None, Field(min_length=1)
    ] = None
    outputs: Size = 1
    weights: OneOrMore[Weights] = Field(default=["pytorch"])
    bias_scale: OneOrMore[Scale] = Field(default=[0.1])
    seeds: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _fits(self) -> SweepNetworks:
        grid = self.depth is not None or self.width is not None
        if grid == (self.widths is not None) or (self.depth is None) != (self.width is None):
            raise ValueError(
                "name the hidden layers once: depth: and width: together, or widths: [[8, 8]]"
            )
        if "bias_scale" in self.model_fields_set and "normal" not in self.weights:
            raise ValueError("bias_scale: belongs to weights: normal; add it or leave this out")
        # Told from the lengths of the lists, before anything of that size is made.
        require_sensible_size([self])
        largest = max(map(_count_weights, self._shapes()))
        if largest > _MAX_WEIGHTS:
            raise ValueError(
                f"a network of {largest:,} weights; at most {_MAX_WEIGHTS:,}, make it smaller"
            )
        return self

    def size(self) -> int:
        """How many networks."""
        layers = len(self.widths or []) or len(self.depth or []) * len(self.width or [])
        return len(self.inputs) * layers * len(self._initialisations()) * self.seeds

    def expand(self) -> Iterator[Combination]:
        """Every combination: by inputs, then hidden layers, then initialisation."""
        for shape, (weights, scale) in itertools.product(self._shapes(), self._initialisations()):
            yield Combination(shape, weights, scale, self.seeds)

    def _initialisations(self) -> list[tuple[Weights, float]]:
        default = float(type(self).model_fields["bias_scale"].default[0])
        return [
            (weights, scale)
            for weights in self.weights
            for scale in (self.bias_scale if weights == "normal" else [default])
        ]

    def _shapes(self) -> Iterator[tuple[int, ...]]:
        for inputs in self.inputs:
            if self.widths is not None:
                for widths in self.widths:
                    yield (inputs, *widths, self.outputs)
            else:
                for depth, width in itertools.product(self.depth or [], self.width or []):
                    yield (inputs, *(depth * [width]), self.outputs)


def require_sensible_size(sweeps: Sequence[SweepNetworks]) -> None:
    """Refuse more networks than any study ends with.

    Raises:
        ValueError: there are more than :data:`MAX_NETWORKS`.
    """
    size = sum(sweep.size() for sweep in sweeps)
    if size > MAX_NETWORKS:
        raise ValueError(
            f"{size:,} networks; at most {MAX_NETWORKS:,}, shorten the lists or lower seeds"
        )


def _count_weights(shape: tuple[int, ...]) -> int:
    return sum(a * b for a, b in itertools.pairwise(shape))
