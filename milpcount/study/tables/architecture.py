"""Tables as pure functions of the stored runs; counts stay exact integers at any size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from milpcount.study.records import Records, counts_of, estimates_of, finished_networks
from milpcount.study.tables.marks import About, AtLeast, at_least, marks_in
from milpcount.study.whole_files import write_text
from milpcount.support.decimal_text import from_decimal, to_decimal
from milpcount.support.escaping import csv_text, latex_text, markdown_text

__all__ = [
    "WAY",
    "Records",
    "architecture_table",
    "cell_text",
    "is_numeric",
    "runs_table",
    "to_csv",
    "to_latex",
    "to_markdown",
    "without_constants",
    "write_table",
]

_GROUPS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")

WAY = ("engine", "definition", "with_output")


def _shape(widths: Sequence[int]) -> str:
    return "-".join(map(str, widths))


def runs_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row a run.  Columns of counts hold Python integers (object dtype), None if unknown."""
    return _runs(records, bounds).drop(columns="asked_engine", errors="ignore")


def _runs(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """The same with the engines that were asked for, where "auto" stands for its choice."""
    rows = []
    records = counts_of(records)
    for r in records:
        statistics, metadata = r.get("statistics", {}), r.get("metadata", {})
        row: dict[str, Any] = {
            "network": r["network"],
            "architecture": _shape(r["architecture"]),
            "engine": r["engine"],
            "definition": r["definition"],
            "with_output": r["with_output"],
            "lower": from_decimal(r["lower"]) if r["exact"] else at_least(from_decimal(r["lower"])),
            "upper": None if r["upper"] is None else from_decimal(r["upper"]),
            "exact": r["exact"],
            "seconds": round(float(r["seconds"]), 2),
            "missed_by_solver": statistics.get("missed_by_solver"),
            "test_accuracy": metadata.get("test_accuracy"),
        }
        for name in bounds:
            value = r["bounds"].get(name)
            row[name] = None if value is None else from_decimal(value)
        row["asked_engine"] = r.get("asked_engine", r["engine"])
        rows.append(row)
    frame = pd.DataFrame(rows, dtype=object)
    if frame.empty:
        return frame
    widths = {_shape(r["architecture"]): tuple(r["architecture"]) for r in records}
    keys = [
        (widths[str(shape)], str(network), k)
        for k, (shape, network) in enumerate(
            zip(frame["architecture"], frame["network"], strict=True)
        )
    ]
    return frame.iloc[[k for *_, k in sorted(keys)]].reset_index(drop=True)


def architecture_table(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row an architecture and way of counting: counts of its networks beside the bounds.

    A way is the engine asked for, the definition and the units; ``engine`` names what ran.
    ``min``, ``mean`` and ``max`` are over the counts; where some of these were stopped, over
    their proved lower ends, marked as such, unless the upper ends prove the same number.
    ``estimate`` is the mean of the estimates of the networks that were stopped.
    """
    records = finished_networks(records)
    runs = _runs(records, bounds)
    if runs.empty:
        return runs
    estimates = _means_of_estimates(records)
    rows = []
    ways = ["architecture", "asked_engine", "definition", "with_output"]
    for (shape, _, definition, with_output), part in runs.groupby(ways, sort=False):
        counts = [int(v) for v in part["lower"]]
        ends = None if None in list(part["upper"]) else [int(v) for v in part["upper"]]
        row: dict[str, Any] = {
            "architecture": shape,
            "engine": ", ".join(sorted(set(part["engine"]))),
            "definition": definition,
            "with_output": with_output,
        }
        row |= {"networks": len(part), "exact": int(sum(bool(v) for v in part["exact"]))}
        for name, of in (("min", min), ("mean", _mean), ("max", max)):
            value = of(counts)
            row[name] = value if ends and of(ends) == value else at_least(value)
        stopped = [
            estimates.get((network, row["definition"], row["with_output"]))
            for network, exact in zip(part["network"], part["exact"], strict=True)
            if not exact
        ]
        known = [v for v in stopped if v is not None]
        row["estimate"] = About(sum(known) / len(known)) if known else None
        for name in bounds:
            values = [None if v is None else int(v) for v in part[name]]
            # With ranks a bound may differ between networks of one shape: the largest holds for
            # all, and none does where one network has none.
            row[name] = None if None in values else max(v for v in values if v is not None)
        accuracy = [float(v) for v in part["test_accuracy"] if v is not None]
        row["test_accuracy"] = round(sum(accuracy) / len(accuracy), 4) if accuracy else None
        row["seconds"] = round(sum(float(v) for v in part["seconds"]) / len(part), 2)
        missed = [int(v) for v in part["missed_by_solver"] if v is not None]
        row["missed_by_solver"] = sum(missed) if missed else None
        rows.append(row)
    frame = pd.DataFrame(rows, dtype=object)
    empty = [name for name in ("estimate", "missed_by_solver") if not frame[name].notna().any()]
    frame = frame.drop(columns=empty)
    frame.attrs["note"] = "min, mean, max: of the counts of the networks"
    if any(name in frame for name in bounds):
        frame.attrs["note"] += "; bounds: the largest over the networks"
    return frame


def _means_of_estimates(records: Records) -> dict[tuple[str, str, bool], float]:
    """The mean estimate of each network, definition and choice of units."""
    found: dict[tuple[str, str, bool], list[float]] = {}
    for r in estimates_of(records):
        if r["estimate"] is not None:
            way = (r["network"], r["definition"], r["with_output"])
            found.setdefault(way, []).append(float(r["estimate"]))
    return {way: sum(values) / len(values) for way, values in found.items()}


def _mean(counts: Sequence[int]) -> int | float:
    """The mean to one decimal; a rounded integer where a float would lose digits."""
    mean = Fraction(sum(counts), len(counts))
    return round(float(mean), 1) if mean < 10**12 else round(mean)


def cell_text(value: Any) -> str:
    """Text of a value: nothing for None, digits in groups for integers."""
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, AtLeast) and isinstance(value, int | float):
        return f"≥ {cell_text(float(value) if isinstance(value, float) else int(value))}"
    if isinstance(value, About):
        return f"≈ {value:,.0f}" if value < 10**15 else f"≈ {value:.4g}"
    if isinstance(value, int):
        return _GROUPS.sub(",", to_decimal(value))
    if isinstance(value, float):
        if abs(value) >= 1000:
            return f"{value:,.1f}".removesuffix(".0")
        return f"{value:.6g}"
    return str(value)


def _csv_cell(value: Any) -> Any:
    """Counts as text: pandas, too, writes no integer of more than 4,300 digits."""
    if isinstance(value, str):
        return csv_text(value)
    return to_decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_numeric(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column holds numbers, and nothing else but None."""
    values = [v for v in frame[column] if v is not None]
    return bool(values) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    )


def to_csv(frame: pd.DataFrame) -> str:
    """The table as CSV: counts of any size, no cell that a spreadsheet would run."""
    return frame.map(_csv_cell).to_csv(index=False, lineterminator="\n")


def to_markdown(frame: pd.DataFrame) -> str:
    """The table in Markdown, numbers to the right."""
    heads = [str(c).replace("_", " ") for c in frame.columns]
    rules = ["---:" if is_numeric(frame, c) else "---" for c in frame.columns]
    lines = [
        heads,
        rules,
        *([_markdown_cell(v) for v in row] for row in frame.itertuples(index=False)),
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _markdown_cell(value: Any) -> str:
    return markdown_text(value) if isinstance(value, str) else cell_text(value)


def to_latex(frame: pd.DataFrame, caption: str, label: str, below: Sequence[str] = ()) -> str:
    """The table in LaTeX, with lines of notes below it; needs the package booktabs."""
    columns = "".join("r" if is_numeric(frame, c) else "l" for c in frame.columns)
    heads = [latex_text(str(c).replace("_", " ")) for c in frame.columns]
    body = [
        " & ".join(latex_text(cell_text(v)) for v in row) + r" \\"
        for row in frame.itertuples(index=False)
    ]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {latex_text(line)}" for line in below),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def without_constants(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Take the columns of :data:`WAY` out where all rows agree; say in words what they held."""
    first = {c: frame[c].iloc[0] for c in WAY if c in frame.columns}
    same = [c for c, value in first.items() if all(v == value for v in frame[c])]
    words = {
        "engine": f"engine {first.get('engine')}",
        "definition": f"definition {first.get('definition')}",
        "with_output": "output units counted" if first.get("with_output") else "hidden units only",
    }
    return frame.drop(columns=same), ", ".join(words[c] for c in same)


def write_table(frame: pd.DataFrame, folder: Path, name: str, caption: str) -> list[Path]:
    """Write ``name.csv`` with all columns, ``name.md`` and ``name.tex`` for readers.

    The frame's attributes ``note`` (for the caption) and ``below`` (lines under the table) are
    for readers too.
    """
    short, note = without_constants(frame)
    notes = "; ".join(text for text in (note, marks_in(short), frame.attrs.get("note", "")) if text)
    legend = f"{caption} ({notes})" if notes else caption
    below = frame.attrs.get("below", ())
    contents = {
        ".csv": to_csv(frame),
        ".md": f"{markdown_text(legend)}\n\n{to_markdown(short)}"
        + "".join(f"\n{markdown_text(line)}\n" for line in below),
        ".tex": to_latex(short, legend, f"tab:{name}", below),
    }
    paths = []
    for suffix, text in contents.items():
        path = folder / f"{name}{suffix}"
        write_text(path, text)
        paths.append(path)
    return paths
