"""Piecewise-linear operations as ReLU units: bounds, maxima of two, choices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.importers import rounding
from milpcount.importers.affine import Folder
from milpcount.importers.image import Image

__all__ = ["choose", "clip", "maximum", "minimum", "pick"]

Float = NDArray[np.float64]

_FLOAT_MAX = float(np.finfo(np.float32).max)


def clip(folder: Folder, image: Image, low: ArrayLike, high: ArrayLike) -> Image:
    """``min(max(image, low), high)``; ends beyond float32 do not bound.

    With two ends ``low + relu(image - low) - relu(image - high)``: first the units that tell
    whether ``low`` is exceeded, then those for ``high``.  With one, one unit an entry.
    """
    lo, hi = (np.asarray(end, dtype=np.float64) for end in (low, high))
    if np.any(np.isnan(lo)) or np.any(np.isnan(hi)):
        folder.fail("has a bound that is not a number; export it again")
    below, above = lo > -_FLOAT_MAX, hi < _FLOAT_MAX
    if np.any(below) != np.all(below) or np.any(above) != np.all(above):
        folder.fail("bounds some entries and leaves others; export it with one bound for all")
    if not np.any(below) and not np.any(above):
        return image
    if not np.any(above):
        return _at_least(folder, image, lo)
    if not np.any(below):
        # hi - relu(hi - image)
        return folder.affine(folder.relu(folder.affine(image, -1.0, hi)), -1.0, hi)
    if np.any(lo >= hi):
        folder.fail("has a lower bound that is not below the upper one; export it again")
    first = folder.relu(folder.shift(image, -lo))
    second = folder.relu(folder.shift(image, -hi))
    return folder.shift(folder.add(first, folder.scale(second, -1.0)), lo)


def _at_least(folder: Folder, image: Image, lo: Float) -> Image:
    if np.any(lo):
        return folder.shift(folder.relu(folder.shift(image, -lo)), lo)
    shape = np.broadcast_shapes(image.shape, lo.shape)
    if shape != image.shape:
        folder.fail("repeats its units by broadcasting; export it with a scalar 0")
    return folder.relu(image)


def maximum(folder: Folder, first: Image, second: Image) -> Image:
    """``max(first, second) = first + relu(second - first)``.

    The unit is active where the second one is larger: on a tie the first one counts.
    """
    difference = folder.add(second, folder.scale(first, -1.0))
    return folder.add(first, folder.relu(difference))


def minimum(folder: Folder, first: Image, second: Image) -> Image:
    """``min(first, second) = first - relu(first - second)``, ties as for the maximum."""
    difference = folder.add(first, folder.scale(second, -1.0))
    return folder.add(first, folder.scale(folder.relu(difference), -1.0))


def choose(folder: Folder, sign: Image, first: Image | Float, second: Image | Float) -> Image:
    """``first`` where ``sign > 0`` and ``second`` elsewhere, if that is a ReLU.

    It is continuous if and only if ``first - second`` is a multiple of ``sign``, entry by entry.

    Raises:
        NetworkError: it jumps where the sign changes.
    """
    shape = np.broadcast_shapes(sign.shape, first.shape, second.shape)
    if shape != sign.shape:
        folder.fail("chooses by a sign that is broadcast; export it with one sign an entry")
    a, b = (_spread(folder, value, shape) for value in (first, second))
    up, down = (_factors(folder, value, sign) for value in (a, b))
    if up is not None and down is not None:
        leaky = _leaky(folder, a, up, down) or _leaky(folder, b, -down, -up)
        if leaky is not None:
            return leaky
        up, down = (factor.reshape(_one(sign)) for factor in (up, down))
        active = folder.relu(sign)
        inactive = folder.add(sign, folder.scale(active, -1.0))
        return folder.add(folder.scale(active, up), folder.scale(inactive, down))
    difference = _plus(folder, a, _negated(folder, b))
    factor = _factors(folder, difference, sign)
    if factor is None:
        folder.fail(
            "chooses between values that differ where the choice changes: the function jumps "
            "there, and only continuous ones are counted"
        )
    step = folder.scale(folder.relu(sign), factor.reshape(_one(sign)))
    result = _plus(folder, b, step)
    if not isinstance(result, Image):
        folder.fail("does not depend on the input")
    return result


def _leaky(folder: Folder, value: Image | Float, up: Float, down: Float) -> Image | None:
    """``value``, which is ``up * s``, where ``s > 0``, and ``down * s`` elsewhere, as one unit.

    None where it is not: ``up`` has both signs or a zero, or ``down / up`` is no float64.
    """
    if not isinstance(value, Image) or not (np.all(up > 0) or np.all(up < 0)):
        return None
    try:
        slope, exact = rounding.divide(down, up)
    except OverflowError:
        return None
    if not exact:
        return None
    slope = slope.reshape(_one(value))
    if up.flat[0] > 0:
        return folder.relu(value, slope)
    return folder.scale(folder.relu(folder.scale(value, -1.0), slope), -1.0)


def _one(image: Image) -> tuple[int, ...]:
    """The shape of one sample."""
    if image.batch is None:
        return image.shape
    axis = image.batch[0]
    return (*image.shape[:axis], 1, *image.shape[axis + 1 :])


def _spread(folder: Folder, value: Image | Float, shape: tuple[int, ...]) -> Image | Float:
    if not isinstance(value, Image):
        return np.broadcast_to(folder.finite(value), shape)
    if value.shape == shape:
        return value
    return folder.take(value, np.broadcast_to(value.grid, shape))


def _negated(folder: Folder, value: Image | Float) -> Image | Float:
    return folder.scale(value, -1.0) if isinstance(value, Image) else -value


def _plus(folder: Folder, a: Image | Float, b: Image | Float) -> Image | Float:
    if isinstance(a, Image):
        return folder.add(a, b) if isinstance(b, Image) else folder.shift(a, b)
    return folder.shift(b, a) if isinstance(b, Image) else a + b


def pick(folder: Folder, chosen: NDArray[np.bool_], a: Image | Float, b: Image | Float) -> Image:
    """Entries of ``a`` where ``chosen`` and of ``b`` elsewhere, with numpy's broadcasting."""
    shape = np.broadcast_shapes(chosen.shape, a.shape, b.shape)
    sides: list[Image | Float] = []
    for value in (a, b):
        if isinstance(value, Image):
            wide = folder.take(value, np.broadcast_to(value.grid, shape))
            sides.append(folder.take(wide, wide.grid[..., None]))
        else:
            sides.append(np.broadcast_to(value, shape)[..., None])
    # Both laid side by side.
    both = folder.concat(sides, len(shape))
    return folder.take(both, both.grid[..., 1] - np.broadcast_to(chosen, shape))


