"""Calibrations: records, table and figure from a configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import calibration as experiment
from milpcount.errors import ConfigError
from milpcount.study.calibration import calibrate
from milpcount.study.config.schema import load_config
from milpcount.study.tables.calibration_table import calibration_table

ROOT = Path(__file__).parents[2]

CONFIG = """
name: tiny
title: tiny
random: [{architecture: [2, 5, 4, 1], weights: normal}]
domain: {box: [-1, 1]}
counts: [{engine: tree}]
estimates:
  - {method: tree-sample, seeds: 3, options: {runs: 4, leaves: 2}}
  - {method: hash-tree, label: buckets, seeds: 2, confidence: 0.9, options: {bucket: 4, runs: 5}}
output: out
"""


def test_a_calibration_writes_what_it_found(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    lines: list[str] = []
    files = calibrate(path, lines.append)
    assert {f.name for f in files} == {
        "estimates.jsonl", "calibration.csv", "calibration.md", "calibration.png",
        "calibration.pdf",
    }  # fmt: skip
    assert all(f.stat().st_size for f in files)
    records = [json.loads(line) for line in files[0].read_text(encoding="utf-8").splitlines()]
    assert len(records) == 5
    assert len(lines) == 2
    table = calibration_table(records)
    assert list(table["method"]) == ["tree-sample", "buckets"]
    assert list(table["runs"]) == [3, 2]
    assert list(table["stated"]) == [0.95, 0.9]


def test_unknown_method(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace("tree-sample", "tree-samples"), encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean tree-sample"):
        load_config(path)


def test_the_experiment_names_its_files() -> None:
    config, _ = load_config(ROOT / experiment.PAPER)
    assert config.output == experiment.RESULTS
    assert (ROOT / experiment.SMOKE).exists()
