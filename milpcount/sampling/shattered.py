"""A lower bound without chance: units of the first stage that take all states independently.

Let ``z`` be inside the domain, ``F`` the pre-activations of ``k`` units of the first stage, and let
``F(z + P s) = eps s + r`` with ``|r_i| < eps`` for every vector ``s`` of signs, ``z + P s`` inside
the domain.  Then all ``2^k`` combinations of states of these units occur in the interior, each on
an open set, and there are at least ``2^k`` regions, full ones and patterns alike, of the whole
network: every one of these sets holds a region, and no two hold the same.  With ``P = eps G^+`` for
the pseudo-inverse of the units' weights ``G`` and ``z`` near their common zeros, ``r`` is the
rounding; it is bounded, not estimated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.errors import UnsupportedError
from milpcount.search.frames.problem_frames import cube_frame, is_bounded

__all__ = ["shattered_units"]

Float = NDArray[np.float64]

_ROUNDOFF = 2.0**-52
_MOST = 1024  # units that are tried together: the pseudo-inverse takes their cube


def shattered_units(problem: CountProblem) -> int:
    """How many units of the first stage are shown to take all combinations of their states.

    0 where nothing is shown: polytopes, unbounded domains, and first stages without a zero.
    """
    if not problem.stages or not is_bounded(problem):
        return 0
    try:
        frame = cube_frame(problem)
    except UnsupportedError:  # beyond the range of floats
        return 0
    if frame.domain.shape[1]:
        return 0
    weights, constants, errors = frame.first[:-2], frame.first[-2], frame.first[-1]
    reach = np.abs(weights).sum(axis=0) / 2
    linear = problem.stages[0].linear
    able = np.flatnonzero((reach > 0) & ~linear & np.isfinite(reach))
    able = np.array([u for u in able.tolist() if u not in frame.signs], dtype=int)
    # Those whose zeros come nearest to the middle go together best.
    far = np.abs(weights[:, able].sum(axis=0) / 2 + constants[able]) / reach[able]
    able = able[np.argsort(far, kind="stable")][: min(_MOST, frame.n)]
    few, many = 0, len(able) + 1
    while many - few > 1:
        middle = (few + many) // 2
        taken = able[:middle]
        if _shatters(weights[:, taken].T, constants[taken], errors[taken]):
            few = middle
        else:
            many = middle
    return few


def _shatters(weights: Float, constants: Float, errors: Float) -> bool:
    """Whether the cube shatters these forms, of shape ``(k, n)`` and ``(k,)``; proved if so."""
    k, n = weights.shape
    # One scale for all forms.
    scale = np.abs(weights).sum(axis=1)
    weights, constants, errors = weights / scale[:, None], constants / scale, errors / scale
    inverse = np.linalg.pinv(weights)
    z = 0.5 - inverse @ (weights.sum(axis=1) / 2 + constants)
    spread = np.abs(inverse).sum(axis=1) * (1 + n * _ROUNDOFF)
    room = np.minimum(z, 1 - z)
    if not np.all(np.isfinite(spread)) or np.any(room <= 0):
        return False
    step = 0.5 * float(np.min(room / np.maximum(spread, 1e-300)))
    if not 1e-250 < step < 1e250:
        return False
    # A sum of m products is off by (m + 2) roundings of the sum of their sizes, scaling included.
    sizes = np.abs(weights)
    at = weights @ z + constants
    at_most = np.abs(at) + (n + 6) * _ROUNDOFF * (sizes @ np.abs(z) + np.abs(constants))
    product = np.abs(weights @ inverse - np.eye(k))
    product += (n + 6) * _ROUNDOFF * (sizes @ np.abs(inverse) + np.eye(k))
    off = at_most + 1.01 * errors + step * product.sum(axis=1) * (1 + k * _ROUNDOFF)
    return bool(np.all(off * (1 + 1e-9) + 1e-280 < step))
