"""The table of engines: names, what each is for, and where it lives (imported on use)."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Found, Outcome, Watch
from milpcount.errors import UnsupportedError

__all__ = ["ENGINES", "EngineSpec", "can_resume", "choose_engine", "run_engine"]

FEW_DIMENSIONS = 5


@dataclass(frozen=True)
class EngineSpec:
    """An engine: a generator function ``f(problem, watch, outcome, **options)``."""

    name: str
    summary: str
    module: str
    function: str


ENGINES: Mapping[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        EngineSpec(
            "tree",
            "compiled LP tree search, every decision proved; any domain and dimension",
            "milpcount.search.enumerate",
            "enumerate_tree",
        ),
        EngineSpec(
            "subdivision",
            "compiled clipping of cells by their vertices, exact signs; up to 6 inputs",
            "milpcount.search.enumerate",
            "enumerate_subdivision",
        ),
        EngineSpec(
            "milp",
            "the MILP of Serra et al. 2018, no-good cuts, closed by exact LPs",
            "milpcount.engines.milp.engine",
            "enumerate_milp",
        ),
        EngineSpec(
            "cpsat",
            "CP-SAT proposes patterns, exact LPs accept or explain; closed by exact LPs",
            "milpcount.engines.cpsat.benders",
            "enumerate_cpsat",
        ),
        EngineSpec(
            "tree-highs",
            "LP tree search over persistent HiGHS, every decision proved",
            "milpcount.exact.tree",
            "enumerate_tree_highs",
        ),
        EngineSpec(
            "brute",
            "all patterns by exact rational LP, up to 14 units",
            "milpcount.exact.brute",
            "enumerate_brute",
        ),
    )
}


def choose_engine(name: str, problem: CountProblem) -> str:
    """Return the engine to run: the named one, or the fastest that serves the problem for "auto".

    Raises:
        UnsupportedError: no such engine.
    """
    if name == "auto":
        vary = int((problem.box.lo < problem.box.hi).sum())
        few = min(vary, problem.widths[0] if problem.widths else 0) <= FEW_DIMENSIONS
        # Cells have some 2^n vertices; from six dimensions on linear programmes are faster
        # (benchmarks/bench_counting.py).  Linear pieces are made of full regions.
        return "subdivision" if few and problem.definition is not Definition.NONEMPTY else "tree"
    if name not in ENGINES:
        near = difflib.get_close_matches(name, ["auto", *ENGINES], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnsupportedError(f"no engine {name!r}; known: auto, {', '.join(ENGINES)}{hint}")
    return name


def can_resume(name: str) -> bool:
    """Whether the engine can go on with a count from a file; "auto" chooses such engines only."""
    return name == "auto" or "resume" in _function(name)[1]


def _function(name: str) -> tuple[Callable[..., Iterator[Found]], list[str]]:
    """The engine, and the names of its options."""
    spec = ENGINES[name]
    function = getattr(importlib.import_module(spec.module), spec.function)
    parameters = inspect.signature(function).parameters.values()
    return function, [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def run_engine(
    name: str, problem: CountProblem, watch: Watch, outcome: Outcome, options: Mapping[str, Any]
) -> Iterator[Found]:
    """Start an engine.

    Raises:
        UnsupportedError: an option that the engine does not have.
    """
    function, known = _function(name)
    for option in options:
        if option not in known:
            listing = f"its options are {', '.join(known)}" if known else "it has no options"
            raise UnsupportedError(f"engine {name} has no option {option!r}; {listing}")
    return function(problem, watch, outcome, **options)
