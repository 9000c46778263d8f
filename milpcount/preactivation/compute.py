"""Bounds on pre-activations, stage by stage: interval, then LP, then MILP."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.core.stage import Stage
from milpcount.errors import DomainError, InputError
from milpcount.exact.extent import coordinate_ranges
from milpcount.exact.forms import Forms, exact_box, problem_stages
from milpcount.preactivation.outward import affine_range, float_above, float_below
from milpcount.preactivation.ranges import PreactivationBounds
from milpcount.preactivation.relaxation import PrefixModel

__all__ = ["METHODS", "compute_preactivation_bounds"]

METHODS = ("interval", "lp", "milp")

Float = NDArray[np.float64]


def compute_preactivation_bounds(
    problem: CountProblem,
    method: str = "lp",
    *,
    seconds_per_unit: float | None = 10.0,
    watch: Watch | None = None,
) -> PreactivationBounds:
    """Bound every pre-activation of the problem's stages over its domain.

    Arguments:
        problem: its domain must be bounded.  On a slice the method "interval" serves.
        method: "interval"; "lp" (then also the LP relaxation of the stages before); or "milp"
            (then also the stages before as they are, by branching: the smallest H and H_bar, up
            to a relative 1e-7).  Each bound is the best of the methods up to the one named, and
            proved whatever a solver says: the bound of every LP, those at the leaves of the
            MILP's search tree included, is summed up anew from its multipliers, outward.
        seconds_per_unit: time for each unit and direction; then the last valid bound stands.
        watch: when its limit is reached, what is left keeps its interval bounds.

    Raises:
        DomainError: the domain is unbounded.
        InputError: no such method.
        UnsupportedError: the domain is a slice and the method not "interval".
    """
    if method not in METHODS:
        raise InputError(f"no pre-activation method {method!r}; known: {', '.join(METHODS)}")
    if method != "interval":
        problem.require_no_slice(f"pre-activation method {method!r}", "use method 'interval'")
    x_lo, x_hi = _bounding_box(problem)
    rows, right = problem.rows
    model = PrefixModel(x_lo, x_hi, rows, right)
    lows: list[Float] = []
    highs: list[Float] = []
    # Of the outputs of each stage, the input's first.
    outputs = [(x_lo, x_hi)]
    for k, stage in enumerate(problem.stages):
        if k == 0 and problem.slice is not None:
            low, high = _first_range_on_slice(problem)
        else:
            los, his = zip(*(outputs[source] for source in stage.reads), strict=True)
            low, high = affine_range(stage.weights, stage.bias, los, his)
        # Over a box the first stage's intervals are already the exact ranges.
        if method != "interval" and (k or len(rows)):
            for integer in (False, True)[: 2 if method == "milp" else 1]:
                _tighten(model, stage, low, high, integer, seconds_per_unit, watch)
        lows.append(low)
        highs.append(high)
        outputs.append(_output_range(stage, low, high))
        if method != "interval" and k + 1 < len(problem.stages):
            model.add_stage(stage, low, high)
    for array in (*lows, *highs):
        array.flags.writeable = False
    linear = tuple(stage.linear for stage in problem.stages)
    return PreactivationBounds(tuple(lows), tuple(highs), linear, x_lo, x_hi, method)


def _first_range_on_slice(problem: CountProblem) -> tuple[Float, Float]:
    """Ranges of the first layer's pre-activations over a bounded slice: exact, rounded outward."""
    layer = problem_stages(problem)[0]
    forms, box = Forms.first(layer), exact_box(problem)
    scale = box.denominator << layer.shift
    low, high = np.empty(layer.width), np.empty(layer.width)
    for i, row in enumerate(forms.matrix.tolist()):
        top, bottom = box.supremum([int(v) for v in row]), box.supremum([-int(v) for v in row])
        assert top is not None
        assert bottom is not None
        low[i], high[i] = float_below(Fraction(-bottom, scale)), float_above(Fraction(top, scale))
    return low, high


def _bounding_box(problem: CountProblem) -> tuple[Float, Float]:
    """A finite box around the domain, rounded outward."""
    remedy = (
        "the domain is unbounded: pre-activations have no bounds there and no big-M constants "
        "exist; give a bounded box, or use engine tree-highs"
    )
    if isinstance(problem.domain, Box):
        if not problem.domain.is_bounded:
            raise DomainError(remedy)
        return problem.domain.lo, problem.domain.hi
    ranges = coordinate_ranges(problem)
    if ranges is None:
        raise DomainError(remedy)
    lo = np.array([float_below(a) for a, _ in ranges])
    hi = np.array([float_above(b) for _, b in ranges])
    return lo, hi


def _tighten(
    model: PrefixModel,
    stage: Stage,
    low: Float,
    high: Float,
    integer: bool,
    seconds: float | None,
    watch: Watch | None,
) -> None:
    """Lower ``high`` and raise ``low`` in place where the solver proves better bounds."""
    for i in range(stage.width):
        # The constants of a stable unit are never used as big-M; a linear unit passes on both.
        if not stage.linear[i] and (low[i] > 0 or high[i] <= 0):
            continue
        sides: tuple[tuple[float, Float, Callable[[float, float], float]], ...] = (
            (1.0, high, min),
            (-1.0, low, max),
        )
        for sign, ends, better in sides:
            if watch is not None and watch.exceeded() is not None:
                return
            left = None if watch is None else watch.remaining
            limits = [s for s in (seconds, left) if s is not None]
            top = model.upper(stage, i, sign, integer, min(limits, default=None))
            # Infinite where nothing was proved, or the other way where the domain seems empty.
            if np.isfinite(top):
                ends[i] = better(float(ends[i]), sign * top)


def _output_range(stage: Stage, low: Float, high: Float) -> tuple[Float, Float]:
    """Range of the units' outputs, rounded outward."""
    ends = np.stack([stage.activate(low), stage.activate(high)])
    straddles = (low < 0) & (high > 0)
    least = np.where(straddles, np.minimum(ends.min(axis=0), 0.0), ends.min(axis=0))
    most = np.where(straddles, np.maximum(ends.max(axis=0), 0.0), ends.max(axis=0))
    # The product with a slope is rounded; those with 0 and 1 and -1, and the identity, are not.
    rounded = ~np.isin(stage.slope, (0.0, 1.0, -1.0)) & (low < 0)
    return (
        np.where(rounded, np.nextafter(least, -np.inf), least),
        np.where(rounded, np.nextafter(most, np.inf), most),
    )
