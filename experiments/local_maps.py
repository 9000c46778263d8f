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

import hashlib
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

import milpcount as mc
from experiments.local_maps_networks import KINDS, Digits, Kind, Training, digits, logits, stored
from experiments.local_maps_pictures import draw_gradients, draw_xor
from experiments.local_maps_results import write_results
from experiments.local_maps_xor import XorTraining, xor_records
from milpcount.geometry.local_maps.clusters import values_with_clusters
from milpcount.geometry.local_maps.transfer import values_after
from milpcount.study.config.seeds import derive_seed
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml

PAPER = "configs/local_maps/paper.yaml"

ROOT = Path(__file__).parents[1]

Record = dict[str, Any]
Tell = Callable[[str], None]
Modules = dict[Kind, Any]


class Clusters(Strict):
    """How local maps are grouped.

    Attributes:
        numbers: clusters of each output.
        seeds: for each of these, of how many networks of a kind.
        mini_batch_from: the number of clusters from which on mini-batches are used.
        iterations: for each of the numbers, passes over the data at most.
    """

    numbers: list[int] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    mini_batch_from: int = Field(ge=1)
    iterations: list[int] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if not len(self.numbers) == len(self.seeds) == len(self.iterations):
            raise ValueError("numbers, seeds and iterations need one entry a number of clusters")
        return self


class Settings(Strict):
    """What is trained and measured.

    Attributes:
        images, tests: the first images of the data set; all if null.
        seeds: networks of each kind.
        training: how they are trained.
        clusters: how local maps are grouped.
        map_images: training images that maps between networks are fitted on; all if null.
        map_seeds: pairs of networks between which maps are fitted.
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
    for record in xor_records(settings.xor):
        if _key(record) not in known:
            yield record
    if data is None:
        return
    for seed in range(max(settings.seeds.values())):
        modules: Modules = {}
        weights: list[str] = []
        for kind in KINDS:
            if seed >= settings.seeds.get(kind, 0):
                continue
            path = folder / "networks" / f"{kind}_s{seed}.npz"
            modules[kind] = stored(kind, seed, settings.training, data, path, tell)
            head: Record = {"network": kind, "seed": seed, "weights": _digest(path)}
            if _key({"what": "accuracy", **head}) not in known:
                yield {"what": "accuracy", **head, **_accuracy(modules[kind], data)}
            if kind == "dense" and _key({"what": "census", **head}) not in known:
                yield {"what": "census", **head, **_census(modules[kind], data)}
            yield from _clustered(settings, modules[kind], head, data, known, tell)
            weights.append(head["weights"])
        if len(modules) == len(KINDS) and seed < settings.map_seeds:
            pair = {"seed": seed, "weights": " ".join(weights)}
            yield from _mapped(settings, modules, pair, data, known, tell)


def _digest(path: Path) -> str:
    """Of the file of a network, so that records are not taken for those of another one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _accuracy(module: Any, data: Digits) -> Record:
    classes = logits(module, data.test).argmax(axis=1)
    maps = mc.local_maps(module, data.test, outputs=[0])
    return {
        "correct": int(np.count_nonzero(classes == data.test_labels)),
        "points": len(classes),
        "boundary_test_images": maps.boundary_points,
    }


def _census(module: Any, data: Digits) -> Record:
    """Regions and maps among the training images."""
    census = mc.map_census(module, data.train.astype(np.float64))
    return {
        "points": census.points,
        "regions": str(census.regions),
        "maps": str(census.maps),
        "sharing_region": census.sharing_region,
        "sharing_map": census.sharing_map,
        "on_boundary": int(census.on_boundary.sum()),
    }


@contextmanager
def _local(
    module: Any, images: NDArray[np.float32], dtype: str = "float32"
) -> Iterator[mc.LocalMaps]:
    """The local maps of all outputs, on disk: all training images make 1.9 GB."""
    shape = (10, len(images), images.shape[1] + 1)
    with tempfile.TemporaryFile() as file:
        room = np.memmap(file, dtype=dtype, mode="w+", shape=shape)
        yield mc.local_maps(module, images, dtype=dtype, out=room)


