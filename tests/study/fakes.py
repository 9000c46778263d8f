"""Stand-ins for counting, and a study to run with them; functions of a module, for processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from milpcount.core.result import ProgressCallback
from milpcount.errors import SolverError
from milpcount.study.config.grid import Run

STUDY = """\
name: small
root: .
random:
  - {architecture: [2, 3, 2, 1], count: 4}
  - {architecture: [3, 4, 2], count: 2}
domain: {box: [-1, 1]}
counts:
  - {engine: tree-highs}
output: out
figures: []
"""


def write_study(folder: Path, text: str = STUDY) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def make_record(run: Run, lower: int = 7) -> dict[str, Any]:
    return {
        "key": run.key,
        "network": run.source.name,
        "architecture": list(run.architecture),
        "lower": str(lower),
        "upper": str(lower),
        "exact": True,
        "engine": run.settings.engine,
        "definition": run.settings.definition,
        "with_output": run.settings.with_output,
        "seconds": 0.5,
        "stopped_by": None,
        "network_sha256": run.network_sha256,
        "version": "0",
        "seed": run.source.seed,
        "bounds": {"montufar2017": "40", "serra2018": "20", "hinz2019": "20"},
        "statistics": {"missed_by_solver": 1},
        "metadata": dict(run.source.metadata),
    }


def quick(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    return make_record(run)


def slow(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    time.sleep(0.3)
    return make_record(run)


def stuck(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Two runs end, the others never do."""
    while run.source.name not in ("random-2-3-2-1-0", "random-2-3-2-1-1"):
        time.sleep(600)
    return make_record(run)


def failing(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    if run.source.name.endswith("-1"):
        raise SolverError("the solver\ngave up")
    return make_record(run)


def broken(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    if run.source.name.endswith("-1"):
        return {"key": run.key, "lower": object()}
    return make_record(run)


def dying(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    if run.source.name == "random-2-3-2-1-1":
        os._exit(9)
    return make_record(run)


def threads(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    record = make_record(run)
    record["statistics"] = {"threads": os.environ.get("OMP_NUM_THREADS"), "pid": os.getpid()}
    return record
