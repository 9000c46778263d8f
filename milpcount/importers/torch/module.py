"""PyTorch modules.

The ``forward`` of a module is run once, in evaluation mode, on a stand-in for a batch of two
samples (:mod:`.trace_walk`), which also shows that it treats samples alike.  The
module is left as it was.  Files (``.pt``, ``.pth``) are not read: they are pickles, which run code
when they are opened.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from milpcount.core.network import ReLUNetwork
from milpcount.errors import MilpcountError, MissingDependencyError, NetworkError
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image
from milpcount.importers.samples import MixedSamplesError
from milpcount.importers.values import MAXIMUM, Head, head_note

__all__ = ["from_torch", "is_module", "require_plain"]

_REMEDY = "give the shape of a sample: load_network(module, input_shape=(1, 28, 28))"
# What a forward raises is up to its author.
_RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)


def is_module(source: object) -> bool:
    """Whether an object is a ``torch.nn.Module``; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def from_torch(
    module: Any,
    *,
    name: str | None = None,
    input_shape: Sequence[int] | None = None,
    output: str | int | None = None,
) -> ReLUNetwork:
    """The network of a module whose ``forward`` is made of known operations.

    Known are linear layers, convolutions and their transposes, average pools, batch normalisation,
    ReLU and its kin with two or three pieces, sums, concatenations, and what moves entries.  A head
    at the very end (softmax, tanh) is left out, which ``notes`` says.

    Arguments:
        module: the module.
        name: the network's name; that of the module's class if None.
        input_shape: of one sample, without the batch; the width of the first linear layer if None.
        output: which of several results, by place or key.

    Raises:
        NetworkError: an operation of another kind (named), sizes that do not fit, or a forward
            that cannot be run on a stand-in.
        UnsupportedError: a forward that mixes samples.
        MissingDependencyError: torch is not installed.
    """
    label = name or type(module).__name__
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingDependencyError("torch", "reading a PyTorch module", "torch") from error
    require_plain(torch, module, label)
    shape = _sample_shape(torch, module, label, input_shape)
    try:
        return _run(module, label, shape, 2, output)
    except MixedSamplesError:
        raise
    except NetworkError:
        # A forward may be written for one sample at a time.
        return _run(module, label, shape, 1, output)


