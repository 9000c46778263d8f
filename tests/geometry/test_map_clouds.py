"""Clusters of local maps, maps between them, and how many there are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import InputError


def network(seed: int, sizes: tuple[int, ...]) -> mc.ReLUNetwork:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in itertools.pairwise(sizes)]
    return mc.ReLUNetwork(weights, [rng.normal(size=b) for b in sizes[1:]])


def points(n: int, d: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_the_rule_of_clusters_written_again() -> None:
    pytest.importorskip("sklearn")
    net, train, test = network(0, (6, 20, 3)), points(300, 6), points(100, 6, 1)
    maps, own = mc.local_maps(net, train), mc.local_maps(net, test)
    clusters = mc.cluster_maps(maps, 7, seed=3)
    assert clusters.centres.shape == (3, 7, 7)
    labels = np.argmax(net.forward(test), axis=1)
    labels[:30] = 0
    right = 0
    for p in range(100):
        values = []
        for j in range(3):
            distances = [np.linalg.norm(own[j, p] - c) for c in clusters.centres[j]]
            w = clusters.centres[j][int(np.argmin(distances))]
            values.append(float(w[:-1] @ test[p] + w[-1]))
        right += int(np.argmax(values)) == labels[p]
    score = mc.accuracy_with_clusters(clusters, own, test, labels)
    assert (score.correct, score.points) == (right, 100)
    assert score.accuracy == float(score) == right / 100
    # Every map its own centre: the network itself.
    own_centres = mc.accuracy_with_clusters(np.asarray(own), own, test, labels)
    assert np.abs(own_centres.values - net.forward(test)).max() < 1e-9


def test_one_cluster_is_the_mean_and_labels_are_of_the_nearest() -> None:
    pytest.importorskip("sklearn")
    maps = mc.local_maps(network(1, (4, 9, 2)), points(200, 4))
    one = mc.cluster_maps(maps, 1)
    mean = np.asarray(maps).mean(axis=1)
    assert np.allclose(one.centres[:, 0], mean, atol=1e-12)
    assert one.labels is not None
    assert one.inertia is not None
    assert not one.labels.any()
    apart = np.asarray(maps) - mean[:, None]
    assert np.allclose(one.inertia, (apart**2).sum(axis=(1, 2)))
    for batches, method in ((False, "k-means"), (True, "mini-batch k-means")):
        some = mc.cluster_maps(maps, 5, seed=1, mini_batch=batches)
        assert some.method == method
        assert some.labels is not None
        assert some.inertia is not None
        for j in range(2):
            distances = np.linalg.norm(np.asarray(maps)[j, :, None] - some.centres[j], axis=2)
            assert np.array_equal(distances.argmin(axis=1), some.labels[j])
            assert some.inertia[j] == pytest.approx((distances.min(axis=1) ** 2).sum())
    assert mc.cluster_maps(maps, 5, mini_batch=True, assign=False).labels is None


def test_few_dimensions_are_used_and_change_nothing() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    # Gradients span 4 of the 30 dimensions; 50 clusters are enough for a basis to be looked for.
    net = network(2, (30, 4, 25, 25, 1))
    maps = mc.local_maps(net, points(500, 30) * 3)
    found = mc.cluster_maps(maps, 50, seed=5)
    plain = cluster.KMeans(50, n_init=1, max_iter=100, random_state=5).fit(np.asarray(maps)[0])
    assert found.inertia is not None
    assert found.inertia[0] == pytest.approx(plain.inertia_, rel=0.2)
    distances = np.linalg.norm(np.asarray(maps)[0][:, None] - found.centres[0], axis=2)
    assert (distances.min(axis=1) ** 2).sum() == pytest.approx(found.inertia[0], rel=1e-6)


@pytest.mark.filterwarnings("error")
def test_more_clusters_than_different_maps() -> None:
    pytest.importorskip("sklearn")
    maps = np.ones((1, 10, 3))
    clusters = mc.cluster_maps(maps, 4)
    assert clusters.inertia is not None
    assert clusters.inertia[0] == 0


@pytest.mark.parametrize("normal", [False, True])
def test_least_squares_of_deficient_rank(normal: bool) -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=(2, 60, 3)) @ rng.normal(size=(3, 8))  # rank 3 of 8
    b = rng.normal(size=(2, 60, 8))
    found = mc.map_between(a, b, normal=normal)
    assert found.ranks.tolist() == [3, 3]
    for j in range(2):
        least = np.linalg.pinv(a[j]) @ b[j]  # the solution of least norm
        assert np.abs(found.matrices[j] - least).max() < (1e-6 if normal else 1e-12)
        left = np.linalg.norm(a[j] @ least - b[j]) / np.linalg.norm(b[j])
        assert found.residuals[j] == pytest.approx(left)
    ridge = mc.map_between(a, b, ridge=0.5, normal=normal)
    wanted = np.linalg.solve(a[0].T @ a[0] + 0.5 * np.eye(8), a[0].T @ b[0])
    assert np.abs(ridge.matrices[0] - wanted).max() < 1e-6


def test_a_map_that_is_there_is_found_and_classifies() -> None:
    net, rows = network(5, (5, 9, 3)), points(400, 5)
    first = np.asarray(mc.local_maps(net, rows))
    second = first @ np.random.default_rng(6).normal(size=(3, 6, 6))
    transfer = mc.map_between(first, second)
    assert np.abs(transfer(first) - second).max() < 1e-9
    truth = np.einsum("jpd,pd->pj", second[..., :-1], rows) + second[..., -1].T
    labels = truth.argmax(axis=1)
    assert mc.accuracy_after(transfer, first, rows, labels).accuracy == 1.0
    assert mc.accuracy_after(transfer.matrices, first, rows, labels).correct == 400
    assert mc.map_between(np.zeros((1, 4, 3)), np.ones((1, 4, 3))).ranks.tolist() == [0]


MAPS = np.ones((2, 5, 4))
X, Y = np.ones((5, 3)), np.zeros(5, dtype=int)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mc.cluster_maps(MAPS, 6), "6 clusters of 5 points"),
        (lambda: mc.cluster_maps(MAPS, 0), "k: a number from 1 on"),
        (lambda: mc.cluster_maps(MAPS, 2, seed=-1), "seed"),
        (lambda: mc.cluster_maps(MAPS[0], 2), "shape"),
        (lambda: mc.cluster_maps(MAPS * np.nan, 2), "NaN"),
        (lambda: mc.cluster_maps([["a"]], 2), "no array of numbers"),
        (lambda: mc.map_between(MAPS, np.ones((2, 5, 6))), "3 inputs and the second 5"),
        (lambda: mc.map_between(MAPS, np.ones((2, 6, 4))), "same points"),
        (lambda: mc.map_between(MAPS, np.ones((3, 5, 4))), "2 outputs and the second 3"),
        (lambda: mc.map_between(MAPS, MAPS, ridge=-1.0), "ridge"),
        (lambda: mc.accuracy_after(np.ones((2, 5, 5)), MAPS, X, Y), "matrices of shape"),
        (lambda: mc.accuracy_with_clusters(np.ones((2, 1, 5)), MAPS, X, Y), "same outputs"),
        (lambda: mc.accuracy_with_clusters(MAPS, MAPS, X[:4], Y), "points of shape"),
        (lambda: mc.accuracy_with_clusters(MAPS, MAPS, X, Y[:4]), "5 whole numbers"),
        (lambda: mc.accuracy_with_clusters(MAPS, MAPS, X, Y + 0.5), "whole numbers"),
        (lambda: mc.accuracy_with_clusters(MAPS, MAPS, X, Y + 2), "point 0 has class 2"),
    ],
)
def test_what_is_refused(call: Any, message: str) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(InputError, match=message):
        call()


def test_a_census_counts_patterns_and_maps() -> None:
    # The second unit reaches no output: two patterns each, one map.
    net = mc.ReLUNetwork([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]]], [[0.0, 0.0], [0.0]])
    rows = [[1.0, 1.0], [2.0, -1.0], [-1.0, 1.0], [3.0, 3.0], [0.0, 5.0]]
    census = mc.map_census(net, rows)
    assert (census.points, census.regions, census.maps) == (5, 3, 2)
    assert (census.sharing_region, census.sharing_map) == (4, 5)
    assert census.on_boundary.tolist() == [False, False, False, False, True]
    assert census.map_of.tolist() == [0, 0, 1, 0, 1] or census.map_of.tolist() == [1, 1, 0, 1, 0]
    rows = points(200, 4)
    net = network(7, (4, 6, 2))
    found = mc.local_maps(net, rows)
    census = mc.map_census(net, rows)
    different = np.unique(
        np.round(np.asarray(found).transpose(1, 0, 2).reshape(200, -1), 9), axis=0
    )
    assert census.maps == len(different)
