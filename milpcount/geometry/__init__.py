"""Regions as objects, complexes of all faces, and what is computed on them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milpcount.geometry.differentiable.torch_complex import torch_complex as torch_complex


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch on first use."""
    if name == "torch_complex":
        module = importlib.import_module("milpcount.geometry.differentiable.torch_complex")
        return module.torch_complex
    raise AttributeError(f"module 'milpcount.geometry' has no attribute {name!r}")
