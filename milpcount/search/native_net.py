"""The network as the native kernels read it, from a frame and the counted stages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from milpcount.core.matrix import Matrix, dense
from milpcount.core.stage import Stage
from milpcount.kernels import native
from milpcount.search.frames.frame import Frame

__all__ = ["native_net"]


def native_net(frame: Frame, stages: Sequence[Stage], closed: bool) -> native.Net:
    """The network over a frame; of the first stage only the width and the slopes are used.

    Stages are numbered from 0 here: stage ``l`` reads ``l - 1`` by ``weights`` (zeros if it does
    not read it at all), and earlier ones by skips.
    """
    before, skips, begin, terms = [], [], [0], [0]
    for place, stage in enumerate(stages[1:], start=1):
        weights = dict(zip(stage.reads, stage.weights, strict=True))
        last = weights.pop(place, None)
        before.append(np.zeros((stage.width, stages[place - 1].width)) if last is None else last)
        skips += [(k - 1, weight) for k, weight in sorted(weights.items())]
        begin.append(len(skips))
        terms.append(stages[place - 1].width + sum(w.shape[1] for w in weights.values()))
    sizes = [w.shape[0] * w.shape[1] for _, w in skips]
    return native.Net(
        n=frame.n,
        widths=np.array([stage.width for stage in stages], dtype=np.int64),
        first=np.ascontiguousarray(frame.first, dtype=np.float64),
        one=np.ascontiguousarray(frame.one, dtype=np.float64),
        domain=np.ascontiguousarray(frame.domain, dtype=np.float64),
        weights=_joined(before),
        biases=np.concatenate([stage.bias for stage in stages]).astype(np.float64),
        slopes=np.concatenate([stage.slope for stage in stages]).astype(np.float64),
        terms=np.array(terms, dtype=np.int64),
        skip_begin=np.array([0, *begin], dtype=np.int64),
        skip_source=np.array([source for source, _ in skips], dtype=np.int64),
        skip_offset=np.cumsum([0, *sizes])[: len(skips)].astype(np.int64),
        skip_weights=_joined([w for _, w in skips]),
        closed=closed,
        walls=bool(frame.signs),
    )


def _joined(matrices: Sequence[Matrix]) -> np.ndarray:
    """All entries, column by column: what one unit that is read gives stands together."""
    return np.concatenate([np.zeros(0), *(dense(m).ravel(order="F") for m in matrices)])
