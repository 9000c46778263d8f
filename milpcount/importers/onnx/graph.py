"""ONNX networks: graphs of affine operators and ReLUs.

The graph is walked once.  Every tensor is a constant or an affine function of the outputs of one
layer of units (:mod:`~milpcount.importers.affine`), so whatever the exporter wrote between two
ReLUs — reshapes, transposes, convolutions, normalisation, shifts of the input — becomes one affine
layer.  Units are numbered in the C order of the tensor that the ReLU works on.

The batch dimension, where the file leaves it open, is 1.  Nothing in the file is executed.
"""

from __future__ import annotations

import importlib
import math
from collections import Counter
from pathlib import Path
from typing import Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import MissingDependencyError, NetworkError
from milpcount.importers._files import read_bytes, require_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.onnx.elementwise import HANDLERS as OPERATIONS
from milpcount.importers.onnx.linear_ops import HANDLERS as LINEAR
from milpcount.importers.onnx.moves import HANDLERS as MOVES
from milpcount.importers.onnx.node import Handler, Head, Node, Value
from milpcount.importers.onnx.tensors import attribute_values, tensor_array

__all__ = ["load_onnx"]

_HANDLERS: dict[str, Handler] = {**LINEAR, **MOVES, **OPERATIONS}
_OLDEST_OPSET = 7  # before, broadcasting was an attribute
_FLOATS = frozenset({1, 10, 11, 16})

