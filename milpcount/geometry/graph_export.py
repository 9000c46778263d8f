"""Graphs of regions as files for other programs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from milpcount.errors import InputError
from milpcount.geometry.region_graph import RegionGraph

__all__ = ["check_target", "write_graph"]

_ENDINGS = (".graphml", ".json")


def check_target(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises:
        InputError: an unknown ending, or no such folder.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(f"{path}: a graph is written as {' or '.join(_ENDINGS)}; name such a file")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InputError(f"{path} cannot be written: name a file in a folder that exists")


def write_graph(graph: RegionGraph, path: str | Path) -> None:
    """Write a graph: ``.graphml`` (needs networkx), or ``.json`` with ``nodes`` and ``edges``.

    Nodes have pattern, witness, inradius and, up to six inputs that vary, volume; edges the units
    that flip.  Infinite numbers are ``null`` in JSON.

    Raises:
        InputError: an unknown ending, or a file that cannot be written.
        MissingDependencyError: networkx is not installed.
    """
    path = Path(path)
    check_target(path)
    try:
        if path.suffix.lower() == ".json":
            path.write_text(json.dumps(_object(graph), allow_nan=False), encoding="utf-8")
            return
        made = graph.to_networkx()
        import networkx

        for _, attributes in made.nodes(data=True):
            attributes["witness"] = " ".join(repr(v) for v in attributes["witness"])
        for *_, attributes in made.edges(data=True):
            attributes["units"] = " ".join(map(str, attributes["units"]))
        networkx.write_graphml(made, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _object(graph: RegionGraph) -> dict[str, Any]:
    nodes = []
    few = graph.serves_volumes
    for k, region in enumerate(graph.regions):
        node: dict[str, Any] = {
            "id": k,
            "pattern": str(region.pattern),
            "witness": [float(v) for v in region.exact_coordinates],
            "inradius": _finite(region.inradius),
            "expanded": bool(graph.expanded[k]),
        }
        if few:
            node["volume"] = _finite(region.volume())
        nodes.append(node)
    edges = [{"source": a, "target": b, "units": list(units)} for a, b, units in graph.edges]
    return {"complete": graph.complete, "nodes": nodes, "edges": edges}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
