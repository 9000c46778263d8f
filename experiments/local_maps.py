"""Local maps of trained networks: clusters of them, maps between networks, the XOR problem.

The studies of Sattelberg, Cavalieri, Kirby, Peterson and Beveridge (Locally linear attributes of
ReLU neural networks).  For each output the local maps of the training images are grouped; the test
images are then classified by the nearest centres, for more and more clusters; and a linear map from
one network's local maps to another's is fitted and classified by.  Inception-v3 and ResNet-152 are
not run again.

``python -m experiments.local_maps [CONFIG]`` trains the networks that are not there yet, and makes
records, tables and figures.  What is recorded already is not done again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from experiments.command_line import tell_files
from experiments.local_maps_choices import Choice, choice_records
from experiments.local_maps_measures import (
    Clouds,
    Clusters,
    accuracy,
    census,
    clustered,
    digest_of,
    map_head,
    mapped,
)
from experiments.local_maps_networks import KINDS, Digits, Kind, Training, digits, stored
from experiments.local_maps_pictures import draw_gradients, draw_xor
from experiments.local_maps_results import write_results
from experiments.local_maps_xor import XorTraining, xor_records
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml

PAPER = "configs/local_maps/paper.yaml"

ROOT = Path(__file__).parents[1]

Record = dict[str, Any]
Tell = Callable[[str], None]


class Settings(Strict):
    """What is trained and measured.

    Attributes:
        images, tests: the first images of the data set; all if null.
        seeds: networks of each kind.
        training: how they are trained.
        clusters: how local maps are grouped.
        map_images: training images that maps between networks are fitted on; all if null.
        map_seeds: pairs of networks between which maps are fitted.
        choices: networks trained otherwise where the paper does not say how.
        xor: hidden widths of the networks for the XOR problem, and how they are trained.
    """

    name: str
    title: str
    output: str
    images: int | None = None
    tests: int | None = None
    seeds: dict[Kind, int]
    training: Training
    clusters: Clusters
    map_images: int | None = None
    map_seeds: int = Field(ge=0)
    choices: list[Choice] = Field(default_factory=list)
    xor: XorTraining


def run(path: Path, tell: Tell = lambda line: None) -> list[Path]:
    """Make what a configuration describes; return the files written."""
    settings = require_valid(Settings, load_yaml(path), path)
    folder = ROOT / settings.output
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "records.jsonl"
    records = _stored(store)
    known = {_key(record) for record in records}
    data = digits(settings.images, settings.tests) if any(settings.seeds.values()) else None
    with store.open("a", encoding="utf-8") as file:
        for record in _records(settings, folder, data, known, tell):
            records.append(record)
            file.write(json.dumps(record) + "\n")
            file.flush()
    there = {digest_of(file) for file in (folder / "networks").glob("*.npz")}
    records = [r for r in records if there.issuperset(r.get("weights", "").split())]
    files = [store, *write_results(records, folder, settings.title, _notes(settings))]
    files += draw_xor(settings.xor, folder)
    for kind, seeds in settings.seeds.items():
        if data is not None and seeds:
            path = folder / "networks" / f"{kind}_s0.npz"
            module = stored(kind, 0, settings.training, data, path, tell)
            files += draw_gradients(module, kind, data.test[0], folder)
    return files


def _records(
    settings: Settings, folder: Path, data: Digits | None, known: set[str], tell: Tell
) -> Iterator[Record]:
    """The records that are not known yet; all of one seed before the next."""
    yield from xor_records(settings.xor, lambda head: _key(head) not in known)
    if data is None:
        return
    for seed in range(max(settings.seeds.values())):
        clouds: dict[Kind, Clouds] = {}
        for kind in KINDS:
            if seed >= settings.seeds.get(kind, 0):
                continue
            path = folder / "networks" / f"{kind}_s{seed}.npz"
            module = stored(kind, seed, settings.training, data, path, tell)
            cloud = clouds[kind] = Clouds(kind, seed, path, module, data)
            if _key({"what": "accuracy", **cloud.head}) not in known:
                yield accuracy(cloud)
            if kind == "dense" and _key({"what": "census", **cloud.head}) not in known:
                yield census(cloud)
            how = settings.clusters
            wanted = [
                k
                for k, seeds in zip(how.numbers, how.seeds, strict=True)
                if seed < seeds
                and _key({"what": "clusters", **cloud.head, "clusters": k}) not in known
            ]
            yield from clustered(how, cloud, wanted, tell)
        if len(clouds) < len(KINDS) or seed >= settings.map_seeds:
            continue
        pairs: tuple[tuple[Kind, Kind], ...] = (("dense", "conv"), ("conv", "dense"))
        for source, goal in pairs:
            head = map_head(clouds[source], clouds[goal])
            if _key(head) not in known:
                yield mapped(clouds[source], clouds[goal], settings.map_images, tell)
    yield from choice_records(
        settings.choices,
        settings.training,
        (settings.images, settings.tests),
        lambda head: _key(head) not in known,
        tell,
    )


def _notes(settings: Settings) -> list[str]:
    """What the paper does not state, as it was chosen."""
    how, training = settings.clusters, settings.training
    images = "all 60,000" if settings.images is None else f"the first {settings.images}"
    fitted = "all training images"
    if settings.map_images is not None:
        fitted = f"the first {settings.map_images} training images"
    passes, numbers = (", ".join(map(str, part)) for part in (how.iterations, how.numbers))
    xor = (
        "XOR: the paper prints bias 1 for the first hidden unit; the maps that it prints, (-1, -1, "
        "1), (1, 1, 1) and (0, 0, -1), are those of bias 2, with which the values at the corners "
        "are right.  The empty pattern's map, which it prints as -4x - 4y + 3, is -2(x + y) - 1.  "
        f"Trained networks: Adam with learning rate {settings.xor.learning_rate} on the squared "
        f"error at the four corners, {settings.xor.steps} steps."
    )
    if not any(settings.seeds.values()):
        return [xor]
    return [
        xor,
        f"Networks: trained on {images} images; cross entropy, SGD with learning rate "
        f"{training.learning_rate}, momentum {training.momentum}, weight decay "
        f"{training.weight_decay}, batches of {training.batch}, {training.epochs} epochs.  Chosen, "
        "as the paper does not say: pixels shifted by 0.1307 and divided by 0.3081 (the local maps "
        "are those in these inputs), PyTorch's initialisation, ReLU after each pool and after the "
        "layer of 50 units, pools of 2 by 2 with stride 2, a new order of the images each epoch, "
        f"dropout of {training.dropout} while they are trained (the hidden units before the last "
        "layer, and the filters of the second convolution), as in the example for MNIST that comes "
        "with PyTorch, whose convolutional network and settings otherwise are the paper's.  The "
        "last epoch counts.",
        *_choice_notes(settings.choices),
        "Clusters: k-means of scikit-learn for each output from one start (k-means++); one "
        f"cluster is the mean; from {how.mini_batch_from} clusters on mini-batches of 4096 from "
        f"random maps.  Passes over the data, at most: {passes} for {numbers} clusters.  Of the "
        "maps of all training images, weights and offset together, in float32.",
        f"Maps between networks: least squares by normal equations in float64 on {fitted} (local "
        "maps in float32), no ridge; singular values below 1e-4 of the largest, which float32 does "
        "not give, count as 0, and the solution of least norm is taken.",
        "The paper's numbers are printed values, each of one network; Inception-v3 and ResNet-152 "
        "are not run again.",
    ]


def _choice_notes(choices: Sequence[Choice]) -> list[str]:
    """What is to be said of the table of choices."""
    if not choices:
        return []
    return [
        "Dropout was chosen after a comparison with the paper's accuracies on the test images, "
        "among several trainings: this agreement is in part by choice.  "
        "Choices: dropout, which the study takes, brings the accuracy of a network and that of its "
        "mean map near the paper's numbers; scaling of the pixels alone moves them in opposite "
        "directions.  One network each, from the seeds of the first networks of the study.",
    ]


def _key(record: Record) -> str:
    """What a record is of."""
    names = ("what", "network", "to", "seed", "weights", "clusters", "hidden")
    more = ("shift", "divisor", "dropout")
    return json.dumps([record.get(name) for name in (*names, *more)])


def _stored(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str]) -> int:
    """Run the experiment; return the exit code."""
    return tell_files(run, arguments, PAPER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
