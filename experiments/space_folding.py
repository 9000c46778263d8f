"""Space folding: what sampling misses, and how trained networks fold the segments between images.

Lewandowski et al. (NeurReps 2024; TMLR 2025; arXiv 2503.08502) measure how a walk along a segment
goes back and forth among the activation patterns: ``chi = 1 - r1 / r2``.  Three studies:

- CantorNet, where the exact walk is known, against patterns at equidistant points;
- networks of sixty hidden units in one to six layers, trained on MNIST for several lengths of time:
  ``chi`` over 500 pairs of test images of one class and 500 of two, by subset of layers, beside the
  test error;
- which part of ``chi`` comes from which layer.

``python -m experiments.space_folding [CONFIG]`` makes records, tables and figures.  The networks
are made by ``scripts/train_mnist.py configs/folding/train.yaml``.  The smoke configuration trains
small networks on Gaussian blobs instead, and needs no data.  Networks that are recorded are not
walked again.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

import milpcount as mc
from experiments.blobs import blobs, trained
from experiments.cantor_walks import cantor_record
from experiments.command_line import tell_files
from experiments.mnist_images import mnist_images
from experiments.space_folding_results import write_results
from milpcount.geometry.walk import Walk, Walker
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml

SMOKE = "configs/folding/smoke.yaml"
PAPER = "configs/folding/paper.yaml"
TRAINING = "configs/folding/train.yaml"
RESULTS = "results/folding/paper"

ROOT = Path(__file__).parents[1]

Record = dict[str, Any]
Float = NDArray[np.float64]
Labels = NDArray[np.int64]
Pairs = list[tuple[int, int]]


class Settings(Strict):
    """What is walked.

    Attributes:
        cantor_depths: of the CantorNets.
        samples: numbers of equidistant points.
        data: MNIST's test images, or the training points of small classifiers of blobs.
        networks: folder of the trained networks, of MNIST.
        hidden: widths of the hidden layers.
        seeds: networks of each kind.
        epochs: lengths of training.
        pairs: of one class, and as many of two.
        seed: of the choice of pairs.
    """

    name: str
    title: str
    output: str
    cantor_depths: list[int] = Field(min_length=1)
    samples: list[int] = Field(min_length=1)
    data: Literal["mnist", "blobs"]
    networks: str | None = None
    hidden: list[list[int]] = Field(min_length=1)
    seeds: int = Field(ge=1)
    epochs: list[int] = Field(min_length=1)
    pairs: int = Field(ge=1)
    seed: int = Field(default=0, ge=0)


def run(path: Path, tell: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Make what a configuration describes; return the files written."""
    settings = require_valid(Settings, load_yaml(path), path)
    folder = ROOT / settings.output
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "folding.jsonl"
    cantor = [cantor_record(depth, settings.samples) for depth in settings.cantor_depths]
    tell(f"CantorNets of depth {settings.cantor_depths[0]} to {settings.cantor_depths[-1]}")
    known = {_key(record): record for record in _stored(store)}
    walked = []
    source = _mnist if settings.data == "mnist" else _blobs
    with store.open("a", encoding="utf-8") as file:
        for head, net, points, labels in source(settings):
            head |= {"pairs": settings.pairs, "seed_of_pairs": settings.seed}
            head |= {"network_sha256": net.sha256}
            record = known.get(_key(head))
            if record is None:
                within, between = _pairs(labels, settings.pairs, settings.seed)
                record = {**head, **_folding(net, points, {"within": within, "between": between})}
                file.write(json.dumps(record) + "\n")
                file.flush()
                tell(f"{net.name} after {head['epochs']} epochs: {record['between']['all']}")
            walked.append(record)
    return [store, *write_results(cantor, walked, settings.title, folder)]


def _folding(net: mc.ReLUNetwork, points: Float, groups: dict[str, Pairs]) -> Record:
    """Statistics of ``chi`` over pairs of points, by subset of the layers."""
    walker = Walker(net)
    out: Record = {}
    for name, pairs in groups.items():
        walks = [walker.walk(points[i], points[j]) for i, j in pairs]
        parts = [walk.chi_by_layer() for walk in walks]
        out[name] = {
            label: _statistics(walks, layers) for label, layers in _subsets(net.depth).items()
        }
        out[f"parts_{name}"] = [
            round(float(sum(layer) / len(walks)), 6) for layer in zip(*parts, strict=True)
        ]
        out[f"pieces_{name}"] = round(sum(map(len, walks)) / len(walks), 3)
    return out