_REMEDIES = {
    "MaxPool": "is a maximum of entries, not a ReLU; replace it with average pooling or a strided "
    "convolution",
    "GlobalMaxPool": "is a maximum of entries, not a ReLU; replace it with average pooling",
    "If": "is control flow; export the network with fixed shapes",
    "Loop": "is control flow; export the network with fixed shapes",
    "Scan": "is control flow; export the network with fixed shapes",
}
_NOT_LINEAR = frozenset(
    {
        *("Celu", "Cos", "Elu", "Erf", "Exp", "GRU", "Gelu", "HardSigmoid", "HardSwish"),
        *("LSTM", "LayerNormalization", "Log", "Mish", "Pow", "RNN", "Reciprocal", "Selu"),
        *("Sin", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh", "ThresholdedRelu"),
    }
)
_AFTER_HEAD = frozenset(
    {
        *("ArgMax", "Cast", "Flatten", "Identity", "LogSoftmax", "Reshape", "Sigmoid", "Softmax"),
        *("Squeeze", "Transpose", "Unsqueeze"),
    }
)


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
            affine or a ReLU (named), or weights that are not finite.
        UnsupportedError: a skip connection over a ReLU.
        MissingDependencyError: the package onnx is not installed.
    """
    path = Path(path)
    label = name or path.name
    data = read_bytes(path, NetworkError)
    model = _parsed(data, path)
    opset = _opset(model, path)
    graph = model.graph
    if graph.sparse_initializer:
        raise NetworkError(f"{path} holds sparse tensors; export the network with dense weights")
    target = _output(graph, output, path)
    nodes = _needed(graph, target)
    values = _Values(path, target, nodes)
    for tensor in graph.initializer:
        array = tensor_array(tensor, path.parent, f"{path}: tensor {tensor.name!r}")
        values.put(tensor.name, array)
    entry, shape = _input(graph, path)
    folder = Folder(math.prod(shape), label)
    if len(shape) > 1 and shape[0] > 1 and shape[0] < math.prod(shape):
        folder.notes.append(
            f"the input has shape {shape} and all its entries are inputs; if the first dimension "
            "is a batch, export the network with batch 1"
        )
    values.put(entry, folder.input(shape))
    for proto in nodes:
        _run(proto, values, opset, folder, path)
        values.release(proto)
    return _finish(values.get(target), target, folder)


class _Values:
    """Tensors by name, kept as long as a node still needs them, within the memory limit."""

    def __init__(self, path: Path, target: str, nodes: list[Any]) -> None:
        self._path = path
        self._uses = Counter(name for node in nodes for name in node.input)
        self._uses[target] += 1
        self._held: dict[str, Value] = {}
        self._bytes = 0

    def __contains__(self, name: str) -> bool:
        return not name or name in self._held

    def get(self, name: str) -> Value | None:
        """The tensor; None for the empty name, which stands for an omitted input."""
        return self._held.get(name)

    def put(self, name: str, value: Value) -> None:
        """Keep a tensor if something uses it."""
        if not self._uses[name] or not name:
            return
        self._drop(name)
        self._bytes += _bytes(value)
        require_bytes(self._bytes, f"{self._path}: the graph with its tensors", NetworkError)
        self._held[name] = value

    def release(self, node: Any) -> None:
        """Let go of the inputs that no later node uses."""
        self._uses.subtract(node.input)
        for name in node.input:
            if not self._uses[name]:
                self._drop(name)

    def _drop(self, name: str) -> None:
        if name in self._held:
            self._bytes -= _bytes(self._held.pop(name))


def _bytes(value: Value) -> int:
    if isinstance(value, Head):
        value = value.source
    if isinstance(value, Image):
        index = 0 if value.index is None else value.index.nbytes
        return value.value.nbytes + value.bias.nbytes + index
    return value.nbytes


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


def _input(graph: Any, path: Path) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the one input that is not an initializer."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [i for i in graph.input if i.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(repr(i.name) for i in inputs) or "none"
        raise NetworkError(
            f"{path} has {len(inputs)} inputs ({names}); export a network with exactly one"
        )
    entry = inputs[0]
    what = f"{path}: input {entry.name!r}"
    kind = entry.type.tensor_type
    if kind.elem_type not in _FLOATS:
        raise NetworkError(f"{what} is not a float tensor; export it with float input")
    shape = []
    for axis, dimension in enumerate(kind.shape.dim):
        size = dimension.dim_value
        if size < 1 and axis == 0 and len(kind.shape.dim) > 1:
            size = 1  # the batch
        if size < 1:
            raise NetworkError(
                f"{what} has the open or empty dimension {axis} "
                f"({dimension.dim_param!r}); export it with fixed sizes"
            )
        shape.append(int(size))
    if not shape:
        raise NetworkError(f"{what} has no shape; export it with fixed sizes")
    require_bytes(math.prod(shape) * 32, what, NetworkError)
    return entry.name, tuple(shape)


def _output(graph: Any, wanted: str | None, path: Path) -> str:
    names = [o.name for o in graph.output]
    if wanted is None and len(names) == 1:
        return str(names[0])
    if wanted in names:
        return str(wanted)
    listed = ", ".join(map(repr, names))
    problem = f"no output {wanted!r}" if wanted is not None else f"{len(names)} outputs"
    raise NetworkError(
        f"{path} has {problem} (it has {listed}); export one output, or choose one from Python: "
        "milpcount.importers.onnx.graph.load_onnx(path, output=...)"
    )


def _needed(graph: Any, target: str) -> list[Any]:
    """The nodes that the output depends on, in the file's order."""
    wanted, nodes = {target}, []
    for proto in reversed(graph.node):
        if wanted.intersection(proto.output):
            wanted.update(proto.input)
            nodes.append(proto)
    return nodes[::-1]


def _run(proto: Any, values: _Values, opset: int, folder: Folder, path: Path) -> None:
    label = proto.name or (proto.output[0] if proto.output else "")
    # Strings that are not UTF-8 come as bytes.
    op = proto.op_type if str(proto.op_type).isidentifier() else repr(proto.op_type)
    place = f"{op} {label!r}"
    for used in proto.input:
        if used not in values:
            raise NetworkError(
                f"{path}: node {place} uses {used!r}, which nothing before it computes; "
                "the file is malformed, export it again"
            )
    node = Node(
        proto.op_type,
        place,
        tuple(values.get(used) for used in proto.input),
        attribute_values(proto, path.parent, f"{path}: node {place}"),
        opset,
        len(proto.output),
        folder,
    )
    folder.place = place
    handler = _HANDLERS.get(proto.op_type) if proto.domain in ("", "ai.onnx") else None
    if handler is None:
        node.fail(_refusal(proto))
    first = node.inputs[0] if node.inputs else None
    if isinstance(first, Head) and proto.op_type in _AFTER_HEAD:
        values.put(proto.output[0], first)
        return
    try:
        results = handler(node)
    except (ValueError, IndexError) as error:  # numpy's, for shapes that do not fit
        shapes = [getattr(v, "shape", None) for v in node.inputs]
        raise NetworkError(
            f"{path}: node {place} does not fit its inputs of shapes {shapes}: {error}"
        ) from error
    if not isinstance(results, list):
        results = [results]
    for key, result in zip(proto.output, results, strict=False):
        values.put(key, result)


def _refusal(proto: Any) -> str:
    if proto.domain not in ("", "ai.onnx"):
        return f"is of the operator set {proto.domain!r}; export with standard operators only"
    if proto.op_type in _NOT_LINEAR:
        return "is not piecewise linear; only ReLU and leaky ReLU units can be counted"
    return _REMEDIES.get(
        proto.op_type,
        "is not supported: it is not known to be affine or a ReLU; simplify the graph "
        "(for example with onnxsim) or export the network without it",
    )


def _finish(result: Value | None, target: str, folder: Folder) -> ReLUNetwork:
    if isinstance(result, Head):
        folder.notes.append(
            f"the output head {result.place} is left out: the network ends with the affine layer "
            "before it, and its activation patterns are the same"
        )
        result = result.source
    if not isinstance(result, Image):
        raise NetworkError(
            f"{folder.name}: the output {target!r} does not depend on the input; export it again"
        )
    folder.place = "the output"
    return folder.finish(result)
