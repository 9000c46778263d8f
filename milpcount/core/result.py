"""What engines return: counts as value objects that say what is claimed and why they stopped."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from milpcount.errors import InputError, InvariantError
from milpcount.support.cards import card, interval_text, whole_text
from milpcount.support.decimal_text import to_decimal
from milpcount.support.text import nearest
from milpcount.support.version import __version__

__all__ = [
    "BoundResult",
    "Budget",
    "CountResult",
    "Definition",
    "EstimateResult",
    "Guarantee",
    "Limit",
    "Progress",
    "ProgressCallback",
    "Termination",
    "TerminationReason",
]


class Definition(enum.StrEnum):
    """What is counted.

    Always ``affine <= closed <= linear <= full <= nonempty <= every analytic upper bound``.

    Attributes:
        FULL: patterns whose set of inputs in the domain is full-dimensional.
        NONEMPTY: patterns that some input has (half-open: active means > 0), lower-dimensional
            ones included; the MILP of Serra et al. taken literally.
        LINEAR: maximal connected open sets on which the affine map is the same: full regions,
            joined where they share a facet.  Sets that touch in a point are two.
        CLOSED: the same with closed sets: connected components of the sets on which the function
            equals the affine map of some full region, those that hold such a region.  Where the
            function takes the values of that map inside of other regions (on a face or a slice of
            lower dimension), this connects too.
        AFFINE: different affine maps of full regions, connected or not.
    """

    FULL = "full"
    NONEMPTY = "nonempty"
    LINEAR = "linear"
    CLOSED = "closed"
    AFFINE = "affine"

    @classmethod
    def of(cls, name: Definition | str) -> Definition:
        """The definition of this name.

        Raises:
            InputError: there is none; the message names the nearest.
        """
        try:
            return cls(name)
        except ValueError:
            raise InputError(f"no definition {name!r}; {nearest(name, list(cls))}") from None

    @property
    def merges(self) -> bool:
        """Whether what is counted are unions of full regions, pieces of the function."""
        return self in (Definition.LINEAR, Definition.CLOSED, Definition.AFFINE)

    @property
    def searched(self) -> Definition:
        """Which regions are searched for it."""
        return Definition.FULL if self.merges else self


class TerminationReason(enum.StrEnum):
    """Why an engine stopped."""

    UNKNOWN = "unknown"
    COMPLETE = "complete"
    LIMIT = "limit"


class Limit(enum.StrEnum):
    """Which limit stopped an engine."""

    TIME = "time"
    REGIONS = "regions"
    INTERRUPT = "interrupt"
    SOLVER = "solver"


@dataclass(frozen=True)
class Termination:
    """Why a run ended: ``limit`` is set exactly when ``reason`` is LIMIT."""

    reason: TerminationReason = TerminationReason.UNKNOWN
    limit: Limit | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        if (self.limit is not None) != (self.reason is TerminationReason.LIMIT):
            raise InvariantError(f"termination {self.reason} does not go with limit {self.limit}")

    @classmethod
    def complete(cls) -> Termination:
        """The engine finished."""
        return cls(TerminationReason.COMPLETE)

    @classmethod
    def stopped(cls, limit: Limit, detail: str = "") -> Termination:
        """The engine was stopped by a limit."""
        return cls(TerminationReason.LIMIT, limit, detail)


@dataclass(frozen=True)
class Budget:
    """Limits of a run; None means no limit."""

    seconds: float | None = None
    regions: int | None = None

    def __post_init__(self) -> None:
        for name, value, kinds in (
            ("time limit", self.seconds, (int, float)),
            ("region limit", self.regions, (int,)),
        ):
            if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
                raise InputError(f"the {name} must be a number, not {value!r}")
        if self.seconds is not None and not self.seconds > 0:
            raise InputError(f"the time limit must be above 0 seconds, not {self.seconds}")
        if self.regions is not None and self.regions < 1:
            raise InputError(f"the region limit must be at least 1, not {self.regions}")


@dataclass(frozen=True)
class Progress:
    """A snapshot for progress displays.

    Attributes:
        phase: what the engine is doing, a few words.
        regions: regions proved so far.
        seconds: since the start.
        fraction: of the work done, in [0, 1], when it can be told.
    """

    phase: str
    regions: int
    seconds: float
    fraction: float | None = None


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class CountResult:
    """An exact count, or a proved interval around it.

    Attributes:
        lower: regions proved to exist.
        upper: proved upper bound, None when unknown.
        engine: the engine that ran (never "auto").
        definition: what was counted.
        with_output: whether the output units counted as ReLUs.
        termination: why it stopped.
        seconds: wall time; of a resumed count that of all its runs.
        network_sha256: content hash of the network.
        statistics: engine-specific numbers (LPs solved, decisions by rung, missed by the solver).
        notes: what an importer changed when it read the network.
        version: of milpcount.
    """

    lower: int
    upper: int | None
    engine: str
    definition: Definition
    with_output: bool
    termination: Termination
    seconds: float
    network_sha256: str
    statistics: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    version: str = __version__

    def __post_init__(self) -> None:
        if self.lower < 0 or (self.upper is not None and self.upper < self.lower):
            raise InvariantError(f"count interval [{self.lower}, {self.upper}] is not an interval")
        if self.termination.reason is TerminationReason.COMPLETE and self.upper != self.lower:
            raise InvariantError("a complete count must have equal ends")

    @property
    def exact(self) -> bool:
        """Whether the interval is one number."""
        return self.upper == self.lower

    def __repr__(self) -> str:
        limit = self.termination.limit
        stopped = "" if limit is None else f", stopped by {limit}"
        count = interval_text(self.lower, self.upper)
        return f"CountResult({count}, {self.definition}, engine {self.engine}{stopped})"

    def _repr_html_(self) -> str:
        limit = self.termination.limit
        rows: list[tuple[str, object]] = [
            ("counted", f"{self.definition}{', output included' if self.with_output else ''}"),
            ("exact", "yes" if self.exact else f"no, stopped by {limit}"),
            ("engine", self.engine),
            ("seconds", f"{self.seconds:.3g}"),
            ("network", f"{self.network_sha256[:12]}..."),
            *(("note", note) for note in self.notes),
        ]
        return card(f"{interval_text(self.lower, self.upper)} regions", rows)

    def to_json(self) -> dict[str, Any]:
        """The object that ``milpcount count --json`` prints; counts are decimal strings."""
        return {
            "lower": to_decimal(self.lower),
            "upper": None if self.upper is None else to_decimal(self.upper),
            "exact": self.exact,
            "engine": self.engine,
            "definition": str(self.definition),
            "with_output": self.with_output,
            "seconds": self.seconds,
            "stopped_by": None if self.termination.limit is None else str(self.termination.limit),
            "network_sha256": self.network_sha256,
            "version": self.version,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class BoundResult:
    """Analytic bounds for an architecture, or for one network where weights sharpen them.

    Attributes:
        upper: by name, upper bounds on the number of regions of every such network.
        lower: by name, numbers of regions that some network of this architecture reaches
            (lower bounds on the maximum, not on the count of a given network).
        estimates: by name, expectations under a random initialisation: neither bound.
        widths: ``(n_0, n_1, ..., n_L)`` as counted.
        reasons: by name, why a bound does not apply.
        notes: what an importer changed when it read the network; none for an architecture.
    """

    upper: Mapping[str, int]
    lower: Mapping[str, int]
    estimates: Mapping[str, int]
    widths: tuple[int, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.widths))
        best = min(self.upper, key=lambda name: self.upper[name], default=None)
        most = "" if best is None else f": at most {whole_text(self.upper[best])} by {best}"
        return f"BoundResult({shape}{most})"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = []
        for kind, bounds in (("at most", self.upper), ("some network reaches", self.lower)):
            ordered = sorted(bounds.items(), key=lambda item: item[1])
            rows += [(f"{kind}, {name}", whole_text(value)) for name, value in ordered]
        rows += [(f"expected, {k}", whole_text(v)) for k, v in self.estimates.items()]
        rows += [("note", note) for note in self.notes]
        return card("regions of a network " + "-".join(map(str, self.widths)), rows)

    def to_json(self) -> dict[str, Any]:
        """The object that ``milpcount bound --json`` prints; counts are decimal strings."""
        return {
            "upper": {name: to_decimal(value) for name, value in self.upper.items()},
            "lower": {name: to_decimal(value) for name, value in self.lower.items()},
            "reasons": dict(self.reasons),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Guarantee:
    """What a probabilistic result claims, and what it takes for granted.

    Attributes:
        statement: the claim, one sentence.
        assumptions: what it needs besides a fair random generator; empty for none.
        source: where the claim is proved.
    """

    statement: str
    assumptions: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class EstimateResult:
    """A probabilistic lower bound on a count, and an estimate where the method gives one.

    Attributes:
        lower: with probability at least ``confidence`` over the random choices of the method, the
            count is at least this.
        confidence: as asked.
        method: the method that ran.
        seed: of its random choices; the same seed gives the same answer, limits of time aside.
        seconds: wall time.
        guarantee: what ``lower`` and ``estimate`` claim, and under which assumptions.
        termination: why it stopped.
        definition: what is counted.
        with_output: whether the output units counted as ReLUs.
        network_sha256: content hash of the network.
        estimate: of the count, None where the method gives none.
        interval: ends between which the estimate places the count, at the same confidence.
        runs: independent repetitions.
        history: what the bound was computed from.
        statistics: method-specific numbers.
        notes: what an importer changed when it read the network.
        version: of milpcount.
    """

    lower: int
    confidence: float
    method: str
    seed: int
    seconds: float
    guarantee: Guarantee
    termination: Termination
    definition: Definition
    with_output: bool
    network_sha256: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    runs: int = 0
    history: Mapping[str, Any] = field(default_factory=dict)
    statistics: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    version: str = __version__

    def __post_init__(self) -> None:
        if self.lower < 0:
            raise InvariantError(f"a lower bound of {self.lower} on a count")
        if not 0 < self.confidence < 1:
            raise InvariantError(f"a confidence of {self.confidence}")

    def __repr__(self) -> str:
        about = "" if self.estimate is None else f", about {self.estimate:.4g}"
        return (
            f"EstimateResult(at least {whole_text(self.lower)}{about}, "
            f"confidence {self.confidence:g}, method {self.method})"
        )

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [("confidence", f"{self.confidence:g}")]
        if self.estimate is not None:
            rows.append(("estimate", f"{self.estimate:.6g}"))
        if self.interval is not None:
            rows.append(("interval", f"{self.interval[0]:.6g} to {self.interval[1]:.6g}"))
        limit = self.termination.limit
        rows += [
            ("method", self.method),
            ("counted", f"{self.definition}{', output included' if self.with_output else ''}"),
            ("claim", self.guarantee.statement),
            *(("assumes", text) for text in self.guarantee.assumptions),
            *((("stopped by", limit),) if limit is not None else ()),
            ("seconds", f"{self.seconds:.3g}"),
            ("network", f"{self.network_sha256[:12]}..."),
            *(("note", note) for note in self.notes),
        ]
        return card(f"at least {whole_text(self.lower)} regions", rows)

    def to_json(self) -> dict[str, Any]:
        """The object that ``milpcount estimate --json`` prints; counts are decimal strings."""
        return {
            "lower": to_decimal(self.lower),
            "confidence": self.confidence,
            "method": self.method,
            "seed": self.seed,
            "seconds": self.seconds,
            "estimate": None if self.estimate is None else repr(float(self.estimate)),
            "interval": None if self.interval is None else [repr(float(v)) for v in self.interval],
            "runs": self.runs,
            "guarantee": self.guarantee.statement,
            "assumptions": list(self.guarantee.assumptions),
            "definition": str(self.definition),
            "with_output": self.with_output,
            "stopped_by": None if self.termination.limit is None else str(self.termination.limit),
            "network_sha256": self.network_sha256,
            "version": self.version,
            "notes": list(self.notes),
            "history": dict(self.history),
        }
