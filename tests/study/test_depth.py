"""Bounds by depth against the reference values, and as a study without networks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from milpcount.errors import ConfigError
from milpcount.study import report_study, run_study
from milpcount.study.config.schema import load_config
from milpcount.study.page.report import write_html_report
from milpcount.study.tables.depth_table import DepthBounds, bounds_by_depth, depth_table
from tests.study import fakes

STUDY = """\
name: depth
depth_bounds: {units: 60, inputs: [1, 10, 60]}
output: out
tables: [bounds_by_depth]
figures: []
"""


def test_reference_values() -> None:
    # Computed apart from this package, for the paper's figure.
    expected = {
        1: [61, 961, 9261, 65536, 371293, 1771561],
        10: [
            93178047049,
            2809964894846404,
            234503869074896296,
            206430177273652484,
            125673334373586790,
            78359847799476250,
        ],
        60: [
            2**60,
            635593043085854200,
            359704738618938709,
            206470453061560848,
            125673334375300455,
            78359847799476250,
        ],
    }
    values = bounds_by_depth(DepthBounds(units=[60], inputs=[1, 10, 60]))
    for inputs, row in expected.items():
        assert [values[60, depth, inputs] for depth in range(1, 7)] == row


def test_best_depths() -> None:
    table = depth_table(DepthBounds(units=[60], inputs=60))
    best = dict(zip(table["inputs"], table["best_depth"], strict=True))
    expected = dict.fromkeys(range(1, 6), "6") | {6: "5", 8: "4"}
    expected |= dict.fromkeys(range(10, 13), "3") | dict.fromkeys(range(15, 30), "2")
    expected |= dict.fromkeys(range(31, 61), "1") | {30: "1 = 2"}
    assert {n: best[n] for n in expected} == expected


def test_depths_that_do_not_divide_are_left_out() -> None:
    settings = DepthBounds(units=[30, 60], inputs=[2])
    assert settings.depths(30) == [1, 2, 3, 5, 6]
    table = depth_table(settings)
    assert list(table["4_layers"]) == [None, table["4_layers"][1]]


def test_a_study_without_networks(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    report = run_study(path)
    assert report.done == 0
    text = (tmp_path / "out" / "bounds_by_depth.csv").read_text(encoding="utf-8")
    assert "359704738618938709" in text
    assert report_study(tmp_path / "out").files == report.files
    assert report_study(path).files == report.files


def test_its_figure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "study.yaml"
    text = STUDY.replace("[]", "[bounds_by_depth]").replace("60, inputs", "[12, 60, 2000], inputs")
    path.write_text(text.replace("2000", "1000"), encoding="utf-8")
    run_study(path)
    assert (tmp_path / "out" / "bounds_by_depth.png").stat().st_size > 15_000
    first = (tmp_path / "out" / "bounds_by_depth.pdf").read_bytes()
    report_study(path)
    assert (tmp_path / "out" / "bounds_by_depth.pdf").read_bytes() == first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("units: 60", "units: 59, layers: [2, 3]", "59 units: no depth of"),
        ("units", "unit", "study.yaml:2: unknown key 'depth_bounds.unit'; did you mean units"),
        ("[1, 10, 60]", "[1, 1]", "a number stands twice"),
        ("[1, 10, 60]", "0", "study.yaml:2: depth_bounds.inputs"),
        ("depth_bounds: {units: 60, inputs: [1, 10, 60]}\n", "", "needs the section depth_bounds"),
    ],
)
def test_wrong_settings(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert message in str(caught.value)


def test_the_page_has_it_to_hover(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    config = fakes.write_study(tmp_path, STUDY.replace("60, inputs", "[12, 60], inputs"))
    run_study(config)
    page = write_html_report(tmp_path / "out", tmp_path / "page.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="study-data">(.*?)</script>', page, re.S)
    assert found is not None
    figures = json.loads(found[1])["figures"]
    assert [t for t in (12, 60) if f"Bound by depth: {t} units" in page] == [12, 60]
    settings = load_config(config)[0].depth_bounds
    assert settings is not None
    values = bounds_by_depth(settings)
    for total, figure in zip((12, 60), figures, strict=True):
        for trace in figure["data"]:
            depth = int(trace["name"].split()[0])
            heights = [float(values[total, depth, n]) for n in trace["x"]]
            assert trace["y"] == heights
