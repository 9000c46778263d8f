"""Networks of any stages as arrays, for files that carry the network with them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import Matrix, SparseMatrix, dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.stage import Stage
from milpcount.errors import InputError

__all__ = ["Reader", "network_arrays", "read_network"]

Arrays = dict[str, NDArray[Any]]


class Reader:
    """Arrays of a file, taken out one by one, each with its kind and shape checked."""

    def __init__(self, arrays: Arrays, path: str) -> None:
        self._arrays, self._path = dict(arrays), path

    def has(self, name: str) -> bool:
        """Whether the array is there, and was not taken yet."""
        return name in self._arrays

    def take(self, name: str, kind: str, *shape: int) -> NDArray[Any]:
        """An array of this kind ("f", "i", "u", "b", "U"); -1 stands for any length.

        Raises:
            InputError: it is not there, or another one.
        """
        array = self._arrays.pop(name, None)
        if array is None:
            self.refuse(f"it has no array {name}")
        fits = array.ndim == len(shape) and all(
            want in (-1, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype.kind != kind:
            self.refuse(f"its array {name} has shape {array.shape} and type {array.dtype}")
        return array

    def integers(self, name: str, size: int, least: int, most: int) -> NDArray[np.int64]:
        """Whole numbers within bounds."""
        array = self.take(name, "i", size).astype(np.int64)
        if len(array) and (array.min() < least or array.max() > most):
            self.refuse(f"its array {name} has numbers beyond {least} to {most}")
        return array

    def end(self) -> None:
        """Refuse arrays that nobody took."""
        if self._arrays:
            self.refuse(f"it has an unknown array {sorted(self._arrays)[0]!r}")

    def refuse(self, reason: str) -> NoReturn:
        """Say that the file is none of ours.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self._path} is no complex that milpcount has saved: {reason}")


def network_arrays(net: ReLUNetwork) -> Arrays:
    """The network as arrays, exactly."""
    out: Arrays = {
        "net_name": np.array(net.name),
        "net_sha256": np.array(net.sha256),
        "net_notes": np.array(net.notes, dtype=str),
        "net_stages": np.array([len(net.stages), net.input_dimension], dtype=np.int64),
    }
    if net.input_box is not None:
        box = net.input_box.resolve(net.input_dimension)
        out["net_lo"], out["net_hi"] = box.lo, box.hi
    for i, stage in enumerate((*net.stages, net.output)):
        out[f"net_reads{i}"] = np.array(stage.reads, dtype=np.int64)
        out[f"net_bias{i}"] = stage.bias
        out[f"net_slope{i}"] = stage.slope
        out[f"net_linear{i}"] = stage.linear
        for k, weight in enumerate(stage.weights):
            if isinstance(weight, SparseMatrix):
                out[f"net_starts{i}_{k}"] = weight.starts
                out[f"net_columns{i}_{k}"] = weight.columns
                out[f"net_values{i}_{k}"] = weight.values
            else:
                out[f"net_weight{i}_{k}"] = dense(weight)
    return out


def read_network(reader: Reader) -> ReLUNetwork:
    """The network of :func:`network_arrays`.

    Raises:
        InputError: arrays that make no network.
    """
    name = str(reader.take("net_name", "U"))
    notes = [str(note) for note in reader.take("net_notes", "U", -1)]
    depth, inputs = reader.integers("net_stages", 2, 0, 2**40).tolist()
    box = None
    if reader.has("net_lo"):
        box = Box(reader.take("net_lo", "f", inputs), reader.take("net_hi", "f", inputs))
    widths = [inputs]
    stages: list[Stage] = []
    for i in range(depth + 1):
        reads = tuple(reader.integers(f"net_reads{i}", -1, 0, i).tolist())
        bias = reader.take(f"net_bias{i}", "f", -1)
        units = len(bias)
        slope = reader.take(f"net_slope{i}", "f", units)
        linear = reader.take(f"net_linear{i}", "b", units)
        weights = tuple(
            _matrix(reader, f"{i}_{k}", units, widths[read]) for k, read in enumerate(reads)
        )
        gate = LinearGate(units) if linear.all() else ReLUGate(slope, linear)
        stages.append(Stage(reads, weights, bias, gate))
        widths.append(units)
    net = ReLUNetwork.of_stages(stages[:-1], stages[-1], input_box=box, name=name, notes=notes)
    if str(reader.take("net_sha256", "U")) != net.sha256:
        reader.refuse("its network has changed")
    return net


def _matrix(reader: Reader, key: str, rows: int, columns: int) -> Matrix:
    if reader.has(f"net_weight{key}"):
        return reader.take(f"net_weight{key}", "f", rows, columns)
    starts = reader.integers(f"net_starts{key}", rows + 1, 0, 2**40)
    values = reader.take(f"net_values{key}", "f", -1)
    places = reader.integers(f"net_columns{key}", len(values), 0, columns - 1)
    return SparseMatrix((rows, columns), starts, places, values)  # the network checks the rest
