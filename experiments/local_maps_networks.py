"""The two MNIST networks of the study of local maps: made, trained, kept as arrays, read again.

Dense 784-128-10, and convolutional: 10 filters 5x5, pool 2, 20 filters 5x5, pool 2, 320-50-10.
Cross entropy, stochastic gradient descent, dropout while they are trained.  Inputs are shifted and
scaled by the mean and the deviation of all training pixels; the local maps are those in these
inputs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from experiments.mnist_images import mnist_images
from milpcount.errors import MissingDependencyError
from milpcount.study.config.seeds import derive_seed
from milpcount.study.config.strict import Strict
from milpcount.study.whole_files import write_bytes

__all__ = [
    "DEVIATION",
    "KINDS",
    "MEAN",
    "Digits",
    "Kind",
    "Training",
    "digits",
    "logits",
    "network",
    "stored",
    "trained",
]

Kind = Literal["dense", "conv"]
KINDS: tuple[Kind, ...] = ("dense", "conv")

# Mean and standard deviation of all pixels of the 60,000 training images, in [0, 1].
MEAN, DEVIATION = 0.1307, 0.3081

ROOT = Path(__file__).parents[1]


class Digits(NamedTuple):
    """Images as rows, shifted and scaled, and labels 0 to 9."""

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


class Training(Strict):
    """How a network is trained.

    Attributes:
        dropout: the share of hidden units that a step leaves out: those before the last layer, and
            the filters of the second convolution.
    """

    epochs: int = Field(ge=0)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    momentum: float = Field(ge=0)
    weight_decay: float = Field(ge=0)
    dropout: float = Field(ge=0, lt=1)


def digits(
    images: int | None = None,
    tests: int | None = None,
    shift: float = MEAN,
    divisor: float = DEVIATION,
) -> Digits:
    """MNIST, or its first images: pixels in [0, 1] less ``shift``, divided by ``divisor``.

    Raises:
        InputError: no data set; the message names the variable.
    """
    data = mnist_images(", or leave the networks out (configs/local_maps/xor.yaml needs no data)")
    train, test = (
        ((part - np.float32(shift)) / np.float32(divisor)).astype(np.float32)
        for part in (data.train_images[:images], data.test_images[:tests])
    )
    return Digits(train, data.train_labels[:images], test, data.test_labels[:tests])


def network(kind: Kind, dropout: float = 0.0) -> Any:
    """The untrained module, which takes rows of 784 pixels; with dropout to be trained."""
    nn = _torch().nn
    parts: dict[str, Any]
    if kind == "dense":
        parts = {
            "hidden": nn.Linear(784, 128),
            "relu": nn.ReLU(),
            "dropout": nn.Dropout(dropout),
            "last": nn.Linear(128, 10),
        }
    else:
        parts = {
            "image": nn.Unflatten(1, (1, 28, 28)),
            "first": nn.Conv2d(1, 10, 5),
            "first_pool": nn.MaxPool2d(2),
            "first_relu": nn.ReLU(),
            "second": nn.Conv2d(10, 20, 5),
            "second_dropout": nn.Dropout2d(dropout),
            "second_pool": nn.MaxPool2d(2),
            "second_relu": nn.ReLU(),
            "row": nn.Flatten(),
            "hidden": nn.Linear(320, 50),
            "relu": nn.ReLU(),
            "dropout": nn.Dropout(dropout),
            "last": nn.Linear(50, 10),
        }
    kept = {name: part for name, part in parts.items() if dropout or "dropout" not in name}
    return nn.Sequential(OrderedDict(kept))


def trained(kind: Kind, seed: int, how: Training, data: Digits, tell: Callable[[str], None]) -> Any:
    """Train on one thread from a seed; return the module in evaluation mode."""
    torch = _torch()
    torch.set_num_threads(1)
    torch.manual_seed(derive_seed(network=kind, number=seed))
    # In this order of memory the convolutions take half the time.
    module = network(kind, how.dropout).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        module.parameters(),
        lr=how.learning_rate,
        momentum=how.momentum,
        weight_decay=how.weight_decay,
    )
    loss_of = torch.nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(data.train), torch.from_numpy(data.train_labels)
    for epoch in range(how.epochs):
        order = torch.randperm(len(labels))
        for start in range(0, len(labels), how.batch):
            chosen = order[start : start + how.batch]
            optimizer.zero_grad()
            loss_of(module(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        tell(f"{kind} {seed}: epoch {epoch + 1} of {how.epochs}")
    return module.eval()


def logits(module: Any, images: NDArray[np.float32], batch: int = 1000) -> NDArray[np.float32]:
    """Outputs of a module on rows of pixels."""
    torch = _torch()
    with torch.no_grad():
        parts = [
            module(torch.from_numpy(images[start : start + batch])).numpy()
            for start in range(0, len(images), batch)
        ]
    return np.concatenate(parts)


def stored(
    kind: Kind, seed: int, how: Training, data: Digits, path: Path, tell: Callable[[str], None]
) -> Any:
    """The module in ``path``, an archive of its arrays; trained and written if there is none."""
    torch = _torch()
    if not path.exists():
        module = trained(kind, seed, how, data, tell)
        _write(
            path, {name: value.contiguous().numpy() for name, value in module.state_dict().items()}
        )
    module = network(kind)
    with np.load(path, allow_pickle=False) as arrays:
        module.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return module.to(memory_format=torch.channels_last).eval()


def _write(path: Path, arrays: dict[str, NDArray[np.float32]]) -> None:
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, buffer.getvalue())


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingDependencyError("torch", "the study of local maps", "torch") from error
    return torch
