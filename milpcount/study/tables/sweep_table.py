"""The table of a sweep: mean counts beside Hanin and Rolnick's polynomial and the bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from milpcount.bounds import estimate_hanin_rolnick2019
from milpcount.study.records import Record, Records, counts_of
from milpcount.study.tables.marks import at_least
from milpcount.support.decimal_text import from_decimal

__all__ = ["POLYNOMIAL", "sweep_table"]

POLYNOMIAL = "hanin_rolnick2019"


def sweep_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row a combination of sizes and initialisation, and way of counting.

    ``min``, ``mean`` and ``max`` are over the proved lower ends, marked so where a count was
    stopped.  ``hanin_rolnick2019`` is ``N^{n_0} / n_0!`` for N units (``2^N``
    when ``N <= n_0``).  Hanin and Rolnick (2019) bound the expected number of regions in a unit
    cube by ``(T N)^{n_0} / n_0!``, where the constant T of the initialisation is not known in
    numbers; ``T`` is the value at which the polynomial equals the mean.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in counts_of(records):
        groups.setdefault(_combination(record), []).append(record)
    rows = [_row(group, members, bounds) for group, members in groups.items()]
    order = sorted(range(len(rows)), key=lambda k: _rank(rows[k]))
    frame = pd.DataFrame([rows[k] for k in order], dtype=object)
    # An initialisation is unknown for networks from files: no column where it is for all.
    frame = frame.drop(columns=[c for c in ("weights", "bias_scale") if _empty(frame, c)])
    frame.attrs["note"] = (
        "min, mean, max: of the counts of the networks; bounds: the largest over the networks; "
        "seconds: the mean"
    )
    return frame


def _combination(record: Record) -> tuple[Any, ...]:
    metadata = record.get("metadata", {})
    weights = metadata.get("weights")
    scale = metadata.get("bias_scale") if weights == "normal" else None
    return (tuple(record["architecture"]), weights, scale, *_way(record))


def _way(record: Record) -> tuple[Any, ...]:
    """The engine asked for, where "auto" stands for its choice, the definition, the units."""
    asked = record.get("asked_engine", record["engine"])
    return asked, record["definition"], record["with_output"]


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Sizes as numbers; names and what is not known by their text."""
    widths = [int(width) for width in row["hidden"].split(",") if width]
    return row["inputs"], row["depth"], widths, *(str(row[c]) for c in ("weights", "bias_scale"))


def _row(group: tuple[Any, ...], members: Records, bounds: Sequence[str]) -> dict[str, Any]:
    architecture, weights, scale, _, definition, with_output = group
    inputs, *layers = architecture
    units = layers if with_output else layers[:-1]
    counts = [from_decimal(member["lower"]) for member in members]
    polynomial = estimate_hanin_rolnick2019([inputs, *units]) if units else 1
    exact = sum(bool(member["exact"]) for member in members)
    mark = at_least if exact < len(members) else _unmarked
    row: dict[str, Any] = {
        "inputs": inputs,
        "depth": len(layers) - 1,
        "hidden": ",".join(map(str, layers[:-1])),
        "units": sum(units),
        "weights": weights,
        "bias_scale": scale,
        "engine": ", ".join(sorted({member["engine"] for member in members})),
        "definition": definition,
        "with_output": with_output,
        "networks": len(members),
        "exact": exact,
        "min": mark(min(counts)),
        "mean": mark(_mean(counts)),
        "max": mark(max(counts)),
        POLYNOMIAL: polynomial,
        "T": _constant(inputs, sum(units), sum(counts), len(counts)),
    }
    for name in bounds:
        values = [member["bounds"].get(name) for member in members]
        known = [from_decimal(value) for value in values if value is not None]
        # The largest holds for all the networks, and none does where one has none.
        row[name] = max(known) if len(known) == len(values) else None
    row["seconds"] = round(sum(float(member["seconds"]) for member in members) / len(members), 3)
    return row


def _unmarked(value: int | float) -> int | float:
    return value


def _mean(counts: Sequence[int]) -> int | float:
    """The mean to one decimal; a rounded integer where a float would lose digits."""
    mean = Fraction(sum(counts), len(counts))
    return round(float(mean), 1) if mean < 10**12 else round(mean)


def _constant(inputs: int, units: int, total: int, networks: int) -> float | None:
    """T with ``(T N)^{n_0} / n_0! = total / networks``; None where N is not above n_0."""
    if units <= inputs or total == 0:
        return None
    logarithm = math.log(total) - math.log(networks) + math.lgamma(inputs + 1)
    return round(math.exp(logarithm / inputs) / units, 3)


def _empty(frame: pd.DataFrame, column: str) -> bool:
    return column in frame and all(value is None for value in frame[column])
