"""Output heads: what follows the last affine layer and is not piecewise linear.

A head (softmax, a scaled tanh, a normalisation, the class with the highest score) does not change
the activation pattern.  It is left out, which a note says, if nothing behind it is a unit or an
affine layer.
"""

from __future__ import annotations

import numpy as np

from milpcount.errors import NetworkError
from milpcount.importers.image import Image, same_entries
from milpcount.importers.onnx.node import Node, Value
from milpcount.importers.values import Head

__all__ = ["AFTER", "STARTS", "after_head", "start_head"]

_ELEMENTWISE = frozenset(
    {
        *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Celu", "Cos", "Cosh", "Elu", "Erf"),
        *("Exp", "Gelu", "HardSwish", "Log", "Mish", "Pow", "Reciprocal", "Selu", "Sigmoid"),
        *("Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "QuickGelu"),
    }
)
_MAXIMA = frozenset({"ReduceMax", "ReduceMin"})
STARTS = frozenset(
    {
        *_ELEMENTWISE, *_MAXIMA,
        *("ArgMax", "ArgMin", "Hardmax", "LayerNormalization", "LogSoftmax", "LpNormalization"),
        *("MeanVarianceNormalization", "Normalizer", "ReduceL1", "ReduceL2", "ReduceLogSum"),
        *("ReduceLogSumExp", "ReduceProd", "ReduceSumSquare", "Softmax", "TopK"),
    }
)  # fmt: skip
"""Operators with which a head begins."""

_SAME_SHAPE = _ELEMENTWISE | {
    *("Cast", "Hardmax", "Identity", "LogSoftmax", "LpNormalization", "Neg", "Normalizer"),
    *("Softmax",),
}
AFTER = STARTS | _SAME_SHAPE | {
    *("Add", "ArrayFeatureExtractor", "Clip", "Concat", "Div", "Equal", "Flatten", "Gather"),
    *("Greater", "GreaterOrEqual", "LabelEncoder", "Less", "LessOrEqual", "Max", "Min", "Mul"),
    *("Not", "ReduceMean", "ReduceSum", "Reshape", "Shape", "Slice", "Split", "Squeeze", "Sub"),
    *("Sum", "Transpose", "Unsqueeze", "Where", "ZipMap"),
}  # fmt: skip
"""Operators that a head may go on with."""


def start_head(node: Node) -> Value:
    """The first node of a head, whose other inputs are constants."""
    image = node.image(0)
    for position in range(1, len(node.inputs)):
        if node.has(position):
            node.constant(position, "a parameter")
    shape = image.shape if node.op in _SAME_SHAPE else None
    return Head(image, shape, node.place.removeprefix("node "), curved=node.op not in _MAXIMA)


def after_head(node: Node) -> Value:
    """A node that goes on with a head: all its inputs come from one affine tensor."""
    heads = [value for value in node.inputs if isinstance(value, Head)]
    first = heads[0]
    # The one that is left out, for the message that a maximum alone would deserve.
    named = next((head for head in heads if head.curved), first)
    if node.op not in AFTER:
        position = node.inputs.index(first)
        node.value(position)
    for value in node.inputs:
        source = value.source if isinstance(value, Head) else value
        if isinstance(source, Image) and not same_entries(source, first.source):
            raise NetworkError(
                f"{node.folder.name}: node {named.place} {named.reason}, and {node.place} "
                "brings it together with another tensor; only an output head at the very end can "
                "be left out"
            )
    if node.op == "Shape" and first.shape is not None:
        return np.array(first.shape, dtype=np.int64)
    shape = first.shape if node.op in _SAME_SHAPE else None
    curved = named.curved or node.op in STARTS - _MAXIMA
    return Head(first.source, shape, named.place, curved)
