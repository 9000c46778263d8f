"""The experiment with dual graphs: goes on where it stopped, marks limits, its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from experiments import dual_graph
from experiments.dual_graph_results import means
from milpcount.study.config.yaml_loader import load_yaml
from milpcount.study.tables.architecture import to_markdown

ROOT = Path(__file__).parents[2]


def _small(tmp_path: Path) -> Path:
    settings = dict(load_yaml(ROOT / dual_graph.SMOKE))
    settings |= {
        "inputs": [2],
        "depths": [2],
        "seeds": 1,
        "epochs": 1,
        "points": 20,
        "output": str(tmp_path / "out"),
        "too_large": [{"inputs": 2, "width": 8, "depth": 2}],
        "explored_limit": 10,
        "explored_sample": 3,
    }
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_it_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = _small(tmp_path)
    files = dual_graph.run(path)
    assert all(file.stat().st_size for file in files)
    store = tmp_path / "out" / "graphs.jsonl"
    before = store.read_text(encoding="utf-8")
    records = [json.loads(line) for line in before.splitlines()]
    cut = {(r["width"], r["domain"]): r["complete"] for r in records}
    assert cut == {(4, "space"): True, (4, "box"): True, (8, "space"): False, (8, "box"): False}
    assert sum(int(n) for n in records[-1]["degrees"].values()) == 3
    # Killed while it wrote a line: that graph is made again, the others are not.
    lines = before.splitlines(keepends=True)
    store.write_text("".join(lines[:-1]) + lines[-1][:20], encoding="utf-8")
    told: list[str] = []
    dual_graph.run(path, told.append)
    assert len(told) == 1
    after = [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines()]
    assert [{**r, "seconds": 0} for r in after] == [{**r, "seconds": 0} for r in records]
    monkeypatch.setattr(dual_graph, "trained", None)
    dual_graph.run(path, told.append)
    assert len(told) == 1


def test_the_table_is_that_of_the_records() -> None:
    folder = ROOT / dual_graph.RESULTS
    lines = (folder / "graphs.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len({r["network_sha256"] for r in records}) == 240
    assert len(records) == 480
    table = means(records)
    written = (folder / "dual_graph.md").read_text(encoding="utf-8")
    assert written.endswith(to_markdown(table))
    # Fukuda et al. 1991 and Gaines and Bi: at most 2 d on average over the whole space.
    whole = [r for r in records if r["complete"] and r["domain"] == "space"]
    assert all(r["mean_degree"] <= 2 * r["inputs"] for r in whole)
    # Arrangements in general position are as large as can be: 2,517 regions in the paper.
    most = {r["regions"] for r in whole if (r["inputs"], r["width"], r["depth"]) == (4, 16, 1)}
    assert most == {"2517"}
