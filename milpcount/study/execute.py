"""What one run of a study does, and the record that it leaves."""

from __future__ import annotations

from typing import Any

from milpcount.facade import bound, count
from milpcount.result import Budget, Limit, ProgressCallback
from milpcount.study.grid import Run, resolve_domain

__all__ = ["execute"]


def execute(run: Run, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Count and bound one network; return the record that is stored.

    Raises:
        KeyboardInterrupt: the count was interrupted; it is to be run again.
        MilpcountError: the run failed.
    """
    network = run.source.load()
    settings = run.settings
    bounds = bound(network, with_output=settings.with_output)
    options: dict[str, Any] = dict(settings.options)
    result = count(
        network,
        resolve_domain(run.domain),
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
        "key": run.key,
        "network": run.source.name,
        "architecture": list(run.architecture),
        **result.to_json(),
        "seed": run.source.seed,
        "asked_engine": settings.engine,
        "bounds": bounds.to_json()["upper"],
        "statistics": dict(result.statistics),
        "metadata": dict(run.source.metadata),
    }
