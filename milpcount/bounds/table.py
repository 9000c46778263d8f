"""All bounds of one architecture or network, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from milpcount.bounds.activation import bound_activation_based
from milpcount.bounds.estimates import estimate_hanin_rolnick2019
from milpcount.bounds.hinz import bound_hinz2019
from milpcount.bounds.lower import (
    bound_arora2018_lower,
    bound_montufar2014_lower,
    bound_serra2018_lower,
)
from milpcount.bounds.serra import bound_serra2018
from milpcount.bounds.staged import (
    bound_by_cuts,
    bound_by_units_read,
    dimensions_read,
    stage_rank,
)
from milpcount.bounds.upper import bound_montufar2017, bound_naive, bound_raghu2017
from milpcount.bounds.widths import require_affordable, require_widths
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import BoundResult
from milpcount.core.stage import Stage
from milpcount.errors import DomainError, InputError

if TYPE_CHECKING:  # loads a solver
    from milpcount.preactivation import PreactivationBounds

__all__ = ["bound_architecture", "bound_network", "proved_upper"]

_LOWER = {
    "montufar2014_lower": bound_montufar2014_lower,
    "arora2018_lower": bound_arora2018_lower,
    "serra2018_lower": bound_serra2018_lower,
}
_LEAKY = "uses that inactive units output 0; some units here are leaky"
_NO_CHAIN = "is proved for layers in a chain; stages here read several or have linear units"
_NO_DOMAIN = "counts on networks with skips the units that are stable over a domain; give one"
_FOR_CHAINS = ("serra2018", "hinz2019", *_LOWER, "hanin_rolnick2019_estimate")


def bound_architecture(
    widths: Sequence[int], *, ranks: Sequence[int] | None = None, leaky: bool = False
) -> BoundResult:
    """All bounds for networks with ``widths = [n_0, n_1, ..., n_L]``.

    Arguments:
        widths: the inputs, then every layer whose units count as ReLUs.
        ranks: of the weight matrices, where known; they sharpen ``serra2018`` and ``hinz2019``.
        leaky: whether units may be leaky; bounds that need plain ReLUs are then left out.

    Raises:
        InputError: widths that are not positive integers or too large to compute with, or ranks
            that do not go with them.
    """
    widths = require_widths(widths)
    require_affordable(widths)
    upper = {
        "naive": bound_naive(widths),
        "raghu2017": bound_raghu2017(widths),
        "montufar2017": bound_montufar2017(widths),
    }
    reasons: dict[str, str] = {}
    if leaky:
        reasons |= dict.fromkeys(("serra2018", "hinz2019"), _LEAKY)
    else:
        upper["serra2018"] = bound_serra2018(widths, ranks)
        upper["hinz2019"] = bound_hinz2019(widths, ranks)
    lower: dict[str, int] = {}
    for name, bound in _LOWER.items():
        try:
            lower[name] = bound(widths)
        except InputError as error:
            reasons[name] = str(error)
    estimates = {"hanin_rolnick2019_estimate": estimate_hanin_rolnick2019(widths)}
    return BoundResult(upper, lower, estimates, widths, reasons)


def bound_network(
    net: ReLUNetwork,
    *,
    with_output: bool = False,
    problem: CountProblem | None = None,
    preactivation: str = "interval",
) -> BoundResult:
    """All bounds for one network: those of its widths, with the exact ranks of its weights.

    Of a network whose stages read several earlier ones, or have linear units, what is proved for
    such (:mod:`milpcount.bounds.staged`); ``reasons`` names the others.

    ``activation_based`` uses the signs of its weights and biases too, and with a ``problem`` the
    units that are stable over its domain; it then holds for that domain alone.  The lower bounds
    are on the maximum over all networks of its architecture, not on its count.

    Arguments:
        net: the network.
        with_output: whether the output units count as ReLUs; a problem says so itself.
        problem: about this network.
        preactivation: method for finding stable units: "interval", "lp" or "milp".
    """
    stages = net.counted_stages(problem.with_output if problem is not None else with_output)
    if not stages:
        # One affine map, one region, whatever the method.
        return BoundResult({"naive": 1}, {}, {}, (net.input_dimension,))
    ranks = [stage_rank(stage) for stage in stages]
    stability, vary = None, net.input_dimension
    if problem is not None and not (net.is_chain and net.is_leaky):
        from milpcount.preactivation import compute_preactivation_bounds

        vary = int((problem.box.lo < problem.box.hi).sum())
        try:
            stability = compute_preactivation_bounds(problem, preactivation)
        except DomainError:  # unbounded: nothing is known to be stable
            stability = None
    if not net.is_chain:
        return _bound_stages(stages, net.input_dimension, ranks, vary, problem, stability)
    widths = (net.input_dimension, *(stage.width for stage in stages))
    result = bound_architecture(widths, ranks=ranks, leaky=net.is_leaky)
    if net.is_leaky:
        return replace(result, reasons={**result.reasons, "activation_based": _LEAKY})
    dimension = None if problem is None else vary
    sharp = bound_activation_based(stages, ranks, dimension=dimension, stability=stability)
    return replace(result, upper={**result.upper, "activation_based": sharp})


def _bound_stages(
    stages: Sequence[Stage],
    inputs: int,
    ranks: Sequence[int],
    vary: int,
    problem: CountProblem | None,
    stability: PreactivationBounds | None,
) -> BoundResult:
    """What is proved for networks that are no chain: see :mod:`milpcount.bounds.staged`."""
    states = [stage.n_states for stage in stages]
    upper = {
        "naive": 1 << sum(states),
        "raghu2017": bound_by_units_read(stages, inputs),
        "montufar2017": bound_by_cuts(states, dimensions_read(stages, inputs, ranks)),
    }
    reasons = dict.fromkeys(_FOR_CHAINS, _NO_CHAIN)
    if problem is None:
        reasons["activation_based"] = _NO_DOMAIN
    else:
        if stability is not None:
            stable = zip(states, stability.stable_active, stability.stable_inactive, strict=True)
            states = [n - int(on.sum()) - int(off.sum()) for n, on, off in stable]
        dimensions = dimensions_read(stages, min(inputs, vary), ranks)
        upper["activation_based"] = bound_by_cuts(states, dimensions)
    widths = (inputs, *(stage.n_states for stage in stages))
    return BoundResult(upper, {}, {}, widths, reasons)


def proved_upper(problem: CountProblem) -> int | None:
    """The least analytic upper bound; every one of them also bounds the non-empty patterns."""
    # The ranges of a polytope take linear programmes, and the time may be over.
    quick = problem if problem.box.is_bounded or problem.slice is not None else None
    bounds = [bound_network(problem.network, with_output=problem.with_output, problem=quick)]
    if problem.slice is not None and problem.stages and problem.network.is_chain:
        # On a slice the network is one with fewer inputs.
        bounds.append(bound_architecture([problem.dimension, *problem.widths]))
    return min((v for b in bounds for v in b.upper.values()), default=None)
