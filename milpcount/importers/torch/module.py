"""PyTorch modules: chains of linear layers and ReLUs.

``Sequential`` modules are read as they are.  Other modules are traced symbolically (``torch.fx``),
which runs their ``forward`` on a placeholder; it must be a chain.  The module is not changed, and
is read as in evaluation mode whatever mode it is in.  Files (``.pt``, ``.pth``) are not read:
they are pickles, which run code when they are opened.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from milpcount.core.network import ReLUNetwork
from milpcount.errors import MissingDependencyError, NetworkError
from milpcount.importers.affine import Folder
from milpcount.importers.torch.chain import EXPORT, Chain, Step
from milpcount.importers.torch.trace import append_traced

__all__ = ["from_torch", "is_module"]


def is_module(source: object) -> bool:
    """Whether an object is a ``torch.nn.Module``; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def from_torch(module: Any, *, name: str | None = None) -> ReLUNetwork:
    """The network of a module that chains linear layers and ReLUs.

    Read are Linear, BatchNorm1d (folded), ReLU, LeakyReLU, PReLU, Flatten, Dropout, Identity, a
    final Softmax, LogSoftmax or Sigmoid (left out, which ``notes`` says), ``Sequential`` of these,
    and modules whose ``forward`` chains such modules and the functions of the same names.

    Raises:
        NetworkError: a submodule or function of another kind (named), sizes that do not chain, or
            a forward that cannot be traced.
        MissingDependencyError: torch is not installed.
    """
    label = name or type(module).__name__
    chain = _module_chain(module, label)
    size = next((step.size for step in chain.steps if step.size is not None), None)
    if size is None:
        raise NetworkError(f"{label}: no Linear layer tells the number of inputs; add one")
    folder = Folder(size, label)
    image = folder.input((size,))
    head = None
    for step in chain.steps:
        folder.place = step.place
        if head is not None:
            raise NetworkError(
                f"{label}: {head} is not piecewise linear, and {step.place} comes after it; "
                "only an output head at the very end can be left out"
            )
        if step.size not in (None, image.rows):
            raise NetworkError(
                f"{label}: {step.place} takes {step.size} inputs and gets {image.rows}; "
                f"if it works on more than one axis, {EXPORT}"
            )
        if step.run is None:
            head = step.place
        else:
            image = step.run(folder, image)
    folder.notes.extend(chain.notes)
    if head is not None:
        folder.notes.append(
            f"the output head {head} is left out: the network ends with the affine layer before "
            "it, and its activation patterns are the same"
        )
    folder.place = "the output"
    return folder.finish(image)


def _module_chain(module: Any, label: str) -> Chain:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingDependencyError("torch", "reading a PyTorch module", "torch") from error
    if isinstance(module, torch.jit.ScriptModule):
        raise NetworkError(f"{label} is compiled (TorchScript); give the module it was made from")
    chain = Chain(label)
    _append(chain, module, "")
    return chain


def _append(chain: Chain, module: Any, path: str) -> None:
    """Append the stages of a module; ``path`` is its name inside the whole."""
    import torch

    kind = type(module).__name__
    place = f"{kind} {path!r}" if path else kind
    if module._forward_hooks or module._forward_pre_hooks:
        chain.note(f"{place} has forward hooks; what they do is not part of the network")
    if "forward" in vars(module):
        raise NetworkError(
            f"{chain.label}: {place} has a forward of its own on the instance; define it in a class"
        )

    def is_plainly(base: str) -> bool:
        # A subclass with a forward of its own is not what its name says.
        known = getattr(torch.nn, base)
        return isinstance(module, known) and type(module).forward is known.forward

    def append(child: Any, key: str) -> None:
        _append(chain, child, f"{path}.{key}" if path else key)

    reader = next((read for base, read in _READERS.items() if is_plainly(base)), None)
    if is_plainly("Sequential"):
        for key, child in module.named_children():
            append(child, key)
    elif reader is not None:
        reader(chain, module, place)
    elif type(module).__module__.startswith("torch.nn.modules"):
        remedy = EXPORT if kind.startswith(("Conv", "AvgPool")) else "take it out or replace it"
        raise NetworkError(f"{chain.label}: {place} is not a linear layer or a ReLU; {remedy}")
    else:
        append_traced(chain, module, place, append)


def _read_linear(chain: Chain, module: Any, place: str) -> None:
    chain.linear(place, module.weight, module.bias)


def _read_relu(chain: Chain, module: Any, place: str) -> None:
    chain.relu(place)


def _read_leaky(chain: Chain, module: Any, place: str) -> None:
    chain.relu(place, float(module.negative_slope))


def _read_prelu(chain: Chain, module: Any, place: str) -> None:
    slope = chain.array(module.weight, place)
    if slope.size == 1:
        chain.relu(place, float(slope[0]))
    else:
        chain.steps.append(Step(place, slope.size, lambda f, x: f.relu(x, slope)))


def _read_batch_norm(chain: Chain, module: Any, place: str) -> None:
    if module.running_mean is None:
        raise NetworkError(
            f"{chain.label}: {place} has no running statistics, so it depends on the batch; "
            "train it with track_running_stats=True"
        )
    if module.training:
        chain.note_training()
    mean, variance = (chain.array(t, place) for t in (module.running_mean, module.running_var))
    scale, offset = (
        np.full(mean.shape, default) if tensor is None else chain.array(tensor, place)
        for tensor, default in ((module.weight, 1.0), (module.bias, 0.0))
    )
    parameters, epsilon = (scale, offset, mean, variance), float(module.eps)
    chain.steps.append(Step(place, mean.size, lambda f, x: f.batch_norm(x, 0, parameters, epsilon)))


def _read_flatten(chain: Chain, module: Any, place: str) -> None:
    if module.start_dim not in (0, 1) or module.end_dim != -1:
        raise NetworkError(
            f"{chain.label}: {place} flattens only dimensions {module.start_dim} to "
            f"{module.end_dim}; {EXPORT}"
        )
    chain.reshape(place, None)


def _read_nothing(chain: Chain, module: Any, place: str) -> None:
    if module.training and type(module).__name__ != "Identity":
        chain.note_training()


def _read_head(chain: Chain, module: Any, place: str) -> None:
    chain.head(place)


_READERS: dict[str, Callable[[Chain, Any, str], None]] = {
    "BatchNorm1d": _read_batch_norm,
    "Dropout": _read_nothing,
    "Flatten": _read_flatten,
    "Identity": _read_nothing,
    "LeakyReLU": _read_leaky,
    "Linear": _read_linear,
    "LogSoftmax": _read_head,
    "PReLU": _read_prelu,
    "ReLU": _read_relu,
    "Sigmoid": _read_head,
    "Softmax": _read_head,
}
