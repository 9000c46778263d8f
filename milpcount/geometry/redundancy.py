"""Proofs in floats that a row is redundant.

A redundant row ``r = sum_v l_v r_v + c`` with ``l >= 0``, ``c >= 0`` is proved

- over a bounded box by the least value of ``r - sum_v l_v r_v`` over the box, rounded downward;
- in ``R^d`` by ``d`` rows with an approximate inverse ``C`` of their matrix ``A``: if
  ``|I - A C| <= e < 1`` the exact multipliers differ from ``l`` by at most ``|p C| / (1 - e)`` in
  the 1-norm, ``p`` the residual of ``l``; they are positive if ``l`` is larger than that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.float_forms import ROUNDOFF, FloatForms
from milpcount.geometry.space import Space

__all__ = ["least_over_box", "redundant"]

Float = NDArray[np.float64]


def redundant(space: Space, forms: FloatForms, lengths: Float, k: int, duals: Float) -> bool:
    """Whether the multipliers are proved to make the row of a wall redundant."""
    values, errors = forms.values, forms.errors
    multipliers = duals / lengths * lengths[k]
    multipliers[k] = 0.0
    used = np.flatnonzero(multipliers > 1e-12 * max(float(multipliers.max(initial=0.0)), 1.0))
    weight = multipliers[used]
    rest = values[k] - weight @ values[used]
    blur = errors[k] + weight @ errors[used]
    size = np.abs(values[k]) + weight @ np.abs(values[used])
    blur = 1.001 * (blur + (len(used) + 3) * ROUNDOFF * size)
    if np.all(np.isfinite(space.lo)) and np.all(np.isfinite(space.hi)):
        if least_over_box(space, rest, blur) > 0:
            return True
    elif space.bounded_sides:
        return False
    # Coordinates on which neither the row nor the others depend at all do not count.
    both = np.append(used, k)
    depends = np.any(values[both, :-1] != 0, axis=0) | np.any(errors[both, :-1] != 0, axis=0)
    d = int(depends.sum())
    if len(used) != d:
        return False
    columns = np.append(np.flatnonzero(depends), space.d)
    square, spread = values[np.ix_(used, columns)], errors[np.ix_(used, columns)]
    rest, blur = rest[columns], blur[columns]
    try:
        inverse = np.linalg.inv(square[:, :-1])
    except np.linalg.LinAlgError:
        return False
    size = np.abs(square[:, :-1]) @ np.abs(inverse)
    off = np.abs(np.eye(d) - square[:, :-1] @ inverse) + spread[:, :-1] @ np.abs(inverse)
    off = 1.001 * (off + (d + 3) * ROUNDOFF * (size + 1.0))
    e = float(off.sum(axis=1).max(initial=0.0))
    if not e < 0.5:
        return False
    residual = np.abs(rest[:-1]) + blur[:-1]
    change = 1.01 * float((residual @ np.abs(inverse)).sum()) / (1.0 - e)
    if not np.all(weight > change):
        return False
    return bool(rest[-1] - blur[-1] - change * np.abs(square[:, -1]).sum() * 1.01 > 0)


def least_over_box(
    space: Space,
    rest: Float,
    blur: Float,
    extra: tuple[int, float] | None = None,
    beyond: bool = False,
) -> float:
    """A lower bound on the form ``rest`` over the bounded box.

    ``extra`` adds a coordinate times a sign; ``beyond`` moves the end of the box that this falls
    to outward: a region that passes an end has points just beyond it.
    """
    lift = space.lift
    slopes: Float = rest[:-1] @ lift
    spread = blur[:-1] @ np.abs(lift)
    if space.reduced:
        spread = spread + (space.d + 2) * ROUNDOFF * (np.abs(rest[:-1]) @ np.abs(lift))
    lo, hi = space.lo, space.hi
    if extra is not None:
        j, sign = extra
        slopes[j] += sign
        if beyond:
            lo, hi, width = lo.copy(), hi.copy(), hi[j] - lo[j]
            lo[j], hi[j] = lo[j] - (sign > 0) * width, hi[j] + (sign < 0) * width
    size = np.maximum(np.abs(lo), np.abs(hi))
    least = np.minimum(slopes * lo, slopes * hi)
    total = float(least.sum() + rest[-1])
    error = float((spread + (space.n + 3) * ROUNDOFF * np.abs(slopes)) @ size)
    error += float(blur[-1]) + (space.n + 3) * ROUNDOFF * abs(float(rest[-1]))
    return total - 1.001 * error
