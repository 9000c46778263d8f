"""Planar two-class problems and their networks: a disc in an annulus, alone and with XOR.

After Sattelberg et al., whose radii and numbers of points are not stated.  In the combination with
XOR the two classes change places in two opposite quadrants: class 1 is the annulus where
``x_1 x_2 > 0``, and the disc elsewhere; the axes, where classes meet, are kept clear.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount import ReLUNetwork
from milpcount.errors import MissingDependencyError

__all__ = ["disc_and_annulus", "train"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]


def disc_and_annulus(
    points: int,
    disc: float,
    annulus: tuple[float, float],
    seed: int,
    xor: bool = False,
    clear: float = 0.0,
) -> tuple[Float, Ints]:
    """Points uniform in area, so many in the disc (class 0) and in the annulus (class 1).

    With ``xor``, points nearer than ``clear`` to an axis are moved away from it, to that distance.
    """
    rng = np.random.default_rng(seed)
    inner, outer = annulus
    squares = np.concatenate(
        [rng.uniform(0, disc**2, points), rng.uniform(inner**2, outer**2, points)]
    )
    angles = rng.uniform(0, 2 * np.pi, 2 * points)
    x = np.sqrt(squares)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y = np.repeat([0, 1], points)
    if not xor:
        return x, y
    x = np.where(x < 0, -1.0, 1.0) * np.maximum(np.abs(x), clear)
    return x, np.where(x[:, 0] * x[:, 1] > 0, y, 1 - y)


def train(
    x: Float,
    y: Ints,
    hidden: Sequence[int],
    seed: int,
    epochs: int,
    every: int,
    rate: float,
    batch: int,
    keep: Callable[[int, ReLUNetwork, float, float], None],
) -> None:
    """Train ``2-hidden-1`` by Adam on the logistic loss; class 1 where the output is positive.

    ``keep`` is given the epoch, the network, the mean loss and the share of points classified
    rightly: before training, after every ``every`` epochs, and at the end.

    Raises:
        MissingDependencyError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "training", "torch") from error
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    sizes = [2, *hidden, 1]
    parts: list[Any] = []
    for before, after in itertools.pairwise(sizes):
        parts += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    loss_of = torch.nn.BCEWithLogitsLoss()
    inputs = torch.tensor(x, dtype=torch.float32)
    labels = torch.tensor(y[:, None], dtype=torch.float32)
    for epoch in range(epochs + 1):
        if epoch:
            for chosen in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                loss_of(model(inputs[chosen]), labels[chosen]).backward()
                optimizer.step()
        if epoch % every == 0 or epoch == epochs:
            with torch.no_grad():
                scores = model(inputs)
                loss = float(loss_of(scores, labels))
                right = float(((scores > 0) == (labels > 0)).float().mean())
            layers = [part for part in model if isinstance(part, torch.nn.Linear)]
            network = ReLUNetwork(
                [layer.weight.detach().double().numpy().copy() for layer in layers],
                [layer.bias.detach().double().numpy().copy() for layer in layers],
                name=f"epoch {epoch}",
            )
            keep(epoch, network, loss, right)
