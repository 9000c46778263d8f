"""The experiment with training: its data, and a run of one epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import evolution
from experiments.planar import disc_and_annulus

ROOT = Path(__file__).parents[2]


def test_points_lie_where_they_should() -> None:
    x, y = disc_and_annulus(50, 0.35, (0.6, 0.9), seed=1)
    radius = np.linalg.norm(x, axis=1)
    assert np.all(radius[y == 0] <= 0.35)
    assert np.all((radius[y == 1] >= 0.6) & (radius[y == 1] <= 0.9))
    x, mixed = disc_and_annulus(50, 0.35, (0.6, 0.9), seed=1, xor=True, clear=0.05)
    assert np.abs(x).min() >= 0.05
    turned = x.prod(axis=1) < 0
    assert np.array_equal(mixed != y, turned)
    assert 0 < turned.sum() < 100


@pytest.mark.parametrize("name", ["smoke", "paper"])
def test_configurations_name_their_folder(name: str) -> None:
    settings = yaml.safe_load((ROOT / f"configs/evolution/{name}.yaml").read_text())
    evolution.Settings.model_validate(settings)
    assert settings["output"] == f"results/evolution/{name}"


def test_one_epoch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    settings = yaml.safe_load((ROOT / "configs/evolution/smoke.yaml").read_text())
    settings |= {"output": str(tmp_path / "out"), "epochs": 1, "every": 1, "points": 10}
    settings["tasks"] = settings["tasks"][:1]
    config = tmp_path / "one.yaml"
    config.write_text(yaml.safe_dump(settings))
    written = evolution.run(config)
    assert {path.suffix for path in written} == {".gif", ".png", ".pdf", ".csv", ".md"}
    table = pd.read_csv(tmp_path / "out" / "disc_3.csv")
    assert table.epoch.tolist() == [0, 1]
    assert table.regions.min() >= 1
