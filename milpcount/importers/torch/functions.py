"""Functions of PyTorch on stand-ins: products, sums and units.

Each function takes the walk and then what the function of PyTorch with its name takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.importers.image import Image
from milpcount.importers.products import einsum, product
from milpcount.importers.torch.arithmetic import plus, times
from milpcount.importers.torch.choices import FUNCTIONS as CHOICES
from milpcount.importers.torch.choices import chosen
from milpcount.importers.torch.layers import FUNCTIONS as LAYERS
from milpcount.importers.torch.resampling import FUNCTIONS as RESAMPLING
from milpcount.importers.torch.reshaping import FUNCTIONS as MOVES
from milpcount.importers.torch.trace_walk import Function, Walk, same
from milpcount.importers.unit_ops import clip, maximum, minimum
from milpcount.importers.values import MAXIMUM, Choice

__all__ = ["FUNCTIONS"]

Float = NDArray[np.float64]


def _add(walk: Walk, a: Any, b: Any, *, alpha: float = 1) -> Any:
    return plus(walk, walk.value(a), times(walk, walk.value(b), alpha))


def _sub(walk: Walk, a: Any, b: Any, *, alpha: float = 1) -> Any:
    return plus(walk, walk.value(a), times(walk, walk.value(b), -alpha))


def _rsub(walk: Walk, a: Any, b: Any, *, alpha: float = 1) -> Any:
    return _sub(walk, b, a, alpha=alpha)


def _mul(walk: Walk, a: Any, b: Any) -> Any:
    for choice, other in ((a, b), (b, a)):
        condition = walk.any_value(choice)
        if isinstance(condition, Choice):
            return chosen(walk, condition, walk.value(other), np.zeros(()))
    x, y = walk.value(a), walk.value(b)
    if isinstance(x, Image):
        if isinstance(y, Image):
            walk.fail(
                "multiplies two tensors that depend on the input, which is not piecewise linear"
            )
        return walk.folder.scale(x, y)
    return walk.folder.scale(walk.image(b), x)


def _div(walk: Walk, a: Any, b: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        walk.fail("rounds its result")
    return walk.folder.divide(walk.image(a), walk.constant(b, "a divisor"))


def _neg(walk: Walk, a: Any) -> Any:
    return walk.folder.scale(walk.image(a), -1.0)


def _matmul(walk: Walk, a: Any, b: Any) -> Any:
    return product(walk.folder, walk.value(a), walk.value(b))


def _rmatmul(walk: Walk, a: Any, b: Any) -> Any:
    return _matmul(walk, b, a)


def _addmm(walk: Walk, c: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    result = times(walk, product(walk.folder, walk.value(a), walk.value(b)), alpha)
    return plus(walk, result, times(walk, walk.value(c), beta))


def _linear(walk: Walk, input: Any, weight: Any, bias: Any = None) -> Any:
    image, matrix = walk.image(input), walk.constant(weight, "weights")
    if not image.shape or image.shape[-1] != matrix.shape[-1]:
        walk.folder.fail(
            f"takes {matrix.shape[-1]} inputs and gets {image.shape[-1] if image.shape else 1}; "
            "give the shape of a sample (load_network(module, input_shape=...)) if it is another"
        )
    add = None if bias is None else walk.constant(bias, "a bias")
    return product(walk.folder, image, matrix.T, add)


def _einsum(walk: Walk, equation: Any, *operands: Any) -> Any:
    given = (
        operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    )
    return einsum(walk.folder, str(equation), [walk.value(operand) for operand in given])


def _relu(walk: Walk, input: Any) -> Any:
    return walk.folder.relu(walk.image(input))


def _leaky_relu(walk: Walk, input: Any, negative_slope: float = 0.01) -> Any:
    return walk.folder.relu(walk.image(input), walk.constant(negative_slope, "a slope"))


def _prelu(walk: Walk, input: Any, weight: Any) -> Any:
    image, slope = walk.image(input), walk.constant(weight, "a slope")
    if slope.size > 1:
        if len(image.shape) < 2 or slope.size != image.shape[1]:
            walk.folder.fail(f"takes {slope.size} channels and gets shape {image.shape[1:]}")
        slope = slope.reshape(-1, *(1,) * (len(image.shape) - 2))
    return walk.folder.relu(image, slope)


def _rrelu(
    walk: Walk, input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Any:
    return walk.folder.relu(walk.image(input), (lower + upper) / 2)


def _abs(walk: Walk, input: Any) -> Any:
    return walk.folder.relu(walk.image(input), -1.0)


def _clamp(walk: Walk, input: Any, min: Any = None, max: Any = None) -> Any:
    low = -np.inf if min is None else walk.constant(min, "a bound")
    high = np.inf if max is None else walk.constant(max, "a bound")
    return clip(walk.folder, walk.image(input), low, high)


def _clamp_max(walk: Walk, input: Any, max: Any) -> Any:
    return _clamp(walk, input, max=max)


def _hardtanh(walk: Walk, input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    return _clamp(walk, input, min_val, max_val)


def _relu6(walk: Walk, input: Any) -> Any:
    return _clamp(walk, input, 0, 6)


def _hardsigmoid(walk: Walk, input: Any) -> Any:
    bounded = clip(walk.folder, walk.folder.shift(walk.image(input), 3.0), 0.0, 6.0)
    return walk.folder.divide(bounded, 6.0)


def _threshold(walk: Walk, input: Any, threshold: float, value: float) -> Any:
    if threshold != value:
        walk.fail("jumps at its threshold; only continuous functions are counted")
    return _clamp(walk, input, min=float(value))


def _softshrink(walk: Walk, input: Any, lambd: float = 0.5) -> Any:
    folder, image = walk.folder, walk.image(input)
    above = folder.relu(folder.shift(image, -lambd))
    below = folder.relu(folder.affine(image, -1.0, -lambd))
    return folder.add(above, folder.scale(below, -1.0))


def _maximum(walk: Walk, a: Any, b: Any = None, **_more: Any) -> Any:
    return _extreme(walk, a, b, upper=True)


def _minimum(walk: Walk, a: Any, b: Any = None, **_more: Any) -> Any:
    return _extreme(walk, a, b, upper=False)


def _extreme(walk: Walk, a: Any, b: Any, upper: bool) -> Any:
    if b is None or isinstance(b, int):  # over all entries, or along an axis
        walk.folder.fail(MAXIMUM)
    x, y = walk.value(a), walk.value(b)
    if isinstance(x, Image) and isinstance(y, Image):
        return (maximum if upper else minimum)(walk.folder, x, y)
    image, bound = (x, y) if isinstance(x, Image) else (y, x)
    ends = (bound, np.inf) if upper else (-np.inf, bound)
    return clip(walk.folder, image, *ends)  # type: ignore[arg-type]


def _refused_maximum(walk: Walk, *_args: Any, **_kwargs: Any) -> Any:
    walk.folder.fail(MAXIMUM)


FUNCTIONS: dict[str, Function] = {
    **MOVES,
    **RESAMPLING,
    **LAYERS,
    **CHOICES,
    **dict.fromkeys(("add", "radd"), _add),
    "sub": _sub,
    "subtract": _sub,
    "rsub": _rsub,
    **dict.fromkeys(("mul", "multiply", "rmul"), _mul),
    **dict.fromkeys(("div", "divide", "true_divide", "truediv"), _div),
    **dict.fromkeys(("neg", "negative"), _neg),
    **dict.fromkeys(("bmm", "matmul", "mm", "mv"), _matmul),
    "rmatmul": _rmatmul,
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), _addmm),
    "linear": _linear,
    "einsum": _einsum,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "rrelu": _rrelu,
    **dict.fromkeys(("abs", "absolute"), _abs),
    **dict.fromkeys(("clamp", "clamp_min", "clip"), _clamp),
    "clamp_max": _clamp_max,
    "hardtanh": _hardtanh,
    "relu6": _relu6,
    "hardsigmoid": _hardsigmoid,
    "threshold": _threshold,
    "softshrink": _softshrink,
    **dict.fromkeys(("fmax", "max", "maximum"), _maximum),
    **dict.fromkeys(("fmin", "min", "minimum"), _minimum),
    **dict.fromkeys(
        (
            *("adaptive_max_pool1d", "adaptive_max_pool2d", "amax", "amin", "max_pool1d"),
            *("max_pool2d", "max_pool3d", "cummax"),
        ),
        _refused_maximum,
    ),
    **dict.fromkeys(
        (
            *("bfloat16", "clone", "contiguous", "cpu", "data", "detach", "double", "float"),
            *("half", "requires_grad", "to", "type", "type_as"),
        ),
        same,
    ),
}
