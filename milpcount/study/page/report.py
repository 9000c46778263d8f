"""A study in one HTML file: settings, tables, figures that can be hovered, every run's record.

The file needs nothing beside it and no network: styles, scripts and plotly stand in it.  Names
and metadata come from files that may be anybody's, so all text is escaped, and the data block of
the scripts holds no character that ends it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from milpcount.errors import MissingDependencyError
from milpcount.study.page.hover import depth_figures, hover_figures
from milpcount.study.page.page_tables import run_anchor, runs_frame, table_html
from milpcount.study.records import Record, Records
from milpcount.study.runner import StoredStudy, read_study
from milpcount.study.tables.architecture import without_constants
from milpcount.study.tables.marks import marks_in
from milpcount.study.whole_files import write_text
from milpcount.support.decimal_text import from_decimal
from milpcount.support.version import __version__

__all__ = ["render_report", "write_html_report"]

# No page of ours loads anything; the browser is told so.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_HEADINGS = {
    "architectures": "By architecture",
    "estimates": "Estimates",
    "gap_closed": "Gap closed",
    "epochs": "By epoch",
    "bounds_by_depth": "Bounds by depth",
    "sweep": "By combination",
}


def write_html_report(results: str | Path, path: str | Path) -> Path:
    """Write the report of a study that was run; the same runs give the same bytes.

    Arguments:
        results: the output folder of the study, or its YAML file.
        path: of the HTML file.

    Raises:
        ConfigError: there is no finished run.
        MissingDependencyError: plotly is not installed.
    """
    study = read_study(results)
    target = Path(path)
    write_text(target, render_report(study))
    return target


def render_report(study: StoredStudy) -> str:
    """Return the page.

    Raises:
        MissingDependencyError: plotly is not installed.
    """
    title = study.config.title or study.config.name
    figures = hover_figures(study.records, study.config.bounds)
    if study.config.depth_bounds is not None:
        figures += depth_figures(study.config.depth_bounds)
    data = {
        # Text, not values: numbers in a script lose digits behind the sixteenth.
        "records": [json.dumps(r, indent=1, ensure_ascii=False) for r in study.records],
        "figures": [{"data": f["data"], "layout": f["layout"]} for f in figures],
    }
    parts = [
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_asset('page.css')}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        _facts(study),
        "<noscript><p>Figures, sorting and records need scripts; the tables do not.</p></noscript>",
        "<h2>Figures</h2>" if figures else "",
        '<p class="note">Hover a point to see its run, click it for the full record.</p>'
        if figures
        else "",
        *(
            f'<h3>{escape(figure["title"])}</h3><div class="figure" id="figure-{k}"></div>'
            for k, figure in enumerate(figures)
        ),
        "<h2>Tables</h2>",
        '<p class="note">Click a heading to sort.</p>',
        *_tables(study),
        _records(study.records),
        f'<script type="application/json" id="study-data">{_safe_json(data)}</script>',
        f"<script>{_plotly()}</script>" if figures else "",
        f"<script>{_asset('page.js')}</script>",
        "</body></html>\n",
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _facts(study: StoredStudy) -> str:
    """What was done with what: numbers of runs, versions, settings."""
    records = study.records
    counts = [r for r in records if r.get("kind", "count") == "count"]
    versions = sorted({str(r.get("version", "unknown")) for r in records})
    facts = {
        "study": study.config.name,
        "runs": f"{len(records)}"
        + (f", of which {len(counts)} count" if len(counts) < len(records) else ""),
        "exact": f"{sum(bool(r['exact']) for r in counts)} of {len(counts)} counts",
        "networks": str(len({r.get("network_sha256", r["network"]) for r in records})),
        "engines and methods": ", ".join(sorted({str(r["engine"]) for r in records})),
        "definitions": ", ".join(sorted({str(r["definition"]) for r in records})),
        "counted with": f"milpcount {', '.join(versions)}",
        "report by": f"milpcount {__version__}",
    }
    shown = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items() if v)
    text = yaml.safe_dump(dict(study.values), sort_keys=False, allow_unicode=True, width=90)
    return (
        f"<dl>{shown}</dl>\n<details><summary>Settings</summary><pre>{escape(text)}</pre></details>"
    )


def _tables(study: StoredStudy) -> list[str]:
    parts = []
    for name, frame in study.tables().items():
        if name == "runs":
            continue  # below, with all that was done and links
        short, common = without_constants(frame)
        notes = [n for n in (common, marks_in(frame), frame.attrs.get("note")) if n]
        parts.append(f"<h3>{escape(_HEADINGS.get(name, name))}</h3>")
        parts += [f'<p class="note">{escape(note)}</p>' for note in notes]
        parts.append(table_html(short))
    if study.records:
        frame = runs_frame(study.records, study.config.bounds)
        keys = [str(r["key"]) for r in study.records]
        parts.append(f"<h3>All runs</h3>{table_html(frame, keys)}")
    return parts


def _records(records: Records) -> str:
    if not records:
        return ""
    sections = "\n".join(
        f'<details class="run" id="{run_anchor(str(r["key"]))}" data-record="{k}">'
        f"<summary>{escape(_heading(r))}</summary><pre></pre></details>"
        for k, r in enumerate(records)
    )
    return f'<section class="records"><h2>Records</h2>\n{sections}</section>'


def _heading(record: Record) -> str:
    lower = from_decimal(record["lower"])
    digits = f"{lower:,}" if lower < 10**30 else f"about 10^{len(record['lower']) - 1}"
    kind = record.get("kind", "count")
    return f"{record['network']}: {kind}, {record['engine']}, {record['definition']}, {digits}"


def _safe_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON that no HTML parser and no script reads as anything but one value."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingDependencyError("plotly", "an HTML report", "plots") from error
    # Inside strings and comments alone, where a backslash changes nothing.
    return str(get_plotlyjs()).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _asset(name: str) -> str:
    return (files("milpcount.study") / "page" / name).read_text(encoding="utf-8")