def _clustered(
    settings: Settings, module: Any, head: Record, data: Digits, known: set[str], tell: Tell
) -> Iterator[Record]:
    """Accuracies by numbers of clusters; outputs one after the other, all numbers for each."""
    how = settings.clusters
    wanted = [
        k
        for k, seeds in zip(how.numbers, how.seeds, strict=True)
        if head["seed"] < seeds and _key({"what": "clusters", **head, "clusters": k}) not in known
    ]
    if not wanted:
        return
    values = {k: np.empty((len(data.test), 10)) for k in wanted}
    methods = {}
    with _local(module, data.train) as train, _local(module, data.test) as test:
        for output, k in itertools.product(range(10), wanted):
            values[k][:, output], methods[k] = _values(how, head, train, test, data, output, k)
            tell(f"{head['network']} {head['seed']}: {k} clusters of output {output}")
    for k in wanted:
        correct = np.count_nonzero(values[k].argmax(axis=1) == data.test_labels)
        yield {
            "what": "clusters",
            **head,
            "clusters": k,
            "method": methods[k],
            "correct": int(correct),
            "points": len(data.test),
        }


def _values(
    how: Clusters,
    head: Record,
    train: mc.LocalMaps,
    test: mc.LocalMaps,
    data: Digits,
    output: int,
    k: int,
) -> tuple[NDArray[np.float64], str]:
    """What the centres of one output compute at the test images, and how they were found."""
    clusters = mc.cluster_maps(
        train[output][None],
        k,
        derive_seed(clusters=k, number=head["seed"], output=output),
        mini_batch=k >= how.mini_batch_from,
        iterations=how.iterations[how.numbers.index(k)],
        assign=False,
    )
    values = values_with_clusters(clusters, test[output][None], data.test)
    return values[:, 0], clusters.method


def _mapped(
    settings: Settings, modules: Modules, head: Record, data: Digits, known: set[str], tell: Tell
) -> Iterator[Record]:
    """Accuracies after maps between the two networks, in both directions."""
    pairs: list[tuple[Kind, Kind]] = [("dense", "conv"), ("conv", "dense")]
    pairs = [
        pair
        for pair in pairs
        if _key({"what": "map", "network": pair[0], "to": pair[1], **head}) not in known
    ]
    if not pairs:
        return
    fitted = data.train[: settings.map_images]
    values = {pair: np.empty((len(data.test), 10)) for pair in pairs}
    ranks: dict[tuple[Kind, Kind], list[int]] = {pair: [] for pair in pairs}
    residuals: dict[tuple[Kind, Kind], list[float]] = {pair: [] for pair in pairs}
    with ExitStack() as stack:
        train, test = (
            {kind: stack.enter_context(_local(modules[kind], images, "float64")) for kind in KINDS}
            for images in (fitted, data.test)
        )
        for output, (source, goal) in itertools.product(range(10), pairs):
            pair = (source, goal)
            transfer = mc.map_between(
                train[source][output][None], train[goal][output][None], normal=True
            )
            own = test[source][output][None]
            values[pair][:, output] = values_after(transfer, own, data.test)[:, 0]
            ranks[pair].append(int(transfer.ranks[0]))
            residuals[pair].append(float(transfer.residuals[0]))
            tell(f"seed {head['seed']}: map from {source} to {goal}, output {output}")
    for pair in pairs:
        correct = np.count_nonzero(values[pair].argmax(axis=1) == data.test_labels)
        yield {
            "what": "map",
            "network": pair[0],
            "to": pair[1],
            **head,
            "correct": int(correct),
            "points": len(data.test),
            "fitted_on": len(fitted),
            "ranks": ranks[pair],
            "residuals": residuals[pair],
        }


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
        "layer of 50 units, pools of 2 by 2 with stride 2, a new order of the images each epoch.",
        "Clusters: k-means of scikit-learn for each output from one start (k-means++); from "
        f"{how.mini_batch_from} clusters on mini-batches of 4096 from random maps.  Passes over "
        f"the data, at most: {passes} for {numbers} clusters.  Maps in float32.",
        f"Maps between networks: least squares in float64 by normal equations on {fitted}, no "
        "ridge; singular values below 4e-7 of the largest count as 0, and the solution of least "
        "norm is taken.",
        "The paper's numbers are printed values, each of one network; Inception-v3 and ResNet-152 "
        "are not run again.",
    ]


def _key(record: Record) -> str:
    """What a record is of."""
    names = ("what", "network", "to", "seed", "weights", "clusters", "hidden")
    return json.dumps([record.get(name) for name in names])


def _stored(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str]) -> None:
    """Run the experiment."""
    path = Path(arguments[0] if arguments else ROOT / PAPER)
    for file in run(path, lambda line: print(line, file=sys.stderr)):  # noqa: T201
        print(file)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
