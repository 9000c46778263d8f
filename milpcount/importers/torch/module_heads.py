"""Functions of PyTorch that may stand at the end of a network, and views."""

from __future__ import annotations

__all__ = ["AFTER", "HEADS", "VIEWS"]

HEADS = frozenset(
    {
        *("acos", "asin", "asinh", "atan", "celu", "cos", "cosh", "elu", "erf", "exp", "expm1"),
        *("gelu", "hardswish", "layer_norm", "log", "log1p", "log_softmax", "logsigmoid"),
        *("logsumexp", "mish", "norm", "normalize", "pow", "reciprocal", "rms_norm", "rsqrt"),
        *("selu", "sigmoid", "silu", "sin", "sinh", "softmax", "softmin", "softplus", "softsign"),
        *("sqrt", "square", "tan", "tanh", "tanhshrink", "argmax", "argmin", "topk", "var", "std"),
    }
)
"""Not piecewise linear; the activation patterns are the same without them at the very end."""

VIEWS = frozenset(
    {
        *("T", "chunk", "expand", "expand_as", "flatten", "getitem", "mT", "movedim", "narrow"),
        *("permute", "reshape", "select", "split", "squeeze", "swapaxes", "swapdims", "t"),
        *(
            "tensor_split",
            "transpose",
            "unbind",
            "unflatten",
            "unfold",
            "unsqueeze",
            "view",
            "view_as",
        ),
    }
)
"""Functions whose result shares its numbers with what they are given."""

AFTER = HEADS | VIEWS | {
    *("abs", "add", "cat", "clamp", "clip", "contiguous", "cpu", "detach", "div", "double"),
    *("eq", "float", "ge", "gt", "le", "lt", "max", "mean", "min", "mul", "neg", "rsub", "stack"),
    *("sub", "sum", "to", "true_divide", "where"),
}  # fmt: skip
"""What a head may go on with."""
