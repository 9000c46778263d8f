"""Tables of estimates, gaps and epochs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from milpcount.study.records import counts_of, finished_networks
from milpcount.study.tables.architecture import architecture_table, write_table
from milpcount.study.tables.comparison import epochs_table, estimates_table, gap_table
from tests.study.test_tables import record


def counted(name: str, lower: int, **changes: Any) -> dict[str, Any]:
    bounds = {"serra2018": "1000", "activation_based": "900"}
    return record(name, lower, bounds=bounds) | {"network_sha256": name} | changes


def estimated(name: str, lower: int, **changes: Any) -> dict[str, Any]:
    return counted(name, lower) | {
        "kind": "estimate",
        "label": "some method",
        "upper": None,
        "exact": False,
        "confidence": 0.9,
        "estimate": "123456789.5",
        "interval": ["1.5", "2.5e8"],
        "stopped_by": None,
        "guarantee": "holds & holds",
        "seed": 5,
        **changes,
    }


def bounded(name: str, ranges: str, value: int) -> dict[str, Any]:
    return counted(name, 0) | {
        "kind": "bound",
        "ranges": ranges,
        "exact": False,
        "seconds": 0.5,
        "analytic_seconds": 0.25,
        "bounds": {"serra2018": "1000", "activation_based": str(value)},
    }


def test_estimates_stand_beside_counts(tmp_path: Path) -> None:
    records = [
        counted("a", 500),
        counted("b", 20, upper=None, exact=False),
        estimated("a", 501),
        estimated("a", 500, estimate=None, interval=None),
        estimated("b", 30),
        estimated("c", 30),
    ]
    table = estimates_table(records, [])
    assert list(table["held"]) == [False, True, None, None]
    assert list(table["count"]) == [500, 500, 20, None]
    assert list(table["estimate"])[:2] == [123457000.0, None]
    write_table(table, tmp_path, "estimates", "caption")
    text = (tmp_path / "estimates.md").read_text(encoding="utf-8")
    assert "≥ 20" in text
    assert text.endswith("some method: holds & holds\n")
    latex = (tmp_path / "estimates.tex").read_text(encoding="utf-8")
    assert r"\par\footnotesize some method: holds \& holds" in latex


def test_an_exact_count_is_preferred() -> None:
    stopped = counted("a", 600, upper=None, exact=False)
    for records in ([counted("a", 500), stopped], [stopped, counted("a", 500)]):
        assert list(estimates_table([*records, estimated("a", 7)], [])["count"]) == [500]


def test_gap_closed() -> None:
    records = [
        counted("a", 500),
        counted("b", 800),
        counted("full", 1000),
        counted("stopped", 3, upper=None, exact=False),
        bounded("a", "lp", 850),
        bounded("a", "interval", 870),
    ]
    table = gap_table(records, [])
    row = table.iloc[0]
    assert (len(table), row["networks"], row["serra2018"]) == (1, 3, 1000)
    # The gap of "full" is empty.
    assert row["closed_linear"] == pytest.approx(100 * (150 / 500 + 100 / 200) / 2)
    logs = [math.log(1000 / 850) / math.log(2), math.log(1000 / 900) / math.log(1000 / 800)]
    assert row["closed_log"] == pytest.approx(50 * sum(logs), rel=1e-3)
    assert row["activation_based"] == pytest.approx((850 + 900 + 900) / 3, abs=0.1)
    assert gap_table([counted("full", 1000)], []).iloc[0]["closed_log"] is None


def test_bounds_of_other_units_are_not_mixed_in() -> None:
    with_output = bounded("a", "lp", 5) | {"with_output": True}
    assert counts_of([counted("a", 4), with_output])[0]["bounds"]["activation_based"] == "900"


def test_epochs_are_sorted_and_kept_apart(tmp_path: Path) -> None:
    kept = [
        counted(f"n_e{k}", 100 + k, metadata={"epoch": k, "test_accuracy": k / 20}) | {"seed": 3}
        for k in (10, 2, 0)
    ]
    table = epochs_table([*kept, counted("end", 5)], [])
    assert list(table["epoch"]) == [0, 2, 10]
    assert list(table["count"]) == [100, 102, 110]
    assert list(table["test_loss"]) == [None] * 3
    architectures = architecture_table([*kept, counted("end", 5)], [])
    assert list(architectures["max"]) == [5]
    assert finished_networks(kept) == kept


def test_means_of_stopped_counts_and_their_estimates() -> None:
    records = [
        counted("a", 10),
        counted("b", 4, upper="30", exact=False),
        estimated("a", 9, estimate="99"),
        estimated("b", 9, estimate="20"),
        estimated("b", 9, estimate="22"),
    ]
    row = architecture_table(records, ["serra2018"]).iloc[0]
    assert (row["min"], row["mean"], row["max"], row["estimate"]) == (4, 7.0, 10, 21.0)
    # The ends of an interval may prove one of them all the same.
    records[1]["upper"] = "10"
    row = architecture_table(records, ["serra2018"]).iloc[0]
    names = [type(row[name]).__name__ for name in ("min", "mean", "max")]
    assert names[2] == "int"
    assert names[0] != "int"
