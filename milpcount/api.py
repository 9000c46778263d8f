"""The functions that most users need: count, bound, estimate, enumerate_regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.arguments import (
    budget_of,
    is_widths,
    network_of,
    problem_of,
    require_flag,
    require_progress,
    seed_of,
    share_of,
    watched,
    workers_of,
)
from milpcount.cluster.dask_cluster import DaskCluster
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.result import (
    BoundResult,
    Budget,
    CountResult,
    Definition,
    EstimateResult,
    Limit,
    ProgressCallback,
    TerminationReason,
)
from milpcount.core.run import Leaf, Outcome, Watch
from milpcount.engines.registry import choose_engine, run_engine
from milpcount.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from milpcount.geometry.region_stream import RegionStream

__all__ = ["bound", "count", "enumerate_regions", "estimate"]


def count(
    net: Any,
    domain: Domain | None = None,
    *,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    workers: int | DaskCluster | None = None,
    resume: str | Path | None = None,
    certificate: str | Path | None = None,
    progress: ProgressCallback | bool | None = None,
    **options: Any,
) -> CountResult:
    """Count the activation regions of a ReLU network over a domain, exactly.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads: a path, a torch module, a
            pair (weights, biases), ...
        domain: Box, Polytope, Slice or WholeSpace; the network's own box when None.
        engine: "auto", "tree", "subdivision", "arrangement", "milp", "cpsat", "tree-highs" or
            "brute".
        definition: "full" (full-dimensional regions), "nonempty" (patterns that occur), "linear"
            (full regions, neighbours with the same affine map merged), "closed" (those merged
            too that a connected closed set joins on which the function equals their map) or
            "affine" (different affine maps of full regions).
        with_output: whether the units of the last affine layer count as ReLUs too.
        budget: limits, a number is seconds; a limit or Ctrl-C gives a valid interval, never an
            exception.
        workers: how many share the work, threads of this process where they do not wait for each
            other and processes where they would, or a :class:`~milpcount.cluster.DaskCluster`
            (engines "tree" and "subdivision").
        resume: a file that keeps finished parts of the work; a count that is stopped or killed
            goes on from it (engines "tree" and "subdivision").
        certificate: a file that :func:`verify` can check without trusting any engine; "auto" is
            then "tree".  After a limit it proves "at least".
        progress: called with :class:`~milpcount.core.result.Progress` at most ten times a second;
            True shows a bar on stderr.
        options: options of the engine, for example ``solver="mathopt-scip"`` for "milp".

    Raises:
        InputError: a domain, engine, definition or option that does not fit; the message says
            what to do.
        SolverError: a numerical solver failed, worker processes ended again and again, or the
            scheduler of a cluster is gone.
    """
    definition = Definition.of(definition)
    problem = problem_of(net, domain, definition.searched, with_output)
    if certificate is not None and definition.merges:
        raise UnsupportedError(
            f"certificates are about full and nonempty regions, not {definition}"
        )
    given = {"workers": workers_of(workers), "resume": resume}
    options |= {option: value for option, value in given.items() if value is not None}
    budget = budget_of(budget)
    with watched(progress) as shown:
        return _count(problem, definition, engine, Watch(budget, shown), certificate, options)


def _count(
    problem: CountProblem,
    definition: Definition,
    engine: str,
    watch: Watch,
    certificate: str | Path | None,
    options: dict[str, Any],
) -> CountResult:
    merges = definition.merges
    needs = {"regions": merges, "certificate": certificate is not None} | dict.fromkeys(
        options, True
    )
    name = choose_engine(engine, problem, [need for need, wanted in needs.items() if wanted])
    outcome = Outcome(keep=merges, patterns_only=merges)
    if certificate is None:
        found = run_engine(name, problem, watch, outcome, options)
    else:
        from milpcount.certificates import certified

        found = certified(Path(certificate), name, problem, watch, outcome, options)
    regions = 0
    patterns: list[NDArray[np.uint8]] = []
    try:
        for some in found:
            regions += some.count
            if merges:
                patterns.append(some.patterns())
    except KeyboardInterrupt:
        outcome.termination = watch.stop(Limit.INTERRUPT, "Ctrl-C")
    if merges:
        lower, upper = _merge(problem, definition, patterns, watch, outcome)
    else:
        lower = upper = regions
    if outcome.termination.reason is not TerminationReason.COMPLETE:
        lower += 0 if merges else outcome.open_regions
        if not merges or upper is None:
            from milpcount.bounds import proved_upper

            upper = outcome.upper if outcome.upper is not None else proved_upper(problem)
    return CountResult(
        lower=lower,
        upper=upper,
        engine=name,
        definition=definition,
        with_output=problem.with_output,
        termination=outcome.termination,
        seconds=watch.seconds_before + watch.seconds,
        network_sha256=problem.network.sha256,
        statistics=outcome.statistics,
        notes=problem.network.notes,
    )


def _merge(
    problem: CountProblem,
    definition: Definition,
    patterns: list[NDArray[np.uint8]],
    watch: Watch,
    outcome: Outcome,
) -> tuple[int, int | None]:
    """Proved ends of the number of pieces; the upper one is None while regions lack."""
    from milpcount.linear import count_pieces

    complete = outcome.termination.reason is TerminationReason.COMPLETE
    bits = np.concatenate([np.zeros((0, problem.n_units), dtype=np.uint8), *patterns])
    outcome.statistics["full_regions"] = int(bits.shape[0])
    # Among some of the regions, different maps are different pieces, and no more is known.
    asked = definition if complete else Definition.AFFINE
    try:
        watch.report("merging equal maps", force=True)
        lower, upper = count_pieces(problem, bits, [asked], watch, outcome)[asked]
    except KeyboardInterrupt:
        outcome.termination = watch.stop(Limit.INTERRUPT, "Ctrl-C")
        return min(1, len(bits)), int(bits.shape[0]) if complete else None
    outcome.finish(watch)
    return lower, upper if complete else None


def enumerate_regions(
    net: Any,
    domain: Domain | None = None,
    *,
    engine: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    workers: int | DaskCluster | None = None,
    progress: ProgressCallback | bool | None = None,
    **options: Any,
) -> RegionStream:
    """Stream the regions that :func:`count` counts, each once; arguments as there.

    Raises:
        UnsupportedError: a definition whose pieces are unions of regions ("linear", "closed",
            "affine").
    """
    from milpcount.geometry.region_stream import RegionStream

    problem = problem_of(net, domain, definition, with_output)
    if workers is not None:
        options["workers"] = workers_of(workers)
    require_progress(progress)
    outcome = Outcome()
    name = choose_engine(engine, problem, ["regions", *options])
    # The bar, if one is asked for, appears with the first region and goes with the last.
    shown: list[ProgressCallback] = []
    watch = Watch(budget_of(budget), (lambda part: shown[0](part)) if progress else None)
    found = run_engine(name, problem, watch, outcome, options)

    def leaves() -> Iterator[Leaf]:
        with watched(progress) as callback:
            if callback is not None:
                shown.append(callback)
            for some in found:
                yield from some.leaves()

    return RegionStream(problem, leaves(), outcome)


def bound(what: Any, domain: Domain | None = None, *, with_output: bool = False) -> BoundResult:
    """Analytic bounds of an architecture ``[n_0, n_1, ..., n_L]`` or of a network.

    A network is given as for :func:`count`.

    Every width after the input counts as a ReLU layer.  For a network its hidden layers count
    (and the output layer with ``with_output``), and ranks of its weights sharpen the bounds.
    ``activation_based`` uses the signs of the weights too; with a domain, also which units are
    stable over it, and it holds for this domain alone.  No other bound depends on the domain.

    Raises:
        InputError: widths that are not positive integers, or a domain of another dimension.
    """
    from milpcount.bounds import bound_architecture, bound_network

    require_flag("with_output", with_output)
    if is_widths(what):
        if domain is not None or with_output:
            raise InputError(
                "a domain and with_output go with a network, not with widths; "
                "add the layer of outputs to the widths"
            )
        return bound_architecture(what.tolist() if isinstance(what, np.ndarray) else what)
    net = network_of(what)
    problem = None
    if domain is not None:
        problem = CountProblem.of(net, domain, with_output=with_output)
    result = bound_network(net, with_output=with_output, problem=problem)
    return replace(result, notes=net.notes)


def estimate(
    net: Any,
    domain: Domain | None = None,
    *,
    method: str = "tree-sample",
    confidence: float = 0.95,
    seed: int = 0,
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    progress: ProgressCallback | bool | None = None,
    **options: Any,
) -> EstimateResult:
    """Bound the number of regions from below with a stated confidence, and estimate it.

    Arguments:
        net: the network, as for :func:`count`.
        domain: as for :func:`count`.
        method: "tree-sample", "hash-tree", "mipbound" or "cpsat".
        confidence: probability with which ``lower`` holds, over the method's random choices.
        seed: of these choices; the same seed gives the same answer, limits of time aside.
        definition: "full" or "nonempty".
        with_output: whether the units of the last affine layer count as ReLUs too.
        budget: limits; what is proved when one is reached is the result.
        progress: as for :func:`count`.
        options: of the method, for example ``runs=100`` for "tree-sample".

    Raises:
        InputError: a domain, method, definition or option that does not fit.
    """
    from milpcount.sampling.methods import run_method

    confidence, seed, budget = share_of("confidence", confidence), seed_of(seed), budget_of(budget)
    problem = problem_of(net, domain, definition, with_output)
    with watched(progress) as shown:
        result = run_method(
            method,
            problem,
            Watch(budget, shown),
            confidence=confidence,
            seed=seed,
            options=options,
        )
    return replace(result, notes=problem.network.notes)
