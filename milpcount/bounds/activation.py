r"""An upper bound from the signs of a network's weights and biases, and from its domain.

After Theorem 2 of Serra and Ramalingam (AAAI 2020), whose own words we could not read [M]; stated
and proved anew here [I].  Plain ReLUs only.

**Which units can have which sign.**  The inputs of layer ``l >= 2`` are the outputs of layer
``l - 1``: they are ``>= 0``, and 0 outside the set ``S`` of active units.  So unit ``i`` of layer
``l`` *can be on* (``g_i > 0`` somewhere) only if ``b_i > 0`` or ``w_ij > 0`` for some ``j`` in
``S``, and *can be off* (``g_i <= 0``) only if ``b_i <= 0`` or ``w_ij < 0`` for some ``j`` in
``S``.  Units known to be never active over the domain cannot be on, units known to be always
active cannot be off, whatever ``S``; units that are never active are in no ``S``.  In the first
layer a unit can have both signs unless it is constant or known to be stable.  Let

    A_l(k) = max number of units of layer l that can be on,          over |S| <= k,
    U_l(k) = max number of units of layer l that can be both,        over |S| <= k,

for ``l >= 2`` (two maximum-coverage problems), and ``A_1``, ``U_1`` the same numbers without
``S``.  Both are nondecreasing in ``k``, and ``U_l <= A_l``.

**Bound.**  With ``d' = min(d, rank W^l)`` and ``R(L + 1, ., .) = 1``

    R(l, k, d) = sum_{j=0}^{min(d', U_l(k))} C(U_l(k), j)
                       R(l + 1, A_l(k) - j, min(d', A_l(k) - j)),
    #regions <= R(1, n_0, n_0),

where ``n_0`` may be the dimension of the domain.  It holds for the definitions ``linear <= full
<= nonempty``.

*Proof.*  ``R(l, k, d)`` is nondecreasing in ``k`` and ``d``, by induction from the last layer:
larger ``k`` or ``d`` add terms, and raise binomials and arguments.  Claim: the patterns of layers
``l..L`` that occur together with one fixed pattern of the layers before number at most ``R(l, k,
d)``, where the fixed pattern has at most ``k`` active units in layer ``l - 1`` and the inputs of
layer ``l`` that go with it lie in an affine space of dimension ``d``.  Let ``a`` units of layer
``l`` be able to be on and ``u`` to be both there; ``u <= a``, ``u <= U = U_l(k)``, ``a <= A =
A_l(k)``.  The signs of all but these ``u`` units are fixed, and ``a - u`` of them are on.  The
``u`` units are affine functions on a space of dimension at most ``d'``, so they have at most
``N_j = sum_{i <= min(j, d')} C(u, i)`` half-open patterns with at most ``j`` of them inactive
(:mod:`milpcount.bounds.levels`, whose ``F_j`` is never above ``N_j``, degenerate positions
included).  A pattern with ``j`` inactive ones has ``a - j <= A - j`` active units, and its outputs
lie in a space of dimension at most ``min(d', A - j)``; so by induction it goes with at most ``V_j
= R(l + 1, A - j, min(d', A - j))`` patterns of the layers after.  ``V_j`` is nonincreasing in
``j``.  By Abel summation the sum of ``V`` over the patterns is largest when the cumulative counts
are all ``N_j``, and ``C(u, i) <= C(U, i)``.  At the start any ``k`` serves. []

**Never above Theorem 1 of 2018** with the same ranks: with ``A_l = U_l = n_l`` and ``d`` in place
of ``d'`` in the last argument the recurrence is that of
:func:`~milpcount.bounds.serra.bound_serra2018`; ``U_l, A_l <= n_l``, the terms are monotone in
both, and so is every ``R``.

An upper bound on ``A_l`` or ``U_l`` in its place keeps the bound valid, and is used where the
coverage problem takes too long; it never exceeds ``n_l``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz
from numpy.typing import NDArray

from milpcount.bounds.coverage import max_coverage
from milpcount.bounds.widths import binomial_row, require_ranks
from milpcount.core.stage import Stage
from milpcount.errors import InputError

if TYPE_CHECKING:  # loads a solver
    from milpcount.preactivation import PreactivationBounds

__all__ = ["LayerActivity", "bound_activation_based", "layer_activity"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class LayerActivity:
    """The numbers ``A_l(k)`` and ``U_l(k)`` of one layer.

    Attributes:
        on, both: ``A_l(k)`` and ``U_l(k)`` for ``k = 0..n_{l-1}``, nondecreasing; for the first
            layer one entry each, which stands for every ``k``.
    """

    on: tuple[int, ...]
    both: tuple[int, ...]

    def pairs(self) -> list[tuple[int, int]]:
        """Distinct ``(A, U)`` in the order of ``k``."""
        return list(dict.fromkeys(zip(self.on, self.both, strict=True)))


def layer_activity(
    layers: Sequence[Stage], stability: PreactivationBounds | None = None
) -> tuple[LayerActivity, ...]:
    """``A_l`` and ``U_l`` of every layer, over the whole space or a domain with these bounds."""
    out = []
    live: Mask = np.zeros(0, dtype=bool)
    for k, layer in enumerate(layers):
        active, inactive = _fixed_signs(layer, first=k == 0)
        if stability is not None:
            active = active | stability.stable_active[k]
            inactive = inactive | stability.stable_inactive[k]
        can_on, can_off = ~inactive, ~active
        if k == 0:
            out.append(LayerActivity((int(can_on.sum()),), (int((can_on & can_off).sum()),)))
        else:
            out.append(_covered(layer, live, can_on, can_off))
        live = can_on
    return tuple(out)


def _fixed_signs(layer: Stage, first: bool) -> tuple[Mask, Mask]:
    """Units that are active, and units that are inactive, for all inputs (``>= 0`` if later)."""
    rising = np.any(layer.weight != 0 if first else layer.weight > 0, axis=1)
    falling = np.any(layer.weight != 0 if first else layer.weight < 0, axis=1)
    return (layer.bias > 0) & ~falling, (layer.bias <= 0) & ~rising


def _covered(layer: Stage, live: Mask, can_on: Mask, can_off: Mask) -> LayerActivity:
    """Solve the coverage problems of a layer whose input units ``live`` can be active."""
    positive = layer.bias > 0
    base = int((can_on & positive).sum())
    switch_on = (layer.weight > 0) & (can_on & ~positive)[:, None]
    change = ((layer.weight < 0) & positive[:, None]) | switch_on
    change &= (can_on & can_off)[:, None]
    # One set of units for each unit of the layer before.
    on = [base + c for c in max_coverage(switch_on[:, live].T, layer.weight.shape[1])]
    both = max_coverage(change[:, live].T, layer.weight.shape[1])
    return LayerActivity(tuple(on), tuple(min(u, a) for u, a in zip(both, on, strict=True)))


def bound_activation_based(
    layers: Sequence[Stage],
    ranks: Sequence[int] | None = None,
    *,
    dimension: int | None = None,
    stability: PreactivationBounds | None = None,
) -> int:
    """Return the bound of this module.

    Arguments:
        layers: the counted layers.
        ranks: of their weight matrices, or upper bounds on them, where known.
        dimension: of the domain, where it is below the number of inputs.
        stability: bounds on the pre-activations over the domain, for a bound that holds there.

    Raises:
        InputError: a leaky unit, or ranks that do not go with the layers.
    """
    if any(bool(np.any(layer.slope != 0)) for layer in layers):
        raise InputError("activation_based uses that inactive units output 0; some are leaky")
    if not layers:
        return 1
    widths = [layers[0].weight.shape[1], *(layer.width for layer in layers)]
    ranks = require_ranks(ranks, widths[1:])
    dimension = widths[0] if dimension is None else min(dimension, widths[0])
    tops = list(itertools.accumulate([dimension, *widths[1:]], min))
    after = _Table([(0, 0)], [0], [[fmpz(1)] * (tops[-1] + 1)])
    activities = layer_activity(layers, stability)
    for activity, rank, top in zip(
        reversed(activities), reversed(ranks), reversed(tops[:-1]), strict=True
    ):
        after = _table(activity, min(rank, top), top, after)
    return int(after.values[-1][dimension])


@dataclass(frozen=True)
class _Table:
    """``R(l, k, d)``, one row for each distinct pair ``(A_l(k), U_l(k))``.

    Attributes:
        pairs: the distinct pairs.
        rows: for each ``k`` the index of its pair; ``k`` beyond the last has the last one.
        values: for each pair, ``R`` for all ``d``.
    """

    pairs: list[tuple[int, int]]
    rows: list[int]
    values: list[list[fmpz]]

    def row(self, k: int) -> int:
        """The index of the row for at most ``k`` active units before."""
        return self.rows[min(k, len(self.rows) - 1)]


def _table(activity: LayerActivity, rank: int, top: int, after: _Table) -> _Table:
    """``R(l, ., d)`` for ``d = 0..top`` from ``R(l + 1, ., .)``."""
    pairs = activity.pairs()
    index = {pair: i for i, pair in enumerate(pairs)}
    rows = [index[pair] for pair in zip(activity.on, activity.both, strict=True)]
    values = []
    for on, both in pairs:
        row = _step(on, both, rank, after)
        values.append(row + [row[-1]] * (top - rank))
    return _Table(pairs, rows, values)


def _step(on: int, both: int, rank: int, after: _Table) -> list[fmpz]:
    """``sum_{j <= min(d, both)} C(both, j) R(l + 1, on - j, min(d, on - j))``, ``d = 0..rank``.

    Up to ``j = on - d`` the last argument is ``d``, and runs of ``j`` share a row of ``after``;
    beyond it does not depend on ``d``.  Both parts are differences of running sums.
    """
    top = min(both, rank)
    binomials = [fmpz(c) for c in binomial_row(both, top)]
    sums = [fmpz(0), *itertools.accumulate(binomials)]
    which = [after.row(on - j) for j in range(top + 1)]
    tail = [fmpz(0)]
    for j in range(top + 1):
        row = after.values[which[j]]
        inside = on - j < len(row)
        tail.append(tail[-1] + (binomials[j] * row[on - j] if inside else 0))
    runs: list[tuple[int, int, int]] = []
    for j, row_index in enumerate(which):
        if runs and runs[-1][2] == row_index:
            runs[-1] = (runs[-1][0], j, row_index)
        else:
            runs.append((j, j, row_index))
    out = []
    for d in range(rank + 1):
        most = min(d, both)
        shared = min(most, on - d)
        value = fmpz(0)
        for start, end, row_index in runs:
            if start > shared:
                break
            row = after.values[row_index]
            value += row[min(d, len(row) - 1)] * (sums[min(end, shared) + 1] - sums[start])
        if most > shared:
            value += tail[most + 1] - tail[max(shared, -1) + 1]
        out.append(value)
    return out