def require_plain(torch: Any, module: Any, label: str) -> None:
    """Refuse a module that is compiled, has no weights yet, or takes several inputs.

    Raises:
        NetworkError: it is one of these.
    """
    compiled = isinstance(module, torch.jit.ScriptModule) or hasattr(module, "_orig_mod")
    if compiled:
        raise NetworkError(f"{label} is compiled; give the module that it was made from")
    for path, tensor in (*module.named_parameters(), *module.named_buffers()):
        if torch.nn.parameter.is_lazy(tensor) or tensor.is_meta:
            raise NetworkError(f"{label}: {path!r} has no weights yet; initialise the module first")
    required = [
        parameter
        for parameter in inspect.signature(module.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(required) > 1:
        names = ", ".join(parameter.name for parameter in required)
        raise NetworkError(
            f"{label} takes several inputs ({names}); wrap it in a module that takes one"
        )


def _sample_shape(
    torch: Any, module: Any, label: str, given: Sequence[int] | int | None
) -> tuple[int, ...]:
    if given is not None:
        shape = (given,) if isinstance(given, int) else tuple(given)
        if not shape or any(not isinstance(n, int) or n < 1 for n in shape):
            raise NetworkError(f"{label}: input_shape {given!r} is not a shape of a sample")
        return shape
    for path, part in module.named_modules():
        kind = type(part).__name__
        if isinstance(part, torch.nn.Linear):
            return (int(part.in_features),)
        if isinstance(part, torch.nn.BatchNorm1d):
            return (int(part.num_features),)
        if isinstance(part, torch.nn.PReLU) and part.num_parameters > 1:
            return (int(part.num_parameters),)
        if kind.startswith(("Conv", "BatchNorm", "AvgPool", "AdaptiveAvgPool", "MaxPool")):
            raise NetworkError(f"{label}: {kind} {path!r} works on any size; {_REMEDY}")
    raise NetworkError(f"{label}: no Linear layer tells the number of inputs; {_REMEDY}")


def _run(
    module: Any, label: str, shape: tuple[int, ...], samples: int, output: str | int | None
) -> ReLUNetwork:
    import torch

    from milpcount.importers.torch.functions import FUNCTIONS
    from milpcount.importers.torch.trace_walk import EXPORT, Traced, Walk

    folder = Folder(math.prod(shape), label)
    walk = Walk(folder, label, FUNCTIONS)
    floats = (p.dtype for p in module.parameters() if p.is_floating_point())
    walk.dtype = next(floats, torch.float32)
    full = (samples, *shape)
    entry = Traced(folder.input(full, batch=samples > 1), walk, full)
    try:
        with _watched(module, walk), _evaluating(module, walk), torch.no_grad():
            result = module(entry)
    except MilpcountError:
        raise
    except _RAISED as error:
        reason = str(error).partition("\n")[0]
        raise NetworkError(
            f"{label}: its forward cannot be run on a stand-in for its input ({reason}); "
            f"{_REMEDY} if that is the reason, or {EXPORT}"
        ) from error
    folder.place = "the output"
    value = _chosen(result, label, output)
    if isinstance(value, Traced):
        value = walk.any_value(value)
    if isinstance(value, Head):
        if not value.curved:
            raise NetworkError(f"{label}: {value.place} {MAXIMUM}")
        folder.notes.append(head_note(value.place))
        value = value.source
    if not isinstance(value, Image):
        raise NetworkError(f"{label}: its result does not depend on the input as a tensor does")
    return folder.finish(value)


def _chosen(result: Any, label: str, output: str | int | None) -> Any:
    """The one result, or the one of several that is asked for."""
    if not isinstance(result, list | tuple | dict):
        return result
    results = dict(result) if isinstance(result, dict) else dict(enumerate(result))
    if output is None and len(results) == 1:
        output = next(iter(results))
    if output not in results:
        listed = ", ".join(map(repr, results))
        raise NetworkError(
            f"{label} gives several results ({listed}); choose one: "
            "load_network(module, output=...)"
        )
    return results[output]


@contextlib.contextmanager
def _watched(module: Any, walk: Any) -> Iterator[None]:
    """While it lasts, the walk knows which modules are running."""
    import torch

    handles = []
    containers = (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)

    def watch(part: Any, place: str, known: bool) -> None:
        def enter(_part: Any, _given: Any) -> None:
            walk.modules.append((place, known))

        def leave(_part: Any, _given: Any, _result: Any) -> None:
            walk.modules.pop()

        handles.append(part.register_forward_pre_hook(enter, prepend=True))
        handles.append(part.register_forward_hook(leave))

    for path, part in module.named_modules():
        kind = type(part).__name__
        place = f"{kind} {path!r}" if path else kind
        if part._forward_hooks or part._forward_pre_hooks:
            walk.folder.notes.append(
                f"{place} has forward hooks, which were run: what they make of its values is part "
                "of the network"
            )
        own = type(part).__module__.startswith("torch.nn.") and not isinstance(part, containers)
        watch(part, place, own)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _evaluating(module: Any, walk: Any) -> Iterator[None]:
    """While it lasts, the module is in evaluation mode; afterwards as it was."""
    parts = [(part, part.training) for part in module.modules()]
    sensitive = ("Dropout", "BatchNorm", "AlphaDropout", "FeatureAlphaDropout", "RReLU")
    noted = any(training and type(part).__name__.startswith(sensitive) for part, training in parts)
    for part, _ in parts:
        part.training = False
    try:
        yield
    finally:
        for part, training in parts:
            part.training = training
    if noted or (walk.ran_dropout and module.training):
        walk.folder.notes.append(
            "the module is in training mode; it is read as in evaluation mode (Dropout off, "
            "BatchNorm with its running statistics)"
        )
