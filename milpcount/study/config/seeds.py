"""Seeds from named axes: the same names and values give the same seed, in any order or place."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["canonical_json", "derive_seed"]


def canonical_json(value: Any) -> str:
    """JSON text that does not depend on the order of keys or on spacing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def derive_seed(**axes: Any) -> int:
    """Return a 32-bit seed from named axes, whose values are JSON values."""
    digest = hashlib.sha256(b"milpcount seed 1\n" + canonical_json(axes).encode()).digest()
    return int.from_bytes(digest[:4], "big")
