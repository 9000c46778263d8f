"""A network with a known number of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from milpcount.core.domain import Domain, WholeSpace
from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError

__all__ = ["Specimen", "at_least", "hyperplanes"]


@dataclass(frozen=True, eq=False)
class Specimen:
    """A network, a domain, and the number of full-dimensional activation regions there.

    Attributes:
        name: what it is called.
        net: the network.
        domain: where it is counted.
        regions: how many there are.
        source: where the number is from.
        with_output: whether the output units count.
    """

    name: str
    net: ReLUNetwork
    domain: Domain
    regions: int
    source: str
    with_output: bool = False

    def __repr__(self) -> str:
        return f"Specimen({self.name}, {self.regions} regions)"


def hyperplanes(
    name: str,
    rows: Sequence[Sequence[float]],
    constants: Sequence[float],
    regions: int,
    source: str,
) -> Specimen:
    """An arrangement in the whole space: one hidden layer, a unit for each hyperplane."""
    net = ReLUNetwork([rows, [[0.0] * len(rows)]], [constants, [0.0]], name=name)
    return Specimen(name, net, WholeSpace(), regions, source)


def at_least(value: int, least: int, what: str) -> None:
    """Refuse a number that is too small.

    Raises:
        InputError: it is.
    """
    if value < least:
        raise InputError(f"{what} is at least {least}, not {value}")
