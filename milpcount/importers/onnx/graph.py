"""ONNX networks: graphs of affine operators and units.

The graph is walked once, in topological order.  Every tensor is a constant or an affine function of
the outputs of units (:mod:`~milpcount.importers.affine`), so whatever the exporter wrote between
units — reshapes, transposes, convolutions, normalisation, skips, shifts of the input — becomes part
of the stages.  Units are numbered stage by stage, and in the C order of the tensor that they work
on.

The batch dimension, where the file leaves it open, is 1.  A larger fixed one is reduced to one
sample if all samples are shown to be treated alike (:mod:`~milpcount.importers.samples`).  Nothing
in the file is executed.
"""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import InputError, MissingDependencyError, NetworkError, UnsupportedError
from milpcount.importers._files import read_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image, same_entries
from milpcount.importers.onnx.entry import graph_input
from milpcount.importers.onnx.graph_walk import Values, run_node
from milpcount.importers.onnx.local_functions import inlined_nodes
from milpcount.importers.onnx.node import Array, Value
from milpcount.importers.onnx.order import needed_nodes
from milpcount.importers.onnx.tensors import tensor_array
from milpcount.importers.samples import MixedSamplesError, keeps_samples_apart
from milpcount.importers.values import MAXIMUM, Head, head_note

__all__ = ["load_onnx"]

_OLDEST_OPSET = 6


def load_onnx(
    path: str | Path, *, name: str | None = None, output: str | None = None
) -> ReLUNetwork:
    """Read a network from an ``.onnx`` file.

    Arguments:
        path: the file.
        name: the network's name; the file's name if None.
        output: which output of the graph, if it has several.

    Raises:
        NetworkError: a missing or damaged file, several inputs or outputs, a node that is not
            piecewise linear (named), or weights that are not finite.
        UnsupportedError: a batch of several samples that are not treated alike.
        MissingDependencyError: the package onnx is not installed.
    """
    path = Path(path)
    return _Graph(path, name or path.name, output).network()


class _Graph:
    """A graph with its constants; one per import."""

    def __init__(self, path: Path, name: str, output: str | None) -> None:
        model = _parsed(read_bytes(path, NetworkError), path)
        graph = model.graph
        if graph.sparse_initializer:
            raise NetworkError(
                f"{path} holds sparse tensors; export the network with dense weights"
            )
        self.path, self.name = path, name
        self.opset = _opset(model, path)
        self.outputs = _outputs(graph, output, path)
        given = {t.name for t in graph.initializer} | {i.name for i in graph.input}
        nodes = inlined_nodes(model, str(path))
        self.nodes = needed_nodes(nodes, self.outputs, given, str(path))
        self.entry, self.shape = graph_input(graph, self.nodes, str(path))
        self.constants: dict[str, Array] = {}
        values = Values(path, self.outputs, self.nodes)
        for tensor in graph.initializer:
            if values.needs(tensor.name):
                array = tensor_array(tensor, path.parent, f"{path}: tensor {tensor.name!r}")
                values.put(tensor.name, array)
                self.constants[tensor.name] = array

    def network(self) -> ReLUNetwork:
        """The network of one sample, if the first axis is a batch; of all entries otherwise."""
        samples = self.shape[0]
        if len(self.shape) < 2 or samples == 1:
            return self._walked(Folder(math.prod(self.shape), self.name))
        folder = Folder(math.prod(self.shape[1:]), self.name)
        try:
            return self._walked(folder, samples)
        except MixedSamplesError:
            # A column vector is no batch, and neither is what is mixed before the first unit.
            if folder.has_units and samples != math.prod(self.shape):
                raise
        whole = Folder(math.prod(self.shape), self.name)
        if samples < math.prod(self.shape):
            whole.notes.append(
                f"the input has shape {self.shape}, and its first axis is no batch, as its entries "
                "are not treated alike: all entries are inputs"
            )
        network = self._walked(whole)
        if any(network.counted_widths) and keeps_samples_apart(network, samples):
            raise UnsupportedError(
                f"{self.name}: the input has shape {self.shape}, and every unit depends on one "
                f"of {samples} samples, which are not treated alike; export the network with "
                "batch 1, or with an input of one axis if all its entries are inputs"
            )
        return network

    def _walked(self, folder: Folder, samples: int = 1) -> ReLUNetwork:
        values = Values(self.path, self.outputs, self.nodes)
        values.put_all(self.constants)
        values.put(self.entry, folder.input(self.shape, batch=samples > 1))
        if samples > 1:
            folder.notes.append(
                f"the file has a fixed batch of {samples} samples, which are treated alike: the "
                "network is the one of a single sample"
            )
        try:
            for proto in self.nodes:
                run_node(proto, values, self.opset, folder, self.path)
                values.release(proto)
        except InputError as error:
            if len(self.outputs) == 1 or isinstance(error, MixedSamplesError):
                raise
            raise self._several() from error
        return self._finish([values.get(target) for target in self.outputs], folder)

    def _finish(self, results: list[Value | None], folder: Folder) -> ReLUNetwork:
        folder.place = "the output"
        sources = [result.source if isinstance(result, Head) else result for result in results]
        if not isinstance(sources[0], Image):
            raise NetworkError(
                f"{folder.name}: the output {self.outputs[0]!r} does not depend on the input in a "
                "way that can be counted; export another one"
            )
        if len(results) > 1:
            alike = all(isinstance(s, Image) and same_entries(s, sources[0]) for s in sources)
            if not alike:
                raise self._several()
        plain = [k for k, result in enumerate(results) if isinstance(result, Image)]
        chosen = plain[0] if plain else 0
        if len(results) > 1:
            others = "the outputs come from one affine layer, with which the network ends"
            named = f"the network is the one of output {self.outputs[chosen]!r}, from which the "
            folder.notes.append(f"{named}others come by an output head alone" if plain else others)
        result, source = results[chosen], sources[chosen]
        if isinstance(result, Head):
            if not result.curved:
                raise NetworkError(f"{folder.name}: node {result.place} {MAXIMUM}")
            folder.notes.append(head_note(result.place))
        if not isinstance(source, Image):
            raise self._several()
        return folder.finish(source)

    def _several(self) -> NetworkError:
        listed = ", ".join(map(repr, self.outputs))
        return NetworkError(
            f"{self.path} has {len(self.outputs)} outputs (it has {listed}); choose one: "
            "--output NAME on the command line, network_output: NAME in a study, "
            "load_network(path, output=NAME) from Python"
        )


def _parsed(data: bytes, path: Path) -> Any:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingDependencyError("onnx", "reading .onnx files", "onnx") from error
    undecodable = importlib.import_module("google.protobuf.message").DecodeError
    try:
        model = onnx.load_model_from_string(data)
    except undecodable as error:
        raise NetworkError(
            f"{path} is not an ONNX model (truncated or another format); export it again"
        ) from error
    if not model.ir_version or not model.graph.output:
        raise NetworkError(f"{path} is not an ONNX model with a graph; export it again")
    return model


def _opset(model: Any, path: Path) -> int:
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    if not versions or versions[0] < _OLDEST_OPSET:
        raise NetworkError(
            f"{path} uses operator set {versions[0] if versions else None}; "
            f"export it with opset {_OLDEST_OPSET} or newer"
        )
    return int(versions[0])


def _outputs(graph: Any, wanted: str | None, path: Path) -> list[str]:
    names = [str(o.name) for o in graph.output]
    if wanted is None:
        return names
    if wanted in names:
        return [wanted]
    listed = ", ".join(map(repr, names))
    raise NetworkError(f"{path} has no output {wanted!r} (it has {listed}); choose one of these")
