"""Which compiled variant of the kernels this process uses."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

from milpcount.errors import InputError, UnsupportedError

__all__ = ["VARIANTS", "available", "load", "runnable"]

VARIANTS = ("baseline", "avx2", "avx512")  # each needs all that those before it need
_ENVIRONMENT = "MILPCOUNT_KERNELS"
_MISSING = (
    "the native kernels are not built: run python scripts/build_kernels.py in the checkout or "
    "pip install it, or use engine tree-highs"
)


def available() -> tuple[str, ...]:
    """The variants that were built, poorest first."""
    return tuple(
        name
        for name in VARIANTS
        if importlib.util.find_spec(f"milpcount.kernels._native_{name}") is not None
    )


def runnable() -> tuple[str, ...]:
    """The variants that were built and that this processor can run, poorest first.

    Raises:
        UnsupportedError: nothing was built.
    """
    built = available()
    if not built:
        raise UnsupportedError(_MISSING)
    best: str = importlib.import_module("milpcount.kernels._processor").best()
    return tuple(name for name in built if VARIANTS.index(name) <= VARIANTS.index(best))


def load() -> ModuleType:
    """Load the richest variant, or the one that ``MILPCOUNT_KERNELS`` names.

    Raises:
        UnsupportedError: nothing was built, or this processor cannot run the one that is named.
        InputError: there is no such variant.
    """
    names = runnable()
    wanted = os.environ.get(_ENVIRONMENT) or names[-1]
    if wanted not in VARIANTS:
        raise InputError(f"{_ENVIRONMENT}={wanted}: there is no such variant; {_choices(names)}")
    if wanted not in names:
        raise UnsupportedError(
            f"{_ENVIRONMENT}={wanted}: this processor or this build does not have it; "
            f"{_choices(names)}"
        )
    return importlib.import_module(f"milpcount.kernels._native_{wanted}")


def _choices(names: tuple[str, ...]) -> str:
    return f"choose {' or '.join(names)}, or leave it unset"
