"""Linear regions: neighbouring full regions with one affine map are merged, exactly."""

from __future__ import annotations

from milpcount.linear.merge import merge_linear
from milpcount.linear.pieces import LinearPieces

__all__ = ["LinearPieces", "merge_linear"]
