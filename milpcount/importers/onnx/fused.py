"""Operators of the set com.microsoft, which runtimes make of standard ones."""

from __future__ import annotations

import numpy as np

from milpcount.importers.image import Image
from milpcount.importers.onnx.linear_ops import conv, gemm
from milpcount.importers.onnx.node import Array, Handler, Node, Value
from milpcount.importers.products import product
from milpcount.importers.unit_ops import clip
from milpcount.importers.values import Head

__all__ = ["HANDLERS"]

_HEADS = frozenset({"Sigmoid", "Softplus", "Tanh"})


def _fused_gemm(node: Node) -> Value:
    parameters = [node.attributes.get(f"activation_{name}") for name in ("alpha", "beta", "gamma")]
    return _activated(node, gemm(node), parameters)


def _fused_conv(node: Node) -> Value:
    result = conv(node)
    if node.has(3):
        result = node.folder.add(result, node.image(3))
    return _activated(node, result, list(node.attributes.get("activation_params") or ()))


def _activated(node: Node, value: Value, parameters: list[float | None]) -> Value:
    given = [float(p) for p in parameters if p is not None]
    kind = node.attributes.get("activation", b"").decode("ascii", "replace")
    if not kind:
        return value
    if not isinstance(value, Image):
        return node.image(0)
    folder = node.folder
    match kind, given:
        case "Relu", _:
            return folder.relu(value)
        case "LeakyRelu", []:
            return folder.relu(value, float(np.float32(0.01)))
        case "LeakyRelu", [slope, *_]:
            return folder.relu(value, slope)
        case "Clip", [low, high, *_]:
            return clip(folder, value, low, high)
        case "HardSigmoid", [alpha, beta, *_]:
            return clip(folder, folder.affine(value, alpha, beta), 0.0, 1.0)
    if kind in _HEADS:
        return Head(value, value.shape, f"{kind} in {node.place.removeprefix('node ')}")
    return node.fail(f"has the activation {kind!r}, which is not piecewise linear")


def _fused_matmul(node: Node) -> Value:
    folder, sides = node.folder, list[Image | Array]()
    for position, name in enumerate(("transA", "transB")):
        value = node.value(position)
        if node.attributes.get(name, 0):
            if isinstance(value, Image):
                value = folder.take(value, np.swapaxes(value.grid, -1, -2))
            else:
                value = np.swapaxes(value, -1, -2)
        sides.append(value if isinstance(value, Image) else value.astype(np.float64))
    result = product(folder, sides[0], sides[1])
    alpha = float(node.attributes.get("alpha", 1.0))
    if alpha == 1:
        return result
    return folder.scale(result, alpha) if isinstance(result, Image) else node.image(0)


HANDLERS: dict[str, Handler] = {
    "FusedConv": _fused_conv,
    "FusedGemm": _fused_gemm,
    "FusedMatMul": _fused_matmul,
}
