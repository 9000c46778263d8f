"""The extension under one name, whichever variant it is; ``native.pyi`` tells its types."""

from __future__ import annotations

from milpcount.kernels.variants import load

_module = load()
VARIANT = _module.__name__.rpartition("_native_")[2]
globals().update({name: value for name, value in vars(_module).items() if name[0] != "_"})
