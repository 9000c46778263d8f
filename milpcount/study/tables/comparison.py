"""Tables that set estimates, bounds and epochs of training beside the counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from milpcount.study.records import (
    Record,
    Records,
    bounds_of,
    counts_of,
    estimates_of,
    finished_networks,
    training_networks,
)
from milpcount.study.tables.architecture import architecture_table, runs_table
from milpcount.study.tables.calibration_table import calibration_of_study
from milpcount.study.tables.marks import at_least
from milpcount.study.tables.sweep_table import sweep_table
from milpcount.support.decimal_text import from_decimal

__all__ = ["TABLES", "epochs_table", "estimates_table", "gap_table"]


def estimates_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row an estimate, beside the count of its network where that is known.

    ``held`` says whether the lower bound is true: not above the count.
    """
    counts = _counts_by_question(records)
    rows = []
    for r in sorted(estimates_of(records), key=lambda r: (r["architecture"], r["network"])):
        counted = counts.get(_question(r))
        exact = counted is not None and counted["exact"]
        count = None if counted is None else from_decimal(counted["lower"])
        lower, interval = from_decimal(r["lower"]), r["interval"] or (None, None)
        rows.append(
            {
                "network": r["network"],
                "method": r["label"],
                "definition": r["definition"],
                "with_output": r["with_output"],
                "lower": lower,
                "confidence": r["confidence"],
                "estimate": _number(r["estimate"]),
                "from": _number(interval[0]),
                "to": _number(interval[1]),
                "count": count if exact or count is None else at_least(count),
                "held": lower <= count if exact and count is not None else None,
                "seconds": round(float(r["seconds"]), 2),
                "count_seconds": None if counted is None else round(float(counted["seconds"]), 2),
                "stopped_by": r["stopped_by"],
                "seed": str(r["seed"]),
                "guarantee": r["guarantee"],
            }
        )
    frame = pd.DataFrame(rows, dtype=object)
    if frame.empty:
        return frame
    stated = dict.fromkeys(zip(frame["method"], frame.pop("guarantee"), strict=True))
    frame.attrs["below"] = [f"{method}: {said}" for method, said in stated]
    return frame


def _question(r: Record) -> tuple[str, str, bool]:
    return r["network_sha256"], r["definition"], r["with_output"]


def _counts_by_question(records: Records) -> dict[tuple[str, str, bool], Record]:
    """The count of each network and question: an exact one if there is any, else the highest."""
    best: dict[tuple[str, str, bool], Record] = {}
    for r in counts_of(records):
        known = best.setdefault(_question(r), r)
        if (r["exact"], from_decimal(r["lower"])) > (known["exact"], from_decimal(known["lower"])):
            best[_question(r)] = r
    return best


def _number(text: str | None) -> float | None:
    return None if text is None else float(f"{float(text):.6g}")


def gap_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """How much of the gap between Serra et al.'s bound and the count the activation-based closes.

    For each network ``(S - A) / (S - count)``, on the linear scale and on that of the logarithms;
    means over the networks of an architecture, those left out where ``S`` is the count.  In per
    cent.
    """
    exact = [r for r in finished_networks(counts_of(records)) if r["exact"]]
    groups: dict[tuple[tuple[int, ...], str, bool], dict[str, Record]] = {}
    for r in exact:
        if {"serra2018", "activation_based"} <= r["bounds"].keys():
            way = (tuple(r["architecture"]), r["definition"], r["with_output"])
            groups.setdefault(way, {})[r["network"]] = r
    seconds: dict[tuple[str, bool], tuple[float, float]] = {}
    for r in bounds_of(records):
        seconds[r["network"], r["with_output"]] = (r["seconds"], r["analytic_seconds"])
    rows = []
    for (shape, definition, with_output), part in sorted(groups.items()):
        triples = [
            (
                from_decimal(r["bounds"]["serra2018"]),
                from_decimal(r["bounds"]["activation_based"]),
                max(1, from_decimal(r["lower"])),
            )
            for r in part.values()
        ]
        open_gaps = [t for t in triples if t[0] > t[2]]
        times = [seconds[name, with_output] for name in part if (name, with_output) in seconds]
        rows.append(
            {
                "architecture": "-".join(map(str, shape)),
                "definition": definition,
                "with_output": with_output,
                "networks": len(triples),
                "count": round(_mean([float(c) for _, _, c in triples]), 1),
                "serra2018": max(s for s, _, _ in triples),
                "activation_based": round(_mean([float(a) for _, a, _ in triples]), 1),
                "closed_linear": _percent([(s - a) / (s - c) for s, a, c in open_gaps]),
                "closed_log": _percent(
                    [
                        (math.log(s) - math.log(a)) / (math.log(s) - math.log(c))
                        for s, a, c in open_gaps
                    ]
                ),
                "seconds": round(_mean([total for total, _ in times]), 4) if times else None,
            }
        )
    frame = pd.DataFrame(rows, dtype=object)
    frame.attrs["note"] = (
        "count, activation based, closed and seconds: means over the networks; serra2018: the "
        "largest over them; closed: (serra2018 - activation based) / (serra2018 - count) in "
        "per cent, of the numbers and of their logarithms; seconds: of the activation-based bound "
        "with the ranges of the pre-activations"
    )
    return frame


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _percent(shares: Sequence[float]) -> float | None:
    """The mean share in per cent, to four digits."""
    return float(f"{100 * _mean(shares):.4g}") if shares else None


def epochs_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row a network kept during training: its epoch, count, accuracy and loss."""
    rows = []
    for r in training_networks(counts_of(records)):
        lower, metadata = from_decimal(r["lower"]), r["metadata"]
        row: dict[str, Any] = {
            "architecture": "-".join(map(str, r["architecture"])),
            "engine": r["engine"],
            "definition": r["definition"],
            "with_output": r["with_output"],
            "seed": str(r["seed"]),
            "epoch": metadata["epoch"],
            "count": lower if r["exact"] else at_least(lower),
        }
        for name in ("train_loss", "test_loss", "train_accuracy", "test_accuracy"):
            value = metadata.get(name)
            row[name] = None if value is None else round(value, 4)
        row["seconds"] = round(float(r["seconds"]), 2)
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


TABLES: Mapping[str, Callable[[Records, Sequence[str]], pd.DataFrame]] = {
    "architectures": architecture_table,
    "runs": runs_table,
    "estimates": estimates_table,
    "gap_closed": gap_table,
    "epochs": epochs_table,
    "calibration": calibration_of_study,
    "sweep": sweep_table,
}
