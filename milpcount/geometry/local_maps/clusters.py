"""Clusters of local maps, and classification by the centres of the clusters.

For each output the local maps of many inputs are grouped by k-means.  A new input is classified
by the centres alone: for each output the centre nearest to the input's own local map takes its
place, and the output is what that centre computes at the input (Sattelberg et al.).

Gradients of a network with a narrow layer span few dimensions.  Maps that do are clustered in an
orthonormal basis of what they span, where all distances are the same and cost less.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import InputError, MissingDependencyError
from milpcount.geometry.local_maps.map_array import as_maps
from milpcount.geometry.local_maps.scores import Score, checked_labels, rows_for, score

__all__ = [
    "MANY_CLUSTERS",
    "MapClusters",
    "accuracy_with_clusters",
    "cluster_maps",
    "values_with_clusters",
]

# From so many clusters on, mini-batches.
MANY_CLUSTERS = 10_000
_BATCH = 4096
# Bases are looked for from so many clusters on, among so many maps, and used if they have at most
# this part of all dimensions, and what maps have outside is this part of the longest map.
_WORTH, _SAMPLE, _PART, _OUTSIDE = 50, 512, 0.5, 1e-5
# Distances that are held at a time.
_ROOM = 20_000_000


@dataclass(frozen=True, eq=False)
class MapClusters:
    """Clusters of the local maps of each output.

    Attributes:
        centres: shape ``(outputs, k, d + 1)``.
        labels: the cluster of each point for each output, shape ``(outputs, points)``; None if they
            were not asked for.
        inertia: sum of the squared distances to the centres, for each output; None likewise.
        method: ``"k-means"`` or ``"mini-batch k-means"``.
        seed: what it was started from.
    """

    centres: NDArray[Any]
    labels: NDArray[np.int32] | None
    inertia: NDArray[np.float64] | None
    method: str
    seed: int

    @property
    def k(self) -> int:
        """Clusters of each output."""
        return int(self.centres.shape[1])


def cluster_maps(
    maps: ArrayLike,
    k: int,
    seed: int = 0,
    *,
    mini_batch: bool | None = None,
    inits: int = 1,
    iterations: int = 100,
    assign: bool = True,
) -> MapClusters:
    """Group the local maps of each output by k-means (scikit-learn's).

    Arguments:
        maps: shape ``(outputs, points, d + 1)``, as of :func:`milpcount.local_maps`.
        k: clusters of each output.
        seed: of the first centres, which k-means++ chooses; mini-batches start from random maps.
            The centre of one cluster is the mean.
        mini_batch: whether to work on mini-batches of 4096; None: from 10,000 clusters on.
        inits: how often to start; the best result counts.
        iterations: passes over the data, at most, of each start.
        assign: whether labels and inertia are wanted; mini-batches save a pass without.

    Raises:
        InputError: maps of another shape, fewer points than clusters, or another bad argument.
        MissingDependencyError: scikit-learn is not installed.
    """
    cloud = as_maps(maps)
    for name, value in (("k", k), ("inits", inits), ("iterations", iterations)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InputError(f"{name}: a number from 1 on, not {value!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"seed: a number from 0 to 2**32 - 1, not {seed!r}")
    outputs, points, _ = cloud.shape
    if k > points:
        raise InputError(
            f"{k} clusters of {points} points: there cannot be more; give more points, or a "
            f"smaller k"
        )
    batches = k >= MANY_CLUSTERS if mini_batch is None else mini_batch
    centres = np.empty((outputs, k, cloud.shape[2]), dtype=cloud.dtype)
    labels, inertia = np.empty((outputs, points), dtype=np.int32), np.empty(outputs)
    for j in range(outputs):
        if k == 1:
            centres[j, 0] = cloud[j].mean(axis=0, dtype=np.float64)
            labels[j], inertia[j] = 0, _spread(cloud[j], centres[j, 0])
            continue
        model = _model(int(k), int(seed), batches, int(inits), int(iterations), assign)
        with warnings.catch_warnings():
            # Fewer different maps than clusters: the centres are then all of these maps.
            warnings.simplefilter("ignore")
            basis = _basis(cloud[j]) if k >= _WORTH else None
            model.fit(cloud[j] if basis is None else cloud[j] @ basis)
        found = model.cluster_centers_
        centres[j] = found if basis is None else found @ basis.T
        if assign or not batches:
            labels[j], inertia[j] = model.labels_, model.inertia_
    method = "mini-batch k-means" if batches else "k-means"
    if batches and not assign:
        return MapClusters(centres, None, None, method, int(seed))
    return MapClusters(centres, labels, inertia, method, int(seed))


def _spread(own: NDArray[Any], centre: NDArray[Any]) -> float:
    """Sum of the squared distances to one centre."""
    total = 0.0
    for start in range(0, len(own), _BATCH):
        apart = own[start : start + _BATCH].astype(np.float64) - centre
        total += float(np.einsum("pd,pd->", apart, apart))
    return total


def _model(k: int, seed: int, batches: bool, inits: int, iterations: int, assign: bool) -> Any:
    try:
        from sklearn.cluster import KMeans, MiniBatchKMeans
    except ModuleNotFoundError as error:
        raise MissingDependencyError("scikit-learn", "clustering local maps", "sklearn") from error
    if batches:
        return MiniBatchKMeans(
            k,
            init="random",
            n_init=inits,
            max_iter=iterations,
            batch_size=_BATCH,
            random_state=seed,
            reassignment_ratio=0.0,
            compute_labels=assign,
        )
    return KMeans(k, n_init=inits, max_iter=iterations, random_state=seed)


def _basis(own: NDArray[Any]) -> NDArray[Any] | None:
    """Orthonormal columns that span the maps, if few do."""
    points, width = own.shape
    sample = own[np.linspace(0, points - 1, min(points, _SAMPLE)).astype(int)].astype(np.float64)
    _, sizes, rows = np.linalg.svd(sample, full_matrices=False)
    rank = int(np.count_nonzero(sizes > 1e-7 * sizes[0]))
    if not 0 < rank <= min(_PART * width, len(sample) - 1):
        return None
    basis = rows[:rank].T.astype(own.dtype)
    longest = np.sqrt(np.einsum("pd,pd->p", own, own).max())
    outside = own - (own @ basis) @ basis.T
    return basis if float(np.abs(outside).max()) <= _OUTSIDE * float(longest) else None


def accuracy_with_clusters(
    clusters: MapClusters | ArrayLike, maps: ArrayLike, points: ArrayLike, labels: ArrayLike
) -> Score:
    """Classify points by the centres nearest to their own local maps.

    For each output the centre ``(w, b)`` nearest to the point's own local map is taken (the first
    of equally near ones), and ``w . x + b`` computed; the class is the output with the largest
    value, the first of equal ones.

    Arguments:
        clusters: from :func:`cluster_maps`, or the centres, shape ``(outputs, k, d + 1)``.
        maps: local maps of the points, shape ``(outputs, points, d + 1)``.
        points: a row each, or one along the first axis.
        labels: the classes of the points, numbers of outputs.

    Raises:
        InputError: shapes that do not fit together, or a label that is no output.
    """
    values = values_with_clusters(clusters, maps, points)
    return score(values, checked_labels(labels, *values.shape))


def values_with_clusters(
    clusters: MapClusters | ArrayLike, maps: ArrayLike, points: ArrayLike
) -> NDArray[np.float64]:
    """What the nearest centres compute, shape ``(points, outputs)``; arguments as above.

    Raises:
        InputError: shapes that do not fit together.
    """
    given = clusters.centres if isinstance(clusters, MapClusters) else clusters
    centres, cloud = as_maps(given, "the centres"), as_maps(maps)
    if centres.shape[0] != cloud.shape[0] or centres.shape[2] != cloud.shape[2]:
        raise InputError(
            f"centres of shape {centres.shape} and local maps of shape {cloud.shape} are not of "
            "the same outputs and inputs"
        )
    rows = rows_for(cloud, points)
    values = np.empty((len(rows), len(cloud)))
    for j, (own, middle) in enumerate(zip(cloud, centres, strict=True)):
        chosen = middle[_nearest(own, middle)].astype(np.float64)
        values[:, j] = np.einsum("pd,pd->p", chosen[:, :-1], rows) + chosen[:, -1]
    return values


def _nearest(own: NDArray[Any], centres: NDArray[Any]) -> NDArray[np.int64]:
    """The nearest centre of each map: ``|c|^2 / 2 - c . m`` is smallest."""
    # Around the mean of the centres: maps can be far from 0 and close together.
    middle = centres.mean(axis=0, dtype=np.float64)
    around = (centres - middle).astype(centres.dtype)
    half = 0.5 * np.einsum("kd,kd->k", around, around, dtype=np.float64)
    chunk = max(1, _ROOM // len(centres))
    found = [
        np.argmin(
            half - ((own[start : start + chunk] - middle).astype(own.dtype)) @ around.T, axis=1
        )
        for start in range(0, len(own), chunk)
    ]
    return np.concatenate(found)