def _subsets(depth: int) -> dict[str, list[int] | None]:
    """All layers, each alone, and the first few."""
    alone: dict[str, list[int] | None] = {f"layer {k}": [k] for k in range(1, depth + 1)}
    first = {f"layers 1-{k}": list(range(1, k + 1)) for k in range(2, depth)}
    return {"all": None, **alone, **first}


def _statistics(walks: Sequence[Walk], layers: list[int] | None) -> dict[str, float | str]:
    """Mean, 95th percentile, and exact maximum."""
    chis = [walk.folding(layers=layers).chi for walk in walks]
    values = [float(chi) for chi in chis]
    return {
        "mean": round(math.fsum(values) / len(values), 6),
        "p95": round(float(np.percentile(values, 95)), 6),
        "max": str(max(chis)),
    }


def _pairs(labels: Labels, count: int, seed: int) -> tuple[Pairs, Pairs]:
    """Random pairs of different points of one class, every class alike, and of two classes."""
    rng = np.random.default_rng((2503, seed))
    classes = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    within, between = [], []
    for k in range(count):
        i, j = rng.choice(classes[k % len(classes)], size=2, replace=False).tolist()
        within.append((i, j))
        a, b = rng.choice(len(classes), size=2, replace=False).tolist()
        between.append((int(rng.choice(classes[a])), int(rng.choice(classes[b]))))
    return within, between


def _mnist(settings: Settings) -> Iterator[tuple[Record, mc.ReLUNetwork, Float, Labels]]:
    """Trained networks and MNIST's test images.

    Raises:
        InputError: no data set, or no network; the message names the remedy.
    """
    data = None
    for hidden, seed, epochs in itertools.product(
        settings.hidden, range(settings.seeds), settings.epochs
    ):
        name = "-".join(map(str, hidden)) + f"_s{seed}"
        path = ROOT / (settings.networks or "") / f"{name}_e{epochs}.npz"
        if not path.exists():
            path = path.with_name(f"{name}.npz")
        if not path.exists():
            raise mc.InputError(f"no network {path}; make it: scripts/train_mnist.py {TRAINING}")
        made = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if made.get("epoch", made["epochs"]) != epochs:
            raise mc.InputError(f"{path} was not trained for {epochs} epochs")
        if data is None:
            data = _images()
        head = {
            "study": "folding", "data": "mnist", "hidden": hidden, "seed": seed, "epochs": epochs,
            "error": round(1 - made["test_accuracy"], 6),
            "training_error": round(1 - made["train_accuracy"], 6),
        }  # fmt: skip
        yield head, mc.load_network(path), *data


def _images() -> tuple[Float, Labels]:
    """The test images in [0, 1], one a row, and their classes."""
    data = mnist_images(f" ({SMOKE} needs no data)")
    return data.test_images.astype(np.float64), data.test_labels


def _blobs(settings: Settings) -> Iterator[tuple[Record, mc.ReLUNetwork, Float, Labels]]:
    """Small classifiers of blobs, all layers of one width, and the points they were trained on."""
    inputs, points = 8, 100
    for hidden, seed, epochs in itertools.product(
        settings.hidden, range(settings.seeds), settings.epochs
    ):
        width, depth = hidden[0], len(hidden)
        if hidden != [width] * depth:
            raise mc.InputError(f"blobs are for hidden layers of one width, not {hidden}")
        net = trained(inputs, width, depth, seed, points, epochs)
        rng = np.random.default_rng((1108, inputs, width, depth, seed))
        x, labels = blobs(inputs, points, rng)
        error = float(np.mean(net.forward(x).argmax(axis=1) != labels))
        head = {
            "study": "folding", "data": "blobs", "hidden": hidden, "seed": seed, "epochs": epochs,
            "error": round(error, 6), "training_error": round(error, 6),
        }  # fmt: skip
        yield head, net, x, labels


def _key(record: Record) -> tuple[Any, ...]:
    return record["network_sha256"], record["pairs"], record["seed_of_pairs"], record["epochs"]


def _stored(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str]) -> int:
    """Run the experiment; return the exit code."""
    return tell_files(run, arguments, PAPER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
