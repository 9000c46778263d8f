from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from milpcount.errors import MissingDependencyError
from milpcount.study.figures import FIGURES, require_matplotlib, write_figure
from tests.study.test_tables import record

BOUNDS = ["naive", "montufar2017", "serra2018", "hinz2019"]


def records(height: int = 1) -> list[dict[str, Any]]:
    return [
        record(
            f"{a}_{seed}",
            height * (2**a + seed),
            architecture=[784, a, 8 - a, 10],
            metadata={"test_accuracy": 0.3 + 0.05 * a + 0.02 * seed},
            bounds={name: str(height * 2 ** (a + 1)) for name in BOUNDS},
        )
        for a in range(1, 8)
        for seed in range(3)
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_written_and_stable(tmp_path: Path, name: str) -> None:
    pytest.importorskip("matplotlib")
    png, pdf = write_figure(name, records(), BOUNDS, "title", tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.stat().st_size > 15_000
    assert pdf.stat().st_size > 5_000
    again = write_figure(name, records(), BOUNDS, "title", tmp_path / "again")
    assert [p.read_bytes() for p in again] == [png.read_bytes(), pdf.read_bytes()]


def test_no_global_state_of_pyplot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code = (
        "import sys; from pathlib import Path; from milpcount.study.figures import write_figure\n"
        "from tests.study.test_figures import BOUNDS, records\n"
        "write_figure('bounds_and_counts', records(), BOUNDS, '', Path(sys.argv[1]))\n"
        "print(*(name for name in sys.modules if name.startswith('matplotlib')))"
    )
    root = Path(__file__).parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=root, check=True, capture_output=True,
        text=True,
    ).stdout.split()  # fmt: skip
    assert "matplotlib.figure" in loaded
    assert "matplotlib.pyplot" not in loaded


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "case", ["huge", "mixed", "unknown bounds", "no accuracy", "nothing found", "one network"]
)
def test_unusual_records_can_be_drawn(name: str, case: str) -> None:
    pytest.importorskip("matplotlib")
    drawn = {
        "huge": records(10**400) + records(10**20),
        "mixed": records() + [r | {"definition": "nonempty"} for r in records()],
        "unknown bounds": [r | {"bounds": {}} for r in records()],
        "no accuracy": [r | {"metadata": {}} for r in records()],
        "nothing found": [r | {"lower": "0", "upper": None, "exact": False} for r in records()],
        "one network": records()[:1],
    }[case]
    figure = FIGURES[name](drawn, BOUNDS, "title")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=40)
    assert len(content.getvalue()) > 1_000


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "milpcount\[plots\]"'):
        require_matplotlib()
