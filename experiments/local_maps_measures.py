"""What is measured of the networks in the study of local maps, one record each."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

import milpcount as mc
from experiments.local_maps_networks import Digits, Kind, logits
from milpcount.geometry.local_maps.clusters import values_with_clusters
from milpcount.geometry.local_maps.transfer import values_after
from milpcount.study.config.seeds import derive_seed
from milpcount.study.config.strict import Strict

__all__ = [
    "Clouds",
    "Clusters",
    "accuracy",
    "census",
    "clustered",
    "digest_of",
    "map_head",
    "mapped",
]

Record = dict[str, Any]
Tell = Callable[[str], None]

_OUTPUTS = 10


class Clusters(Strict):
    """How local maps are grouped.

    Attributes:
        numbers: clusters of each output.
        seeds: for each of these, of how many networks of a kind.
        mini_batch_from: the number of clusters from which on mini-batches are used.
        iterations: for each of the numbers, passes over the data at most.
    """

    numbers: list[int] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    mini_batch_from: int = Field(ge=1)
    iterations: list[int] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if not len(self.numbers) == len(self.seeds) == len(self.iterations):
            raise ValueError("numbers, seeds and iterations need one entry a number of clusters")
        return self


class Clouds:
    """A network with its local maps at all images, computed when they are first asked for.

    Attributes:
        head: what its records begin with; a digest of its file, if it is kept, tells it from
            another one.
        module: the network.
        data: the images.
    """

    def __init__(self, kind: Kind, seed: int, path: Path | None, module: Any, data: Digits) -> None:
        weights = "" if path is None else digest_of(path)
        self.head: Record = {"network": kind, "seed": seed, "weights": weights}
        self.module, self.data = module, data

    @cached_property
    def train(self) -> mc.LocalMaps:
        """Of the training images."""
        return self._maps(self.data.train)

    @cached_property
    def test(self) -> mc.LocalMaps:
        """Of the test images."""
        return self._maps(self.data.test)

    def _maps(self, images: NDArray[np.float32]) -> mc.LocalMaps:
        """In float32, on disk: those of 60,000 images take 1.9 GB."""
        shape = (_OUTPUTS, len(images), images.shape[1] + 1)
        with tempfile.TemporaryFile() as file:
            room = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
        return mc.local_maps(self.module, images, out=room)


def digest_of(path: Path) -> str:
    """Of the file of a network."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def accuracy(cloud: Clouds) -> Record:
    """Of the network itself, and how many test images lie on a boundary."""
    data = cloud.data
    classes = logits(cloud.module, data.test).argmax(axis=1)
    return {
        "what": "accuracy",
        **cloud.head,
        "correct": int(np.count_nonzero(classes == data.test_labels)),
        "points": len(classes),
        "boundary_test_images": mc.local_maps(cloud.module, data.test, outputs=[0]).boundary_points,
    }


def census(cloud: Clouds) -> Record:
    """Regions and maps among the training images, exactly."""
    found = mc.map_census(cloud.module, cloud.data.train.astype(np.float64))
    return {
        "what": "census",
        **cloud.head,
        "points": found.points,
        "regions": str(found.regions),
        "maps": str(found.maps),
        "sharing_region": found.sharing_region,
        "sharing_map": found.sharing_map,
        "on_boundary": int(found.on_boundary.sum()),
    }


def clustered(how: Clusters, cloud: Clouds, numbers: Sequence[int], tell: Tell) -> Iterator[Record]:
    """Accuracies by numbers of clusters."""
    for k in numbers:
        values = np.empty((len(cloud.data.test), _OUTPUTS))
        method = ""
        for output in range(_OUTPUTS):
            values[:, output], method = values_of(how, cloud, output, k)
            tell(f"{cloud.head['network']} {cloud.head['seed']}: {k} clusters, output {output}")
        yield cluster_record(cloud, k, method, values)


def values_of(how: Clusters, cloud: Clouds, output: int, k: int) -> tuple[NDArray[np.float64], str]:
    """What the centres of one output compute at the test images, and how they were found."""
    clusters = mc.cluster_maps(
        cloud.train[output][None],
        k,
        derive_seed(clusters=k, number=cloud.head["seed"], output=output),
        mini_batch=k >= how.mini_batch_from,
        iterations=how.iterations[how.numbers.index(k)],
        assign=False,
    )
    values = values_with_clusters(clusters, cloud.test[output][None], cloud.data.test)
    return values[:, 0], clusters.method


def cluster_record(cloud: Clouds, k: int, method: str, values: NDArray[np.float64]) -> Record:
    """The accuracy of values that centres computed."""
    return {
        "what": "clusters",
        **cloud.head,
        "clusters": k,
        "method": method,
        **_right(cloud, values),
    }


def _right(cloud: Clouds, values: NDArray[np.float64]) -> Record:
    right = np.count_nonzero(values.argmax(axis=1) == cloud.data.test_labels)
    return {"correct": int(right), "points": len(values)}


def map_head(source: Clouds, goal: Clouds) -> Record:
    """What the record of a map between two networks begins with."""
    weights = f"{source.head['weights']} {goal.head['weights']}"
    return {"what": "map", **source.head, "to": goal.head["network"], "weights": weights}


def mapped(source: Clouds, goal: Clouds, images: int | None, tell: Tell) -> Record:
    """The accuracy after maps from one network's local maps to another's, output by output."""
    values = np.empty((len(source.data.test), _OUTPUTS))
    ranks, residuals = [], []
    for output in range(_OUTPUTS):
        first, second = (cloud.train[output, :images][None] for cloud in (source, goal))
        transfer = mc.map_between(first, second, normal=True)
        own = source.test[output][None]
        values[:, output] = values_after(transfer, own, source.data.test)[:, 0]
        ranks.append(int(transfer.ranks[0]))
        residuals.append(float(transfer.residuals[0]))
        tell(f"map from {source.head['network']} to {goal.head['network']}, output {output}")
    return {
        **map_head(source, goal),
        **_right(source, values),
        "fitted_on": len(source.train[0, :images]),
        "ranks": ranks,
        "residuals": residuals,
    }
