"""The HTML report: one file, all text escaped, every run in it."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from milpcount.cli.app import run
from milpcount.errors import ConfigError, MissingDependencyError
from milpcount.study.page.page_tables import table_html
from milpcount.study.page.report import write_html_report
from milpcount.study.page.traces import per_shape
from tests.study.report_study import DIGITS, HOSTILE, make_records, store_study


class Page(HTMLParser):
    """Collects tags, attributes, and the text of scripts and of the rest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open != "style":
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def render(folder: Path, records: list[dict[str, Any]] | None = None) -> str:
    """The page, plotly taken out: it is five megabytes, and not ours to test."""
    plotly = pytest.importorskip("plotly.offline").get_plotlyjs()
    path = write_html_report(store_study(folder / "results", records), folder / "report.html")
    text = path.read_text(encoding="utf-8")
    assert text.count(plotly) == int('id="figure-0"' in text)
    return text.replace(plotly, "")


def test_names_cannot_break_out(tmp_path: Path) -> None:
    text = render(tmp_path)
    page = Page(text)
    assert len(page.scripts) == 3
    assert [len(page.named(tag)) for tag in ("img", "b", "iframe", "link")] == [0, 0, 0, 0]
    assert HOSTILE in page.text  # the name itself can be read
    assert HOSTILE not in text
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
    # What plotly shows is read as tags once more.
    figures = json.loads(page.scripts[0])["figures"]
    texts = [t for f in figures for trace in f["data"] for t in [trace["name"], *trace["text"]]]
    assert any("&lt;/script&gt;" in t for t in texts)
    assert {tag for t in texts for tag in re.findall(r"<[^>]*>", t)} <= {"<br>", "<b>", "</b>"}


def test_one_file_that_loads_nothing(tmp_path: Path) -> None:
    text = render(tmp_path)
    page = Page(text)
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "http://" not in text
    assert "https://" not in text
    (policy,) = [m for m in page.named("meta") if m.get("http-equiv")]
    assert "default-src 'none'" in str(policy["content"])


def test_every_run_is_linked_and_its_record_whole(tmp_path: Path) -> None:
    records = make_records()
    page = Page(render(tmp_path, records))
    anchors = {d["id"] for d in page.named("details") if d.get("class") == "run"}
    assert anchors == {f"run-{r['key']}" for r in records}
    links = {str(a["href"]) for a in page.named("a")}
    assert {f"#{anchor}" for anchor in anchors} == links
    data = json.loads(page.scripts[0])
    # Text, so that no script rounds the digits of a count.
    assert [json.loads(text) for text in data["records"]] == records
    assert data["records"][3].count("9" * DIGITS) == 1
    keys = {k for f in data["figures"] for t in f["data"] for k in t["customdata"] if k}
    assert keys >= {r["key"] for r in records if r["kind"] != "bound" and r["key"] != "key3"}


def test_figures_hold_what_the_runs_know(tmp_path: Path) -> None:
    page = Page(render(tmp_path))
    data = json.loads(page.scripts[0])
    assert len([d for d in page.named("div") if d.get("class") == "figure"]) == 6
    for title in (
        "Counts and bounds by architecture", "Counts against test accuracy (%)",
        "Counts against test loss", "Counts against bounds", "Estimates against counts",
        "Counts by epoch",
    ):  # fmt: skip
        assert title in page.text
    by_architecture = data["figures"][0]["data"]
    (runs,) = [t for t in by_architecture if t["name"] == "runs"]
    assert runs["y"] == [10, 11, 12, None]  # the last is beyond any picture
    assert runs["marker"]["symbol"] == ["circle", "circle", "circle-open", "circle-open"]
    assert runs["error_y"]["array"] == [0, 0, 78, 0]
    assert "12 to 90 regions, stopped by time" in runs["text"][2]
    assert "test accuracy 0.5" in runs["text"][0]
    assert "characters)" in runs["text"][3]  # of a count of thousands of digits
    (lower,) = [t for t in by_architecture if t["name"].startswith("lower bound")]
    assert "at least 8 (confidence 0.95)" in lower["text"][0]


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    assert render(tmp_path / "a") == render(tmp_path / "b")


def test_studies_of_one_kind_of_run(tmp_path: Path) -> None:
    records = make_records()
    for k, part in enumerate((records[4:5], records[5:6], records[:1])):
        page = Page(render(tmp_path / str(k), part))
        assert len([d for d in page.named("details") if d.get("class") == "run"]) == 1
    with pytest.raises(ConfigError, match="no finished run"):
        render(tmp_path / "none", [])


def test_tables_sort_as_numbers_of_any_size() -> None:
    frame = pd.DataFrame({"n": [10**400 + 1, 9, None, 10**400, 9, 2.5]}, dtype=object)
    cells = re.findall(r"<td[^>]*>", table_html(frame))
    ranks = [re.findall(r'data-rank="(\d+)"', cell) for cell in cells]
    assert ranks == [["3"], ["1"], [], ["2"], ["1"], ["0"]]


def test_without_plotly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingDependencyError, match="plots"):
        write_html_report(store_study(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("plotly")
    target = tmp_path / "deep" / "report.html"
    folder = store_study(tmp_path / "results")
    code = run(["report", str(folder), "--html", str(target), "--json"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(target)]
    assert target.stat().st_size > 4_000_000
    assert sorted(p.name for p in folder.iterdir()) == ["runs.jsonl", "study.json"]


def test_series_stand_in_the_order_of_architectures() -> None:
    """Files are read by name, where 10-12 comes before 2-20."""
    shapes = [[784, 10, 12, 10], [784, 2, 20, 10], [784, 9, 13, 10]]
    records = [{**make_records()[0], "architecture": shape} for shape in shapes]
    assert [trace["name"] for trace in per_shape(records, lambda record: 1.0)] == [
        "2,20", "9,13", "10,12",
    ]  # fmt: skip
