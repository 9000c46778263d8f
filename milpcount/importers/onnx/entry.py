"""The input of an ONNX graph: its name, its shape, and axes that the file leaves open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes

__all__ = ["graph_input"]

_FLOATS = frozenset({1, 10, 11, 16})
_ALONG = frozenset({"Add", "Div", "Max", "Min", "Mul", "PRelu", "Sub", "Sum"})
_SAME = frozenset(
    {"Abs", "Cast", "Clip", "Dropout", "Identity", "LeakyRelu", "Neg", "Relu", "BatchNormalization"}
)

Dims = dict[str, tuple[int, ...]]


def graph_input(graph: Any, nodes: Sequence[Any], path: str) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the one input that is not an initializer.

    The first axis of several, if it is open, is the batch, of one sample.  Another open axis has
    the size that the first weight which meets it fixes.

    Raises:
        NetworkError: several inputs, one that is not of floats, or an axis that stays open.
    """
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
    declared = kind.shape.dim
    if not declared:
        raise NetworkError(f"{what} has no shape; export it with fixed sizes")
    shape = [int(dimension.dim_value) for dimension in declared]
    if shape[0] < 1 and len(shape) > 1:
        shape[0] = 1
    if min(shape) < 1:
        _fill(shape, entry.name, nodes, _known(graph, nodes))
    for axis, size in enumerate(shape):
        if size < 1:
            raise NetworkError(
                f"{what} has the open or empty dimension {axis} "
                f"({declared[axis].dim_param!r}); export it with fixed sizes"
            )
    require_bytes(math.prod(shape) * 64, what, NetworkError)
    return entry.name, tuple(shape)


def _known(graph: Any, nodes: Sequence[Any]) -> Dims:
    """Shapes of the constants that stand in the file."""
    known: Dims = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in nodes:
        if node.op_type == "Constant" and node.output:
            for attribute in node.attribute:
                if attribute.name == "value":
                    known[node.output[0]] = tuple(attribute.t.dims)
    return known


def _fill(shape: list[int], name: str, nodes: Sequence[Any], known: Dims) -> None:
    """Sizes of open axes, from the weights that the tensor meets while its shape is kept."""
    for node in nodes:  # in topological order
        if min(shape) > 0:
            return
        if name not in node.input:
            continue
        mine = list(node.input).index(name)
        others = [known[n] for n in node.input if n in known]
        for axis, size in _fixed(node, mine, others, len(shape)):
            if 0 <= axis < len(shape) and shape[axis] < 1:
                shape[axis] = size
        flat = node.op_type == "Flatten" and len(shape) == 2
        if (node.op_type in _SAME | _ALONG or flat) and node.output:
            name = node.output[0]


def _fixed(
    node: Any, mine: int, others: Sequence[tuple[int, ...]], rank: int
) -> list[tuple[int, int]]:
    """Axes of the tensor at input ``mine`` whose size the node's constants fix, with the sizes."""
    number = {a.name: int(a.i) for a in node.attribute if a.type == 2}
    first = others[0] if others else ()
    match node.op_type:
        case "MatMul" | "FusedMatMul" if first and mine == 0:
            return [(rank - 1, first[-2] if len(first) > 1 else first[0])]
        case "Gemm" | "FusedGemm" if len(first) == 2 and mine == 0 and not number.get("transA"):
            return [(1, first[1 if number.get("transB") else 0])] if rank == 2 else []
        case "Conv" | "FusedConv" if len(first) > 2 and mine == 0:
            return [(1, first[1] * number.get("group", 1))]
        case "BatchNormalization" if len(first) == 1:
            return [(1, first[0])]
        case op if op in _ALONG:
            return [
                (rank - len(dims) + k, size)
                for dims in others
                for k, size in enumerate(dims)
                if size > 1
            ]
    return []
