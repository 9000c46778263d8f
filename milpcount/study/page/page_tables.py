"""Tables of the HTML report: sortable, escaped, with links to the records of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd

from milpcount.study.records import Records
from milpcount.study.tables.architecture import cell_text, is_numeric
from milpcount.study.tables.marks import at_least
from milpcount.support.decimal_text import from_decimal

__all__ = ["run_anchor", "runs_frame", "table_html"]

_LONGEST = 60


def runs_frame(records: Records, bounds: Sequence[str]) -> pd.DataFrame:
    """One row a run of any kind, in the order of the records."""
    rows = []
    for r in records:
        metadata, known = r.get("metadata", {}), r.get("bounds", {})
        lower = from_decimal(r["lower"])
        row: dict[str, Any] = {
            "network": str(r["network"]),
            "architecture": "-".join(map(str, r["architecture"])),
            "kind": r.get("kind", "count"),
            "engine": r.get("label") or r["engine"],
            "definition": r["definition"],
            "with_output": r["with_output"],
            "lower": lower if r["exact"] else at_least(lower),
            "upper": None if r["upper"] is None else from_decimal(r["upper"]),
            "exact": r["exact"],
            "stopped_by": r.get("stopped_by"),
            "test_accuracy": metadata.get("test_accuracy"),
            "test_loss": metadata.get("test_loss"),
            "seconds": round(float(r["seconds"]), 3),
        }
        for name in bounds:
            row[name] = None if known.get(name) is None else from_decimal(known[name])
        rows.append(row)
    frame = pd.DataFrame(rows, dtype=object)
    empty = [c for c in frame.columns if all(value is None for value in frame[c])]
    return frame.drop(columns=empty)


def table_html(frame: pd.DataFrame, keys: Sequence[str] | None = None) -> str:
    """The table; ``keys`` of runs, one a row, make its first column link to their records."""
    columns = list(frame.columns)
    numeric = {column: is_numeric(frame, column) for column in columns}
    ranks = {column: _ranks(list(frame[column])) for column in columns}
    head = "".join(
        f'<th scope="col"{_class(numeric[c])}><button type="button">'
        f"{escape(str(c).replace('_', ' '))}</button></th>"
        for c in columns
    )
    body = []
    for k, row in enumerate(frame.itertuples(index=False)):
        cells = []
        for j, (column, value) in enumerate(zip(columns, row, strict=True)):
            rank = ranks[column][k]
            place = "" if rank is None else f' data-rank="{rank}"'
            text = _shown(cell_text(value))
            if keys is not None and j == 0:
                # The address is decoded by the browser, the anchor is not.
                text = f'<a href="#{escape(quote("run-" + keys[k]))}">{text}</a>'
            cells.append(f"<td{_class(numeric[column])}{place}>{text}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    rows = "\n".join(body)
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def run_anchor(key: str) -> str:
    """The anchor of a run's record, as the value of an attribute."""
    return escape(f"run-{key}")


def _class(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _shown(text: str) -> str:
    """Escaped; a count of hundreds of digits ends in the middle, and whole in the hint."""
    if len(text) <= _LONGEST:
        return escape(text)
    return f'<span title="{escape(text[:2000])}">{escape(text[:_LONGEST])}...</span>'


def _ranks(values: Sequence[Any]) -> list[int | None]:
    """Places in ascending order, equal values the same; exact at any size, which scripts are not.

    Numbers come before text.  None, and what is no number, has no place.
    """
    keys = [_key(value) for value in values]
    order = {key: k for k, key in enumerate(sorted({key for key in keys if key is not None}))}
    return [None if key is None else order[key] for key in keys]


def _key(value: Any) -> tuple[int, Any] | None:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return (0, value) if isinstance(value, int | float) else (1, str(value))
