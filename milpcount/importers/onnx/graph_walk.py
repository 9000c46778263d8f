"""The walk over the nodes of an ONNX graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.onnx.constants import HANDLERS as CONSTANTS
from milpcount.importers.onnx.elementwise import HANDLERS as OPERATIONS
from milpcount.importers.onnx.fused import HANDLERS as FUSED
from milpcount.importers.onnx.linear_ops import HANDLERS as LINEAR
from milpcount.importers.onnx.moves import HANDLERS as MOVES
from milpcount.importers.onnx.node import Array, Handler, Node, Value
from milpcount.importers.onnx.output_heads import STARTS, after_head, start_head
from milpcount.importers.onnx.resize import HANDLERS as RESIZE
from milpcount.importers.onnx.tensors import attribute_values
from milpcount.importers.values import MAXIMUM, Choice, Head

__all__ = ["Values", "run_node"]

_HANDLERS: dict[str, Handler] = {**LINEAR, **MOVES, **OPERATIONS, **RESIZE}
_OF_ML = frozenset({"ArrayFeatureExtractor", "LabelEncoder", "Normalizer", "Scaler", "ZipMap"})
_REMEDIES = {
    **dict.fromkeys(("MaxPool", "GlobalMaxPool", "LpPool", "MaxRoiPool"), MAXIMUM),
    **dict.fromkeys(
        ("If", "Loop", "Scan"), "is control flow; export the network with fixed shapes"
    ),
    **dict.fromkeys(
        ("GRU", "LSTM", "RNN", "LRN", "InstanceNormalization", "GroupNormalization", "Attention"),
        "is not piecewise linear; only ReLU units and their kin can be counted",
    ),
    "QuantizeLinear": "rounds activations; export the network without their quantisation",
}


class Values:
    """Tensors by name, kept as long as a node still needs them, within the memory limit."""

    def __init__(self, path: Path, targets: Iterable[str], nodes: list[Any]) -> None:
        self._path = path
        self._uses = Counter(name for node in nodes for name in node.input)
        self._uses.update(targets)
        self._held: dict[str, Value] = {}
        self._bytes = 0

    def __contains__(self, name: str) -> bool:
        return not name or name in self._held

    def needs(self, name: str) -> bool:
        """Whether anything uses the tensor."""
        return bool(name) and self._uses[name] > 0

    def get(self, name: str) -> Value | None:
        """The tensor; None for the empty name, which stands for an omitted input."""
        return self._held.get(name)

    def put(self, name: str, value: Value) -> None:
        """Keep a tensor if something uses it."""
        if not self.needs(name):
            return
        self._drop(name)
        self._bytes += _bytes(value)
        require_bytes(self._bytes, f"{self._path}: the graph with its tensors", NetworkError)
        self._held[name] = value

    def put_all(self, values: Mapping[str, Array]) -> None:
        """Keep the constants that something uses."""
        for name, value in values.items():
            self.put(name, value)

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
    if isinstance(value, Choice):
        value = value.sign
    return int(value.nbytes)


def run_node(proto: Any, values: Values, opset: int, folder: Folder, path: Path) -> None:
    """Compute what a node makes of tensors that are there.

    Raises:
        NetworkError: a node that is malformed, or not one that is read.
    """
    label = proto.name or (proto.output[0] if proto.output else "")
    # Strings that are not UTF-8 come as bytes.
    op = proto.op_type if str(proto.op_type).isidentifier() else repr(proto.op_type)
    place = f"node {op} {label!r}"
    folder.place = place
    for used in proto.input:
        if used not in values:
            raise NetworkError(
                f"{folder.name}: {place} uses {used!r}, which nothing before it computes; "
                "the file is malformed, export it again"
            )
    inputs = tuple(values.get(used) for used in proto.input)
    handler = _handler(proto, inputs)
    if handler is None:
        folder.fail(_refusal(proto))
    attributes = attribute_values(proto, path.parent, f"{folder.name}: {place}")
    node = Node(proto.op_type, place, inputs, attributes, opset, len(proto.output), folder)
    try:
        results = handler(node)
    except (ValueError, IndexError, TypeError) as error:  # numpy's, for what does not fit
        shapes = [getattr(v, "shape", None) for v in inputs]
        raise NetworkError(
            f"{folder.name}: {place} does not fit its inputs of shapes {shapes}: {error}"
        ) from error
    if isinstance(results, Head):
        results = [results] * len(proto.output)
    elif not isinstance(results, list):
        results = [results]
    for key, result in zip(proto.output, results, strict=False):
        values.put(key, result)


def _handler(proto: Any, inputs: tuple[Value | None, ...]) -> Handler | None:
    op = proto.op_type
    standard = proto.domain in ("", "ai.onnx")
    if any(isinstance(value, Head) for value in inputs):
        return after_head
    if standard and op in CONSTANTS and not any(isinstance(v, Image | Choice) for v in inputs):
        return CONSTANTS[op]
    if proto.domain == "com.microsoft" and op in FUSED:
        return FUSED[op]
    if not standard and not (proto.domain == "ai.onnx.ml" and op in _OF_ML):
        return None
    return _HANDLERS.get(op) or (start_head if op in STARTS else None)


def _refusal(proto: Any) -> str:
    if proto.domain not in ("", "ai.onnx"):
        return (
            f"is of the operator set {proto.domain!r} and is not read; export with standard "
            "operators only"
        )
    return _REMEDIES.get(
        proto.op_type,
        "is not supported: it is not known to be piecewise linear; simplify the graph "
        "(for example with onnxsim) or export the network without it",
    )
