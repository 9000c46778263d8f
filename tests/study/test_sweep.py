"""Sweeps: what they expand to, their errors, their table and figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import sweep as experiment
from milpcount.errors import ConfigError
from milpcount.study import run_study
from milpcount.study.config.grid import resolve_runs
from milpcount.study.config.schema import load_config
from milpcount.study.tables.sweep_table import POLYNOMIAL, sweep_table

ROOT = Path(__file__).parents[2]
GRID = (
    "{inputs: [1, 2], depth: [1, 2], width: 3, weights: [pytorch, normal], "
    "bias_scale: [0.1, 1.0], seeds: 2}"
)


def write(folder: Path, sweep: str, more: str = "") -> Path:
    path = folder / "sweep.yaml"
    path.write_text(
        "name: s\nsweep:\n"
        f"  - {sweep}\n"
        "domain: {box: [-1, 1]}\ncounts:\n  - {engine: tree-highs}\n"
        f"output: out\nfigures: []\n{more}",
        encoding="utf-8",
    )
    return path


def runs_of(path: Path) -> dict[str, tuple[str, int | None]]:
    return {
        run.source.name: (run.key, run.source.seed)
        for run in resolve_runs(load_config(path)[0], path.parent)
    }


def test_expands_to_every_combination(tmp_path: Path) -> None:
    runs = runs_of(write(tmp_path, GRID))
    kinds = ("pytorch", "normal0.1", "normal1")  # no scale of the biases for pytorch
    assert set(runs) == {
        f"{kind}-{shape}-{k}"
        for kind in kinds
        for shape in ("1-3-1", "1-3-3-1", "2-3-1", "2-3-3-1")
        for k in range(2)
    }
    assert len({seed for _, seed in runs.values()}) == len(runs)


def test_a_network_does_not_depend_on_the_rest_of_the_sweep(tmp_path: Path) -> None:
    runs = runs_of(write(tmp_path, GRID))
    alone = runs_of(write(tmp_path, "{inputs: 2, widths: [[3, 3]], weights: normal, seeds: 1}"))
    assert alone == {"normal0.1-2-3-3-1-0": runs["normal0.1-2-3-3-1-0"]}
    path = tmp_path / "random.yaml"
    text = write(tmp_path, GRID).read_text(encoding="utf-8").split("\n")
    text[1:3] = ["random:", "  - {architecture: [2, 3, 3, 1], weights: normal, bias_scale: 0.1}"]
    path.write_text("\n".join(text), encoding="utf-8")
    assert list(runs_of(path).values()) == list(alone.values())


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("{inptus: 2, depth: 1, width: 3}", r":3: unknown key .*; did you mean inputs"),
        ("{inputs: 2, depth: 1, widht: 3}", r"did you mean width\?"),
        ("{inputs: 2, depth: 1, width: 3, seed: 3}", r"did you mean seeds\?"),
        ("{depth: 1, width: 3}", r":3: the key 'sweep.0.inputs' is missing"),
        ("{inputs: [], depth: 1, width: 3}", r":3: sweep.0.inputs: .*at least 1 item"),
        ("{inputs: -1, depth: 1, width: 3}", r"sweep.0.inputs.*equal to 1, not -1"),
        ("{inputs: 2, depth: 0, width: 3}", r"sweep.0.depth.*greater than or equal to 1, not 0"),
        ("{inputs: 2, depth: 1, width: [3, 2.5]}", r"sweep.0.width.*valid integer, not 2.5"),
        ("{inputs: 2, depth: 1, width: 3, seeds: 0}", r"sweep.0.seeds.*greater than or equal to 1"),
        ("{inputs: 2, widths: []}", r"sweep.0.widths: .*at least 1 item"),
        ("{inputs: 2, widths: [[]]}", r"sweep.0.widths.0: .*at least 1 item"),
        ("{inputs: 2, widths: [8, 8]}", r"sweep.0.widths.0: .*valid list, not 8"),
        ("{inputs: 2}", r":3: sweep.0: name the hidden layers once"),
        ("{inputs: 2, depth: 1}", r":3: sweep.0: name the hidden layers once"),
        ("{inputs: 2, depth: 1, width: 3, widths: [[3]]}", r"sweep.0: name the hidden layers once"),
        ("{inputs: 2, widths: [[3]], bias_scale: 1.0}", r"sweep.0: bias_scale: belongs to weights"),
        ("{inputs: 2, widths: [[3]], weights: he}", r"sweep.0.weights.*'pytorch' or 'normal'"),
        ("{inputs: 2, widths: [[3]], weights: normal, bias_scale: .inf}", r"bias_scale.*finite"),
        ("{inputs: 2, widths: [[3]], seeds: 1000000000000}", r"1,000,000,000,000 networks; at"),
        ("{inputs: 2, depth: 1000000000, width: 3}", r"sweep.0.depth.*less than or equal to 1000"),
        ("{inputs: 2, depth: 900, width: 90000}", r"network of 7,281,900,270,000 weights"),
        ("{inputs: 2, widths: [[3]], seeds: 9000}\n  - {inputs: 2, widths: [[4]], seeds: 9000}",
         r":2: sweep: 18,000 networks; at most 10,000"),
    ],
)  # fmt: skip
def test_errors_name_the_place_and_the_remedy(tmp_path: Path, sweep: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"sweep\.yaml:\d+: ") as caught:
        load_config(write(tmp_path, sweep))
    caught.match(message)
    assert "\n" not in str(caught.value)


def test_no_networks_at_all(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text(
        "name: s\nsweep: []\ndomain: {whole_space: true}\ncounts: [{engine: auto}]\noutput: out\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"no networks: give .* or sweep"):
        load_config(path)


def row_of(table: Any, **wanted: Any) -> Any:
    for column, value in wanted.items():
        table = table[table[column] == value]
    (row,) = table.to_dict("records")
    return row


def test_table_against_the_polynomial(tmp_path: Path) -> None:
    path = write(tmp_path, "{inputs: 2, depth: [1, 2], width: 4, seeds: 3}", "tables: [sweep]\n")
    report = run_study(path, overrides={"counts.0.engine": "brute"})
    assert report.failures == ()
    assert {p.name for p in report.files} == {"sweep.csv", "sweep.md", "sweep.tex"}
    records = [
        {**fakes_record(lower), "architecture": [2, *widths, 1]}
        for widths, lower in [((4,), 10), ((4,), 7), ((10, 4), 600), ((4, 4), 32), ((1,), 2)]
    ]
    table = sweep_table(records, ["serra2018"])
    assert list(table["hidden"]) == ["1", "4", "4,4", "10,4"]  # by size, not by text
    one = row_of(table, hidden="4")
    assert (one["networks"], one["min"], one["mean"], one["max"]) == (2, 7, 8.5, 10)
    assert one[POLYNOMIAL] == 8  # 4^2 / 2!
    assert one["T"] == pytest.approx((8.5 * 2) ** 0.5 / 4, abs=1e-3)
    two = row_of(table, hidden="4,4")
    assert (two["units"], two["depth"], two[POLYNOMIAL], two["T"]) == (8, 2, 32, 1.0)
    small = row_of(table, hidden="1")
    assert (small[POLYNOMIAL], small["T"]) == (2, None)  # N <= n_0: 2^N
    assert "weights" not in table


def fakes_record(lower: int) -> dict[str, Any]:
    return {
        "lower": str(lower), "exact": True, "engine": "tree", "definition": "full",
        "with_output": False, "seconds": 0.1, "bounds": {"serra2018": "40"}, "metadata": {},
    }  # fmt: skip


def test_table_tells_initialisations_apart_and_leaves_estimates_out() -> None:
    kinds: list[dict[str, Any]] = [
        {"weights": "normal", "bias_scale": 1.0},
        {"weights": "normal", "bias_scale": 0.1},
        {"weights": "pytorch", "bias_scale": 0.1},
    ]
    records = [{**fakes_record(5), "architecture": [1, 4, 1], "metadata": m} for m in kinds]
    records.append({**records[0], "kind": "estimate"})
    table = sweep_table(records, [])
    assert [(r["weights"], r["bias_scale"]) for r in table.to_dict("records")] == [
        ("normal", 0.1), ("normal", 1.0), ("pytorch", None),
    ]  # fmt: skip
    assert list(table["networks"]) == [1, 1, 1]


def test_experiment_matches_its_configuration() -> None:
    config, _ = load_config(ROOT / experiment.PAPER)
    assert tuple(config.tables) == experiment.TABLES
    assert tuple(config.figures) == experiment.FIGURES
    assert config.output == experiment.RESULTS
    runs = {run.key for run in resolve_runs(config, ROOT)}
    assert len(runs) == 4 * 3 * 3 * 3 * 10
    smoke = resolve_runs(load_config(ROOT / experiment.SMOKE)[0], ROOT)
    assert {run.key for run in smoke} <= runs
