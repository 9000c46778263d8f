"""The experiment with space folding."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

import milpcount as mc
from experiments import space_folding as experiment
from experiments import space_folding_results
from experiments.cantor_walks import cantor_record
from experiments.space_folding_results import cantor_table, claims_table

ROOT = Path(__file__).parents[2]


def test_cantornets() -> None:
    """Closed forms of the exact walk; eleven points are wrong from depth three on."""
    sampled = ["1/2", "11/16", "3/4", "13/16", "33/40"]
    records = [cantor_record(depth, [11]) for depth in range(1, 6)]
    for depth, record in enumerate(records, 1):
        r1, r2 = 2 * depth + 1, 5 * 2**depth - 4
        assert (record["r1"], record["r2"]) == (str(r1), str(r2))
        assert (
            Fraction(record["chi"]) == 1 - Fraction(r1, r2) == sum(map(Fraction, record["parts"]))
        )
        hidden = 1 - Fraction(2 * depth, 4 * (2**depth - 1))
        assert Fraction(record["subsets"]["hidden units"]) == hidden
        assert record["subsets"]["first layer"] == "0"
        assert record["sampled"]["11"] == sampled[depth - 1]
    assert cantor_table(records)["wrong"].tolist() == ["none", "none", "11", "11", "11"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(experiment, "ROOT", tmp_path)
    text = (ROOT / experiment.SMOKE).read_text(encoding="utf-8")
    path = tmp_path / "small.yaml"
    lines = [line for line in text.splitlines() if line != "  - [4, 4, 4]"]
    path.write_text(
        "\n".join(lines).replace("pairs: 30", "pairs: 4").replace("[0, 5, 20]", "[0, 1]")
    )
    return path


def test_records_tables_and_figures(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = experiment.run(small)
    store = files[0]
    records = [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 8
    for record in records:
        for kind in ("within", "between"):
            total = sum(record[f"parts_{kind}"])
            assert total == pytest.approx(record[kind]["all"]["mean"], abs=1e-5)
            assert 0 <= record[kind]["all"]["p95"] <= Fraction(record[kind]["all"]["max"]) < 1
    assert all(file.stat().st_size > 0 for file in files)
    before = {file: file.read_bytes() for file in files if file.suffix in (".csv", ".md", ".jsonl")}
    # What is recorded is not walked again, and gives the same tables.
    monkeypatch.setattr(experiment, "_folding", None)
    monkeypatch.setattr(space_folding_results, "save_figure", lambda *given: [])
    again = experiment.run(small)
    assert {file: file.read_bytes() for file in again if file in before} == before


def test_claims_are_told_from_what_is_found() -> None:
    """Made-up networks: chi rises with depth and, at every depth, with the error."""
    records = [
        {
            "hidden": [4] * depth,
            "epochs": epochs,
            "error": 0.2 / epochs / depth,
            **{kind: {"all": {"mean": depth + 1 / epochs}} for kind in ("within", "between")},
        }
        for depth in (1, 2, 3)
        for epochs in (1, 2, 3)
    ]
    table = claims_table(records)
    rows = {(row.claim_of_the_paper, row.networks_here): row for row in table.itertuples()}
    grown = rows["chi grows with depth at low error", "after 3 epochs"]
    assert (grown.rho_within, grown.as_claimed) == (1, "yes")
    deep = rows["chi falls when the error rises", "trained, depth 3"]
    assert (deep.rho_between, deep.here_chi, deep.as_claimed) == (1, "rises", "no")


def test_misuse(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = small.read_text(encoding="utf-8")
    small.write_text(text.replace("data: blobs", "data: mnist\nnetworks: nowhere"))
    with pytest.raises(mc.InputError, match=r"train_mnist\.py"):
        experiment.run(small)
    assert experiment.main([str(small)]) == 2
    assert capsys.readouterr().err.count("\n") == 2  # where it stands, and the error
    monkeypatch.setenv("MILPCOUNT_DATA", str(small.parent))
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "ROOT", ROOT)
        with pytest.raises(mc.InputError, match=r"MILPCOUNT_DATA.*smoke\.yaml needs no data"):
            experiment._images()
    small.write_text(text.replace("[6, 6]", "[6, 5]"))
    with pytest.raises(mc.InputError, match="one width"):
        experiment.run(small)
