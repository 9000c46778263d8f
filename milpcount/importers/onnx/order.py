"""The nodes that an output needs, in an order in which they can be computed."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from milpcount.errors import NetworkError

__all__ = ["needed_nodes"]


def needed_nodes(
    nodes: Sequence[Any], targets: Iterable[str], given: Collection[str], what: str
) -> list[Any]:
    """The nodes that the targets depend on, each after those that it uses.

    Nodes keep the file's order as far as that is possible.  ``given`` are the names of the input
    and of the constants; ``what`` names the graph in messages.

    Raises:
        NetworkError: two nodes that make one name, or a cycle (a node of it is named).
    """
    maker: dict[str, int] = {}
    for place, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in maker or name in given:
                raise NetworkError(
                    f"{what}: node {_place(node)} makes {name!r}, which is there already; the "
                    "file is malformed, export it again"
                )
            maker[name] = place
    needed: set[int] = set()
    open_names = list(targets)
    while open_names:
        place = maker.get(open_names.pop(), -1)
        if place >= 0 and place not in needed:
            needed.add(place)
            open_names.extend(nodes[place].input)
    waits = {place: {maker[n] for n in nodes[place].input if n in maker} for place in needed}
    users: dict[int, list[int]] = {}
    for place, makers in waits.items():
        for before in makers:
            users.setdefault(before, []).append(place)
    ready = [place for place, makers in waits.items() if not makers]
    heapq.heapify(ready)
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(nodes[place])
        for user in users.get(place, ()):
            waits[user].discard(place)
            if not waits[user]:
                heapq.heappush(ready, user)
    if len(order) < len(needed):
        stuck = nodes[_in_cycle(waits)]
        raise NetworkError(
            f"{what}: node {_place(stuck)} uses what is computed from its own result (a cycle); "
            "the file is malformed, export it again"
        )
    return order


def _in_cycle(waits: dict[int, set[int]]) -> int:
    """A node of a cycle: going back from any node that still waits, the first one seen twice."""
    place, seen = min(p for p, makers in waits.items() if makers), set[int]()
    while place not in seen:
        seen.add(place)
        place = min(waits[place])
    return place


def _place(node: Any) -> str:
    return f"{node.op_type} {node.name or (node.output[0] if node.output else '')!r}"
