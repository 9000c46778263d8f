"""How many regions and how many affine maps the points of a data set meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.arguments import network_of
from milpcount.core.domain import WholeSpace
from milpcount.core.problem import CountProblem
from milpcount.geometry.locate import locate
from milpcount.linear.circuit import Circuit
from milpcount.linear.groups import equal_maps

__all__ = ["MapCensus", "map_census"]


@dataclass(frozen=True, eq=False)
class MapCensus:
    """Regions and maps among points.

    Attributes:
        points: how many points.
        regions: different activation patterns among them.
        maps: different affine maps among these, of the network as a whole.
        sharing_region: points whose pattern another point has.
        sharing_map: points whose map another point has.
        region_of, map_of: a number for the pattern and for the map of each point.
        on_boundary: for each point whether some pre-activation is exactly 0 there.
    """

    points: int
    regions: int
    maps: int
    sharing_region: int
    sharing_map: int
    region_of: NDArray[np.int64]
    map_of: NDArray[np.int64]
    on_boundary: NDArray[np.bool_]


def map_census(net: Any, points: ArrayLike) -> MapCensus:
    """Count different patterns and different affine maps among points, exactly.

    Patterns are decided in integers where floats do not prove them, and maps compared in integers
    where fingerprints do not tell them apart.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads.
        points: shape ``(points, inputs)``.

    Raises:
        DomainError: points of another shape, or not finite.
    """
    net = network_of(net)
    places = locate(net, points)
    n = len(places.region)
    maps = np.zeros(len(places), dtype=np.int64)
    if len(places) > 1:
        circuit = Circuit.of(CountProblem.of(net, WholeSpace()))
        maps = equal_maps(circuit, circuit.spread(places.bits), lambda: False).map_of
    map_of = maps[places.region]
    sizes = np.bincount(map_of)
    return MapCensus(
        points=n,
        regions=len(places),
        maps=int(np.count_nonzero(sizes)),
        sharing_region=places.shared,
        sharing_map=int(sizes[sizes > 1].sum()),
        region_of=places.region,
        map_of=map_of,
        on_boundary=places.on_boundary,
    )
