"""The experiment with local maps: configurations, tables, and the part that needs no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import local_maps, local_maps_choices, local_maps_results
from experiments.local_maps_choices import Choice, choice_records
from experiments.local_maps_measures import Clouds
from experiments.local_maps_networks import KINDS, Digits, Training, logits, stored, trained
from experiments.local_maps_results import choice_table, cluster_table, mapping_table
from milpcount.errors import ConfigError, InputError
from milpcount.study.config.strict import require_valid
from milpcount.study.config.yaml_loader import load_yaml

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "local_maps").glob("*.yaml"))

TINY = """
name: tiny
title: Tiny
output: {output}
seeds: {{dense: 0, conv: 0}}
training:
  {{epochs: 0, batch: 1, learning_rate: 0.1, momentum: 0.0, weight_decay: 0.0, dropout: 0.5}}
clusters: {{numbers: {numbers}, seeds: [1], mini_batch_from: 10, iterations: [1]}}
map_seeds: 0
xor: {{hidden: [3], seeds: 1, steps: 5, learning_rate: 0.1}}
"""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configurations_are_valid(path: Path) -> None:
    settings = require_valid(local_maps.Settings, load_yaml(path), path)
    assert settings.output.startswith("results/local_maps/")


def test_the_xor_networks_without_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("MILPCOUNT_DATA", str(tmp_path))
    monkeypatch.setattr(local_maps, "draw_xor", lambda how, folder: [])  # seconds
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY.format(output=tmp_path / "out", numbers="[1]"), encoding="utf-8")
    files = local_maps.run(config)
    assert all(file.exists() for file in files)
    records = (tmp_path / "out" / "records.jsonl").read_text(encoding="utf-8")
    given = (tmp_path / "out" / "xor_given.csv").read_text(encoding="utf-8")
    # The maps that the paper prints, and the one of the empty pattern that it misprints.
    for row in ('11,there,"-1, -1, 1"', '10,there,"1, 1, 1"', '00,there,"0, 0, -1"'):
        assert f'"xor, bias 2",{row}' in given
    assert '"xor, bias 2",01,empty,"-2, -2, -1"' in given
    local_maps.run(config)
    assert (tmp_path / "out" / "records.jsonl").read_text(encoding="utf-8") == records
    config.write_text(TINY.format(output=tmp_path, numbers="[1, 2]"), encoding="utf-8")
    with pytest.raises(ConfigError, match="one entry a number of clusters"):
        local_maps.run(config)
    data = (
        config.read_text(encoding="utf-8").replace("[1, 2]", "[1]").replace("dense: 0", "dense: 1")
    )
    config.write_text(data, encoding="utf-8")
    with pytest.raises(InputError, match="MILPCOUNT_DATA"):
        local_maps.run(config)
    assert local_maps.main([str(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("local_maps: no MNIST")
    assert line.endswith("xor.yaml needs no data)")


def record(**more: Any) -> dict[str, Any]:
    return {"points": 10000, "weights": "0", "seed": 0, **more}


def test_tables_keep_ours_and_the_papers_numbers_apart() -> None:
    records = [
        record(what="accuracy", network="dense", correct=9600),
        record(what="clusters", network="dense", clusters=10, method="k-means", correct=9100),
        record(what="clusters", network="dense", clusters=10, method="k-means", correct=9300),
        record(what="map", network="dense", to="conv", correct=9500, ranks=[3], residuals=[0.5]),
    ]
    table = cluster_table(records)
    assert len(table) == 24
    dense = table[table["network"] == "dense"].set_index("clusters")
    assert dense.loc[10, ["ours", "least", "greatest", "seeds"]].tolist() == [92.0, 91.0, 93.0, 2]
    assert dense["the paper's"].tolist() == [86.79, 92.31, 94.34, 95.08, 95.54, 96.03]
    others = table[table["network"].isin(["conv", "Inception-v3", "ResNet-152"])]
    assert others["ours"].isna().all()
    maps = mapping_table(records)
    row = maps[(maps["from"] == "dense") & (maps["to"] == "conv")].iloc[0]
    assert (row["ours"], row["the paper's"]) == (95.0, 95.36)
    assert maps["ours"].notna().sum() == 1
    assert cluster_table([]).empty
    assert mapping_table([]).empty
    assert choice_table([]).empty
    # 92.31 is between 91 and 93, 96.03 is not 96.
    notes = local_maps_results._outside(table, ("network", "clusters"))
    assert [note.partition(": ")[2] for note in notes] == ["dense, all maps -0.03."]
    (note,) = local_maps_results._outside(maps, ("from", "to"))
    assert note.endswith(": dense to conv -0.36.")


HOW = Training(epochs=1, batch=16, learning_rate=0.1, momentum=0.5, weight_decay=0.01, dropout=0.5)


def few_digits() -> Digits:
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(48, 784)).astype(np.float32), rng.integers(10, size=48)
    return Digits(images[:32], labels[:32], images[32:], labels[32:])


def silent(line: str) -> None:
    pass


def test_networks_are_kept_without_dropout_and_read_again(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    data = few_digits()
    for kind in KINDS:
        path = tmp_path / f"{kind}.npz"
        first = stored(kind, 0, HOW, data, path, silent)
        again = stored(kind, 0, HOW, data, path, silent)
        whole = trained(kind, 0, HOW, data, silent)
        parts = [type(part).__name__ for part in first]
        assert not any("Dropout" in name for name in parts)
        assert any("Dropout" in type(part).__name__ for part in whole)
        outputs = logits(first, data.test)
        assert np.array_equal(logits(again, data.test), outputs)
        assert np.allclose(logits(whole, data.test), outputs, atol=1e-6)
        assert outputs.shape == (16, 10)


def test_choices_are_told_by_network_and_by_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    data = few_digits()
    monkeypatch.setattr(local_maps_choices, "digits", lambda *how: data)
    choice = Choice(network="dense", shift=0.5, divisor=0.25, dropout=0.0)
    (found,) = choice_records([choice], HOW, (None, None), lambda head: True, silent)
    assert list(choice_records([choice], HOW, (None, None), lambda head: False, silent)) == []
    module = trained("dense", 0, HOW.model_copy(update={"dropout": 0.0}), data, silent).eval()
    right = np.count_nonzero(logits(module, data.test).argmax(axis=1) == data.test_labels)
    mean = Clouds("dense", 0, None, module, data).train.mean(axis=1)
    values = data.test @ mean[:, :-1].T + mean[:, -1]
    assert found["correct"] == right
    assert found["correct_with_mean"] == np.count_nonzero(values.argmax(axis=1) == data.test_labels)
    table = choice_table([found])
    assert table["pixels"].tolist() == ["(p - 0.5) / 0.25"]
    assert table[["the paper's, all maps", "the paper's, 1 cluster"]].values.tolist() == [
        [96.03, 86.79]
    ]
