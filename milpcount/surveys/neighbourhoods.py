"""What surrounds data points: facets, near regions, room, and the class of the regions around."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.choice import checked_points
from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget, Progress, ProgressCallback
from milpcount.errors import DomainError, InputError
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__
from milpcount.surveys.survey_table import Statistics

__all__ = ["Neighbourhood", "NeighbourhoodSurvey", "neighbourhoods"]


@dataclass(frozen=True)
class Neighbourhood:
    """The surroundings of one point.

    Attributes:
        point: its row.
        facets: facets of its region on which units vanish.
        regions: regions within the distance, its own among them.
        complete: whether these are all (a limit may have ended the exploration).
        inradius: of its region in the domain; ``inf`` where balls of every size fit.
        same_class: share of these regions to whose witness the network gives the point's class:
            the largest output, or with one output its sign.
        seconds: time that it took.
    """

    point: int
    facets: int
    regions: int
    complete: bool
    inradius: float
    same_class: float
    seconds: float


@dataclass(frozen=True)
class NeighbourhoodSurvey:
    """The surroundings of many points.

    Attributes:
        distance: how many facets away regions may lie.
        rows: one for each point; fewer than ``requested`` when Ctrl-C ended the survey.
        requested: how many points there were.
        with_output: whether the output units count.
        network_sha256: content hash of the network.
        seconds: wall-clock time.
        version: of milpcount.
    """

    distance: int
    rows: tuple[Neighbourhood, ...]
    requested: int
    with_output: bool
    network_sha256: str
    seconds: float
    version: str = __version__

    @property
    def exact(self) -> bool:
        """Whether every neighbourhood is complete."""
        return len(self.rows) == self.requested and all(row.complete for row in self.rows)

    @property
    def summary(self) -> Mapping[str, Statistics]:
        """Statistics of each column; of finite inradii alone."""
        columns: dict[str, list[float]] = {
            "facets": [row.facets for row in self.rows],
            "regions": [row.regions for row in self.rows],
            "inradius": [row.inradius for row in self.rows if np.isfinite(row.inradius)],
            "same_class": [row.same_class for row in self.rows],
        }
        return {name: Statistics.of(values) for name, values in columns.items() if values}

    def to_json(self) -> dict[str, Any]:
        """A JSON object; counts are decimal strings, an infinite inradius is null."""
        return {
            "kind": "neighbourhoods",
            "distance": self.distance,
            "with_output": self.with_output,
            "exact": self.exact,
            "rows": [
                {
                    "point": row.point,
                    "facets": to_decimal(row.facets),
                    "regions": to_decimal(row.regions),
                    "complete": row.complete,
                    "inradius": row.inradius if np.isfinite(row.inradius) else None,
                    "same_class": row.same_class,
                    "seconds": row.seconds,
                }
                for row in self.rows
            ],
            "requested": self.requested,
            "network_sha256": self.network_sha256,
            "seconds": self.seconds,
            "version": self.version,
        }


def neighbourhoods(
    net: ReLUNetwork,
    points: ArrayLike,
    distance: int,
    *,
    with_output: bool,
    budget: Budget | None,
    lo: ArrayLike | None,
    hi: ArrayLike | None,
    progress: ProgressCallback | None,
) -> NeighbourhoodSurvey:
    """Look around every point; arguments as of :func:`milpcount.survey`."""
    from milpcount.geometry.exploration import explore_around
    from milpcount.geometry.locate import one_region
    from milpcount.geometry.point_checks import require_in_domain
    from milpcount.geometry.prepared import Prepared

    if distance < 0:
        raise InputError(f"a distance is at least 0, not {distance}")
    start = time.perf_counter()
    array = checked_points(points, net, 1)
    box = Box(-np.inf if lo is None else lo, np.inf if hi is None else hi)
    problem = CountProblem.of(net, box, "full", with_output)
    for i, x in enumerate(array):
        require_in_domain(problem, x, f"point {i} of the survey")
    prepared = Prepared(problem)
    rows: list[Neighbourhood] = []
    found = 0
    try:
        for i, x in enumerate(array):
            began = time.perf_counter()
            try:
                region = one_region(prepared, x)
            except DomainError as error:
                raise DomainError(f"point {i} of the survey: {error}") from error
            graph = explore_around(prepared, region, distance, budget)
            witnesses = np.array([other.witness for other in graph.regions])
            mine = _classes(net, x[None, :])[0]
            rows.append(
                Neighbourhood(
                    i,
                    len(region.unit_facets),
                    len(graph),
                    bool(graph.expanded[graph.depth < distance].all()),
                    region.inradius,
                    float(np.mean(_classes(net, witnesses) == mine)),
                    time.perf_counter() - began,
                )
            )
            found += len(graph)
            if progress is not None:
                seconds = time.perf_counter() - start
                progress(Progress("exploring", found, seconds, (i + 1) / len(array)))
    except KeyboardInterrupt:
        pass  # the rows so far are the answer
    return NeighbourhoodSurvey(
        distance,
        tuple(rows),
        len(array),
        with_output,
        net.sha256,
        time.perf_counter() - start,
    )


def _classes(net: ReLUNetwork, points: NDArray[np.float64]) -> NDArray[np.int64]:
    outputs = net.forward(points)
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(np.int64)
    return np.asarray(outputs.argmax(axis=1), dtype=np.int64)
