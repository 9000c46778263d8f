"""The table of a calibration: whether estimates keep what they promise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import pandas as pd

from milpcount.study.records import Record, Records, counts_of, estimates_of
from milpcount.support.decimal_text import from_decimal

__all__ = ["bits_below", "calibration_of_study", "calibration_table"]


def calibration_of_study(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """The table of the stored estimates of networks whose exact count is stored too."""
    exact = {
        (r["network_sha256"], r["definition"], r["with_output"]): r
        for r in counts_of(records)
        if r["exact"]
    }
    known = []
    for r in estimates_of(records):
        counted = exact.get((r["network_sha256"], r["definition"], r["with_output"]))
        if counted is not None:
            known.append({**r, "exact": counted["lower"], "exact_seconds": counted["seconds"]})
    return calibration_table(known)


def calibration_table(records: Records) -> pd.DataFrame:
    """One row a network and way of estimating.

    ``held`` is the share of runs whose bound was true; ``bits_below`` the median of
    ``log2(count / bound)``; ``off`` the median relative error of the estimate.
    """
    rows = []
    groups = dict.fromkeys((r["network"], r["label"], r["confidence"]) for r in records)
    for network, label, confidence in groups:
        part = [
            r
            for r in records
            if (r["network"], r["label"], r["confidence"]) == (network, label, confidence)
        ]
        exact = from_decimal(part[0]["exact"])
        given = [r for r in part if r["estimate"] is not None]
        inside = [
            float(r["interval"][0]) <= exact <= float(r["interval"][1])
            for r in given
            if r["interval"] is not None
        ]
        rows.append(
            {
                "network": network,
                "count": exact,
                "method": label,
                "runs": len(part),
                "stated": confidence,
                "held": _share([from_decimal(r["lower"]) <= exact for r in part]),
                "bits_below": round(statistics.median(bits_below(r) for r in part), 2),
                "off": round(
                    statistics.median(abs(float(r["estimate"]) / exact - 1) for r in given), 4
                )
                if given
                else None,
                "interval_held": _share(inside) if inside else None,
                "seconds": round(statistics.median(float(r["seconds"]) for r in part), 3),
                "count_seconds": round(float(part[0]["exact_seconds"]), 3),
            }
        )
    frame = pd.DataFrame(rows, dtype=object)
    frame.attrs["note"] = (
        "held: share of the runs whose bound is true; bits below, off, seconds: medians over the "
        "runs"
    )
    return frame


def _share(truths: Sequence[bool]) -> float:
    return round(sum(truths) / len(truths), 3)


def bits_below(record: Record) -> float:
    """How far the bound lies below the count, in bits."""
    return math.log2(from_decimal(record["exact"])) - math.log2(
        max(1, from_decimal(record["lower"]))
    )
