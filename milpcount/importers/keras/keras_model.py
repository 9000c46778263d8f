"""Keras 3 models: Sequential ones, and those of the functional API, of any backend.

The graph of layers is walked on a stand-in for a batch of two samples, which also shows that
samples are treated alike; no code of the model is run.  Layers are read as in inference.  Files
(``.keras``, ``.h5``) are not opened: they may hold code.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import NetworkError
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.keras.activations import ACTIVATION_OPS
from milpcount.importers.keras.array_ops import ARRAY_OPS, joined
from milpcount.importers.keras.context import Context, Handler
from milpcount.importers.keras.images import LAYERS as IMAGES
from milpcount.importers.keras.keras_layers import LAYERS
from milpcount.importers.keras.operations import OPERATIONS
from milpcount.importers.values import MAXIMUM, Head, head_note

__all__ = ["from_keras", "is_model"]

_HANDLERS: dict[str, Handler] = {**OPERATIONS, **ARRAY_OPS, **ACTIVATION_OPS, **LAYERS, **IMAGES}


def is_model(source: object) -> bool:
    """Whether an object is a Keras model; does not import Keras."""
    return any(
        base.__name__ == "Model" and base.__module__.partition(".")[0] == "keras"
        for base in type(source).__mro__
    )


def from_keras(
    model: Any, *, name: str | None = None, output: str | int | None = None
) -> ReLUNetwork:
    """The network of a Keras model whose layers are known operations.

    Arguments:
        model: a ``Sequential`` model that is built, or one of the functional API.
        name: the network's name; the model's if None.
        output: which of several outputs, by place or by the name of its layer.

    Raises:
        NetworkError: a layer of another kind (named), several inputs, an open axis, or a model
            that has no graph.
        UnsupportedError: a model that mixes samples.
    """
    label = name or str(model.name)
    graph = _graph(model, label)
    inputs = list(graph.inputs)
    if len(inputs) != 1:
        raise NetworkError(f"{label} has {len(inputs)} inputs; give a model with one")
    shape = tuple(inputs[0].shape[1:])
    if not shape or not all(isinstance(n, int) and n > 0 for n in shape):
        raise NetworkError(
            f"{label} takes shape {tuple(inputs[0].shape)}; give a model with fixed sizes"
        )
    full = (2, *shape)
    folder = Folder(math.prod(shape), label)
    results = _run(graph, [folder.input(full, batch=True)], folder)
    value = results[_place(graph, len(results), label, output)]
    folder.place = "the output"
    if isinstance(value, Head):
        if not value.curved:
            raise NetworkError(f"{label}: {value.place} {MAXIMUM}")
        folder.notes.append(head_note(value.place))
        value = value.source
    if not isinstance(value, Image):
        raise NetworkError(f"{label}: its output does not depend on its input")
    return folder.finish(value)


def _graph(model: Any, label: str) -> Any:
    """The functional model that holds the graph of layers."""
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_nodes_by_depth"):
        raise NetworkError(
            f"{label} has no graph of layers (a Sequential model that is not built, or a class "
            "of its own); build it, or write it with the functional API"
        )
    return graph


def _place(graph: Any, count: int, label: str, output: str | int | None) -> int:
    names = list(getattr(graph, "output_names", [])) or [str(k) for k in range(count)]
    if output is None and count == 1:
        return 0
    if isinstance(output, int) and 0 <= output < count:
        return output
    if output in names:
        return names.index(str(output))
    listed = ", ".join(map(repr, names))
    raise NetworkError(
        f"{label} has {count} outputs ({listed}); choose one: load_network(model, output=...)"
    )


def _run(graph: Any, given: list[Any], folder: Folder) -> list[Any]:
    """The outputs of a graph of layers on given values."""
    if len(given) != len(graph.inputs):
        folder.fail(f"takes {len(graph.inputs)} tensors and gets {len(given)}")
    values = {id(tensor): value for tensor, value in zip(graph.inputs, given, strict=True)}

    def filled(nested: Any) -> Any:
        if id(nested) in values:
            return values[id(nested)]
        if isinstance(nested, list | tuple):
            return type(nested)(filled(part) for part in nested)
        if isinstance(nested, dict):
            return {key: filled(part) for key, part in nested.items()}
        return nested

    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.input_tensors:
                continue  # the inputs
            args = [filled(a) for a in node.arguments.args]
            given_by_name = node.arguments.kwargs.items()
            kwargs = {k: filled(v) for k, v in given_by_name if v is not None}  # such as no mask
            results = _applied(node.operation, args, kwargs, folder)
            for tensor, result in zip(node.output_tensors, results, strict=True):
                values[id(tensor)] = result
    return [values[id(tensor)] for tensor in graph.outputs]


def _applied(layer: Any, args: list[Any], kwargs: dict[str, Any], folder: Folder) -> list[Any]:
    kind = type(layer).__name__
    if is_model(layer):
        inner = _graph(layer, str(layer.name))
        given = args[0] if isinstance(args[0], list | tuple) else [args[0]]
        return _run(inner, list(given), folder)
    folder.place = f"{kind} {layer.name!r}"
    if kind == "TimeDistributed" and isinstance(args[0], Image):
        return [_each_in_turn(layer, args[0], folder)]
    own = type(layer).__module__.partition(".")[0] != "keras"
    handler = None if own else _HANDLERS.get(kind)
    context = Context(folder, layer)
    if handler is None:
        context.refuse()
    if context.heads(args):
        return [context.after_head(args)]
    try:
        inspect.signature(handler).bind(context, *args, **kwargs)
    except TypeError as error:
        context.refuse(f"is called in a way that is not read ({error})")
    try:
        result = handler(context, *args, **kwargs)
    except (ValueError, IndexError) as error:  # numpy's, for shapes that do not fit
        raise NetworkError(f"{folder.name}: {folder.place} does not fit: {error}") from error
    return list(result) if isinstance(result, list | tuple) else [result]


def _each_in_turn(layer: Any, image: Image, folder: Folder) -> Image:
    """A layer on every part of a tensor along its first axis behind that of samples."""
    parts = [folder.take(image, image.grid[:, k]) for k in range(image.shape[1])]
    results = [_applied(layer.layer, [part], {}, folder)[0] for part in parts]
    return joined(Context(folder, layer), results, 1)
