from __future__ import annotations

from pathlib import Path

import pytest

from milpcount.errors import ConfigError
from milpcount.study.config.schema import StudyConfig, load_config
from tests.study.fakes import STUDY, write_study


def load(folder: Path, text: str = STUDY, **overrides: str) -> StudyConfig:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return load_config(write_study(folder, text), dotted)[0]


def complaint(folder: Path, text: str = STUDY, **overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(folder / "study.yaml"), "FILE")


def test_reads_a_study(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.random[0].architecture == [2, 3, 2, 1]
    assert [way.engine for grid in config.counts for way in grid.expand()] == ["tree-highs"]


def test_grid_of_counts(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        counts="[{engine: [milp, brute], definition: [full, nonempty], with_output: true}]",
    )
    ways = [(w.engine, w.definition, w.with_output) for w in config.counts[0].expand()]
    assert ways == [
        ("milp", "full", True),
        ("milp", "nonempty", True),
        ("brute", "full", True),
        ("brute", "nonempty", True),
    ]


def test_unknown_key_names_line_and_nearest(tmp_path: Path) -> None:
    text = STUDY.replace("output: out", "outptu: out")
    assert complaint(tmp_path, text) == "FILE:9: unknown key 'outptu'; did you mean output?"
    text = STUDY.replace("engine: tree-highs", "enginee: tree-highs")
    assert (
        complaint(tmp_path, text) == "FILE:8: unknown key 'counts.0.enginee'; did you mean engine?"
    )
    text = STUDY.replace("count: 4", "zzz: 4")
    known = "architecture, count, weights, bias_scale"
    assert complaint(tmp_path, text) == f"FILE:4: unknown key 'random.0.zzz'; known: {known}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("engine: tree-highs", "engine: trees", "FILE:8: counts.0.engine: no engine 'trees'"),
        ("engine: tree-highs", "with_output: yes", "FILE:8: counts.0.with_output"),
        ("engine: tree-highs", "with_output: 1", "FILE:8: counts.0.with_output"),
        ("engine: tree-highs", "time_limit: 0", "FILE:8: counts.0.time_limit"),
        ("engine: tree-highs", "time_limit: fast", "FILE:8: counts.0.time_limit"),
        ("engine: tree-highs", "definition: lineal", "FILE:8: counts.0.definition"),
        ("engine: tree-highs", "options: {a: .inf}", "FILE:8: counts.0.options"),
        ("count: 4", "count: 0", "FILE:4: random.0.count"),
        ("count: 4", "count: 2.0", "FILE:4: random.0.count"),
        ("box: [-1, 1]", "box: [-1]", "FILE:6: domain.box"),
        ("box: [-1, 1]", "box: [-1, .inf]", "FILE:6: domain.box.1"),
        ("box: [-1, 1]", "box: [[0, a], 1]", "FILE:6: domain.box.0"),
        ("{box: [-1, 1]}", "{}", "FILE:6: domain: name one domain"),
        ("{box: [-1, 1]}", "{box: [0, 1], whole_space: true}", "FILE:6: domain: name one domain"),
        ("counts:\n  - {engine: tree-highs}", "counts: []", "FILE:7: counts"),
        ("output: out\n", "", "FILE: the key 'output' is missing"),
        ("figures: []", "figures: [pie]", "FILE:10: figures.0"),
    ],
)
def test_wrong_values_name_the_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in STUDY
    assert complaint(tmp_path, STUDY.replace(old, new)).startswith(message)


def test_no_networks(tmp_path: Path) -> None:
    text = STUDY.replace("random:", "networks: []\nrandom: []\n#").replace("  - {arch", "#")
    assert complaint(tmp_path, text).startswith("FILE: no networks")


def test_overrides(tmp_path: Path) -> None:
    config = load(tmp_path, counts__0__time_limit="1e1", random__1__count="5", title="'on'")
    assert config.counts[0].time_limit == 10
    assert config.random[1].count == 5
    assert config.title == "on"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("counts__0__engin", "milp", "--set counts.0.engin: unknown key 'counts.0.engin'; did"),
        ("counts__0", "{engine: 5}", "--set counts.0: counts.0.engine"),
        ("counts__3__engine", "milp", "--set counts.3.engine: '3' is no place in a list of 1"),
        ("counts__x__engine", "milp", "--set counts.x.engine: 'x' is no place in a list of 1"),
        ("name__x", "1", "--set name.x: name is a value"),
        ("name__x__y", "1", "--set name.x.y: name is a value"),
        ("name", "[1", "value '[1': line 1"),
    ],
)
def test_wrong_overrides(tmp_path: Path, key: str, value: str, message: str) -> None:
    assert complaint(tmp_path, **{key: value}).startswith(message)
