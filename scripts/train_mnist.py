#!/usr/bin/env python3
"""Train fully connected ReLU networks on MNIST and write them as .npz files.

    python scripts/train_mnist.py configs/mnist8/train.yaml [--data FOLDER]
    python scripts/train_mnist.py --hidden 16,16 --seeds 2 --epochs 5 --output my_networks

Each network goes to ``OUTPUT/WIDTHS_sSEED.npz`` (float32 weights ``W0, b0, ...``, shape (out, in),
and the input box [0, 1]), with its accuracy, losses and settings in a ``.json`` beside it.
Networks that are there already are kept.  Training runs on one thread from a seed that derives
from the named axes, so the same settings and version of PyTorch give the same network.

MNIST is looked for in FOLDER/mnist or FOLDER, else in MILPCOUNT_DATA, else it is downloaded.
Needs PyTorch: pip install "milpcount[torch]"
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import itertools
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from milpcount.core.domain import Box
from milpcount.core.network import ReLUNetwork
from milpcount.errors import ConfigError, InputError, MissingDependencyError
from milpcount.importers.npz import save_npz
from milpcount.study.config.seeds import derive_seed
from milpcount.study.config.strict import Strict, require_valid
from milpcount.study.config.yaml_loader import load_yaml, parse_value
from milpcount.study.whole_files import write_bytes, write_text

# SHA-256 of the files as their authors distribute them.
# fmt: off
FILES = {
    "train-images-idx3-ubyte.gz":
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz":
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz":
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz":
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# fmt: on
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(Strict):
    """What networks are trained with; every field can stand in the YAML file.

    Attributes:
        hidden: the hidden widths of each kind of network.
        seeds: networks of each kind.
        epochs, batch_size, learning_rate, optimizer: as usual.
        l1: weight of the sum of all absolute parameters in the loss.
        l2: weight decay of the optimizer.
        min_accuracy: on the training images; below it a network counts as dead.
        attempts: seeds to try before giving up on living networks.
        each_epoch: keep the network before training and after every epoch as well, as
            ``WIDTHS_sSEED_eEPOCH.npz``.
        kept_epochs: keep it after these epochs (0: before training), where not after every one.
        output: folder for the networks.
    """

    hidden: Annotated[list[Annotated[list[Count], Field(min_length=1)]], Field(min_length=1)]
    seeds: Count = 1
    epochs: Count = 20
    batch_size: Count = 128
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.002
    optimizer: Literal["adam", "sgd"] = "adam"
    l1: Amount = 0.0
    l2: Amount = 0.0
    min_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.2
    attempts: Count = 10
    each_epoch: bool = False
    kept_epochs: list[Annotated[int, Field(ge=0)]] = Field(default=[])
    output: str = "networks"


# What a network that is there already must agree on to be kept.
DECISIVE = ("epochs", "batch_size", "learning_rate", "optimizer", "l1", "l2", "min_accuracy")


@dataclass(frozen=True)
class Mnist:
    """Images as rows in [0, 1], labels 0..9."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def main() -> int:
    """Train what the settings name; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("config", nargs="?", type=Path, help="YAML file with the settings")
    parser.add_argument("--data", type=Path, help="folder that holds the MNIST files")
    parser.add_argument("--hidden", help="hidden widths, as 16,16 (instead of a YAML file)")
    for name, kind in (
        ("seeds", int), ("epochs", int), ("batch-size", int), ("learning-rate", float),
        ("optimizer", str), ("l1", float), ("l2", float),
        ("min-accuracy", float), ("attempts", int), ("output", str),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind)
    arguments = parser.parse_args()
    try:
        settings = read_settings(arguments)
        train_all(settings, load_mnist(arguments.data))
    except InputError as error:
        print(f"train_mnist: {error}", file=sys.stderr)
        return 2
    return 0


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Combine the YAML file with the command line, which wins."""
    values: dict[str, Any] = {}
    if arguments.config is not None:
        values = load_yaml(arguments.config)
    asked = {k: v for k, v in vars(arguments).items() if v is not None}
    given = {k: v for k, v in asked.items() if k in Settings.model_fields}
    if "hidden" in given:
        given["hidden"] = [parse_value(f"[{given['hidden']}]")]
    values |= given
    if not values:
        raise ConfigError("nothing to train: name a YAML file, or --hidden 16,16")
    path = arguments.config or Path("command line")
    return require_valid(Settings, values, path, given, "--")


