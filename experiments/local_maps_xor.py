"""Networks for the XOR problem: inputs and outputs in {-1, 1}."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pydantic import Field

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.errors import MissingDependencyError
from milpcount.geometry.maps import Maps
from milpcount.study.config.seeds import derive_seed
from milpcount.study.config.strict import Strict

__all__ = ["CORNERS", "TARGETS", "XorTraining", "given", "trained", "xor_records"]

Record = dict[str, Any]

CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
TARGETS = np.array([-1.0, 1.0, 1.0, -1.0])


class XorTraining(Strict):
    """Hidden widths, networks of each, and how they are trained."""

    hidden: list[int]
    seeds: int = Field(ge=0)
    steps: int = Field(ge=0)
    learning_rate: float = Field(gt=0)


def given(bias: float) -> mc.ReLUNetwork:
    """``max(x + y + bias, 0) - 2 max(x + y, 0) - 1``.

    The paper prints bias 1; the maps that it prints are those of bias 2, with which the values at
    the four corners are -1, 1, 1, -1.
    """
    return mc.ReLUNetwork(
        [[[1.0, 1.0], [1.0, 1.0]], [[1.0, -2.0]]], [[bias, 0.0], [-1.0]], name=f"xor, bias {bias:g}"
    )


def trained(hidden: int, seed: int, how: XorTraining) -> tuple[mc.ReLUNetwork, float]:
    """Train 2-hidden-1 by Adam on the squared error at the corners; the network and its loss."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingDependencyError("torch", "the study of local maps", "torch") from error
    torch.manual_seed(derive_seed(xor=hidden, number=seed))
    torch.set_num_threads(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(2, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1)
    )
    x = torch.tensor(CORNERS, dtype=torch.float32)
    y = torch.tensor(TARGETS, dtype=torch.float32)[:, None]
    optimizer = torch.optim.Adam(module.parameters(), lr=how.learning_rate)
    loss = torch.zeros(())
    for _ in range(how.steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(x), y)
        loss.backward()
        optimizer.step()
    return mc.load_network(module, name=f"xor, {hidden} units, seed {seed}"), float(loss.detach())


def xor_records(how: XorTraining, wanted: Callable[[Record], bool]) -> Iterator[Record]:
    """Regions and maps of the given networks, over the plane; of trained ones, over the square."""
    for bias in (1.0, 2.0):
        net = given(bias)
        found = {str(r.pattern) for r in mc.enumerate_regions(net, mc.WholeSpace())}
        maps = Maps(CountProblem.of(net, mc.WholeSpace()))
        for number, bits in enumerate(itertools.product((False, True), repeat=2)):
            slope, constant = maps.affine_map(np.array(bits))
            pattern = "".join(str(int(bit)) for bit in bits)
            head: Record = {"what": "xor", "network": net.name, "seed": number}
            if not wanted(head):
                continue
            yield {
                **head,
                "pattern": pattern,
                "empty": pattern not in found,
                "map": [*slope[0].tolist(), float(constant[0])],
            }
    square = mc.Box([-1.0, -1.0], [1.0, 1.0])
    for hidden in how.hidden:
        for seed in range(how.seeds):
            head = {"what": "xor-trained", "hidden": hidden, "seed": seed}
            if not wanted(head):
                continue
            net, loss = trained(hidden, seed, how)
            axis = np.linspace(-1.0, 1.0, 101)
            grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
            census = mc.map_census(net, grid)
            yield {
                **head,
                "loss": loss,
                "regions": str(mc.count(net, square).lower),
                "pieces": str(mc.count(net, square, definition="linear").lower),
                "regions_on_grid": str(census.regions),
                "maps_on_grid": str(census.maps),
            }