def _factors(folder: Folder, value: Image | Float, of: Image) -> Float | None:
    """As :func:`_multiple`, also for values of linear units that compute ``of`` or ``-of``.

    It is where the product with ``of`` itself would have been rounded.
    """
    factors = _multiple(value, of)
    for side in (1.0, -1.0):
        if factors is None and (held := folder.held(folder.scale(of, side))) is not None:
            factors = _multiple(value, held)
            factors = None if factors is None else side * factors
    return factors


def _multiple(value: Image | Float, of: Image) -> Float | None:
    """The factors, one a row, with ``value = factor * of``; None if there are none."""
    if not isinstance(value, Image):
        return None if np.any(value) else np.zeros(of.rows)
    if value.shape != of.shape or value.batch != of.batch:
        return None
    keys, bases = _entries(of)
    mine, values = _entries(value)
    if not set(mine) <= set(keys):
        return None
    factor = np.zeros(of.rows)
    found = np.zeros(of.rows, dtype=bool)
    numbers = dict(zip(mine, values, strict=True))
    for key, base in zip(keys, bases, strict=True):
        row = key[0]
        number = numbers.get(key, 0.0)
        if not found[row]:
            quotient = number / base
            if not np.isfinite(quotient):
                return None
            factor[row], found[row] = quotient, True
        if Fraction(float(factor[row])) * Fraction(base) != Fraction(number):
            return None
    return factor if np.all(found) else None


def _entries(image: Image) -> tuple[list[tuple[int, int, int]], list[float]]:
    """Row, stage and place of what is not zero, the constant term as stage -1; and the values."""
    keys: list[tuple[int, int, int]] = []
    values: list[float] = []
    for part in image.parts:
        rows, places, numbers = part.entries()
        keys += [(r, part.stage, p) for r, p in zip(rows.tolist(), places.tolist(), strict=True)]
        values += numbers.tolist()
    for row in np.flatnonzero(image.bias).tolist():
        keys.append((row, -1, 0))
        values.append(float(image.bias[row]))
    return keys, values
