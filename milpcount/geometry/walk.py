"""Straight walks: the regions that a segment passes, exactly, and how it folds.

On the segment ``a + t (b - a)`` every pre-activation is a continuous piecewise affine function of
``t``.  Between two *breakpoints*, where some unit changes its state, the pattern is constant.

Floats walk stage by stage: on each piece that the stages before leave, the pre-activations of the
next stage are ``p + q t``, with bounds on the errors of ``p`` and ``q``; where a unit's sign at
both ends of a piece is proved, its zero in between is one new breakpoint, known to within a bound.
Whatever is not proved (zeros closer to each other or to an end than their bounds, units that
vanish along a piece) sends the whole walk to integers, which walk from breakpoint to breakpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.arguments import network_of, require_flag
from milpcount.core.domain import Slice
from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.pattern import ActivationPattern
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.core.units import UnitIndex
from milpcount.errors import DomainError, InputError
from milpcount.geometry.float_forms import ROUNDOFF
from milpcount.geometry.point_checks import checked_point

if TYPE_CHECKING:
    from milpcount.geometry.line import Line

__all__ = ["Folding", "Walk", "Walker", "walk"]

Bits = NDArray[np.uint8]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Folding:
    """How a walk folds: range measures of its path of patterns (Lewandowski et al. 2025).

    Attributes:
        r1: the largest Hamming distance to the first pattern.
        r2: the sum of the Hamming distances of consecutive patterns.
    """

    r1: int
    r2: int

    @property
    def chi(self) -> Fraction:
        """``1 - r1 / r2``, 0 for a walk that stays in one pattern: 0 is flat, towards 1 folded."""
        return Fraction(0) if self.r2 == 0 else 1 - Fraction(self.r1, self.r2)


class Walk:
    """The regions that a segment passes, in order.

    Attributes:
        bits: shape ``(pieces, units)``, 0/1: the pattern on each open piece.  A unit that is 0
            along a whole piece is inactive there.
        widths: units per counted stage.
        t: the breakpoints as floats, in (0, 1), ascending.
        t_error: for each a proved bound on its error; the error itself is far smaller as a rule.
    """

    def __init__(
        self, walker: Walker, a: Float, b: Float, bits: Bits, t: Float, spread: Float
    ) -> None:
        self._walker, self._a, self._b = walker, a, b
        self.bits, self.widths = bits, walker.index.counted_widths
        self.t, self.t_error = t, spread

    def __len__(self) -> int:
        return len(self.bits)

    def __repr__(self) -> str:
        return f"Walk({len(self)} pieces)"

    @cached_property
    def breakpoints(self) -> tuple[Fraction, ...]:
        """Where the pattern changes, in (0, 1), ascending, exactly."""
        return self._walker.breakpoints(self._a, self._b, self.bits)

    @cached_property
    def patterns(self) -> tuple[ActivationPattern, ...]:
        """The pattern of each open piece."""
        return tuple(ActivationPattern.from_bits(row, self.widths) for row in self.bits)

    @property
    def hamming_to_start(self) -> tuple[int, ...]:
        """Of each piece: the number of units in another state than on the first piece."""
        return tuple(np.count_nonzero(self.bits != self.bits[0], axis=1).tolist())

    @property
    def hamming_steps(self) -> tuple[int, ...]:
        """At each breakpoint: the number of units that change their state."""
        return tuple(np.count_nonzero(self.bits[1:] != self.bits[:-1], axis=1).tolist())

    def folding(
        self,
        layers: int | Sequence[int] | None = None,
        units: Sequence[int] | None = None,
    ) -> Folding:
        """How the walk folds, seen by all units or by some.

        Arguments:
            layers: counted stages from 1; a number alone stands for that one.  ``range(1, k + 1)``
                are the first k.
            units: numbers of units (stage-major from 0); not together with ``layers``.

        Raises:
            InputError: no such layer or unit, or both given.
        """
        chosen = self.bits[:, self._chosen(layers, units)]
        start = np.count_nonzero(chosen != chosen[0], axis=1)
        steps = np.count_nonzero(chosen[1:] != chosen[:-1], axis=1)
        return Folding(int(start.max(initial=0)), int(steps.sum()))

    def chi_by_layer(self) -> tuple[Fraction, ...]:
        """What each counted stage adds to ``chi``; the sum is the ``chi`` of all units.

        ``r2`` is the sum of the stages' own ``r2_l``, and ``r1`` that of their distances ``d_l`` at
        the first piece that is farthest from the start.  So ``chi`` is the sum of the parts ``(r2_l
        - d_l) / r2``: the steps of stage ``l`` that do not lead there.  None is negative.
        """
        away = self.bits != self.bits[0]
        steps = np.count_nonzero(self.bits[1:] != self.bits[:-1], axis=0)
        far = away[int(np.argmax(np.count_nonzero(away, axis=1)))]
        total = int(steps.sum())
        ends = np.cumsum([0, *self.widths]).tolist()
        return tuple(
            Fraction(int(steps[a:b].sum()) - int(np.count_nonzero(far[a:b])), max(total, 1))
            for a, b in itertools.pairwise(ends)
        )

    def _chosen(
        self, layers: int | Sequence[int] | None, units: Sequence[int] | None
    ) -> NDArray[np.intp]:
        if layers is not None and units is not None:
            raise InputError("choose layers or units, not both")
        total = sum(self.widths)
        if units is not None:
            wrong = next((u for u in units if not 0 <= u < total), None)
            if wrong is not None:
                raise InputError(f"there is no unit {wrong}: they are numbered 0 to {total - 1}")
            return np.array(sorted(set(units)), dtype=np.intp)
        if layers is None:
            return np.arange(total)
        picked = {layers} if isinstance(layers, int) else set(layers)
        wrong = next((k for k in picked if not 1 <= k <= len(self.widths)), None)
        if wrong is not None:
            raise InputError(
                f"there is no layer {wrong}: counted are layers 1 to {len(self.widths)}"
            )
        ends = np.cumsum([0, *self.widths])
        parts = [np.arange(ends[k - 1], ends[k]) for k in sorted(picked)]
        return np.concatenate([np.zeros(0, dtype=np.intp), *parts])


def walk(net: Any, a: ArrayLike, b: ArrayLike, *, with_output: bool = False) -> Walk:
    """Follow the straight segment from ``a`` to ``b`` through all activation regions, exactly.

    Arguments:
        net: the network.
        a: the input where it begins.
        b: the input where it ends.
        with_output: whether the units of the last affine layer count as ReLUs too.

    Raises:
        DomainError: points of the wrong length, not finite, or equal.
    """
    require_flag("with_output", with_output)
    return Walker(network_of(net), with_output).walk(a, b)


class Walker:
    """Walks of one network, which is prepared once."""

    def __init__(self, net: ReLUNetwork, with_output: bool = False) -> None:
        self.net = net
        self.with_output = with_output
        self.stages = net.counted_stages(with_output)
        self.index = UnitIndex.of(self.stages)
        self._matrices = [[dense(w) for w in stage.weights] for stage in self.stages]
        self._sizes = [[np.abs(m) for m in matrices] for matrices in self._matrices]

    def walk(self, a: ArrayLike, b: ArrayLike) -> Walk:
        """Walk from ``a`` to ``b``."""
        start = checked_point(a, self.net.input_dimension, "the first end point")
        end = checked_point(b, self.net.input_dimension, "the second end point")
        if np.array_equal(start, end):
            raise DomainError("the end points of the walk are equal; give two different points")
        if not self.stages:
            return Walk(self, start, end, np.zeros((1, 0), np.uint8), np.zeros(0), np.zeros(0))
        found = self._in_floats(start, end)
        if found is None:
            bits, breaks = self._line(start, end).walk()
            t = np.array([float(v) for v in breaks])
            done = Walk(self, start, end, bits, t, np.zeros(len(t)))
            done.__dict__["breakpoints"] = breaks
            return done
        return Walk(self, start, end, *found)

    def breakpoints(self, a: Float, b: Float, bits: Bits) -> tuple[Fraction, ...]:
        """The exact breakpoints of a walk with these patterns."""
        if len(bits) < 2:
            return ()
        return self._line(a, b).breakpoints(self.index.spread(bits))

    def _line(self, a: Float, b: Float) -> Line:
        from milpcount.geometry.line import Line

        return Line(CountProblem.of(self.net, Slice.segment(a, b), "full", self.with_output))

    # Floats.

    def _in_floats(self, a: Float, b: Float) -> tuple[Bits, Float, Float] | None:
        """Bits of the pieces, breakpoints and bounds on their errors; None in doubt."""
        with np.errstate(all="ignore"):
            pieces = _Pieces.whole()
            outputs: list[_Forms] = [_Forms.of_input(a, b)]
            signs: list[NDArray[np.bool_]] = []
            parts = zip(self.stages, self._matrices, self._sizes, strict=True)
            for stage, matrices, sizes in parts:
                forms = _preactivations(stage, matrices, sizes, outputs)
                split = pieces.split(forms, ~stage.linear)
                if split is None:
                    return None
                pieces, parent, active = split
                outputs = [out.at(parent) for out in outputs]
                signs = [s[:, parent if s.shape[1] > 1 else np.zeros_like(parent)] for s in signs]
                forms = forms.at(parent)
                active |= stage.linear[:, None]
                signs.append(active)
                outputs.append(forms.gated(active, stage.slope))
        bits = np.concatenate(signs).T[:, self.index.positions].astype(np.uint8)
        return np.ascontiguousarray(bits), pieces.ends[1:-1], pieces.spread[1:-1]


@dataclass(frozen=True, eq=False)
class _Forms:
    """Functions ``p + q t``, one row a unit, one column a piece (one for all until they differ)."""

    p: Float
    q: Float
    p_error: Float
    q_error: Float

    @classmethod
    def of_input(cls, a: Float, b: Float) -> _Forms:
        step = b - a
        error = ROUNDOFF * np.abs(step)
        return cls(a[:, None], step[:, None], np.zeros((len(a), 1)), error[:, None])

    def at(self, parent: NDArray[np.intp]) -> _Forms:
        """The columns of the pieces that these ones are parts of."""
        if self.p.shape[1] == 1:
            return self
        return _Forms(
            self.p[:, parent], self.q[:, parent], self.p_error[:, parent], self.q_error[:, parent]
        )

    def gated(self, active: NDArray[np.bool_], slope: Float) -> _Forms:
        """What units with these states pass on."""
        factor = np.where(active, 1.0, slope[:, None])
        size = np.abs(factor)
        p, q = factor * self.p, factor * self.q
        return _Forms(
            p,
            q,
            size * self.p_error + ROUNDOFF * np.abs(p),
            size * self.q_error + ROUNDOFF * np.abs(q),
        )


def _preactivations(
    stage: Stage, matrices: Sequence[Float], sizes: Sequence[Float], outputs: Sequence[_Forms]
) -> _Forms:
    """Pre-activations of a stage on every piece."""
    columns = max(outputs[k].p.shape[1] for k in stage.reads)
    terms = len(stage.reads) + 3 + sum(m.shape[1] for m in matrices)
    p = np.repeat(stage.bias[:, None], columns, axis=1)
    q = np.zeros_like(p)
    p_error, q_error = terms * ROUNDOFF * np.abs(p), np.zeros_like(p)
    for k, matrix, size in zip(stage.reads, matrices, sizes, strict=True):
        h = outputs[k]
        width = h.p.shape[1]
        value = matrix @ np.hstack([h.p, h.q])
        error = np.hstack([h.p_error, h.q_error])
        error = error + terms * ROUNDOFF * np.abs(np.hstack([h.p, h.q]))
        error = 1.001 * (size @ error)
        p += value[:, :width]
        q += value[:, width:]
        p_error += error[:, :width]
        q_error += error[:, width:]
    return _Forms(p, q, p_error, q_error)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Consecutive pieces of [0, 1]: their ends, each known to within a bound."""

    ends: Float
    spread: Float

    @classmethod
    def whole(cls) -> _Pieces:
        return cls(np.array([0.0, 1.0]), np.zeros(2))

    def split(
        self, forms: _Forms, counted: NDArray[np.bool_]
    ) -> tuple[_Pieces, NDArray[np.intp], NDArray[np.bool_]] | None:
        """Cut the pieces where units change sign.

        Returns the new pieces, for each the piece that it is a part of, and which units are
        positive on it; None where floats leave anything open.
        """
        lo, hi = self.ends[:-1], self.ends[1:]
        p, q = forms.p, forms.q
        reach = np.abs(q) * 1.01

        def value(t: Float, blur: Float) -> tuple[Float, Float]:
            at = p + q * t
            error = forms.p_error + forms.q_error * t + reach * blur
            return at, 1.001 * error + 4 * ROUNDOFF * (np.abs(p) + np.abs(q))

        left, left_error = value(lo, self.spread[:-1])
        right, right_error = value(hi, self.spread[1:])
        sure = (np.abs(left) > left_error) & (np.abs(right) > right_error)
        if not np.all(sure[counted]):
            return None
        before = left > 0
        crossing = (before != (right > 0)) & counted[:, None]
        units, pieces = np.nonzero(crossing)
        if not units.size:
            columns = np.arange(len(lo), dtype=np.intp)
            return self, columns, np.repeat(before, len(lo) // before.shape[1], axis=1)
        columns_of = pieces if p.shape[1] > 1 else np.zeros_like(pieces)
        pu, qu = p[units, columns_of], q[units, columns_of]
        t = -pu / qu
        # |g(t)| at the computed zero is within the errors of p and q; the slope turns it into t.
        slope = np.abs(qu) - forms.q_error[units, columns_of]
        blur = (
            forms.p_error[units, columns_of]
            + forms.q_error[units, columns_of]
            + 4 * ROUNDOFF * (np.abs(pu) + np.abs(qu))
        )
        spread = 1.01 * blur / slope
        if not (np.all(slope > 0) and np.all(np.isfinite(spread))):
            return None
        order = np.lexsort((t, pieces))
        units, pieces, t, spread = units[order], pieces[order], t[order], spread[order]
        # Each new end must be apart from its neighbours in the piece and from the piece's ends.
        ends = np.concatenate([self.ends, t])
        blurs = np.concatenate([self.spread, spread])
        owner = np.concatenate([np.arange(len(self.ends)), pieces])
        new = np.concatenate([np.zeros(len(self.ends), dtype=bool), np.ones(len(t), dtype=bool)])
        rank = np.lexsort((ends, new, owner))
        ends, blurs, owner, new = ends[rank], blurs[rank], owner[rank], new[rank]
        if not np.all(ends[1:] - blurs[1:] > ends[:-1] + blurs[:-1]):
            return None
        parent = owner[:-1]
        states = before[:, parent if before.shape[1] > 1 else np.zeros_like(parent)].copy()
        # After its zero a unit has the other state until the piece that was cut ends.
        places = np.flatnonzero(new)
        last = np.searchsorted(parent, pieces, side="right")
        for unit, place, stop in zip(units.tolist(), places.tolist(), last.tolist(), strict=True):
            states[unit, place:stop] ^= True
        return _Pieces(ends, blurs), parent.astype(np.intp), states
