"""Watches a PyTorch forward pass, operation by operation, for kinks and for what is smooth.

Every operation of PyTorch, whether a module, a function or an operator calls it, ends in one of
some hundreds of primitive ones, which a dispatch mode sees.  What depends on the input is
followed through the storages of tensors.  An operation on it must be linear, or linear in one
factor with the others constant, or piecewise linear; of these the samples with an argument exactly
on a kink are noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from milpcount.errors import NetworkError
from milpcount.geometry.local_maps.kinks import CONSTANT, KINKS, LINEAR, PRODUCTS, TIES

__all__ = ["BoundaryWatch"]

_RANDOM = ("bernoulli", "bernoulli_", "native_dropout", "rand_like", "randn_like", "uniform_")
_EVALUATE = "call module.eval() first"


class BoundaryWatch(TorchDispatchMode):  # type: ignore[misc]
    """A context in which a module is run on a batch.

    Attributes:
        touched: for each sample of the batch whether an argument lay exactly on a kink.
        smooth: where not ``strict``, what is not piecewise linear; it is refused else.
    """

    def __init__(self, module: Any, label: str, batch: Any, *, strict: bool = True) -> None:
        super().__init__()
        self.touched = torch.zeros(len(batch), dtype=torch.bool, device=batch.device)
        self.smooth: list[str] = []
        self._module, self._label, self._strict = module, label, strict
        self._at: list[str] = []
        # A storage is told by its address, which stays its own while a tensor holds it.
        self._held = [batch]
        self._dependent = {_storage(batch)}
        # Entries that a ReLU has set to 0 and keeps there around the input, by storage.
        self._idle: dict[int, Any] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch, and know which module is at work."""
        handles = []
        for path, part in self._module.named_modules():
            name = f"{path!r} ({type(part).__name__})" if path else type(part).__name__
            handles.append(part.register_forward_pre_hook(self._entering(name)))
            handles.append(part.register_forward_hook(self._leaving, always_call=True))
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str) -> Callable[..., None]:
        return lambda *_: self._at.append(name)

    def _leaving(self, *_: Any) -> None:
        self._at.pop()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Judge an operation, and run it."""
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        # An operation in place is called as the other one, with a line after its name.
        plain = name.removesuffix("_")
        idle = None
        dependent = [a for a in _tensors((args, kwargs)) if self._depends(a)]
        if name in _RANDOM:
            self._refuse(name, f"which draws random numbers; {_EVALUATE}")
        elif dependent:
            self._judge(name, plain, args, kwargs)
            idle = (args[0] < 0).contiguous() if plain == "relu" else None
        out = func(*args, **kwargs)
        if name != plain and args and isinstance(args[0], torch.Tensor):
            self._idle.pop(_storage(args[0]), None)
        if dependent and plain not in CONSTANT:
            for result in _tensors(out):
                if result.is_floating_point():
                    self._held.append(result)
                    self._dependent.add(_storage(result))
                    if idle is not None:
                        self._idle[_storage(result)] = idle
        return out

    def _depends(self, tensor: Any) -> bool:
        return _storage(tensor) in self._dependent

    def _judge(self, name: str, plain: str, args: Any, kwargs: dict[str, Any]) -> None:
        """Refuse what is not piecewise linear; note samples on kinks."""
        if plain in CONSTANT or plain in LINEAR:
            pass
        elif plain in PRODUCTS:
            self._judge_product(name, plain, args, kwargs)
        elif plain in KINKS:
            found = KINKS[plain](args, kwargs)
            if isinstance(found, str):
                self._refuse(name, found)
            for place in [] if isinstance(found, str) else found:
                self._note(place)
        elif plain in TIES:
            x, idle = args[0], self._idle.get(_storage(args[0]))
            # Of the same entries in the same order, if perhaps in another shape.
            if idle is not None:
                fits = idle.numel() == x.numel() and x.is_contiguous()
                idle = idle.reshape(x.shape) if fits else None
            self._note(TIES[plain](args, kwargs, idle))
        else:
            self._refuse(name, "which is not piecewise linear, or not known to be")

    def _judge_product(self, name: str, plain: str, args: Any, kwargs: dict[str, Any]) -> None:
        first = PRODUCTS[plain]
        factors = list(_tensors(args[first:]))
        if "batch_norm" in plain and (plain.endswith("legit") or args[5]):
            self._refuse(
                name,
                f"which here takes the statistics of its input; {_EVALUATE}, or keep running ones",
            )
        elif kwargs.get("rounding_mode") is not None:
            self._refuse(name, "which rounds")
        elif plain == "div" and any(map(self._depends, factors[1:])):
            self._refuse(name, "which here divides by what depends on the input")
        elif sum(map(self._depends, factors)) > 1:
            self._refuse(name, "which here multiplies two tensors that depend on the input")

    def _note(self, kinks: Any) -> None:
        """Samples with an argument on a kink; all of them where samples are not kept apart."""
        n = len(self.touched)
        if kinks.numel() % n == 0:
            self.touched |= kinks.reshape(n, -1).any(dim=1)
        elif bool(kinks.any()):
            self.touched[:] = True

    def _refuse(self, name: str, why: str) -> None:
        where = self._at[-1] if self._at else self._label
        message = f"{where} computes {name}, {why}"
        if self._strict:
            raise NetworkError(f"{self._label}: {message}")
        self.smooth.append(message)


def _storage(tensor: Any) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(nested: Any) -> Iterator[Any]:
    """The tensors in arguments or results."""
    if isinstance(nested, torch.Tensor):
        yield nested
    elif isinstance(nested, dict):
        yield from _tensors(tuple(nested.values()))
    elif isinstance(nested, list | tuple):
        for part in nested:
            yield from _tensors(part)
