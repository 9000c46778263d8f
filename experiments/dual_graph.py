"""Dual graphs of trained networks: degrees against twice the dimension, diameters.

The setting of Gaines and Bi (ICLR 2026): fully connected networks with 2 to 5 inputs, widths 4, 8
and 16, one to four hidden layers, five seeds, three Gaussian blobs of 300 points, 20 epochs.  Mean
degrees are at most ``2 d`` for almost all networks over the whole space; the diameter is at most
the product of ``width + 1`` over the layers.  Over a box fewer facets are crossed.

Architectures that the configuration calls too large are carried up to a number of regions and
marked.  Their degrees are those of regions drawn from the ones found: these are no fair sample of
all, so such means stand in a column of their own, and the figures leave them out.

``python -m experiments.dual_graph [CONFIG]`` makes records, a table and two figures.  Networks that
are recorded already are not done again.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

import milpcount as mc
from experiments.blobs import trained
from experiments.command_line import tell_files
from experiments.dual_graph_results import draw_degrees, draw_diameters, means
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml
from milpcount.study.figures import save_figure
from milpcount.study.tables.architecture import to_markdown
from milpcount.study.whole_files import write_text

SMOKE = "configs/dual_graph/smoke.yaml"
PAPER = "configs/dual_graph/paper.yaml"
RESULTS = "results/dual_graph/paper"

ROOT = Path(__file__).parents[1]

Record = dict[str, Any]

_LINKS_SEARCHED = 8_000_000  # of all searches of a diameter together
_FEWEST_SEARCHES = 20


class Architecture(Strict):
    """Inputs, and hidden layers of equal width."""

    inputs: int
    width: int
    depth: int


class Settings(Strict):
    """What is trained, and over what its graph is made."""

    name: str
    title: str
    output: str
    inputs: list[int] = Field(min_length=1)
    widths: list[int] = Field(min_length=1)
    depths: list[int] = Field(min_length=1)
    seeds: int = Field(ge=1)
    domains: list[Literal["space", "box"]] = Field(min_length=1)
    box: list[float] = Field(min_length=2, max_length=2)
    points: int = Field(default=300, ge=1)
    epochs: int = Field(default=20, ge=0)
    region_limit: int = Field(ge=1)
    too_large: list[Architecture] = Field(default=[])
    explored_limit: int = Field(default=100_000, ge=1)
    explored_sample: int = Field(default=100, ge=1)

    def limit_of(self, head: Record) -> int:
        """How many regions a graph is carried to."""
        architecture = (head["inputs"], head["width"], head["depth"])
        known = {(a.inputs, a.width, a.depth) for a in self.too_large}
        return self.explored_limit if architecture in known else self.region_limit


def run(path: Path, tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Make what a configuration describes; return the files written."""
    settings = require_valid(Settings, load_yaml(path), path)
    folder = ROOT / settings.output
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "graphs.jsonl"
    records = _stored(store)
    # What a limit cut is done again with another limit.
    known = {_key(r) for r in records if r["complete"] or r["limit"] == settings.limit_of(r)}
    records = [r for r in records if _key(r) in known]
    _write(store, records)
    with store.open("a", encoding="utf-8") as file:
        for d, width, depth, seed in itertools.product(
            settings.inputs, settings.widths, settings.depths, range(settings.seeds)
        ):
            heads: list[Record] = [
                {
                    "inputs": d,
                    "width": width,
                    "depth": depth,
                    "seed": seed,
                    "points": settings.points,
                    "epochs": settings.epochs,
                    "domain": domain,
                }
                for domain in settings.domains
            ]
            heads = [head for head in heads if _key(head) not in known]
            if not heads:
                continue
            net = trained(d, width, depth, seed, settings.points, settings.epochs)
            for head in heads:
                record = {**head, **_graph(net, head["domain"], settings, settings.limit_of(head))}
                records.append(record)
                file.write(json.dumps(record) + "\n")
                file.flush()
                tell(f"{net.name} over the {head['domain']}: {record['regions']} regions")
    wanted = _wanted(records, settings)
    _write(store, wanted)
    table = means(wanted)
    beside = table[table["published_degree"].notna()]
    write_text(folder / "dual_graph.csv", table.to_csv(index=False, lineterminator="\n"))
    for name, part in (("dual_graph", table), ("published", beside)):
        write_text(folder / f"{name}.md", f"{settings.title}\n\n{to_markdown(part)}")
    return [
        store,
        *(folder / name for name in ("dual_graph.csv", "dual_graph.md", "published.md")),
        *save_figure(draw_degrees(wanted, settings.title), "degrees", folder),
        *save_figure(draw_diameters(wanted, settings.title), "diameters", folder),
    ]


def _graph(net: mc.ReLUNetwork, domain: str, settings: Settings, limit: int) -> Record:
    """The graph of one network, or what the limit leaves of it, marked."""
    where: mc.Domain = mc.WholeSpace() if domain == "space" else mc.Box(*settings.box)
    graph = mc.dual_graph(net, where, budget=mc.Budget(regions=limit))
    edges = len(graph.pairs)
    diameter = None
    if graph.complete:
        degrees = graph.degrees().tolist()
        diameter = graph.diameter(max(_FEWEST_SEARCHES, _LINKS_SEARCHED // max(edges, 1)))
    else:
        drawn = np.random.default_rng(0).permutation(len(graph))[: settings.explored_sample]
        degrees = [len(graph.regions[k].neighbours()) for k in drawn.tolist()]
    return {
        "network_sha256": net.sha256,
        "regions": str(len(graph)),
        "edges": str(edges),
        "complete": graph.complete,
        "limit": limit,
        "degrees": {str(k): str(v) for k, v in sorted(Counter(degrees).items())},
        "mean_degree": float(np.mean(degrees)),
        "diameter": [diameter, diameter] if isinstance(diameter, int) else diameter,
        "seconds": round(graph.seconds, 3),
    }


def _key(record: Record) -> tuple[object, ...]:
    """What a record is of: a seed trains one network, the same everywhere."""
    return tuple(
        record[name] for name in ("inputs", "width", "depth", "seed", "points", "epochs", "domain")
    )


def _stored(path: Path) -> list[Record]:
    """The records so far; a last line that an interrupt cut is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _write(path: Path, records: list[Record]) -> None:
    write_text(path, "".join(json.dumps(record) + "\n" for record in records))


def _wanted(records: list[Record], settings: Settings) -> list[Record]:
    """The records of this configuration, in its order."""
    return sorted(
        (
            r
            for r in records
            if r["inputs"] in settings.inputs
            and r["width"] in settings.widths
            and r["depth"] in settings.depths
            and r["seed"] < settings.seeds
            and r["domain"] in settings.domains
            and (r["points"], r["epochs"]) == (settings.points, settings.epochs)
        ),
        key=lambda r: (r["domain"], r["inputs"], r["depth"], r["width"], r["seed"]),
    )


def main(arguments: list[str]) -> int:
    """Run the experiment; return the exit code."""
    return tell_files(run, arguments, PAPER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
