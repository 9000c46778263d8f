"""Pieces of a network's function: full regions with one affine map are merged, exactly."""

from __future__ import annotations

from milpcount.linear.closed import merge_closed
from milpcount.linear.count_pieces import Ends, count_pieces
from milpcount.linear.merge import merge_linear
from milpcount.linear.pieces import LinearPieces

__all__ = ["Ends", "LinearPieces", "count_pieces", "merge_closed", "merge_linear"]
