"""Modules with a ``forward`` of their own, traced symbolically with ``torch.fx``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from milpcount.errors import NetworkError, UnsupportedError
from milpcount.importers.torch.chain import EXPORT, Chain

__all__ = ["append_traced"]

_RELUS = frozenset({"relu", "relu_"})
_LEAKY = frozenset({"leaky_relu", "leaky_relu_"})
_HEADS = frozenset({"log_softmax", "sigmoid", "softmax"})
_RESHAPES = frozenset({"reshape", "view"})
_SAME = frozenset({"contiguous"})


def append_traced(
    chain: Chain, module: Any, place: str, append: Callable[[Any, str], None]
) -> None:
    """Append the stages that ``module.forward`` chains.

    Arguments:
        chain: what to append to.
        module: the module.
        place: its name, for messages.
        append: appends a submodule, given with its name inside ``module``.

    Raises:
        NetworkError: a forward that cannot be traced or calls something unknown.
        UnsupportedError: a forward that is not a chain.
    """
    graph = _trace(chain, module, place)
    current: Any = None
    sizes: dict[Any, bool] = {}  # nodes that hold a shape or a part of it: is it the batch size?
    for node in graph.nodes:
        if node.op == "placeholder":
            if current is not None:
                raise NetworkError(f"{chain.label}: {place} takes several inputs; {EXPORT}")
            current = node
        elif node.op == "get_attr":
            continue
        elif _is_size(node, sizes):
            sizes[node] = node.args[1:] == (0,)
        else:
            if _argument(node, 0, "input", None) is not current:
                raise UnsupportedError(
                    f"{chain.label}: {place} does not chain its stages: {node.name!r} works on "
                    "something other than the stage before it; only networks whose layers follow "
                    f"one another can be counted (if it is one, {EXPORT})"
                )
            if node.op == "output":
                return
            if node.op == "call_module":
                append(module.get_submodule(node.target), node.target)
            else:
                _append_call(chain, module, node, sizes, place)
            current = node


def _trace(chain: Chain, module: Any, place: str) -> Any:
    import torch.fx

    try:
        return torch.fx.Tracer().trace(module)
    # What a forward raises on a placeholder is up to its author.
    except (TypeError, RuntimeError, AttributeError, ValueError, IndexError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise NetworkError(
            f"{chain.label}: the forward of {place} cannot be traced ({reason}); {EXPORT}"
        ) from error


def _name(node: Any) -> str:
    return str(node.target if node.op == "call_method" else getattr(node.target, "__name__", ""))


def _is_size(node: Any, sizes: dict[Any, bool]) -> bool:
    """Whether a node is ``x.shape``, ``x.size()``, ``x.size(i)`` or an entry of one."""
    name = _name(node)
    if name == "size":
        return True
    if name == "getattr":
        return bool(node.args[1] == "shape")
    return name == "getitem" and node.args[0] in sizes


def _argument(node: Any, position: int, key: str, default: Any) -> Any:
    if len(node.args) > position:
        return node.args[position]
    return node.kwargs.get(key, default)


def _append_call(chain: Chain, module: Any, node: Any, sizes: dict[Any, bool], owner: str) -> None:
    name = _name(node)
    place = f"{name} ({node.name!r} in {owner})"
    if name in _RELUS:
        chain.relu(place)
    elif name in _LEAKY:
        slope = _argument(node, 1, "negative_slope", 0.01)
        if not isinstance(slope, int | float):
            raise NetworkError(f"{chain.label}: {place} has a slope that is computed; {EXPORT}")
        chain.relu(place, float(slope))
    elif name == "linear":
        weight, bias = _argument(node, 1, "weight", None), _argument(node, 2, "bias", None)
        chain.linear(
            place,
            _parameter(chain, module, weight, place),
            None if bias is None else _parameter(chain, module, bias, place),
        )
    elif name == "dropout":
        if _argument(node, 2, "training", True):
            chain.note_training()
    elif name == "flatten":
        first, last = _argument(node, 1, "start_dim", 0), _argument(node, 2, "end_dim", -1)
        if first not in (0, 1) or last != -1:
            raise NetworkError(f"{chain.label}: {place} keeps some dimensions; {EXPORT}")
        chain.reshape(place, None)
    elif name in _RESHAPES:
        chain.reshape(place, _entries(chain, node, sizes, place))
    elif name in _HEADS:
        chain.head(place)
    elif name not in _SAME:
        raise NetworkError(
            f"{chain.label}: {place} is not a linear layer or a ReLU; take it out, or {EXPORT}"
        )


def _parameter(chain: Chain, module: Any, node: Any, place: str) -> Any:
    if getattr(node, "op", None) != "get_attr":
        raise NetworkError(f"{chain.label}: {place} has weights that are computed; {EXPORT}")
    value = module
    for part in node.target.split("."):
        value = getattr(value, part)
    return value


def _entries(chain: Chain, node: Any, sizes: dict[Any, bool], place: str) -> int | None:
    """Entries per sample of ``x.view(batch, n)``; None where the call leaves them open."""
    given = node.args[1:] or (node.kwargs.get("shape", ()),)
    shape = tuple(given[0]) if isinstance(given[0], list | tuple) else given
    batch = shape[0] if shape else None
    if len(shape) == 1 and batch == -1:
        return None
    kept = batch in (-1, 1) or sizes.get(batch, False)
    if len(shape) == 2 and kept and isinstance(shape[1], int) and (shape[1] > 0 or batch != -1):
        return shape[1] if shape[1] > 0 else None
    raise NetworkError(
        f"{chain.label}: {place} to shape {shape} may mix samples; keep the batch as the first "
        f"dimension, or {EXPORT}"
    )
