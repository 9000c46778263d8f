from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from milpcount.study.tables.architecture import (
    architecture_table,
    runs_table,
    to_latex,
    to_markdown,
    without_constants,
    write_table,
)

BOUNDS = ["montufar2017", "serra2018"]
HUGE = 3**700


def record(name: str, lower: int, **changes: Any) -> dict[str, Any]:
    return {
        "network": name,
        "architecture": [784, 4, 4, 10],
        "engine": "milp",
        "definition": "full",
        "with_output": False,
        "lower": str(lower),
        "upper": str(lower),
        "exact": True,
        "seconds": 1.25,
        "statistics": {"missed_by_solver": 2},
        "metadata": {"test_accuracy": 0.5},
        "bounds": {"montufar2017": str(2 * HUGE), "serra2018": str(HUGE + 1)},
    } | changes


def test_huge_counts_stay_exact(tmp_path: Path) -> None:
    records = [record("a", HUGE), record("b", HUGE - 2)]
    table = architecture_table(records, BOUNDS)
    assert table.loc[0, "min"] == HUGE - 2
    assert table.loc[0, "mean"] == HUGE - 1
    assert table.loc[0, "max"] == HUGE
    assert table.loc[0, "serra2018"] == HUGE + 1
    write_table(table, tmp_path, "table", "caption")
    row = next(iter(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text()))))
    assert row["max"] == str(HUGE)
    assert f"{HUGE:,}" in (tmp_path / "table.md").read_text()
    assert f"{HUGE:,}" in (tmp_path / "table.tex").read_text()


def test_counts_of_more_digits_than_python_writes(tmp_path: Path) -> None:
    digits = "7" * 5000
    records = [record("a", 1) | {"lower": digits, "upper": digits}]
    write_table(architecture_table(records, BOUNDS), tmp_path, "table", "caption")
    row = (tmp_path / "table.csv").read_text().splitlines()[1].split(",")
    assert row[6:9] == [digits] * 3
    assert "77," + ",".join(["777"] * 1666) in (tmp_path / "table.md").read_text()


def test_architecture_table() -> None:
    records = [
        record("b", 30),
        record("a", 10, metadata={"test_accuracy": 0.7}, upper=None, exact=False),
        record("c", 11, statistics={}, metadata={}),
        record("d", 5, definition="nonempty"),
        record("e", 5, architecture=[784, 2, 6, 10]),
    ]
    table = architecture_table(records, BOUNDS)
    assert list(table["architecture"]) == ["784-2-6-10", "784-4-4-10", "784-4-4-10"]
    row = table.iloc[1]
    assert (row["definition"], row["networks"], row["exact"]) == ("full", 3, 2)
    assert (row["min"], row["mean"], row["max"]) == (10, 17.0, 30)
    assert row["test_accuracy"] == pytest.approx(0.6)
    assert row["seconds"] == 1.25
    assert row["missed_by_solver"] == 4


def test_rows_do_not_depend_on_the_order_of_ends() -> None:
    records = [record(name, 5) for name in "cab"]
    assert list(runs_table(records, BOUNDS)["network"]) == ["a", "b", "c"]
    assert runs_table(records, BOUNDS).equals(runs_table(records[::-1], BOUNDS))


def test_bounds_that_do_not_apply_are_empty() -> None:
    records = [record("a", 1, bounds={}), record("b", 2)]
    table = runs_table(records, BOUNDS)
    assert list(table["serra2018"]) == [None, HUGE + 1]
    assert to_markdown(table).splitlines()[2].endswith("|  |  |")
    assert architecture_table(records, BOUNDS).loc[0, "serra2018"] is None


def test_unknown_upper_end_is_empty() -> None:
    table = runs_table([record("a", 1, upper=None, exact=False), record("b", 2)], [])
    assert table.to_csv(index=False).splitlines()[1].split(",")[5:8] == ["1", "", "False"]
    assert "| ≥ 1 |  | no |" in to_markdown(table)


def test_columns_that_say_nothing_go_to_the_caption(tmp_path: Path) -> None:
    table = runs_table([record("a", 1), record("b", 2, definition="nonempty")], [])
    short, note = without_constants(table)
    assert "definition" in short
    assert "engine" not in short
    assert note == "engine milp, hidden units only"
    write_table(table, tmp_path, "runs", "All & more")
    assert (tmp_path / "runs.md").read_text().startswith("All & more (engine milp, hidden")
    assert r"\caption{All \& more (engine" in (tmp_path / "runs.tex").read_text()
    assert "milp" in (tmp_path / "runs.csv").read_text()


def test_latex_is_escaped_and_ruled() -> None:
    text = to_latex(runs_table([record("net_1 50% #2", 1)], []), "c", "tab:x")
    assert r"net\_1 50\% \#2 &" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(f"\\{rule}") == 1
    assert text.count(r"\\") == 2
    assert text.count("{") == text.count("}")


def test_writing_leaves_no_temporary_files(tmp_path: Path) -> None:
    paths = write_table(runs_table([record("a", 1)], []), tmp_path / "new", "runs", "c")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "runs.csv",
        "runs.md",
        "runs.tex",
    ]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in paths)


def test_the_choice_of_auto_makes_no_row_of_its_own() -> None:
    records = [
        record("a", 1, engine="tree", asked_engine="auto"),
        record("b", 3, engine="subdivision", asked_engine="auto"),
        record("a", 1, engine="brute", asked_engine="brute"),
    ]
    table = architecture_table(records, BOUNDS)
    assert list(table["engine"]) == ["subdivision, tree", "brute"]
    assert list(table["networks"]) == [2, 1]
    assert "asked_engine" not in table
    assert "asked_engine" not in runs_table(records, BOUNDS)
