"""The experiments' modules, configurations and networks fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import mnist8
from milpcount.study.grid import resolve_runs
from milpcount.study.schema import load_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(p for p in (ROOT / "configs").rglob("*.yaml") if p.parent.name != "cluster")
STUDIES = [path for path in CONFIGS if path.stem != "train"]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_configurations_resolve(path: Path) -> None:
    config, _ = load_config(path)
    runs = resolve_runs(config, path.parent / config.root)
    assert runs
    assert config.output == f"results/{path.parent.name}/{path.stem}"


def test_mnist8() -> None:
    config, _ = load_config(ROOT / mnist8.PAPER)
    assert tuple(config.tables) == mnist8.TABLES
    assert tuple(config.figures) == mnist8.FIGURES
    assert config.output == mnist8.RESULTS
    runs = resolve_runs(config, ROOT)
    assert {run.architecture for run in runs} == {(784, a, 8 - a, 10) for a in range(1, 8)}
    assert len(runs) == 21
    assert all(run.source.path is not None for run in runs)
    for name in (mnist8.SMOKE, mnist8.TRAINING, mnist8.NETWORKS):
        assert (ROOT / name).exists()
    smoke = resolve_runs(load_config(ROOT / mnist8.SMOKE)[0], ROOT)
    # The smoke study counts as the paper does: what one has stored, the other would find.
    assert {run.key for run in smoke} <= {run.key for run in runs}