def train_all(settings: Settings, data: Mnist) -> None:
    """Train every split and seed that is not there yet."""
    output = Path(settings.output)
    output.mkdir(parents=True, exist_ok=True)
    for widths in settings.hidden:
        for number in range(settings.seeds):
            name = "-".join(map(str, widths)) + f"_s{number}"
            path, side = output / f"{name}.npz", output / f"{name}.json"
            if path.exists() and side.exists():
                require_same_settings(side, settings)
                print(f"{name}: there already")
                continue
            trained = train_well(widths, number, settings, data, name)
            common = {"number": number, **settings.model_dump(exclude={"output"})}
            common["hidden"] = list(widths)
            for network, record in trained:
                record |= common
                target = output / f"{network.name}.npz"
                # The record last: a network without one is not there yet.
                save_npz(network, target)
                write_text(target.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
            print(f"{name}: test accuracy {record['test_accuracy']:.4f}", flush=True)


def require_same_settings(side: Path, settings: Settings) -> None:
    """Refuse to take a network that was trained otherwise for one of this study."""
    record = json.loads(side.read_text(encoding="utf-8"))
    for key in DECISIVE:
        if record.get(key) != getattr(settings, key):
            raise InputError(
                f"{side}: trained with {key} {record.get(key)}, not {getattr(settings, key)}; "
                "name another --output, or delete the network"
            )


def train_well(
    widths: Sequence[int], number: int, settings: Settings, data: Mnist, name: str
) -> list[tuple[ReLUNetwork, dict[str, Any]]]:
    """Train until the network has learned something; return it last, its epochs before it.

    Very narrow networks end with a dead layer and one constant answer at times; such a one is
    dropped for the next attempt, whose seed derives from its number.
    """
    for attempt in range(settings.attempts):
        seed = derive_seed(hidden=list(widths), number=number, attempt=attempt)
        trained = train(widths, seed, settings, data, name)
        if trained[-1][1]["train_accuracy"] >= settings.min_accuracy:
            return [(network, record | {"attempt": attempt}) for network, record in trained]
        print(f"{name}: attempt {attempt} learned nothing, again", flush=True)
    raise InputError(f"{name}: {settings.attempts} attempts stayed below {settings.min_accuracy}")


def train(
    widths: Sequence[int], seed: int, settings: Settings, data: Mnist, name: str
) -> list[tuple[ReLUNetwork, dict[str, Any]]]:
    """Train one network; return it with its accuracies, losses and seed, last.

    Before it stand, if they are kept, the networks before training and after each epoch.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "training", "torch") from error
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    sizes = [data.train_images.shape[1], *widths, 10]
    layers: list[Any] = []
    for before, after in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[settings.optimizer]
    optimizer = kind(model.parameters(), lr=settings.learning_rate, weight_decay=settings.l2)
    loss_of = torch.nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    kept = []
    for epoch in range(settings.epochs + 1):
        if settings.each_epoch or epoch in settings.kept_epochs:
            kept.append(measured(model, data, f"{name}_e{epoch}"))
            kept[-1][1].update(seed=seed, epoch=epoch)
        if epoch == settings.epochs:
            break
        order = torch.randperm(len(labels))
        for start in range(0, len(labels), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            optimizer.zero_grad()
            loss = loss_of(model(images[batch]), labels[batch])
            if settings.l1:
                loss = loss + settings.l1 * sum(p.abs().sum() for p in model.parameters())
            loss.backward()
            optimizer.step()
    network, record = measured(model, data, name)
    return [*kept, (network, {"seed": seed, **record})]


def measured(model: Any, data: Mnist, name: str) -> tuple[ReLUNetwork, dict[str, Any]]:
    """Return the present network with its accuracies and losses."""
    import torch

    loss_of = torch.nn.CrossEntropyLoss()
    record: dict[str, Any] = {"torch": torch.__version__}
    with torch.no_grad():
        for part, x, y in (
            ("train", data.train_images, data.train_labels),
            ("test", data.test_images, data.test_labels),
        ):
            outputs, truth = model(torch.from_numpy(x)), torch.from_numpy(y)
            record[f"{part}_loss"] = float(loss_of(outputs, truth))
            record[f"{part}_accuracy"] = float((outputs.argmax(1) == truth).float().mean())
        linear = [m for m in model if isinstance(m, torch.nn.Linear)]
        inputs = linear[0].in_features
        network = ReLUNetwork(
            [m.weight.numpy().copy() for m in linear],
            [m.bias.numpy().copy() for m in linear],
            input_box=Box(np.zeros(inputs), np.ones(inputs)),
            name=name,
        )
    return network, record


def load_mnist(folder: Path | None) -> Mnist:
    """Find or fetch the four files, check their sums, and read them."""
    paths = [_locate(name, folder) for name in FILES]
    images = [read_idx(path) for path in paths]
    flat = [
        (array.reshape(len(array), -1).astype(np.float32) / np.float32(255))
        for array in (images[0], images[2])
    ]
    return Mnist(flat[0], images[1].astype(np.int64), flat[1], images[3].astype(np.int64))


def _locate(name: str, folder: Path | None) -> Path:
    """Return the path of one MNIST file, with the right checksum."""
    named = folder or (
        Path(os.environ["MILPCOUNT_DATA"]) if "MILPCOUNT_DATA" in os.environ else None
    )
    if named is not None:
        for path in (named / "mnist" / name, named / name):
            if path.exists():
                _require_sum(path)
                return path
        raise InputError(f"{named} holds no {name}; name the folder of the MNIST files with --data")
    cache = Path.home() / ".cache" / "milpcount" / "mnist"
    path = cache / name
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _download(name, path)
    _require_sum(path)
    return path


def _download(name: str, path: Path) -> None:
    for mirror in MIRRORS:
        try:
            with urllib.request.urlopen(mirror + name, timeout=60) as reply:
                content = reply.read(64 << 20)
        except (urllib.error.URLError, TimeoutError):
            continue
        write_bytes(path, content)
        return
    raise InputError(
        f"{name} could not be downloaded; fetch the MNIST files by hand and name their folder "
        "with --data FOLDER or MILPCOUNT_DATA"
    )


def _require_sum(path: Path) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != FILES[path.name]:
        raise InputError(f"{path} is not the MNIST file of that name (wrong SHA-256); delete it")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of bytes: magic 0, 0, 8, number of dimensions; then the sizes; then data."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    sizes = np.frombuffer(content, dtype=">u4", count=dimensions, offset=4)
    data = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * dimensions)
    return data.reshape(sizes.astype(int))


if __name__ == "__main__":
    sys.exit(main())
