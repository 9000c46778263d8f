"""A stand-in for the input of a PyTorch module, with which its ``forward`` is run once.

The stand-in is a tensor without data.  PyTorch hands every function that meets it to
:meth:`Traced.__torch_function__`, which computes the affine function that its result would hold:
so any ``forward`` is read, with its loops and its branches on shapes, and one that branches on
values is refused.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from milpcount.errors import NetworkError
from milpcount.importers._files import require_bytes
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image, same_entries
from milpcount.importers.values import Choice, Head

__all__ = ["EXPORT", "Function", "Traced", "Walk"]

Float = NDArray[np.float64]
Value = Image | Head | Choice
Function = Callable[..., Any]

EXPORT = "export the module to ONNX (torch.onnx.export) and load that file"
"""The way out for modules that cannot be run on a stand-in."""

_PLAIN = frozenset(
    {
        *("__len__", "dim", "element_size", "get_device", "is_complex", "is_contiguous"),
        *("is_floating_point", "ndimension", "nelement", "numel", "size", "stride"),
    }
)
"""What is asked of a tensor without a look at its numbers."""

_TURNED = frozenset({"T", "mT"})


class Traced(torch.Tensor):  # type: ignore[misc]
    """A tensor without numbers that knows what function of the input it is."""

    value: Value
    walk: Walk
    family: list[weakref.ReferenceType[Traced]]
    stale: bool

    @staticmethod
    def __new__(cls, value: Value, walk: Walk, shape: Sequence[int]) -> Any:
        """A stand-in of the given shape."""
        dtype = torch.bool if isinstance(value, Choice) else walk.dtype
        made = torch.Tensor._make_wrapper_subclass(cls, tuple(shape), dtype=dtype)
        made.value, made.walk, made.stale = value, walk, False
        made.family = [weakref.ref(made)]
        return made

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What a function of PyTorch makes of stand-ins."""
        kwargs = kwargs or {}
        name = str(getattr(func, "__name__", func))
        if name in ("__get__", "__set__"):
            name = str(getattr(getattr(func, "__self__", None), "__name__", "attribute"))
            if name not in _TURNED:
                name = "data" if name == "data" else "__len__"
        if name in _PLAIN:
            return super().__torch_function__(func, types, args, kwargs)
        return _first([args, kwargs]).walk.call(name, func, args, kwargs)

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Refuse what gets past the functions, as its effect is not known."""
        _first([args, kwargs]).walk.refuse(str(func))

    def __bool__(self) -> NoReturn:
        """Refuse branches on values."""
        self.walk.fail("branches on a value that depends on the input")


def _first(nested: Any) -> Any:
    """The first stand-in in nested arguments."""
    found = next(_stand_ins(nested), None)
    if found is None:
        raise NetworkError("a function was called for a stand-in without one")
    return found


def _stand_ins(nested: Any) -> Any:
    if isinstance(nested, Traced):
        yield nested
    elif isinstance(nested, list | tuple):
        for part in nested:
            yield from _stand_ins(part)
    elif isinstance(nested, dict):
        yield from _stand_ins(list(nested.values()))


class Walk:
    """One run of a module on a stand-in.

    Attributes:
        folder: does the arithmetic.
        label: the module's name, for messages.
        modules: kinds and names of the modules that are running, the innermost last.
        dtype: of the stand-ins.
    """

    def __init__(self, folder: Folder, label: str, functions: dict[str, Function]) -> None:
        self.folder = folder
        self.label = label
        self.modules: list[tuple[str, bool]] = []
        self.dtype = torch.float32
        self.ran_dropout = False
        self._functions = functions

    def fail(self, reason: str) -> NoReturn:
        """Refuse what is running."""
        self.folder.fail(f"{reason}; {EXPORT}")

    def refuse(self, name: str) -> NoReturn:
        """Refuse a function by name."""
        self._enter(name)
        self.folder.fail(
            f"is not known to be piecewise linear; take it out, replace it, or {EXPORT}"
        )

    def wrap(self, value: Any, like: Traced | None = None) -> Any:
        """A result as the module sees it; ``like`` is what it is a view of."""
        if isinstance(value, tuple):
            return tuple(self.wrap(part, like) for part in value)
        if not isinstance(value, Image | Choice | Head):
            return value
        if isinstance(value, Head):
            made = Traced(value, self, value.shape or ())
        else:
            made = Traced(value, self, value.shape)
        if like is not None:
            like.family.append(weakref.ref(made))
            made.family = like.family
        return made

    def any_value(self, given: Any) -> Value | Float:
        """A tensor or a number as what it holds."""
        if isinstance(given, Traced):
            if given.stale:
                self.fail("uses a tensor that was changed in place through a view of it")
            return given.value
        if isinstance(given, torch.Tensor):
            return self.array(given)
        if isinstance(given, bool | int | float | np.generic):
            return np.asarray(float(given))
        return self.fail(f"takes {type(given).__name__} where a tensor is needed")

    def value(self, given: Any) -> Image | Float:
        """A tensor of numbers."""
        value = self.any_value(given)
        if isinstance(value, Head):
            raise NetworkError(
                f"{self.label}: {value.place} {value.reason}, and {self.folder.place} comes after "
                "it; only an output head at the very end can be left out"
            )
        if isinstance(value, Choice):
            self.fail("works on comparisons; only a choice by them (torch.where) is read")
        return value

    def image(self, given: Any) -> Image:
        """A tensor that depends on the input."""
        value = self.value(given)
        if not isinstance(value, Image):
            self.fail("has an operand that does not depend on the input")
        return value

    def constant(self, given: Any, what: str) -> Float:
        """A tensor that does not."""
        value = self.value(given)
        if isinstance(value, Image):
            self.fail(f"has {what} computed from the input, which is not piecewise linear")
        return value

    def array(self, tensor: Any) -> Float:
        """A tensor's numbers, widened to float64 without rounding."""
        if torch.nn.parameter.is_lazy(tensor) or tensor.is_meta:
            self.folder.fail("has no weights yet; initialise it first")
        if tensor.is_complex() or tensor.layout is not torch.strided:
            self.folder.fail(
                f"has weights of type {tensor.dtype}, {tensor.layout}; dense real floats are needed"
            )
        require_bytes(tensor.numel() * 8, f"{self.label}: {self.folder.place}", NetworkError)
        widened = tensor.detach().to(device="cpu", dtype=torch.float64)
        return np.array(widened.numpy(), dtype=np.float64)

    def call(self, name: str, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """What the function ``name`` makes of its arguments."""
        base, in_place = _plain_name(name)
        in_place |= bool(kwargs.pop("inplace", False))
        heads = [t for t in _stand_ins([args, kwargs]) if isinstance(t.value, Head)]
        function = self._functions.get(base)
        self._enter(base)
        if kwargs.pop("out", None) is not None:
            self.fail("writes its result into a tensor that it is given")
        from milpcount.importers.torch.module_heads import AFTER, HEADS, VIEWS

        if heads and base not in VIEWS:
            if base not in AFTER:
                self.value(heads[0])
            result = self._head(func, args, kwargs, heads[0].value)
        elif base in HEADS and function is None:
            source = self.image(_first([args, kwargs]))
            result = self._head(func, args, kwargs, Head(source, None, self.folder.place))
        elif heads:
            result = self._head(func, args, kwargs, heads[0].value)
        elif function is None:
            self.refuse(base)
        else:
            try:
                result = function(self, *args, **kwargs)
            except (ValueError, IndexError) as error:  # numpy's, for shapes that do not fit
                shapes = [tuple(t.shape) for t in _stand_ins([args, kwargs])]
                raise NetworkError(
                    f"{self.label}: {self.folder.place} does not fit its inputs of shapes "
                    f"{shapes}: {error}"
                ) from error
        if result is _SAME:
            return args[0]
        if in_place:
            return self._changed(args[0], result)
        view_of = args[0] if base in VIEWS and args and isinstance(args[0], Traced) else None
        return self.wrap(result, view_of)

    def _changed(self, target: Any, result: Any) -> Any:
        if not isinstance(target, Traced) or not isinstance(result, Image):
            self.fail("changes a tensor in place in a way that is not read")
        if tuple(result.shape) != tuple(target.shape):
            self.fail("changes the shape of a tensor in place")
        for other in target.family:
            seen = other()
            if seen is not None and seen is not target:
                seen.stale = True
        target.value = result
        return target

    def _head(self, func: Any, args: Any, kwargs: dict[str, Any], head: Any) -> Any:
        """A function that begins or goes on with a head; its shape is that of the real one."""
        for other in _stand_ins([args, kwargs]):
            value = self.any_value(other)
            source = value.source if isinstance(value, Head) else value
            if not isinstance(source, Image) or not same_entries(source, head.source):
                raise NetworkError(
                    f"{self.label}: {head.place} is not piecewise linear, and "
                    f"{self.folder.place} brings it together with another tensor; only an output "
                    "head at the very end can be left out"
                )
        try:
            result = func(*_empty(args), **_empty(kwargs))
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            reason = str(error).partition("\n")[0]
            raise NetworkError(f"{self.label}: {self.folder.place} fails ({reason})") from error
        parts = tuple(result) if isinstance(result, tuple | list) else (result,)
        heads = tuple(Head(head.source, tuple(part.shape), head.place) for part in parts)
        return heads if isinstance(result, tuple | list) else heads[0]

    def _enter(self, name: str) -> None:
        """Note where we are: a module of torch, or a function inside another one."""
        place, known = self.modules[-1] if self.modules else (self.label, False)
        self.folder.place = place if known else f"{name} (in {place})"


_SAME = object()


def same(walk: Walk, tensor: Any, *_args: Any, **_kwargs: Any) -> Any:
    """What gives its tensor back."""
    walk.any_value(tensor)
    return _SAME


def _plain_name(name: str) -> tuple[str, bool]:
    """A function's name without underscores, and whether it works in place."""
    if name.startswith("__") and name.endswith("__"):
        base = name[2:-2]
        if base in ("iadd", "isub", "imul", "itruediv", "idiv"):
            return base[1:], True
        return base, False
    if name.endswith("_"):
        return name.rstrip("_"), True
    return name.lstrip("_"), False


def _empty(nested: Any) -> Any:
    """Arguments with tensors of zeros for stand-ins, for the shape of a result."""
    if isinstance(nested, Traced):
        return torch.zeros(tuple(nested.shape), dtype=nested.dtype)
    if isinstance(nested, torch.Tensor):
        return torch.zeros(nested.shape, dtype=nested.dtype)
    if isinstance(nested, list | tuple):
        return type(nested)(map(_empty, nested))
    if isinstance(nested, dict):
        return {key: _empty(part) for key, part in nested.items()}
    return nested
