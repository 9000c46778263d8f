"""The stored runs of a study, sorted by what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milpcount.support.decimal_text import from_decimal

__all__ = [
    "Record",
    "Records",
    "bounds_of",
    "counts_of",
    "estimates_of",
    "finished_networks",
    "training_networks",
]

Record = Mapping[str, Any]
Records = Sequence[Record]


def _of_kind(records: Records, kind: str) -> list[Record]:
    # The first studies counted only and said no kind.
    return [r for r in records if r.get("kind", "count") == kind]


def estimates_of(records: Records) -> list[Record]:
    """The estimates."""
    return _of_kind(records, "estimate")


def bounds_of(records: Records) -> list[Record]:
    """The bounds over the domain."""
    return _of_kind(records, "bound")


def counts_of(records: Records) -> list[Record]:
    """The counts, each with the least of the bounds that any run gave for its network.

    All runs of a study are about one domain, so a bound that holds there alone serves.
    """
    known: dict[tuple[str, bool], dict[str, str]] = {}
    for r in bounds_of(records):
        names = known.setdefault((r["network_sha256"], r["with_output"]), {})
        for name, value in r["bounds"].items():
            names[name] = _least(names.get(name), value)
    out: list[Record] = []
    for r in _of_kind(records, "count"):
        more = known.get((r.get("network_sha256", ""), r["with_output"]), {})
        merged = {name: _least(r["bounds"].get(name), value) for name, value in more.items()}
        out.append({**r, "bounds": {**r["bounds"], **merged}} if merged else r)
    return out


def _least(one: str | None, other: str) -> str:
    return other if one is None or from_decimal(other) < from_decimal(one) else one


def finished_networks(records: Records) -> list[Record]:
    """Runs about networks at the end of their training; all, if all are from its middle."""
    finished = [r for r in records if "epoch" not in r.get("metadata", {})]
    return finished or list(records)


def training_networks(records: Records) -> list[Record]:
    """Runs about networks kept after an epoch of their training, by network and epoch."""
    kept = [r for r in records if "epoch" in r.get("metadata", {})]
    return sorted(kept, key=lambda r: (r["architecture"], r["metadata"]["epoch"]))
