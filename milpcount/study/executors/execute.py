"""What one run of a study does, and the record that it leaves."""

from __future__ import annotations

import time
from typing import Any

from milpcount.api import bound, count, estimate
from milpcount.bounds import bound_network
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget, Definition, Limit, ProgressCallback
from milpcount.engines.registry import choose_engine
from milpcount.study.config.grid import Run, resolve_domain
from milpcount.study.config.schema import BoundSettings, CountSettings, EstimateSettings
from milpcount.study.executors.warm_up import load_engine, load_method
from milpcount.support.decimal_text import to_decimal
from milpcount.support.version import __version__

__all__ = ["execute"]


def execute(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Do one run; return the record that is stored, whose ``kind`` says what was done.

    Raises:
        KeyboardInterrupt: the run was interrupted; it is to be done again.
        MilpcountError: the run failed.
    """
    settings = run.settings
    if isinstance(settings, CountSettings):
        return _count(run, settings, progress)
    if isinstance(settings, EstimateSettings):
        return _estimate(run, settings, progress)
    return _bound(run, settings)


def _heading(run: Run, kind: str) -> dict[str, Any]:
    return {
        "key": run.key,
        "kind": kind,
        "network": run.source.name,
        "architecture": list(run.architecture),
    }


def _count(run: Run, settings: CountSettings, progress: ProgressCallback | None) -> dict[str, Any]:
    """Count one network, with its analytic bounds: ``kind`` "count"."""
    network = run.source.load()
    domain = resolve_domain(run.domain)
    bounds = bound(network, with_output=settings.with_output)
    problem = CountProblem.of(
        network, domain, Definition(settings.definition).searched, settings.with_output
    )
    options: dict[str, Any] = dict(settings.options)
    if run.journal is not None:
        run.journal.parent.mkdir(parents=True, exist_ok=True)
        options["resume"] = run.journal
    load_engine(choose_engine(settings.engine, problem, options), settings.definition, progress)
    result = count(
        network,
        domain,
        engine=settings.engine,
        definition=settings.definition,
        with_output=settings.with_output,
        budget=Budget(seconds=settings.time_limit, regions=settings.region_limit),
        progress=progress,
        **options,
    )
    if result.termination.limit is Limit.INTERRUPT:
        raise KeyboardInterrupt
    return {
        **_heading(run, "count"),
        **result.to_json(),
        "seed": run.source.seed,
        "asked_engine": settings.engine,
        "bounds": bounds.to_json()["upper"],
        "statistics": dict(result.statistics),
        "metadata": dict(run.source.metadata),
    }


def _estimate(
    run: Run, settings: EstimateSettings, progress: ProgressCallback | None
) -> dict[str, Any]:
    """Estimate the count of one network: ``kind`` "estimate"; ``lower`` holds with confidence.

    ``upper`` is null and ``exact`` false, as everywhere where no more is proved.
    """
    load_method(settings.method, settings.definition, progress)
    options: dict[str, Any] = dict(settings.options)
    result = estimate(
        run.source.load(),
        resolve_domain(run.domain),
        method=settings.method,
        confidence=settings.confidence,
        seed=settings.seed(run.network_sha256),
        definition=settings.definition,
        with_output=settings.with_output,
        budget=Budget(seconds=settings.time_limit),
        progress=progress,
        **options,
    )
    if result.termination.limit is Limit.INTERRUPT:
        raise KeyboardInterrupt
    values = result.to_json()
    del values["history"]
    return {
        **_heading(run, "estimate"),
        **values,
        "label": settings.label,
        "engine": settings.method,
        "upper": None,
        "exact": False,
        "number": settings.number,
        "options": options,
        "time_limit": settings.time_limit,
        "metadata": dict(run.source.metadata),
    }


def _bound(run: Run, settings: BoundSettings) -> dict[str, Any]:
    """Bound one network over the domain: ``kind`` "bound".

    ``seconds`` includes the ranges of the pre-activations, which tell the stable units, and
    ``analytic_seconds`` is for the same bounds without them.
    """
    network = run.source.load()
    problem = CountProblem.of(network, resolve_domain(run.domain), with_output=settings.with_output)
    start = time.perf_counter()
    bound_network(network, with_output=settings.with_output)
    middle = time.perf_counter()
    bounds = bound_network(network, problem=problem, preactivation=settings.ranges)
    end = time.perf_counter()
    return {
        **_heading(run, "bound"),
        "engine": f"bounds, {settings.ranges}",
        "definition": "full",
        "with_output": settings.with_output,
        "lower": "0",
        "upper": to_decimal(min(bounds.upper.values())),
        "exact": False,
        "ranges": settings.ranges,
        "seconds": end - middle,
        "analytic_seconds": middle - start,
        "stopped_by": None,
        "network_sha256": network.sha256,
        "version": __version__,
        "seed": run.source.seed,
        "bounds": bounds.to_json()["upper"],
        "notes": list(run.notes),
        "metadata": dict(run.source.metadata),
    }
