"""Networks in situations that reports of neighbouring tools describe, with known answers.

They lie beside the shared networks, in the folder ``cases``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.importers import load_network
from milpcount.importers.onnx.graph import load_onnx
from tests.importers.onnx_helpers import onnx, run_with_units
from tests.shared import data_folder

SECONDS = mc.Budget(seconds=1200)


def folder(name: str) -> Path:
    found = data_folder().parent / "cases" / name
    if not found.is_dir():
        pytest.skip(f"the shared folder has no cases/{name}")
    return found


def cases() -> list[dict[str, Any]]:
    listed = json.loads((folder("networks").parent / "networks.json").read_text())
    return [case for case in listed if case["file"].endswith(".onnx")]


# Chooses between x and 0 where x is at most 0: a ReLU, which has become readable.
READ_ALL_THE_SAME = {"torchexp_threshold0_dynamo.onnx"}


def test_every_network_loads_or_is_refused_by_name() -> None:
    refused = set()
    for case in cases():
        path = folder("networks") / case["file"]
        if case["expected"] == "refused by name" and path.name not in READ_ALL_THE_SAME:
            with pytest.raises(NetworkError, match=path.name):
                load_network(path)
            refused.add(path.name)
        else:
            load_network(path)
    assert refused == {"input_without_shape.onnx"}


def test_counts_of_networks() -> None:
    counted = 0
    for case in cases():
        if str(case["expected"]).isdigit():
            net = load_network(folder("networks") / case["file"])
            result = mc.count(net, mc.Box(-1, 1), engine="tree-highs", budget=SECONDS)
            assert (result.lower, result.exact) == (int(case["expected"]), True), case
            counted += 1
    assert counted > 20


HEADS = {
    "tanh_output_head.onnx": np.tanh,
    "scaled_tanh_output_head_ddpg.onnx": lambda y: 2 * np.tanh(y),
    "normalize_output_head.onnx": lambda y: np.array([float(np.argmax(y))]),
    "skl2onnx_mlpclassifier.onnx": lambda y: np.array([int(np.argmax(y))]),
}


def test_outputs_are_those_of_onnxruntime() -> None:
    rng = np.random.default_rng(0)
    for case in cases():
        path = folder("networks") / case["file"]
        if path.name in {"input_without_shape.onnx", "net.onnx"}:
            continue
        net = load_onnx(path)
        head = HEADS.get(path.name, np.ravel)
        for _ in range(3):
            x = rng.uniform(-1, 1, size=net.input_dimension).astype(np.float32)
            samples = _samples(path, net.input_dimension)
            output, _ = run_with_units(path, np.tile(x, samples), with_units=False)
            ours = head(net.forward(x))
            for one in output.reshape(samples, -1):
                np.testing.assert_allclose(ours, one, rtol=1e-4, atol=1e-5, err_msg=path.name)


def _samples(path: Path, inputs: int) -> int:
    graph = onnx.load(str(path), load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    entry = next(i for i in graph.input if i.name not in constants)
    size = int(np.prod([d.dim_value or 1 for d in entry.type.tensor_type.shape.dim]))
    return max(1, size // inputs)


MAXIMA = {"cnn_maxpool", "cnn_stride_group_prelu", "maxout_3_2", "maxout_ties"}


def test_planes_of_general_graphs() -> None:
    counts = json.loads((folder("general") / "counts.json").read_text())
    for name, expected in counts.items():
        path = folder("general") / f"{name}.onnx"
        if name in MAXIMA:
            with pytest.raises(NetworkError, match="maximum"):
                load_network(path)
            continue
        plane = json.loads((folder("general") / f"{name}.plane.json").read_text())
        o, u, v = (np.array(plane[key], dtype=float) for key in ("origin", "u", "v"))
        where = mc.Slice.through(np.array([o, o + u, o + v]))
        result = mc.count(load_network(path), where, engine="tree-highs", budget=SECONDS)
        assert (result.lower, result.exact) == (expected, True), name
