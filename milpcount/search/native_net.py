"""The network as the native kernels read it, from a frame and the counted layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from milpcount.core.network import Layer
from milpcount.kernels import native
from milpcount.search.frames.frame import Frame

__all__ = ["native_net"]


def native_net(frame: Frame, layers: Sequence[Layer], closed: bool) -> native.Net:
    """The network over a frame; of the first layer only the width and the slopes are used."""
    skips = [list(getattr(layer, "skips", ())) for layer in layers]
    reads = [
        layer.weight.shape[1] + sum(w.shape[1] for _, w in more)
        for layer, more in zip(layers, skips, strict=True)
    ]
    flat = [skip for more in skips for skip in more]
    sizes = [w.size for _, w in flat]
    return native.Net(
        n=frame.n,
        widths=np.array([layer.width for layer in layers], dtype=np.int64),
        first=np.ascontiguousarray(frame.first, dtype=np.float64),
        one=np.ascontiguousarray(frame.one, dtype=np.float64),
        domain=np.ascontiguousarray(frame.domain, dtype=np.float64),
        weights=_joined([layer.weight for layer in layers[1:]]),
        biases=np.concatenate([layer.bias for layer in layers]).astype(np.float64),
        slopes=np.concatenate([layer.slope for layer in layers]).astype(np.float64),
        terms=np.array([0, *reads[1:]], dtype=np.int64),
        skip_begin=np.cumsum([0, *(len(more) for more in skips)]).astype(np.int64),
        skip_source=np.array([source for source, _ in flat], dtype=np.int64),
        skip_offset=np.cumsum([0, *sizes])[: len(flat)].astype(np.int64),
        skip_weights=_joined([w for _, w in flat]),
        closed=closed,
        walls=bool(frame.signs),
    )


def _joined(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """All entries, column by column: what one unit of the layer before gives stands together."""
    return np.concatenate(
        [np.zeros(0), *(np.ascontiguousarray(m.T, dtype=np.float64).ravel() for m in matrices)]
    )
