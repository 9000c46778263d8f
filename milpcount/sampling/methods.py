"""The table of estimation methods: names, what each is for, and where it lives."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from milpcount.core.problem import CountProblem
from milpcount.core.result import EstimateResult, Guarantee, Limit
from milpcount.core.run import Watch
from milpcount.engines.spec import BOUNDED, Capabilities
from milpcount.errors import UnsupportedError

__all__ = ["DEFAULT_METHOD", "METHODS", "MethodSpec", "require_options", "run_method"]

DEFAULT_METHOD = "tree-sample"


@dataclass(frozen=True, kw_only=True)
class MethodSpec(Capabilities):
    """A method: ``f(problem, watch, *, confidence, seed, **options) -> EstimateResult``."""

    name: str
    summary: str
    module: str
    function: str

    def load(self) -> Callable[..., EstimateResult]:
        """Import it."""
        function: Callable[..., EstimateResult] = getattr(
            importlib.import_module(self.module), self.function
        )
        return function

    def options(self) -> list[str]:
        """Its options, besides confidence and seed."""
        return [
            p.name
            for p in inspect.signature(self.load()).parameters.values()
            if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name not in ("confidence", "seed")
        ]


METHODS: Mapping[str, MethodSpec] = {
    spec.name: spec
    for spec in (
        MethodSpec(
            name="tree-sample",
            summary="random searches of the exact search tree: unbiased estimate, bound without "
            "assumptions",
            module="milpcount.sampling.tree_sample",
            function="estimate_tree_sample",
        ),
        MethodSpec(
            name="hash-tree",
            summary="exact counts of random buckets under parity constraints (Hybrid-MBound, "
            "ApproxMC)",
            module="milpcount.sampling.hash_tree",
            function="estimate_hash_tree",
        ),
        MethodSpec(
            name="mipbound",
            summary="parity constraints on the MILP, feasible or not (Serra and Ramalingam 2020)",
            module="milpcount.sampling.mipbound",
            function="estimate_mipbound",
            domains=BOUNDED,
        ),
        MethodSpec(
            name="cpsat",
            summary="the same over OR-tools CP-SAT with conflict clauses from linear programmes",
            module="milpcount.engines.cpsat.benders",
            function="estimate_cpsat",
        ),
    )
}


def run_method(
    name: str,
    problem: CountProblem,
    watch: Watch,
    *,
    confidence: float,
    seed: int,
    options: Mapping[str, Any],
) -> EstimateResult:
    """Run a method; Ctrl-C before its first run gives a result that claims nothing.

    Raises:
        UnsupportedError: no such method, an option that it does not have, or a problem that it
            does not serve; the message names the methods that do.
        DomainError: it needs a bounded domain.
    """
    require_options(name, options)
    obstacle = METHODS[name].obstacle(problem)
    if obstacle is not None:
        error, words = obstacle
        able = [other.name for other in METHODS.values() if other.obstacle(problem) is None]
        raise error(f"method {name} {words}; use method {' or '.join(able)}")
    try:
        result = METHODS[name].load()(problem, watch, confidence=confidence, seed=seed, **options)
    except KeyboardInterrupt:
        # Methods keep the runs that they have done: here there are none.
        result = EstimateResult(
            lower=0,
            confidence=confidence,
            method=name,
            seed=seed,
            seconds=watch.seconds,
            guarantee=Guarantee("interrupted before the first run: nothing is claimed"),
            termination=watch.stop(Limit.INTERRUPT, "Ctrl-C"),
            definition=problem.definition,
            with_output=problem.with_output,
            network_sha256=problem.network.sha256,
        )
    return _at_least_what_is_certain(problem, result)


def _at_least_what_is_certain(problem: CountProblem, result: EstimateResult) -> EstimateResult:
    """The result of runs that a limit stopped, raised to what needs no runs."""
    if result.termination.limit is None:
        return result
    from milpcount.sampling.shattered import shattered_units

    units = shattered_units(problem)
    lower = 1 << units
    if result.lower >= lower:
        return result
    guarantee = Guarantee(
        f"certain, and more than the runs had shown when they were stopped: {units} units of the "
        "first stage take all combinations of their states",
        (),
        "milpcount.sampling.shattered",
    )
    if result.estimate is None or result.estimate < lower:
        return replace(result, lower=lower, guarantee=guarantee, estimate=None, interval=None)
    return replace(result, lower=lower, guarantee=guarantee)


def require_options(name: str, options: Collection[str]) -> None:
    """Check that there is such a method, and that it has these options.

    Raises:
        UnsupportedError: there is not, or it has not.
    """
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnsupportedError(f"no method {name!r}; known: {', '.join(METHODS)}{hint}")
    spec = METHODS[name]
    known = spec.options()
    for option in options:
        if option not in known:
            listing = f"its options are {', '.join(known)}" if known else "it has no options"
            raise UnsupportedError(f"method {name} has no option {option!r}; {listing}")
