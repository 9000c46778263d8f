"""A stored study with every kind of run and names that try to break out of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>&\"'<b>"
DIGITS = 4000


def make_records() -> list[dict[str, Any]]:
    """Counts (exact, stopped, huge), an estimate, a bound, a network kept while training."""
    names = ["1-7_s0", HOSTILE, "stopped", "huge"]
    records: list[dict[str, Any]] = [_count(k, name) for k, name in enumerate(names)]
    records[2] |= {"upper": "90", "exact": False, "stopped_by": "time"}
    records[3] |= {"lower": "9" * DIGITS, "upper": None, "exact": False}
    records[0]["bounds"]["naive"] = "1" + "0" * DIGITS
    heading = {**_count(4, "1-7_s0"), "network_sha256": "sha0", "upper": None, "exact": False}
    records.append(
        heading
        | {"kind": "estimate", "engine": "tree-sample", "label": "tree-sample", "lower": "8"}
        | {"confidence": 0.95, "estimate": "11.5", "interval": ["9.5", "14"], "bounds": {}}
        | {"guarantee": "lower bound", "seed": 3}
    )
    records.append(heading | {"key": "key5", "kind": "bound", "lower": "0", "upper": "14"})
    kept = _count(6, "1-7_s0_e3")
    records.append(kept | {"metadata": {**kept["metadata"], "epoch": 3}})
    return records


def _count(k: int, name: str) -> dict[str, Any]:
    return {
        "key": f"key{k}", "kind": "count", "network": name, "architecture": [784, 1 + k % 2, 7, 10],
        "lower": str(10 + k), "upper": str(10 + k), "exact": True, "engine": "tree",
        "definition": "full", "with_output": False, "seconds": 0.5, "stopped_by": None,
        "network_sha256": f"sha{k}", "version": "0.1.0", "seed": k, "statistics": {},
        "bounds": {"naive": "256", "serra2018": "40"},
        "metadata": {"test_accuracy": 0.5 + 0.01 * k, "test_loss": 1.2, "note": HOSTILE},
    }  # fmt: skip


def store_study(folder: Path, records: list[dict[str, Any]] | None = None) -> Path:
    """Write the records as a finished study; return its folder."""
    records = make_records() if records is None else records
    settings = {
        "name": "hostile",
        "title": f"Title {HOSTILE}",
        "networks": ["*.npz"],
        "domain": {"box": [0, 1]},
        "counts": [{"engine": "tree"}],
        "bounds": ["naive", "serra2018"],
        "output": ".",
        "tables": ["architectures", "runs", "estimates"],
        "figures": [],
    }
    snapshot = {"settings": settings, "runs": [r["key"] for r in records]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_text(json.dumps(snapshot), encoding="utf-8")
    lines = "".join(json.dumps(r) + "\n" for r in records)
    (folder / "runs.jsonl").write_text(lines, encoding="utf-8")
    return folder
