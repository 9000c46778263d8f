"""What a study would do and about how long it would take, from what is stored and known."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from milpcount.api import estimate
from milpcount.core.result import Budget, Definition
from milpcount.engines.registry import AUTO, ENGINES
from milpcount.study.config.grid import Run, resolve_domain
from milpcount.support.decimal_text import from_decimal

__all__ = ["Plan", "PlannedRun", "make_plan"]

_SAMPLE = 3.0  # seconds to estimate the number of regions of one architecture
_SAMPLED = 10  # architectures for which that is done

# Seconds a region where no stored run tells, an order of magnitude.
_TYPICAL = {
    name: spec.seconds_per_region
    for name, spec in ENGINES.items()
    if spec.seconds_per_region is not None
}
_TYPICAL["auto"] = max(_TYPICAL.get(rule.engine, 0.0) for rule in AUTO)


@dataclass(frozen=True)
class PlannedRun:
    """A run that is to be done, or is stored.

    Attributes:
        label: as in messages.
        architecture: such as "784-4-4-10".
        stored: whether it is done.
        seconds: of the stored run, or what it would take; None when unknown.
        basis: where an estimate comes from.
    """

    label: str
    architecture: str
    stored: bool
    seconds: float | None
    basis: str


@dataclass(frozen=True)
class Plan:
    """All runs of a study, and an estimate of the time that the open ones take.

    Attributes:
        runs: in the order of the study.
        workers: that would share them, None when unknown.
    """

    runs: tuple[PlannedRun, ...]
    workers: int | None = 1

    @property
    def todo(self) -> tuple[PlannedRun, ...]:
        """The runs to be done."""
        return tuple(run for run in self.runs if not run.stored)

    @property
    def unknown(self) -> int:
        """Runs to be done about whose time nothing is known."""
        return sum(run.seconds is None for run in self.todo)

    @property
    def seconds(self) -> float | None:
        """Of all runs to be done, one after the other; None if one is unknown."""
        return None if self.unknown else sum(run.seconds or 0.0 for run in self.todo)

    @property
    def wall_seconds(self) -> float | None:
        """The same, shared by the workers: not less than the longest run takes."""
        if self.seconds is None or self.workers is None:
            return None
        longest = max((run.seconds or 0.0 for run in self.todo), default=0.0)
        return max(self.seconds / self.workers, longest)

    def architectures(self) -> list[tuple[str, int, int, float | None]]:
        """By architecture: its name, runs to be done, runs stored, seconds of the former."""
        rows = []
        for name in dict.fromkeys(run.architecture for run in self.runs):
            own = Plan(tuple(run for run in self.runs if run.architecture == name))
            rows.append((name, len(own.todo), len(own.runs) - len(own.todo), own.seconds))
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "runs": [
                {
                    "label": run.label,
                    "architecture": run.architecture,
                    "stored": run.stored,
                    "seconds": run.seconds,
                    "basis": run.basis,
                }
                for run in self.runs
            ],
            "workers": self.workers,
            "unknown": self.unknown,
            "seconds": self.seconds,
            "wall_seconds": self.wall_seconds,
        }


def make_plan(
    runs: Sequence[Run], stored: Mapping[str, Mapping[str, Any]], workers: int | None = 1
) -> Plan:
    """Plan the runs.

    A run that is to be done takes as long as the median of stored runs of its architecture and
    way of counting; where there are none, as many regions as other counts of its architecture
    have found, or a short random search of its tree expects, at the median rate of its engine in
    the store, or where that is not known either at a typical rate; else its time is unknown.
    Never longer than its own limit.

    Arguments:
        runs: all runs of the study.
        stored: records by key, of this study and others.
        workers: that would share the runs.
    """
    history = _History(stored.values())
    return Plan(tuple(_plan(run, stored.get(run.key), history) for run in runs), workers)


def _plan(run: Run, record: Mapping[str, Any] | None, history: _History) -> PlannedRun:
    name = "-".join(map(str, run.architecture))
    if record is not None:
        return PlannedRun(run.label, name, True, float(record.get("seconds", 0.0)), "stored")
    seconds, basis = history.seconds(run)
    limit = getattr(run.settings, "time_limit", None)
    if limit is not None and (seconds is None or seconds > limit):
        seconds, basis = limit, "its time limit, at most"
    return PlannedRun(run.label, name, False, seconds, basis)


class _History:
    """What stored runs tell of others."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        # Estimates and bounds have records of other kinds, without an engine.
        self._records = [r for r in records if r.get("exact") is True and "engine" in r]
        self._samples: dict[tuple[Any, ...], float | None] = {}

    def seconds(self, run: Run) -> tuple[float | None, str]:
        """What a run takes and how that is known."""
        engine = getattr(run.settings, "engine", None)
        if engine is None:
            return None, "unknown"
        same = [r["seconds"] for r in self._alike(run) if _engine(r) == engine]
        if same:
            return statistics.median(same), f"{len(same)} stored run(s) like it"
        rates = [
            r["seconds"] / max(from_decimal(r["lower"]), 1)
            for r in self._records
            if _engine(r) == engine
        ]
        rate, origin = _TYPICAL.get(engine), "a typical rate: an order of magnitude"
        if rates:
            rate, origin = statistics.median(rates), "the stored rate of its engine"
        if rate is None:
            return None, "unknown"
        counts = [from_decimal(r["lower"]) for r in self._alike(run)]
        if counts:
            return float(statistics.median(counts)) * rate, f"counts of its architecture, {origin}"
        regions = self._sample(run)
        if regions is None:
            return None, "unknown"
        return regions * rate, f"a sampled count, {origin}"

    def _alike(self, run: Run) -> list[Mapping[str, Any]]:
        """Records of the same architecture and definition, by whatever engine."""
        wanted = _what(run)
        return [
            r
            for r in self._records
            if (tuple(r["architecture"]), r["definition"], r["with_output"]) == wanted
        ]

    def _sample(self, run: Run) -> float | None:
        """An estimate of the number of regions; one network stands for its architecture."""
        what = _what(run)
        _, definition, with_output = what
        if what not in self._samples:
            if len(self._samples) >= _SAMPLED:
                return None
            result = estimate(
                run.source.load(),
                resolve_domain(run.domain),
                definition=Definition(definition).searched,
                with_output=with_output,
                budget=Budget(seconds=_SAMPLE),
            )
            self._samples[what] = result.estimate
        return self._samples[what]


def _what(run: Run) -> tuple[tuple[int, ...], str, bool]:
    """What is counted: the architecture, the definition, whether outputs are units."""
    settings = run.settings
    return run.architecture, getattr(settings, "definition", "full"), settings.with_output


def _engine(record: Mapping[str, Any]) -> Any:
    return record.get("asked_engine", record["engine"])
