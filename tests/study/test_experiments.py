"""The experiments' modules, configurations, networks and stores fit together."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from experiments import (
    bounds60,
    dual_graph,
    evolution,
    local_maps,
    mnist8,
    mnist22,
    mnist22_epochs,
    mnist22_output,
    mnist22_sampling,
    shape,
    space_folding,
)
from milpcount.study.config.grid import resolve_runs
from milpcount.study.config.schema import CountSettings, load_config
from milpcount.study.store import ResultStore

ROOT = Path(__file__).parents[2]
# Read by something else.
OWN = ("cluster", "dual_graph", "evolution", "folding", "local_maps", "shape")
CONFIGS = sorted(p for p in (ROOT / "configs").rglob("*.yaml") if p.parent.name not in OWN)
STUDIES = [path for path in CONFIGS if not path.stem.startswith("train")]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_configurations_resolve(path: Path) -> None:
    config, _ = load_config(path)
    runs = resolve_runs(config, path.parent / config.root)
    assert bool(runs) == bool(config.grids)
    assert runs or config.depth_bounds is not None
    assert config.output == f"results/{path.parent.name}/{path.stem}"


@pytest.mark.parametrize(
    "module",
    [mnist8, mnist22, mnist22_output, mnist22_sampling, mnist22_epochs, bounds60],
    ids=lambda module: module.__name__,
)
def test_modules_name_what_their_configurations_make(module: ModuleType) -> None:
    config, _ = load_config(ROOT / module.PAPER)
    assert tuple(config.tables) == module.TABLES
    assert tuple(config.figures) == module.FIGURES
    assert config.output == module.RESULTS
    for name in ("SMOKE", "TRAINING"):
        assert (ROOT / getattr(module, name, module.PAPER)).exists()


def test_mnist8() -> None:
    config, _ = load_config(ROOT / mnist8.PAPER)
    runs = resolve_runs(config, ROOT)
    assert {run.architecture for run in runs} == {(784, a, 8 - a, 10) for a in range(1, 8)}
    assert len(runs) == 21
    assert all(run.source.path is not None for run in runs)
    assert (ROOT / mnist8.NETWORKS).exists()
    smoke = resolve_runs(load_config(ROOT / mnist8.SMOKE)[0], ROOT)
    # The smoke study counts as the paper does: what one has stored, the other would find.
    assert {run.key for run in smoke} <= {run.key for run in runs}


def test_stored_counts_keep_their_keys() -> None:
    # Counts of the first version, which knew neither estimates nor bounds as runs.
    runs = resolve_runs(load_config(ROOT / mnist8.PAPER)[0], ROOT)
    assert {run.key for run in runs} == set(ResultStore(ROOT / mnist8.RESULTS).read())


def test_mnist22() -> None:
    runs = resolve_runs(load_config(ROOT / mnist22.PAPER)[0], ROOT)
    counts = [run for run in runs if isinstance(run.settings, CountSettings)]
    assert len(counts) == 210
    assert {run.architecture for run in counts} == {(784, a, 22 - a, 10) for a in range(1, 22)}
    sampled = resolve_runs(load_config(ROOT / mnist22_sampling.PAPER)[0], ROOT)
    shared = {run.key for run in sampled if isinstance(run.settings, CountSettings)}
    # Its exact counts are the study's, not counted twice.
    assert len(shared) == 21
    assert shared <= {run.key for run in counts}


def test_the_smoke_study_shows_everything() -> None:
    smoke, _ = load_config(ROOT / mnist22.SMOKE)
    for module in (mnist22, mnist22_output, mnist22_sampling, mnist22_epochs, bounds60):
        assert set(module.TABLES) <= set(smoke.tables)
        assert set(module.FIGURES) <= set(smoke.figures)


@pytest.mark.parametrize(
    "module",
    [dual_graph, evolution, local_maps, shape, space_folding],
    ids=lambda module: module.__name__,
)
def test_a_bad_configuration_is_one_line_and_code_2(
    module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    for text, words in ((None, "cannot be read"), ("name: x\n", "'title' is missing")):
        if text is not None:
            path.write_text(text, encoding="utf-8")
        assert module.main([str(path)]) == 2
        out, error = capsys.readouterr()
        assert out == ""
        name = module.__name__.rpartition(".")[2]
        assert error.startswith(f"{name}: {path}")
        assert words in error
        assert error.count("\n") == 1
