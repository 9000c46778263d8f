"""The table of engines: what each can do, which one is chosen, and how it is started."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Found, Outcome, Watch
from milpcount.engines.single_layer import has_short_minors, is_arrangement
from milpcount.engines.spec import (
    BOUNDED,
    NEEDS,
    EngineSpec,
    Option,
    varying_inputs,
)
from milpcount.errors import UnsupportedError

__all__ = ["AUTO", "ENGINES", "AutoRule", "can_resume", "choose_engine", "run_engine"]

ENGINES: Mapping[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        EngineSpec(
            name="tree",
            summary="compiled LP tree search, every decision proved; any domain and dimension",
            module="milpcount.search.enumerate",
            function="enumerate_tree",
            shares=True,
            resumes=True,
            certifies=True,
            seconds_per_region=3e-5,
        ),
        EngineSpec(
            name="subdivision",
            summary="compiled clipping of cells by their vertices, exact signs; up to 6 inputs",
            module="milpcount.search.enumerate",
            function="enumerate_subdivision",
            definitions=frozenset({Definition.FULL}),
            most_inputs=6,  # a cell has some 2^n vertices
            shares=True,
            resumes=True,
            seconds_per_region=5e-6,
        ),
        EngineSpec(
            name="arrangement",
            summary="the hyperplanes of a single layer, by deletion and restriction; counts only",
            module="milpcount.engines.arrangement.counting",
            function="count_arrangement",
            definitions=frozenset({Definition.FULL}),
            single_layer=True,
            lists=False,
            options=(
                Option("memory", int, "megabytes for restrictions that may be met again"),
                Option("confirm", str, "whether what is proved is counted again", ("yes", "no")),
            ),
        ),
        EngineSpec(
            name="milp",
            summary="the MILP of Serra et al. 2018, no-good cuts, closed by exact LPs",
            module="milpcount.engines.milp.engine",
            function="enumerate_milp",
            domains=BOUNDED,
            options=(
                Option(
                    "solver", str, "the MILP solver", ("highs", "mathopt-highs", "mathopt-scip")
                ),
                Option(
                    "variant",
                    str,
                    "any pattern with a margin, or the objective of the paper",
                    ("feasibility", "max_f"),
                ),
                Option(
                    "preactivation",
                    str,
                    "how the big-M constants are found",
                    ("interval", "lp", "milp"),
                ),
                Option("cuts", str, "no-good cuts, nested or as in the paper", ("nested", "plain")),
            ),
            seconds_per_region=0.15,
        ),
        EngineSpec(
            name="cpsat",
            summary="CP-SAT proposes patterns, exact LPs accept or explain; closed by exact LPs",
            module="milpcount.engines.cpsat.benders",
            function="enumerate_cpsat",
        ),
        EngineSpec(
            name="tree-highs",
            summary="LP tree search over persistent HiGHS, every decision proved",
            module="milpcount.exact.tree",
            function="enumerate_tree_highs",
            seconds_per_region=5e-3,
        ),
        EngineSpec(
            name="brute",
            summary="all patterns by exact rational LP, up to 14 units",
            module="milpcount.exact.brute",
            function="enumerate_brute",
            most_units=14,
        ),
    )
}


@dataclass(frozen=True)
class Kind:
    """Networks and domains that a rule is for.

    Attributes:
        words: what they are.
        holds: whether a problem is of them.
    """

    words: str
    holds: Callable[[CountProblem], bool]


@dataclass(frozen=True)
class AutoRule:
    """When "auto" takes an engine; the first rule that applies does.

    Attributes:
        engine: the one that is taken.
        definitions: of what is counted.
        most_inputs: up to so many inputs that vary, None for any number.
        reason: why.
        most_stages: up to so many counted stages, None for any number.
        kind: which networks, besides.
    """

    engine: str
    definitions: frozenset[Definition]
    most_inputs: int | None
    reason: str
    most_stages: int | None = None
    kind: Kind | None = None

    def applies(self, problem: CountProblem) -> bool:
        """Whether the problem is such a one."""
        return (
            problem.definition in self.definitions
            and (self.most_inputs is None or varying_inputs(problem) <= self.most_inputs)
            and (self.most_stages is None or len(problem.stages) <= self.most_stages)
            and (self.kind is None or self.kind.holds(problem))
        )


AUTO = (
    AutoRule(
        "arrangement",
        frozenset({Definition.FULL}),
        None,
        "regions of hyperplanes are counted, not searched, where no more is wanted",
        kind=Kind(
            "a single layer over R^n, or with all zeros at the origin inside", is_arrangement
        ),
    ),
    AutoRule(
        "arrangement",
        frozenset({Definition.FULL}),
        10,
        "sections in integers: many of the hyperplanes meet in degenerate ways",
        kind=Kind(
            "a single layer of small integers over a box, at least 5 inputs", has_short_minors
        ),
    ),
    AutoRule(
        "subdivision",
        frozenset({Definition.FULL}),
        5,
        "cells have some 2^n vertices: faster than linear programmes in up to five dimensions",
    ),
    AutoRule(
        "subdivision",
        frozenset({Definition.FULL}),
        6,
        "the regions of a single stage are counted by sections, no cell is made",
        most_stages=1,
    ),
    AutoRule(
        "tree",
        frozenset({Definition.FULL, Definition.NONEMPTY}),
        None,
        "serves everything; the one that writes certificates while it searches",
    ),
)


def choose_engine(name: str, problem: CountProblem, needs: Iterable[str] = ("regions",)) -> str:
    """Return the engine to run: the named one, or the fastest that serves the problem for "auto".

    Arguments:
        name: as given by the user.
        problem: what is to be counted; linear pieces are made of full regions.
        needs: what "auto" looks for: "regions" where they themselves are wanted and not only
            their number, and abilities: "certificate", "workers", "resume"; names of other
            options are passed over.

    Raises:
        UnsupportedError: no such engine.
    """
    if name == "auto":
        wanted = NEEDS & set(needs)
        for rule in AUTO:
            if wanted <= ENGINES[rule.engine].abilities and rule.applies(problem):
                return rule.engine
    if name not in ENGINES:
        near = difflib.get_close_matches(name, ["auto", *ENGINES], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnsupportedError(f"no engine {name!r}; known: auto, {', '.join(ENGINES)}{hint}")
    return name


def can_resume(name: str) -> bool:
    """Whether the engine can go on with a count from a file; "auto" chooses one that can."""
    return name == "auto" or ENGINES[name].resumes


def run_engine(
    name: str, problem: CountProblem, watch: Watch, outcome: Outcome, options: Mapping[str, Any]
) -> Iterator[Found]:
    """Start an engine on a problem and with options that it declares to serve.

    Raises:
        UnsupportedError: it serves another kind of problem, or has no such option; the message
            names the engines that do.
        DomainError: it needs a bounded domain.
        InputError: a value that an option does not take.
    """
    spec = ENGINES[name]
    spec.require_options(options, ENGINES.values())
    obstacle = spec.obstacle(problem)
    if obstacle is None and outcome.keep and not spec.lists:
        obstacle = UnsupportedError, "counts regions and does not list them"
    if obstacle is not None:
        error, words = obstacle
        able = [
            other.name
            for other in ENGINES.values()
            if other.obstacle(problem) is None and (other.lists or not outcome.keep)
        ]
        raise error(f"engine {name} {words}; use engine {' or '.join(able)}")
    function: Callable[..., Iterator[Found]] = getattr(
        importlib.import_module(spec.module), spec.function
    )
    return function(problem, watch, outcome, **options)
