"""The shared exact values of the geometry, and the networks that they are of."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from tests.shared import data_folder

__all__ = ["domain_of", "expected", "network"]


@functools.cache
def _load(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))


def expected() -> dict[str, Any]:
    path = data_folder().parent / "geometry" / "open.json"
    if not path.is_file():
        pytest.skip("the shared values of the geometry are not here")
    return _load(str(path))


def network(name: str) -> mc.ReLUNetwork:
    inline = expected()["networks"].get(name)
    if inline is None:
        return mc.load_network(data_folder() / "networks" / f"{name}.npz")
    depth = sum(key.startswith("W") for key in inline)
    weights = [np.array(inline[f"W{i}"]) for i in range(depth)]
    biases = [np.array(inline[f"b{i}"]) for i in range(depth)]
    return mc.ReLUNetwork(weights, biases, input_box=mc.Box(inline["lo"], inline["hi"]))


def domain_of(ends: Any) -> mc.Domain:
    if isinstance(ends, str):
        return mc.WholeSpace()
    pairs = np.array(ends)
    return mc.Box(pairs[:, 0], pairs[:, 1])
