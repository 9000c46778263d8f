"""What an engine or a method of estimation says it can do, and refusals that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from milpcount.core.domain import Box, Polytope
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.engines.single_layer import is_single_layer
from milpcount.errors import DomainError, InputError, UnsupportedError

__all__ = [
    "ANY_DOMAIN",
    "BOUNDED",
    "NEEDS",
    "Capabilities",
    "EngineSpec",
    "Option",
    "varying_inputs",
]

FULL, NONEMPTY = Definition.FULL, Definition.NONEMPTY

# Kinds of domains, as :func:`_kinds` names them.
BOUNDED = frozenset({"box", "polytope"})
ANY_DOMAIN = BOUNDED | {"unbounded box", "slice"}

# What a count may need of an engine besides a number: the regions themselves, and abilities.
NEEDS = frozenset({"regions", "workers", "resume", "certificate"})

_MANY = {"box": "boxes", "polytope": "polytopes", "slice": "slices"}


@dataclass(frozen=True)
class Option:
    """An option of an engine.

    Attributes:
        name: the keyword.
        type: of its value.
        help: a sentence fragment for the command line and for messages.
        choices: the values that it takes, where they are few.
    """

    name: str
    type: type
    help: str
    choices: tuple[str, ...] = ()

    def require(self, who: str, value: object) -> None:
        """Check a value.

        Raises:
            InputError: it has another type, or is none of the choices.
        """
        if self.choices and value not in self.choices:
            raise InputError(
                f"{who}: {self.name} must be one of {', '.join(self.choices)}, not {value!r}"
            )
        if not isinstance(value, self.type):
            raise InputError(
                f"{who}: {self.name} must be of type {self.type.__name__}, not {value!r}"
            )


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What is served; everything that refuses, chooses or lists reads it here.

    Attributes:
        definitions: of what is counted.
        domains: kinds of domains: "box", "polytope", "unbounded box", "slice".
        most_inputs: the largest number of inputs that vary and that the first stage can tell
            apart; None for any.
        most_units: the largest number of units; None for any.
        single_layer: whether units that read the states of others are not served.
    """

    definitions: frozenset[Definition] = frozenset({FULL, NONEMPTY})
    domains: frozenset[str] = ANY_DOMAIN
    most_inputs: int | None = None
    most_units: int | None = None
    single_layer: bool = False

    def obstacle(self, problem: CountProblem) -> tuple[type[InputError], str] | None:
        """Why the problem is not served: a kind of error, and words that follow a name."""
        if problem.definition not in self.definitions:
            served = " and ".join(d.value for d in Definition if d in self.definitions)
            return UnsupportedError, f"counts {served} regions, not {problem.definition}"
        for kind in _kinds(problem):
            if kind == "unbounded box" and kind not in self.domains:
                return DomainError, "needs a bounded domain, and this one is unbounded"
            if kind not in self.domains:
                return UnsupportedError, f"does not serve {_MANY[kind]}"
        inputs, units = varying_inputs(problem), problem.n_units
        if self.most_inputs is not None and inputs > self.most_inputs:
            return (
                UnsupportedError,
                f"serves up to {self.most_inputs} inputs that vary, here are {inputs}",
            )
        if self.most_units is not None and units > self.most_units:
            return UnsupportedError, f"serves at most {self.most_units} units, here are {units}"
        if self.single_layer and not is_single_layer(problem):
            return UnsupportedError, "counts single layers, and here units read others with a state"
        return None


@dataclass(frozen=True, kw_only=True)
class EngineSpec(Capabilities):
    """An engine: a generator function ``f(problem, watch, outcome, **options)``.

    Attributes:
        name: what users call it.
        summary: how it works, a line.
        module: where it lives; imported on use.
        function: its name there.
        options: besides the abilities below.
        shares: whether it takes ``workers``.
        resumes: whether it takes ``resume``, a file that keeps finished work.
        certifies: whether it writes a certificate while it searches; what other engines find is
            certified afterwards.
        lists: whether it finds the regions themselves, and not only how many there are.
        seconds_per_region: an order of magnitude, for plans; None where it varies too much.
    """

    name: str
    summary: str
    module: str
    function: str
    options: tuple[Option, ...] = ()
    shares: bool = False
    resumes: bool = False
    certifies: bool = False
    lists: bool = True
    seconds_per_region: float | None = None

    @cached_property
    def abilities(self) -> frozenset[str]:
        """Which of :data:`NEEDS` it serves."""
        able = {
            "regions": self.lists,
            "workers": self.shares,
            "resume": self.resumes,
            "certificate": self.certifies,
        }
        return frozenset(need for need in NEEDS if able[need])

    def takes(self, option: str) -> bool:
        """Whether the engine has an option or ability of this name."""
        if option in NEEDS:
            return option != "regions" and option in self.abilities
        return any(option == o.name for o in self.options)

    def require_options(self, options: Mapping[str, object], engines: Iterable[EngineSpec]) -> None:
        """Check names and values.

        Raises:
            UnsupportedError: an option that the engine does not have.
            InputError: a value that the option does not take.
        """
        for name in options:
            if self.takes(name):
                continue
            who = [spec.name for spec in engines if spec.takes(name)]
            own = [option.name for option in self.options]
            if who:
                hint = f"engines that have it: {', '.join(who)}"
            else:
                hint = f"its options are {', '.join(own)}" if own else "it has no options"
            raise UnsupportedError(f"engine {self.name} has no option {name!r}; {hint}")
        for option in self.options:
            if option.name in options:
                option.require(f"engine {self.name}", options[option.name])


def varying_inputs(problem: CountProblem) -> int:
    """The dimension of the search: inputs that vary, or units of the first stage if fewer."""
    return min(problem.box.varying, problem.widths[0] if problem.widths else 0)


def _kinds(problem: CountProblem) -> list[str]:
    """What an engine must be able to deal with; whether a polytope is bounded shows later."""
    kinds = ["slice"] if problem.slice is not None else []
    if isinstance(problem.domain, Polytope):
        kinds.append("polytope")
    elif isinstance(problem.domain, Box):
        kinds.append("box" if problem.domain.is_bounded else "unbounded box")
    return kinds
