"""Few colours such that neighbours differ: greedy, smallest degree last.

Take a vertex of least degree out of the graph, again and again, and colour in the opposite order:
each vertex then meets at most ``k`` coloured neighbours, where ``k`` is the degeneracy, so
``k + 1`` colours are enough (Matula and Beck 1983).  The dual graph of a plane subdivision is
planar, has a vertex of degree at most five in each of its subgraphs, and takes six colours or
fewer; a graph of cells in space may take more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["neighbour_colours"]

Ints = NDArray[np.int64]


def neighbour_colours(count: int, pairs: Ints, seed: int = 0, least: int = 1) -> Ints:
    """A colour ``0, 1, ...`` for each of ``count`` vertices; those of a pair differ.

    Among the colours that are free the choice is random, from the seed, so that none prevails.

    Arguments:
        count: vertices.
        pairs: shape ``(edges, 2)``; repeated edges do no harm, a loop is left out.
        seed: of the choice; the same seed gives the same colours.
        least: use so many colours even where fewer would do.
    """
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(count + 1)).tolist()
    targets = both[:, 1].tolist()
    order, degeneracy = _smallest_last(count, starts, targets)
    palette = max(degeneracy + 1, least)
    choice = (
        np.random.default_rng(seed)
        .permuted(np.tile(np.arange(palette), (min(count, 4096), 1)), axis=1)
        .tolist()
    )
    colours = [-1] * count
    for step, v in enumerate(reversed(order)):
        taken = {colours[w] for w in targets[starts[v] : starts[v + 1]]}
        preferred = choice[step % len(choice)]
        colours[v] = next(c for c in preferred if c not in taken)
    return np.array(colours, dtype=np.int64)


def _smallest_last(count: int, starts: list[int], targets: list[int]) -> tuple[list[int], int]:
    """The order in which vertices of least degree are taken out, and the greatest such degree."""
    degree = [starts[v + 1] - starts[v] for v in range(count)]
    buckets: list[list[int]] = [[] for _ in range(max(degree, default=0) + 1)]
    for v, d in enumerate(degree):
        buckets[d].append(v)
    order: list[int] = []
    gone = [False] * count
    least = degeneracy = 0
    while len(order) < count:
        while not buckets[least]:
            least += 1
        v = buckets[least].pop()
        if gone[v] or degree[v] != least:
            continue  # it stands in a lower bucket by now
        gone[v] = True
        order.append(v)
        degeneracy = max(degeneracy, least)
        for w in targets[starts[v] : starts[v + 1]]:
            if not gone[w]:
                degree[w] -= 1
                buckets[degree[w]].append(w)
        least = max(0, least - 1)
    return order, degeneracy
