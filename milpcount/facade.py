"""The functions that most users need: count, bound, enumerate_regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milpcount.domain import Domain
from milpcount.engines import choose_engine, run_engine
from milpcount.network import ReLUNetwork
from milpcount.outcome import Outcome
from milpcount.problem import CountProblem, Watch
from milpcount.region import RegionStream
from milpcount.result import (
    BoundResult,
    Budget,
    CountResult,
    Definition,
    Limit,
    ProgressCallback,
    TerminationReason,
)

__all__ = ["bound", "count", "enumerate_regions"]


def count(
    net: ReLUNetwork,
    domain: Domain | None = None,
    *,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> CountResult:
    """Count the activation regions of a ReLU network over a domain, exactly.

    Arguments:
        net: the network (see :func:`milpcount.load_network`).
        domain: Box, Polytope or WholeSpace; the network's own box when None.
        engine: "auto", "milp", "tree-highs" or "brute".
        definition: "full" (full-dimensional regions) or "nonempty" (patterns that occur).
        with_output: whether the units of the last affine layer count as ReLUs too.
        budget: limits; a limit or Ctrl-C gives a valid interval, never an exception.
        progress: called with :class:`~milpcount.result.Progress` at most ten times a second.
        options: options of the engine, for example ``solver="mathopt-scip"`` for "milp".

    Raises:
        InputError: a domain, engine, definition or option that does not fit; the message says
            what to do.
        SolverError: a numerical solver failed.
    """
    problem = CountProblem.of(net, domain, definition, with_output)
    name = choose_engine(engine, problem)
    watch, outcome = Watch(budget, progress), Outcome(keep=False)
    regions = 0
    found = run_engine(name, problem, watch, outcome, options)
    try:
        for some in found:
            regions += some.count
    except KeyboardInterrupt:
        outcome.termination = watch.stop(Limit.INTERRUPT, "Ctrl-C")
    if outcome.termination.reason is TerminationReason.COMPLETE:
        upper: int | None = regions
    else:
        regions += outcome.open_regions
        upper = outcome.upper if outcome.upper is not None else _proved_upper(problem)
    return CountResult(
        lower=regions,
        upper=upper,
        engine=name,
        definition=problem.definition,
        with_output=with_output,
        termination=outcome.termination,
        seconds=watch.seconds,
        network_sha256=net.sha256,
        statistics=outcome.statistics,
    )


def enumerate_regions(
    net: ReLUNetwork,
    domain: Domain | None = None,
    *,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> RegionStream:
    """Stream the regions that :func:`count` counts, each once; arguments as there."""
    problem = CountProblem.of(net, domain, definition, with_output)
    outcome = Outcome()
    name = choose_engine(engine, problem)
    found = run_engine(name, problem, Watch(budget, progress), outcome, options)
    leaves = (leaf for some in found for leaf in some.leaves())
    return RegionStream(problem, leaves, outcome)


def bound(
    what: ReLUNetwork | Sequence[int], domain: Domain | None = None, *, with_output: bool = False
) -> BoundResult:
    """Analytic bounds of an architecture ``[n_0, n_1, ..., n_L]`` or of a network.

    Every width after the input counts as a ReLU layer.  For a network its hidden layers count
    (and the output layer with ``with_output``), and ranks of its weights sharpen the bounds.
    No bound so far depends on the domain; it is accepted and checked against the network.

    Raises:
        InputError: widths that are not positive integers, or a domain of another dimension.
    """
    from milpcount.bounds import bound_architecture, bound_network

    if isinstance(what, ReLUNetwork):
        if domain is not None:
            domain.resolve(what.input_dimension)
        return bound_network(what, with_output=with_output)
    return bound_architecture(what)


def _proved_upper(problem: CountProblem) -> int | None:
    """The least analytic upper bound; every one of them also bounds the non-empty patterns."""
    bounds = bound(problem.network, with_output=problem.with_output)
    return min(bounds.upper.values(), default=None)
